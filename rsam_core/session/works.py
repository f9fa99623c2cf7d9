"""The works of one browser: listed, named, duplicated, deleted and opened again.

A work is one opened image with all that was done to it. Its saves (`autosave`), its card and its
small picture lie in the folder of the browser, named by its id; the image lies beside them
(`kept_images`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rsam_core.errors import ProjectError
from rsam_core.session import atomic_file, autosave, kept_images, work_cards
from rsam_core.session.autosave import Autosave
from rsam_core.session.project import ProjectState
from rsam_core.session.work_cards import Card

UNDELETE = timedelta(days=1)
"""How long a deleted work can be brought back."""
_NUMBERED = re.compile(r"^(.*) \((\d+)\)$")


@dataclass(frozen=True)
class Work:
    """A work as it is offered again.

    Attributes
    ----------
    card : Card
    saves : tuple of Autosave
        The latest first; none if nothing was done to the image yet.
    image : Path or None
        The file of its image; None if it is no longer there.
    picture : Path or None
        A small picture, JPEG.
    """

    card: Card
    saves: tuple[Autosave, ...] = ()
    image: Path | None = None
    picture: Path | None = None

    @property
    def id(self) -> str:
        """Tells it from the others of this browser."""
        return self.card.id

    @property
    def time(self) -> datetime:
        """When it was worked on last, in UTC."""
        seen = datetime.fromtimestamp(self.card.time, UTC)
        return max(seen, self.saves[0].time) if self.saves else seen


def folder(browser: str) -> Path:
    """The folder of a browser.

    Its name does not tell the browser's secret: whoever reads a list of folders learns none.
    """
    where = autosave.folder() / hashlib.sha256(browser.encode()).hexdigest()[:32]
    before = autosave.folder() / browser
    if before.is_dir() and not where.exists():
        # Named by the secret itself in earlier versions.
        with contextlib.suppress(OSError):
            before.rename(where)
    return where


class Shelf:
    """The works of a browser.

    Parameters
    ----------
    where : Path
        See `folder`.
    """

    def __init__(self, where: Path) -> None:
        self.where = where

    def works(self, *, scene_hash: str | None = None) -> tuple[Work, ...]:
        """All works that are not deleted, the latest first.

        Parameters
        ----------
        scene_hash : str, optional
            Only those of this image.
        """
        found = [work for work in self._all() if work.card.deleted is None]
        if scene_hash is not None:
            found = [work for work in found if work.card.scene_hash == scene_hash]
        # Nothing was done yet to an image without saves: worth a line only as the latest.
        return tuple(w for k, w in enumerate(found) if w.saves or (k == 0 and w.image is not None))

    def get(self, id: str) -> Work | None:
        """The work of that id, deleted or not."""
        return next((work for work in self._all() if work.id == id), None)

    def load(
        self, id: str, wanted: Callable[[ProjectState], bool] | None = None
    ) -> tuple[ProjectState | None, str]:
        """Read the latest save of a work that is whole.

        Parameters
        ----------
        id : str
        wanted : callable, optional
            Says whether a save will do; otherwise the one before is read.

        Returns
        -------
        state : ProjectState or None
            None if nothing was done to the image yet, or no save will do.
        note : str
            What is to be said: that the last save was damaged and an earlier one was taken.

        Raises
        ------
        ProjectError
            If there were saves and none can be read.
        """
        work = self._known(id)
        first: ProjectError | None = None
        for entry in work.saves:
            try:
                state = autosave.load(entry)
            except ProjectError as error:
                first = first or error
                continue
            if wanted is not None and not wanted(state):
                continue
            note = ""
            if first is not None:
                at = entry.time.astimezone().strftime("%H:%M on %d %B")
                note = f"The last save of this work was damaged; the one before, of {at}, is shown."
            return state, note
        if first is not None:
            raise first
        return None, ""

    def second_date(self, id: str) -> Path | None:
        """The kept file of a work's second date, if there is one."""
        hash = self._known(id).card.second_hash
        return kept_images.find(self.where, hash) if hash else None

    def rename(self, id: str, name: str) -> None:
        """Give a work another name; empty for that of its image.

        Raises
        ------
        ProjectError
            If it is gone, or the disk is full.
        """
        name = " ".join(name.split())[: work_cards.LONGEST]
        self._write(replace(self._known(id).card, name=name))

    def duplicate(self, id: str) -> str:
        """Make a second work of the latest save; returns its id.

        Raises
        ------
        ProjectError
            If it is gone, or the disk is full.
        """
        work = self._known(id)
        fresh = work_cards.fresh_id()
        taken = {other.card.title for other in self._all()}
        try:
            if work.saves:
                name = work.saves[0].path.name.split("-")[0]
                target = f"{name}-{autosave.stamp()}-{fresh}{autosave.ENDING}"
                atomic_file.write(self.where / target, work.saves[0].path.read_bytes())
            if work.picture is not None:
                picture = work.picture.read_bytes()
                atomic_file.write(self.where / f"{fresh}{work_cards.PICTURE_ENDING}", picture)
        except OSError as error:
            raise _unwritable(error) from error
        title = _next_title(work.card.title, taken)
        self._write(replace(work.card, id=fresh, name=title, time=time.time(), deleted=None))
        return fresh

    def delete(self, id: str) -> None:
        """Take a work out of the list; for a day it can be brought back.

        Raises
        ------
        ProjectError
            If it is gone, or the disk is full.
        """
        self._write(replace(self._known(id).card, deleted=time.time()))

    def undelete(self, id: str) -> None:
        """Bring a deleted work back.

        Raises
        ------
        ProjectError
            If it is gone, or the disk is full.
        """
        self._write(replace(self._known(id).card, deleted=None))

    def note(self, card: Card, picture: bytes | None = None) -> None:
        """Write what is told of a work; the name that a person gave it stays.

        Raises
        ------
        ProjectError
            If the disk is full.
        """
        before = work_cards.read(self.where / f"{card.id}{work_cards.ENDING}")
        if before is not None and not card.name:
            card = replace(card, name=before.name)
        self._write(card)
        if picture is not None:
            try:
                atomic_file.write(self.where / f"{card.id}{work_cards.PICTURE_ENDING}", picture)
            except OSError as error:
                raise _unwritable(error) from error

    def remove(self, id: str) -> None:
        """Remove a work for good; its image goes with the next `tidy` if no other needs it."""
        for entry in self._saves().get(id, ()):
            autosave.discard(entry)
        for ending in (work_cards.ENDING, work_cards.PICTURE_ENDING):
            with contextlib.suppress(OSError):
                (self.where / f"{id}{ending}").unlink()

    def tidy(self, open_images: Collection[str] = (), *, now: datetime | None = None) -> None:
        """Remove what nobody misses: deleted and empty works of before, images that none needs.

        Parameters
        ----------
        open_images : collection of str
            Hashes of images that are open now.
        now : datetime, optional
            For tests.
        """
        now = now or datetime.now(UTC)
        wanted = set(open_images)
        for place, work in enumerate(self._all()):
            deleted = work.card.deleted
            gone = deleted is not None and now.timestamp() - deleted > UNDELETE.total_seconds()
            empty = not work.saves and (place > 0 or now - work.time > UNDELETE)
            if gone or (empty and work.card.scene_hash not in open_images):
                self.remove(work.id)
            else:
                wanted |= {work.card.scene_hash, work.card.second_hash}
        kept_images.remove(self.where, wanted)

    def _all(self) -> list[Work]:
        saves = self._saves()
        cards = {}
        for path in _listed(self.where):
            if path.name.endswith(work_cards.ENDING):
                card = work_cards.read(path)
                if card is not None:
                    cards[card.id] = card
        for id, entries in saves.items():
            if id not in cards and (card := self._of_saves(id, entries)) is not None:
                cards[id] = card
        works = [self._work(card, saves.get(card.id, ())) for card in cards.values()]
        return sorted(works, key=lambda work: work.time, reverse=True)

    def _work(self, card: Card, saves: tuple[Autosave, ...]) -> Work:
        image = kept_images.find(self.where, card.scene_hash)
        if image is None and card.place and os.path.isfile(card.place):
            image = Path(card.place)
        picture = self.where / f"{card.id}{work_cards.PICTURE_ENDING}"
        return Work(card, saves, image, picture if picture.is_file() else None)

    def _saves(self) -> dict[str, tuple[Autosave, ...]]:
        found: dict[str, list[Autosave]] = {}
        for entry in autosave.entries(self.where):
            # Earlier versions named no writer: all saves of an image are one work.
            found.setdefault(entry.writer or entry.scene_hash[:16].lower(), []).append(entry)
        return {id: tuple(entries) for id, entries in found.items()}

    def _of_saves(self, id: str, entries: tuple[Autosave, ...]) -> Card | None:
        """A card made again of what was saved; written, so that it is made once."""
        for entry in entries:
            try:
                state = autosave.load(entry)
            except ProjectError:
                continue
            card = Card(
                id, state.scene_name, state.scene_hash, state.width, state.height,
                objects=len(state.instances), time=entry.time.timestamp(),
            )  # fmt: skip
            with contextlib.suppress(OSError):
                work_cards.write(self.where, card)
            return card
        return None

    def _known(self, id: str) -> Work:
        work = self.get(id)
        if work is None:
            raise ProjectError(
                "This work is no longer there. Choose another one, or open an image."
            )
        return work

    def _write(self, card: Card) -> None:
        try:
            work_cards.write(self.where, card)
        except OSError as error:
            raise _unwritable(error) from error


def tidy(root: Path, open_images: Collection[str] = ()) -> None:
    """Tidy the folders of all browsers; see `autosave.tidy` and `Shelf.tidy`."""
    autosave.tidy(root)
    for where in _listed(root):
        if where.is_dir():
            Shelf(where).tidy(open_images)
            # Of a browser that has nothing left.
            for left in (where / kept_images.FOLDER, where):
                with contextlib.suppress(OSError):
                    left.rmdir()


def _listed(where: Path) -> list[Path]:
    try:
        return list(where.iterdir())
    except OSError:
        return []


def _next_title(title: str, taken: Collection[str]) -> str:
    """The title with the next number in brackets that is free."""
    match = _NUMBERED.match(title)
    stem, number = (match[1], int(match[2])) if match else (title, 1)
    while (name := f"{stem} ({number + 1})") in taken:
        number += 1
    return name


def _unwritable(error: OSError) -> ProjectError:
    return ProjectError(
        f"This could not be written ({error.strerror or error}). Nothing was changed; make room "
        "on the disk and try again."
    )
