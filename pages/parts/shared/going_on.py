"""Going on with a work of this browser: its image, objects, undo and page as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, opening
from pages.parts.shared.autosaving import ago, shelf
from pages.parts.shared.image_root import root
from pages.parts.shared.menu import MENU, SCREENS, address
from pages.parts.shared.names import MAX_LENGTH, full, plain, so_many_objects
from rsam_core.errors import ProjectError
from rsam_core.runtime.language import _
from rsam_core.session import kept_images
from rsam_core.session.works import Shelf, Work

ACTION = "go-on"


def page_file(page: str) -> str:
    """The file of a page by its address; of the Segment page if there is none like that."""
    screens = {address(name): name for names in MENU.values() for name in names}
    return f"pages/screens/{screens.get(page, 'segment')}.py"


def facts(work: Work) -> str:
    """Time and count of a work, in a line."""
    count = work.card.objects
    done = so_many_objects(count) if work.saves else _("nothing outlined yet")
    told = [ago(work.time), done]
    titles = {address(name): title for name, (title, _icon) in SCREENS.items()}
    page = titles.get(work.card.page)
    if page and work.saves:
        told.append(_("on {page}").format(page=_(page)))
    return " · ".join(told)


def go_on(shelf: Shelf, work: Work) -> None:
    """Open a work again; what is wrong is said by the banner.

    Parameters
    ----------
    shelf : Shelf
    work : Work
    """
    with banner.guard(ACTION):
        path = _image(work)
        state, note = shelf.load(work.id)
        place = work.card.place if path == Path(work.card.place) else ""
        again = opening.GoingOn(shelf.where, work.id, page_file(work.card.page), place, note)
        kept_images.touch(shelf.where, work.card.scene_hash)
        with st.spinner(_("Opening your work…")):
            # It was examined when it was uploaded; what lies in the open folder may be another.
            scene = rsam.open_scene(path, name=work.card.scene_name, examine=True)
            if scene.content_hash != work.card.scene_hash:
                raise ProjectError(
                    _(
                        "“{scene_name}” has changed since you worked on it. Open it anew; the "
                        "work stays here."
                    ).format(scene_name=work.card.scene_name)
                )
        if state is None:
            opening.enter(current_session.of_scene(scene, work.card.sample), again)
        second = shelf.second_date(work.id)
        if state.change is not None and second is not None:
            state = replace(state, change=replace(state.change, image=second.read_bytes()))
        opening.begin(state, scene, again)


def _image(work: Work) -> Path:
    """The file of the work's image.

    Raises
    ------
    ProjectError
        It is no longer there.
    """
    path = work.image
    if path is not None and str(path) == work.card.place:
        # Only what lies in the folder of images may be opened by its path.
        top = root()
        path = path if top is not None and path.resolve().is_relative_to(top) else None
    if path is None:
        raise ProjectError(
            _(
                "The image of this work is no longer kept here. Open “{scene_name}” again, and "
                "RSAM brings the work back."
            ).format(scene_name=work.card.scene_name)
        )
    return path


def remind() -> None:
    """Where no image is open: offer the work that was looked at last."""
    mine = shelf()
    works = mine.works() if mine is not None else ()
    if opening.watch() or not works:
        return
    latest = works[0]
    with st.container(border=True, key="remind", horizontal=True, vertical_alignment="center"):
        picture(latest, 150)
        with st.container(gap="xxsmall"):
            title = latest.card.title
            st.markdown(
                _("**Go on with {title}**").format(title=plain(title, MAX_LENGTH)), help=full(title)
            )
            st.caption(facts(latest))
            if st.button(_("Go on"), type="primary", key="remind-go-on", icon=":material/history:"):
                go_on(mine, latest)


def picture(work: Work, width: int) -> None:
    """The small picture of a work."""
    content = None
    if work.picture is not None:
        try:
            content = work.picture.read_bytes()
        except OSError:
            content = None
    if content:
        alt = _("Small picture of {title}").format(title=work.card.title)
        st.image(content, width=width, alt=alt)
