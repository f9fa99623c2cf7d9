"""COCO data of several objects, of every way to give an outline."""

from __future__ import annotations

import json

from rsam_core.formats.truth import read_truth


def test_polygons_runs_and_boxes_each_become_an_object() -> None:
    height, width = 40, 60
    image = {"id": 1, "file_name": "a.png", "width": width, "height": height}
    square = {"segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]]}
    flat = {"segmentation": [20, 20, 30, 20, 30, 25, 20, 25]}
    runs = {"segmentation": {"size": [height, width], "counts": [2000, 7, height * width - 2007]}}
    box = {"bbox": [40, 30, 4, 5]}
    annotations = [
        {"id": n, "image_id": 1, "category_id": 1, **told}
        for n, told in enumerate((square, flat, runs, box, square), start=1)
    ]
    content = json.dumps({"images": [image], "annotations": annotations, "categories": []})
    labels = read_truth(content.encode(), (height, width), name="a.json")
    # The last lies exactly on the first, which it hides.
    sizes = sorted((labels == number).sum() for number in set(labels.ravel().tolist()) - {0})
    assert sizes == [7, 20, 50, 60]
