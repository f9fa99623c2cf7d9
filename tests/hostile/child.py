"""The process in which uploads are tried: a task a line comes in, an outcome a line goes out.

A task is JSON with ``path`` (of the content), ``kind`` and ``file``. The outcome has ``outcome``
("refused", "opened" or "raised"), ``message``, ``type``, ``seconds``, and ``alive``: whether a
sound image still reads as before.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

import numpy as np


def serve() -> None:
    """Answer tasks until the input ends."""
    # What decoders print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from rsam_core.errors import RsamError
    from tests.hostile import seeds, uploads

    # Everything that the first upload of a kind would import or start.
    before = seeds.scene().read_rgb()
    for warm in (
        lambda: uploads.image(seeds.picture("JPEG"), "warm.jpg"),
        lambda: uploads.truth(_outline(), "warm.geojson"),
        lambda: uploads.recipe(b'{"format": "rsam-recipe", "version": 1, "steps": []}', "w.json"),
    ):
        try:
            warm()
        except RsamError:
            continue
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        content = Path(task["path"]).read_bytes()
        _forget_peak()
        print("begun", file=answers, flush=True)
        began = time.perf_counter()
        try:
            seen = uploads.DO[task["kind"]](content, task["file"])
            answer = {"outcome": "opened", "message": seen[:4000], "type": ""}
        except RsamError as error:
            answer = {"outcome": "refused", "message": str(error), "type": type(error).__name__}
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)
            place = next((f for f in reversed(where) if "rsam_core" in f.filename), where[-1])
            answer = {
                "outcome": "raised",
                "message": f"{error!s:.300} at {Path(place.filename).name}:{place.lineno}",
                "type": type(error).__name__,
            }
        answer["seconds"] = time.perf_counter() - began
        answer["peak"] = _peak()
        try:
            answer["alive"] = bool(np.array_equal(seeds.scene().read_rgb(), before))
        except RsamError as error:
            answer["alive"] = f"{error}"
        print(json.dumps(answer), file=answers, flush=True)


def _outline() -> bytes:
    from tests.hostile import seeds

    shape = {"type": "Polygon", "coordinates": [seeds.ring(5, 5, 20, 20)]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32637"}}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}).encode()


def _forget_peak() -> None:
    """Let Linux count the largest memory anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    """Largest memory of this process since then, in bytes; 0 where that is unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) * 1024 for x in lines if x.startswith("VmHWM")), 0)


if __name__ == "__main__":
    serve()
