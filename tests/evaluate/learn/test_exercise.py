"""Exercises: targets, links, files, and what strangers make of both."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn import exercise_file, exercise_subject
from rsam_core.evaluate.learn.exercise import (
    MAX_TARGETS,
    OWN,
    Assignment,
    Exercise,
    inner_spot,
    make_exercise,
    usable,
)
from rsam_core.evaluate.learn.exercise_file import (
    exercise_of_link,
    link_of,
    read_exercise,
    task_of_link,
    write_exercise,
)
from rsam_core.evaluate.learn.exercise_subject import own_part, parts_of, sample_subject, sources
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, speaking
from rsam_core.scene.scene import open_scene
from rsam_core.scene.window import Window
from tests.helpers.boxes import png
from tests.helpers.exercises import subject, task


def test_targets_lie_in_the_middle_of_their_objects():
    made = task((7, 3))
    # The larger is 30 × 30 from (50, 10), the other 20 × 10 from (10, 10).
    assert made.exercise.areas == (900, 200)
    (x, y), (x2, y2) = made.exercise.spots
    assert abs(x - 65) <= 1
    assert abs(y - 25) <= 1
    assert 14 <= x2 <= 26
    assert abs(y2 - 15) <= 1
    assert made.exercise.kind == "roof"
    assert made.truth(1).sum() == 200


def test_samples_are_named_in_the_language_in_use_and_own_images_as_they_are():
    # A word that Learn, which has all its translations, says as well.
    named = replace(subject(), name="Reservoirs")
    sample, own = (make_exercise(named, source, (7,)) for source in ("town:suburb", OWN))
    assert sample.title == own.title == "Reservoirs: roofs"
    with speaking("fr"):
        place, kind = _("Reservoirs"), _("roofs")
        assert place != "Reservoirs"
        assert sample.title.startswith(place)
        assert own.title.startswith("Reservoirs")
        assert sample.title.endswith(kind)
        assert sources()["place:fields"] == _("Fields in Wisconsin")


def test_inner_spot_is_inside_a_ring():
    ring = np.zeros((21, 21), bool)
    ring[2:19, 2:19] = True
    ring[7:14, 7:14] = False
    x, y = inner_spot(ring)
    assert ring[int(y), int(x)]


def test_cut_and_tiny_objects_are_no_targets():
    assert list(usable(subject())) == [7, 3, 9]


def test_nothing_to_do_and_too_much():
    with pytest.raises(LearnError, match="at least one object"):
        task(())
    with pytest.raises(LearnError, match="at most 20 objects"):
        Exercise(OWN, ((1.0, 1.0),) * (MAX_TARGETS + 1), (50,) * (MAX_TARGETS + 1))
    with pytest.raises(LearnError, match="not in this picture"):
        task((7, 99))


def test_a_link_says_the_same_exercise(monkeypatch: pytest.MonkeyPatch):
    made = make_exercise(
        subject(), "town:suburb", (7, 3), prompts="box", seconds=60, shows_iou=False, title="Häuser"
    )
    link = link_of(made.exercise)
    assert link.isascii()
    assert len(link) < 200
    again = exercise_of_link(link)
    assert again == made.exercise
    assert again.key == made.exercise.key
    monkeypatch.setattr(exercise_subject, "_sample", lambda source: subject())
    assert task_of_link(link).numbers == (7, 3)


def test_a_link_leads_to_a_real_sample():
    drawn = sample_subject("town:drone")
    numbers = list(usable(drawn))[:2]
    made = make_exercise(drawn, "town:drone", numbers)
    assert list(task_of_link(link_of(made.exercise)).numbers) == numbers
    assert all(source.split(":")[0] in ("town", "place") for source in sources())


def test_fields_come_with_the_truth_that_was_drawn():
    fields = sample_subject("place:fields")
    assert fields.image.shape == (640, 1024, 3)
    assert 20 < len(usable(fields)) <= 53
    assert set(fields.kinds.values()) == {"fields drawn by hand"}


def test_a_link_to_a_picture_that_is_gone_or_changed(monkeypatch: pytest.MonkeyPatch):
    gone = link_of(make_exercise(subject(), "town:gone", (7,)).exercise)
    with pytest.raises(LearnError, match="is gone"):
        task_of_link(gone)
    link = link_of(make_exercise(subject(), "town:suburb", (7,)).exercise)
    changed = subject()
    changed.labels[changed.labels == 7] = 0
    monkeypatch.setattr(exercise_subject, "_sample", lambda source: changed)
    with pytest.raises(LearnError, match="Make the exercise again"):
        task_of_link(link)


def test_no_link_for_somebody_s_own_picture():
    with pytest.raises(LearnError, match="as a file"):
        link_of(task().exercise)


def _link(values: object) -> str:
    packed = zlib.compress(json.dumps(values).encode())
    return "1" + base64.urlsafe_b64encode(packed).decode()


def _values(**changes) -> list:
    plain = task().exercise.plain() | {"source": "town:suburb"} | changes
    return list(plain.values())


@pytest.mark.parametrize(
    "link",
    [
        "", "1", "x", "1!!!!", "1" + "A" * 5000, "1é", _link("text"), _link([1, 2]),
        _link(_values(spots="no")), _link(_values(spots=[[1, float("nan")]], areas=[5])),
        _link(_values(spots=[[1, 1e9]], areas=[5])), _link(_values(spots=[])),
        _link(_values(spots=[[1, 1]] * 50, areas=[5] * 50)), _link(_values(areas=[True, 5])),
        _link(_values(seconds=-1)), _link(_values(seconds=10**30)), _link(_values(prompts="mask")),
        _link(_values(title=["a"])), _link(_values(source="own")), _link(_values(source="x" * 99)),
        # Unpacks to a thousand times its size.
        "1" + base64.urlsafe_b64encode(zlib.compress(b"[" + b" " * 10**6)).decode()[:3999],
        _link([[]] * 8),
    ],
)  # fmt: skip
def test_hostile_links_end_in_one_message(link: str):
    with pytest.raises(LearnError):
        exercise_of_link(link)


def test_a_link_of_a_newer_rsam():
    with pytest.raises(LearnError, match="newer RSAM"):
        exercise_of_link("2abc")


def test_a_file_holds_all_of_it():
    made = task((9, 7), seconds=90, title="Two roofs")
    again = read_exercise(write_exercise(made))
    assert again.exercise == made.exercise
    np.testing.assert_array_equal(again.subject.image, made.subject.image)
    for index in (0, 1):
        np.testing.assert_array_equal(again.truth(index), made.truth(index))
    assert again.subject.gsd == 0.3
    assert again.title == "Two roofs"


def _zip(**parts: bytes) -> bytes:
    good = zipfile.ZipFile(io.BytesIO(write_exercise(task())))
    contents = {name: good.read(name) for name in good.namelist()}
    for name, content in parts.items():
        contents[name.replace("_", ".")] = content
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _manifest(**changes) -> bytes:
    good = json.loads(zipfile.ZipFile(io.BytesIO(write_exercise(task()))).read("exercise.json"))
    return json.dumps(good | changes).encode()


def _png(shape: tuple[int, ...], dtype: str = "uint8") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.zeros(shape, dtype)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK\x03\x04", b"x" * 100, write_exercise(task())[:-40],
        _zip(exercise_json=b"{"), _zip(exercise_json=b"[" * 10_000),
        _zip(exercise_json=_manifest(format="other")), _zip(exercise_json=_manifest(version="1")),
        _zip(exercise_json=_manifest(exercise=None)), _zip(exercise_json=_manifest(gsd=-1)),
        _zip(exercise_json=_manifest(name=3)), _zip(exercise_json=b" " * (1 << 20)),
        _zip(more_txt=b"x"), _zip(**{"../up": b"x"}),
    ],
)  # fmt: skip
def test_hostile_files_end_in_one_message_before_a_picture_is_read(
    content: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exercise_file, "run_limited", lambda *_a, **_k: pytest.fail("too far"))
    with pytest.raises(LearnError, match="damaged"):
        read_exercise(content)


def test_a_file_that_is_too_large():
    with pytest.raises(LearnError, match="too large"):
        read_exercise(bytes((16 << 20) + 1))


def test_a_file_of_a_newer_rsam():
    with pytest.raises(LearnError, match="newer RSAM"):
        read_exercise(_zip(exercise_json=_manifest(version=2)))


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        (b"no picture", _png((80, 120))),
        (_png((80, 120)), _png((80, 120))),
        (_png((80, 120, 3)), _png((70, 120))),
        (_png((1100, 20, 3)), _png((1100, 20))),
    ],
    ids=["no picture", "grey", "sizes differ", "too large"],
)
def test_hostile_pictures_are_refused_where_they_are_decoded(picture: bytes, labels: bytes):
    from rsam_core.evaluate.learn.exercise_pictures import decode

    with pytest.raises((ValueError, OSError)):
        decode(picture, labels, 1024)


def test_a_hostile_picture_ends_in_one_message():
    with pytest.raises(LearnError, match="damaged"):
        read_exercise(_zip(picture_png=_png((9000, 9000, 3))))


def test_a_file_whose_labels_do_not_fit_its_exercise():
    with pytest.raises(LearnError, match="not the one that it was made for"):
        read_exercise(_zip(labels_png=_png((80, 120))))


def test_parts_of_a_large_image_with_whole_objects():
    labels = np.zeros((700, 2100), np.int32)
    labels[100:120, 100:120], labels[300:320, 100:120], labels[100:120, 2000:2020] = 1, 2, 3
    scene, objects = open_scene(png(np.uint8(labels * 60))), Instances.from_label_map(labels)
    found = parts_of(scene, objects)
    assert found[0][1] == 2
    assert {count for _, count in found} == {1, 2}
    part = own_part(scene, objects, found[0][0])
    assert part.image.shape == (640, 1024, 3)
    assert sorted(usable(part)) == [1, 2]
    assert isinstance(found[0][0], Window)


def test_thirty_who_open_a_link_at_once_draw_it_once(monkeypatch: pytest.MonkeyPatch):
    drawn = []

    def draw(*_a, **_k):
        drawn.append(1)
        return subject()

    monkeypatch.setattr(exercise_subject, "town_subject", draw)
    exercise_subject._sample.cache_clear()
    threads = [threading.Thread(target=sample_subject, args=("town:village",)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exercise_subject._sample.cache_clear()
    assert drawn == [1]


def test_a_task_needs_different_objects():
    twice = Exercise(OWN, ((65.0, 25.0), (66.0, 25.0)), (900, 900))
    with pytest.raises(LearnError):
        Assignment(twice, subject())
