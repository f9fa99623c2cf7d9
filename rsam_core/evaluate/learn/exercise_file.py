"""Exercises to pass on: as a link, that names a sample, or as a file, that holds its picture."""

from __future__ import annotations

import base64
import binascii
import io
import json
import lzma
import zipfile
import zlib
from types import MappingProxyType
from typing import Any

import numpy as np

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.exercise import Assignment, Exercise, damaged
from rsam_core.evaluate.learn.exercise_pictures import decode
from rsam_core.evaluate.learn.exercise_subject import sample_subject
from rsam_core.evaluate.learn.subject import LARGEST, Subject
from rsam_core.runtime.language import _
from rsam_core.runtime.limited_reading import ReadingFailed, run_limited
from rsam_core.runtime.visible import visible

ENDING = ".rsam-exercise"
FORMAT, VERSION = "rsam-exercise", 1
MAX_LINK = 4000
"""Characters of a link's exercise."""
MAX_FILE = 16 << 20
"""Bytes of a file."""

_MAX_TEXT = 64 << 10
_MANIFEST, _PICTURE, _LABELS = "exercise.json", "picture.png", "labels.png"
_PARTS = {_MANIFEST: _MAX_TEXT, _PICTURE: 12 << 20, _LABELS: 4 << 20}
_WHEN = (1980, 1, 1, 0, 0, 0)
_SECONDS = 10.0


# ---------------------------------------------------------------------- links


def link_of(exercise: Exercise) -> str:
    """The exercise as letters and digits for an address.

    Raises
    ------
    LearnError
        If its picture is somebody's own.
    """
    if exercise.own:
        raise LearnError(
            _("A link can name RSAM's own samples only. Save this exercise as a file, or open a "
              "class board for it.")
        )  # fmt: skip
    text = json.dumps(list(exercise.plain().values()), separators=(",", ":"), ensure_ascii=False)
    packed = zlib.compress(text.encode(), 9)
    return f"{VERSION}{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def exercise_of_link(link: str) -> Exercise:
    """The exercise that letters and digits of an address mean.

    Raises
    ------
    LearnError
        If they mean none, or one of a newer RSAM.
    """
    if not link or len(link) > MAX_LINK or not link.isascii():
        raise damaged()
    if not link.startswith(str(VERSION)):
        raise damaged() if not link[0].isdigit() else _newer()
    body = link[1:]
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(packed, _MAX_TEXT)
        if not unpacking.eof:
            raise damaged()
        values = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise damaged() from error
    names = tuple(Exercise.__dataclass_fields__)
    if not isinstance(values, list) or len(values) != len(names):
        raise damaged()
    exercise = Exercise.from_plain(dict(zip(names, values)))
    if exercise.own:
        raise damaged()
    return exercise


def task_of_link(link: str) -> Assignment:
    """The exercise of a link with its picture.

    Raises
    ------
    LearnError
        If the link means no exercise, or its picture is gone or has changed.
    """
    exercise = exercise_of_link(link)
    return Assignment(exercise, sample_subject(exercise.source))


# ---------------------------------------------------------------------- files


def write_exercise(task: Assignment) -> bytes:
    """The file of an exercise: a zip of JSON, the picture, and the true objects."""
    from PIL import Image

    subject = task.subject
    present = np.unique(subject.labels)
    # Numbers may be large; in the file they go on from 1.
    order = present[present > 0]
    small = np.searchsorted(order, subject.labels) + 1
    small = np.where(subject.labels > 0, small, 0).astype(np.uint16)
    manifest = {
        "format": FORMAT, "version": VERSION, "exercise": task.exercise.plain(),
        "name": subject.name, "gsd": subject.gsd, "credit": subject.credit,
    }  # fmt: skip
    parts: dict[str, bytes] = {_MANIFEST: json.dumps(manifest, ensure_ascii=False).encode()}
    for name, picture in ((_PICTURE, subject.image), (_LABELS, small)):
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "PNG")
        parts[name] = stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            kind = zipfile.ZIP_DEFLATED if name == _MANIFEST else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content, kind)
    return stream.getvalue()


def read_exercise(content: bytes) -> Assignment:
    """The exercise of a file that nobody trusts.

    Its pictures are decoded in a process of their own, within limits.

    Raises
    ------
    LearnError
        If it is no exercise, damaged, too large, or of a newer RSAM.
    """
    if len(content) > MAX_FILE:
        raise LearnError(
            _("This file is too large for an exercise. Choose a file that ends in {ending}.")
            .format(ending=ENDING)
        )  # fmt: skip
    parts = _parts(content)
    manifest = _plain(parts[_MANIFEST])
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise damaged()
    version = manifest.get("version")
    if type(version) is not int or version < 1:
        raise damaged()
    if version > VERSION:
        raise _newer()
    exercise = Exercise.from_plain(manifest.get("exercise"))
    name, gsd, credit = (manifest.get(key) for key in ("name", "gsd", "credit"))
    if not (isinstance(name, str) and isinstance(credit, str)):
        raise damaged()
    if not (gsd is None or (type(gsd) in (int, float) and 0 < gsd < 1e6)):
        raise damaged()
    try:
        found = run_limited(decode, parts[_PICTURE], parts[_LABELS], LARGEST, seconds=_SECONDS)
    except ReadingFailed as error:
        raise damaged() from error
    labels = found["labels"].astype(np.int32)
    kinds = dict.fromkeys(np.unique(labels[labels > 0]).tolist(), exercise.kind or "object")
    subject = Subject(
        f"exercise-{exercise.key}", visible(name)[:100], found["image"], gsd, labels,
        MappingProxyType(kinds), own=exercise.own, credit=visible(credit)[:200],
    )  # fmt: skip
    return Assignment(exercise, subject)


def _parts(content: bytes) -> dict[str, bytes]:
    """The parts of the zip, none larger than it may be, whatever the zip claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sorted(archive.namelist()) != sorted(_PARTS):
                raise damaged()
            found = {}
            for name, most in _PARTS.items():
                with archive.open(name) as stream:
                    found[name] = stream.read(most + 1)
                if len(found[name]) > most:
                    raise damaged()
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise damaged() from error
    except (NotImplementedError, RuntimeError, ValueError) as error:
        # A compression or an encryption that Python does not know.
        raise damaged() from error
    return found


def _plain(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged() from error


def _newer() -> LearnError:
    return LearnError(
        _("This exercise was made by a newer RSAM. Update RSAM here, or ask for the exercise in "
          "the form of this version.")
    )  # fmt: skip
