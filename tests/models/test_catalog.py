from __future__ import annotations

import dataclasses

import pytest

from rsam_core.errors import ModelError
from rsam_core.models.catalog import CATALOG, DEFAULT_MODEL, get_model_info, resolve, traits_of

PUBLISHED = {
    "sam-vit-b": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    "sam-vit-l": "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    "sam-vit-h": "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
}
FILES = {
    "sam-vit-b": "sam_vit_b_01ec64.pth",
    "sam-vit-l": "sam_vit_l_0b3195.pth",
    "sam-vit-h": "sam_vit_h_4b8939.pth",
}


def test_default_model_is_first_and_needs_no_file():
    assert CATALOG[0].name == DEFAULT_MODEL == "rsam-tiny"
    assert CATALOG[0].embedded
    assert CATALOG[0].url is None


@pytest.mark.parametrize(("name", "file"), FILES.items())
def test_official_checkpoints(name, file):
    info = get_model_info(name)
    assert not info.embedded
    assert info.sha256 == PUBLISHED[name]
    assert info.url == f"https://dl.fbaipublicfiles.com/segment_anything/{file}"
    assert info.file == file
    assert info.arch == name.removeprefix("sam-").replace("-", "_")
    assert info.licence == "Apache-2.0"


def test_sizes_fit_the_number_of_float32_weights():
    # Parameters in millions: 93.7, 312.3 and 641.1; a checkpoint has a little overhead on top.
    for name, millions in [("sam-vit-b", 93.7), ("sam-vit-l", 312.3), ("sam-vit-h", 641.1)]:
        assert get_model_info(name).bytes == pytest.approx(millions * 4e6, rel=2e-3)


def test_names_are_unique():
    assert len({info.name for info in CATALOG}) == len(CATALOG) == 4


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"sam-vit-x.*rsam-tiny, sam-vit-b, sam-vit-l, sam-vit-h"):
        get_model_info("sam-vit-x")


def test_resolve_takes_a_name_or_the_facts():
    own = dataclasses.replace(get_model_info("sam-vit-b"), name="own")
    assert resolve(own) is own
    assert resolve("sam-vit-b") is get_model_info("sam-vit-b")


def test_traits_are_asked_for_by_name():
    assert traits_of("rsam-tiny").light
    assert not traits_of("sam-vit-b").light
    assert traits_of("somebody's own model") == traits_of("sam-vit-h"), "like official SAM"
