"""Projects whose second date, series, questions or undo steps lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import shapely

from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.session.project import ProjectState, save_project
from rsam_core.session.saved_apply import SavedApply
from rsam_core.session.saved_change import SavedChange
from rsam_core.session.saved_series import SavedSeries
from rsam_core.session.undo_records import SavedSteps
from tests.hostile import seeds
from tests.hostile.case import OPENED, Case, Lure, cases_of
from tests.hostile.layers import nested_binary
from tests.hostile.recipes import STRANGE
from tests.hostile.videos import clip, target

_WORST = {word: STRANGE[word] for word in
          ("nothing", "-1", "infinite", "NaN", "10^400", "a word", "a list", "nested")}  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield all of them."""
    sound = {"a series": series, "a film": _film, "questions": questions, "undo": undo,
             "a second date": change}  # fmt: skip
    yield from cases_of("project", "parts.rsam.zip", sound, OPENED)
    yield from cases_of("project", "series.rsam.zip", _series())
    yield from cases_of("project", "change.rsam.zip", _change())
    yield from cases_of("project", "questions.rsam.zip", _questions())
    yield from cases_of("project", "undo.rsam.zip", _undo())


def _project(**parts: Any) -> bytes:
    scene = seeds.scene()
    items = Instances([Instance(np.ones((9, 12), bool), 20, 30, 0.9, 1, "manual")], scene.shape)
    return save_project(
        ProjectState(
            scene_name="town.tif", scene_hash=scene.content_hash, width=scene.width,
            height=scene.height, instances=items, crs=scene.crs, gsd=scene.gsd,
            saved="2026-01-02T03:04:05+00:00", **parts,
        )
    )  # fmt: skip


def _outlines(*boxes: tuple[int, int, int, int]) -> Instances:
    return Instances(
        [Instance(np.ones((h, w), bool), x, y, 0.9, n, "a")
         for n, (x, y, w, h) in enumerate(boxes, 1)],
        seeds.scene().shape,
    )  # fmt: skip


def _text(data: Any) -> Any:
    """Let a part be written as it is, NaN and long numbers included."""
    return json.dumps(data).encode()


# --- a series ------------------------------------------------------------------------------------


@cache
def _dates() -> tuple[bytes, bytes]:
    return seeds.geotiff(), seeds.geotiff(np.moveaxis(seeds.pixels()[:, ::-1], 2, 0).copy())


def _series_facts() -> dict[str, Any]:
    from rsam_core.scene.scene import open_scene

    hashes = [open_scene(content, name="a.tif").content_hash for content in _dates()]
    return {
        "source": {"kind": "files", "names": ["a_2016.tif", "b_2017.tif"], "hashes": hashes,
                   "every": 1, "sizes": [len(content) for content in _dates()]},
        "shape": [seeds.HEIGHT, seeds.WIDTH], "count": 2, "dates": ["2016", "2017"], "frame": 0,
        "holes": False,
        "marks": {"0": {"points": [[5, 5, 1]], "box": [1, 1, 9, 9], "choice": 0, "score": 0.9}},
        "track": {"confidence": [1.0, 0.5], "shifts": [[0, 0], [1, 1]], "seconds": 0.5,
                  "followed": 1},
        "pending": [],
    }  # fmt: skip


def series(facts: Any = None, files: bytes | None = None) -> bytes:
    """Return a project with a series of two dates."""
    facts = _series_facts() if facts is None else facts
    files = b"".join(_dates()) if files is None else files
    saved = SavedSeries(_series_facts(), _outlines((5, 5, 9, 9), (6, 6, 9, 9)), files)
    return _altered(_project(series=saved), "series.json", _text(facts))


def _altered(content: bytes, name: str, data: bytes) -> bytes:
    """Return a project with one part replaced, and its check sum set right."""
    import hashlib
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    parts[name] = data
    manifest = json.loads(parts["manifest.json"])
    manifest["parts"][name] = hashlib.sha256(data).hexdigest()
    return seeds.packed({**parts, "manifest.json": json.dumps(manifest).encode()})


def _film(content: bytes | None = None) -> bytes:
    """Return a project whose series is a video."""
    import hashlib

    content = clip() if content is None else content
    digest = hashlib.sha256(content).hexdigest()[:16]
    facts = _series_facts()
    facts |= {
        "source": {"kind": "video", "names": ["flight.mp4"], "hashes": [digest], "every": 1,
                   "sizes": [len(content)]},
        "shape": [48, 64], "count": 5, "dates": [None] * 5, "marks": {}, "track": None,
    }  # fmt: skip
    return series(facts, content)


def _series() -> dict[str, object]:
    sound = _series_facts()
    found: dict[str, object] = {}

    def changed(**entries: Any) -> object:
        return lambda: series(sound | entries)

    for word, value in _WORST.items():
        for key in sound:
            found[f"{key}: {word}"] = changed(**{key: value})
        for key in sound["source"]:
            found[f"source {key}: {word}"] = changed(source=sound["source"] | {key: value})
        for key in sound["track"]:
            found[f"track {key}: {word}"] = changed(track=sound["track"] | {key: value})
        for key in sound["marks"]["0"]:
            marks = {"0": sound["marks"]["0"] | {key: value}}
            found[f"mark {key}: {word}"] = changed(marks=marks)
        found[f"a date: {word}"] = changed(dates=["2016", value])
    for what in ("address", "words"):

        def listed(lure: Lure, what: str = what) -> bytes:
            text = f"#EXTM3U\n#EXTINF:9,\n{target(lure, what)}\n#EXT-X-ENDLIST\n"
            return _film(text.encode())

        found[f"a film that is a list of {what}"] = listed
    return found | {
        "files that are a virtual raster": lambda: series(
            sound | {"source": sound["source"] | {"sizes": [9, 0]}}, b"<VRTData>"
        ),
        "a sample that there is not": changed(
            source={"kind": "sample", "names": ["../../x"], "hashes": [], "every": 1, "sizes": []}
        ),
        "outlines of another size": changed(shape=[32, 48]),
        "a mark beyond the last frame": changed(marks={"2": sound["marks"]["0"]}),
        "a hundred thousand frames": changed(count=100_000, dates=[None] * 100_000),
        "a film of which every 10^9th frame": lambda: series(
            {**sound, "source": {"kind": "video", "names": ["a.mp4"], "hashes": ["x"],
                                 "every": 10**9, "sizes": [len(clip())]}}, clip()
        ),
    }  # fmt: skip


# --- a second date -------------------------------------------------------------------------------


def _change_facts() -> dict[str, Any]:
    from rsam_core.scene.scene import open_scene

    second = open_scene(_dates()[1], name="b.tif")
    return {
        "second": {"name": "b.tif", "hash": second.content_hash, "origin": ["upload", ""]},
        "swapped": False, "typed": ["2016", "2017"],
        "wishes": {"method": "rsam", "kinds": [], "radiometry": "histogram", "register": True,
                   "smallest": 60},
        "thresholds": {"rsam": 0.5}, "checks": [["new", 1, 2, 3, 4, 5, True]], "comparison": None,
    }  # fmt: skip


def change(facts: Any = None) -> bytes:
    """Return a project with a second date."""
    facts = _change_facts() if facts is None else facts
    content = _project(change=SavedChange(_change_facts(), None, _dates()[1]))
    return _altered(content, "change.json", _text(facts))


def _change() -> dict[str, object]:
    sound = _change_facts()
    found: dict[str, object] = {}

    def changed(**entries: Any) -> object:
        return lambda: change(sound | entries)

    for word, value in _WORST.items():
        for key in sound:
            found[f"{key}: {word}"] = changed(**{key: value})
        for key in sound["second"]:
            found[f"second {key}: {word}"] = changed(second=sound["second"] | {key: value})
        for key in sound["wishes"]:
            found[f"wish {key}: {word}"] = changed(wishes=sound["wishes"] | {key: value})
        found[f"a threshold: {word}"] = changed(thresholds={"rsam": value})
        found[f"a check: {word}"] = changed(checks=[value])
        found[f"a check at {word}"] = changed(checks=[["new", 1, value, 3, 4, 5, True]])
    return found | {
        "a date in a folder above": changed(
            second=sound["second"] | {"origin": ["folder", "../../../etc/passwd"]}
        ),
    }


# --- questions -----------------------------------------------------------------------------------


def _question_facts(blob: bytes) -> dict[str, Any]:
    return {
        "question": "density", "choices": {"density/zones": "layer:a"},
        "values": {"density": {"size": 25.0}},
        "checks": {"density": [["low", "refused", "a shed", ""]]},
        "layers": [{"name": "a", "notes": [], "rows": [{"name": "Ost"}], "lengths": [len(blob)]}],
    }  # fmt: skip


_AREA = shapely.to_wkb(shapely.box(5, 5, 40, 40))


def questions(facts: Any = None, blob: bytes = _AREA) -> bytes:
    """Return a project with a layer that was given."""
    facts = _question_facts(blob) if facts is None else facts
    content = _project(apply=SavedApply(_question_facts(_AREA), _AREA))
    content = _altered(content, "apply_shapes.bin", blob)
    return _altered(content, "apply.json", _text(facts))


def _questions() -> dict[str, object]:
    sound = _question_facts(_AREA)
    found: dict[str, object] = {}

    def changed(**entries: Any) -> object:
        return lambda: questions(sound | entries)

    for word, value in _WORST.items():
        for key in sound:
            found[f"{key}: {word}"] = changed(**{key: value})
        for key in sound["layers"][0]:
            found[f"layer {key}: {word}"] = changed(layers=[sound["layers"][0] | {key: value}])
        found[f"a row: {word}"] = changed(layers=[sound["layers"][0] | {"rows": [value]}])
        found[f"a length: {word}"] = changed(layers=[sound["layers"][0] | {"lengths": [value]}])
    star = [(20 + 15 * np.cos(n * 2.4), 20 + 15 * np.sin(n * 2.4)) for n in range(99)]
    shapes = {
        "noise": bytes(range(256)),
        "collections 60 deep": nested_binary(60),
        "collections 5,000 deep": nested_binary(5000),
        "collections 200,000 deep": nested_binary(200_000),
        "two thousand million corners": b"\1\3\0\0\0\1\0\0\0\xff\xff\xff\x7f",
        "an outline that crosses itself": shapely.to_wkb(shapely.Polygon(star)),
        "nothing": shapely.to_wkb(shapely.Polygon()),
        "NaN": shapely.to_wkb(shapely.Point(np.nan, np.nan)),
        "1e308": shapely.to_wkb(shapely.box(-1e308, -1e308, 1e308, 1e308)),
        "heights": shapely.to_wkb(shapely.Point(5, 5, 5)),
    }
    return found | {f"a shape of {k}": (lambda b=b: questions(blob=b)) for k, b in shapes.items()}


# --- undo ----------------------------------------------------------------------------------------


def _undo_facts() -> dict[str, Any]:
    mark = {"uid": 1, "kind": "point", "x": 3.0, "y": 3.0, "x1": 3.0, "y1": 3.0, "label": 1,
            "view": None}  # fmt: skip
    edits = {"removed": [], "reshaped": [], "added": [1], "labels": [[1, "house"]]}
    now = {"entries": [0], "current": 1, "edits": 0, "next_uid": 2, "next_id": 9}
    past = {"entries": [], "current": None, "edits": 0, "what": "Click"}
    return {"now": now, "answers": [[0, 0]], "past": [past], "future": [], "edits": [edits],
            "entries": [{"id": 1, "marks": [mark], "choices": []}], "ids": [1, 2]}  # fmt: skip


def undo(facts: Any = None) -> bytes:
    """Return a project with what can be undone."""
    facts = _undo_facts() if facts is None else facts
    sound = _undo_facts()
    sound.pop("ids")
    items = tuple(_outlines((20, 30, 12, 9), (50, 9, 9, 9)))
    return _altered(_project(undo=SavedSteps(sound, items)), "undo.json", _text(facts))


def _undo() -> dict[str, object]:
    sound = _undo_facts()
    found: dict[str, object] = {}

    def changed(**entries: Any) -> object:
        return lambda: undo(sound | entries)

    for word, value in _WORST.items():
        for key in sound:
            found[f"{key}: {word}"] = changed(**{key: value})
        for key in sound["now"]:
            found[f"now {key}: {word}"] = changed(now=sound["now"] | {key: value})
        for key in sound["edits"][0]:
            found[f"edit {key}: {word}"] = changed(edits=[sound["edits"][0] | {key: value}])
        for key in sound["past"][0]:
            found[f"past {key}: {word}"] = changed(past=[sound["past"][0] | {key: value}])
        found[f"a number: {word}"] = changed(ids=[1, value])
    return found | {
        "a number twice": changed(ids=[1, 1]),
        "a number of 31 bits": changed(ids=[1, 2**31 - 1]),
        "a million steps": changed(past=[sound["past"][0]] * 100_000),
    }
