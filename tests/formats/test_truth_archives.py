"""Archives with truth that were made to fill the memory or to take time."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from rsam_core.errors import MetricError
from rsam_core.formats.truth import read_truth
from rsam_core.formats.vector_files import MAX_LAYERS

_SQUARE = {"type": "Polygon", "coordinates": [[[2, 3], [12, 3], [12, 9], [2, 9], [2, 3]]]}


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_a_layer_that_unpacks_to_many_times_its_size_is_refused() -> None:
    text = json.dumps(_SQUARE).encode()
    assert read_truth(packed({"a.geojson": text}), (20, 20), name="a.zip").sum() == 60
    swollen = packed({"a.geojson": text + b" " * (65 << 20)})
    with pytest.raises(MetricError, match="unpacks to more than 64 MB"):
        read_truth(swollen, (20, 20), name="a.zip")


def test_an_archive_of_very_many_layers_is_refused() -> None:
    text = json.dumps(_SQUARE).encode()
    files = {f"{n}.geojson": text for n in range(MAX_LAYERS + 1)}
    with pytest.raises(MetricError, match="more than 200 layers"):
        read_truth(packed(files), (20, 20), name="a.zip")
    # What is no layer may lie beside it.
    beside = {f"{n}.txt": b"x" for n in range(MAX_LAYERS + 1)} | {"a.geojson": text}
    assert read_truth(packed(beside), (20, 20), name="a.zip").sum() == 60
