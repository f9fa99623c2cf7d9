"""The list of steps: order, switches, recipes, running whole and in tiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import Cancelled, PrepareError
from rsam_core.prepare import (
    STEPS,
    ImageFile,
    Pipeline,
    Raster,
    Step,
    _running,
    load_steps,
    read_raster,
    write_scene,
)
from rsam_core.prepare.step import choice, image, integer, number, points, register, switch
from rsam_core.prepare.steps.colours import MatchHistogram, RemoveHaze
from rsam_core.prepare.steps.noise import Bilateral, Destripe, Median, RemoveSpecks
from rsam_core.prepare.steps.tones import Brightness, Clahe, Contrast, Gamma, Stretch
from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.towns import rendered

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning", "ignore::PendingDeprecationWarning"
)


@pytest.fixture
def probe() -> Iterator[type[Step]]:
    """A step with a setting of each kind; it adds `amount`."""

    @register
    @dataclass(frozen=True)
    class Probe(Step):
        key: ClassVar = "probe"
        title: ClassVar = "Probe"
        help: ClassVar = "For tests."
        halo: ClassVar = 0

        amount: float = number("Amount", 1, -5, 5, 0.5, "px", "How much.")
        times: int = integer("Times", 1, 1, 9)
        way: str = choice("Way", "up", (("up", "Upwards"), ("down", "Downwards")))
        twice: bool = switch("Twice")
        marks: tuple[tuple[float, ...], ...] = points("Marks", low=0, high=4)
        other: ImageFile | None = image("Other")  # noqa: RUF009 (a field)

        def apply(self, raster: Raster, fitted: Any = None) -> Raster:
            return raster.with_values(raster.values + self.amount)

    yield Probe
    del STEPS["probe"]


@pytest.fixture
def grey() -> Raster:
    return Raster.of_array(np.full((20, 30, 3), 100, np.uint8))


# ------------------------------------------------------------------ steps and their settings


def test_a_form_can_be_drawn_from_the_parameters(probe: type[Step]):
    amount, times, way, twice, marks, other = probe.parameters()
    assert (amount.name, amount.title, amount.kind, amount.default) == (
        "amount", "Amount", "number", 1.0,
    )  # fmt: skip
    assert (amount.low, amount.high, amount.step, amount.unit) == (-5, 5, 0.5, "px")
    assert way.choices == (("up", "Upwards"), ("down", "Downwards"))
    kinds = [p.kind for p in (times, way, twice, marks, other)]
    assert kinds == ["integer", "choice", "switch", "points", "image"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"amount": 6}, "between -5 and 5"),
        ({"amount": "2"}, "must be a number"),
        ({"amount": float("nan")}, "must be a number"),
        ({"amount": True}, "must be a number"),
        ({"times": 2.5}, "whole number"),
        ({"way": "sideways"}, "“up”, “down”"),
        ({"twice": 1}, "on or off"),
        ({"marks": 3}, "list of points"),
        ({"marks": [(1, float("inf"))]}, "not a number"),
        ({"other": "x.tif"}, "image file"),
        ({"speed": 1}, "no setting “speed”"),
    ],
)
def test_unusable_settings_are_refused(probe: type[Step], settings: dict, message: str):
    with pytest.raises(PrepareError, match=message):
        probe.from_dict(settings)


def test_every_step_explains_itself_and_has_usable_defaults():
    load_steps()
    keys = {"brightness", "contrast", "gamma", "stretch", "equalize", "clahe", "white-balance"}
    keys |= {"haze", "match", "calibrate", "median", "bilateral", "nonlocal", "total-variation"}
    assert keys | {"specks", "destripe"} <= set(STEPS)
    for key, kind in STEPS.items():
        step = kind()
        assert kind.from_dict(step.to_dict()) == step, key
        assert len(kind.help) > 30, key
        assert isinstance(step.summary(), str)
        json.dumps(step.to_dict())
        names = [parameter.title for parameter in kind.parameters()]
        assert len(set(names)) == len(names), key


def test_a_key_belongs_to_one_step():
    with pytest.raises(ValueError, match="taken"):

        @register
        class Other(Step):
            key = "brightness"

    with pytest.raises(ValueError, match="groups"):

        @register
        class Nowhere(Step):
            key = "nowhere"
            group = "Magic"

    assert STEPS["brightness"] is Brightness


# ------------------------------------------------------------------ the list


def test_the_list_is_changed_by_making_new_ones():
    a, b, c = Brightness(1), Brightness(2), Brightness(3)
    start = Pipeline().add(a).add(b)
    assert start.add(c, 0).steps == (c, a, b)
    assert start.add(c).move(2, 0).steps == (c, a, b)
    assert start.add(c).move(0, 99).steps == (b, c, a)
    assert start.remove(0).steps == (b,)
    assert start.switch(0, False).steps == (b,)
    assert start.switch(0, False).switch(0, True) == start
    assert start.replace_step(1, c).steps == (a, c)
    assert start.steps == (a, b)
    assert len(start) == 2
    for change in (lambda: start.remove(2), lambda: start.move(-1, 0), lambda: start.switch(5, 0)):
        with pytest.raises(PrepareError, match="no step"):
            change()


def test_steps_act_in_their_order_and_only_when_on(grey: Raster):
    # Shown units: 100 / 255; first +20 % then doubled around the middle, and the reverse.
    light, strong = Brightness(20), Contrast(100)
    both = Pipeline().add(light).add(strong).run(grey)
    np.testing.assert_allclose(both.values, (100 + 51 - 127.5) * 2 + 127.5, atol=1e-3)
    reverse = Pipeline().add(strong).add(light).run(grey)
    np.testing.assert_allclose(reverse.values, (100 - 127.5) * 2 + 127.5 + 51, atol=1e-3)
    off = Pipeline().add(light).add(strong, on=False).run(grey)
    np.testing.assert_allclose(off.values, 151, atol=1e-3)
    assert Pipeline().run(grey) is grey


def test_values_beyond_white_come_back(grey: Raster):
    there_and_back = Pipeline().add(Brightness(90)).add(Brightness(-90)).run(grey)
    np.testing.assert_allclose(there_and_back.values, 100, atol=1e-3)


# ------------------------------------------------------------------ recipes


def test_a_recipe_is_replayed_exactly(probe: type[Step]):
    other = ImageFile("other.png", b"\x89PNG and more")
    steps = probe(2.5, 3, "down", True, ((1, 2.5), (3, 4)), other)
    recipe = Pipeline().add(steps).add(RemoveHaze(model="own"), on=False).add(Median(2))
    again = Pipeline.from_json(recipe.to_json())
    assert again == recipe
    assert again.stages[0].step.other.content == other.content
    assert json.loads(recipe.to_json())["version"] == 1


def test_a_large_image_is_named_in_a_recipe_and_asked_for(grey: Raster):
    big = ImageFile("reference.tif", bytes(3_000_000))
    recipe = Pipeline().add(MatchHistogram(big)).to_json()
    assert len(recipe) < 1000
    again = Pipeline.from_json(recipe)
    assert again.stages[0].step.reference == ImageFile("reference.tif", None)
    with pytest.raises(PrepareError, match=r"Match another image: .*reference\.tif"):
        again.run(grey)


GOOD = {"format": "rsam-recipe", "version": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1, 2]", "not a recipe of RSAM"),
        ('{"type": "FeatureCollection"}', "not a recipe of RSAM"),
        (json.dumps(GOOD | {"version": 2, "steps": []}), "version 2"),
        (json.dumps(GOOD | {"version": "1", "steps": []}), "version “1”"),
        (json.dumps(GOOD), "no list of steps"),
        (json.dumps(GOOD | {"steps": ["brightness"]}), "Step 1 .*damaged"),
        (json.dumps(GOOD | {"steps": [{"step": "sharpen-everything"}]}), "does not have"),
        (json.dumps(GOOD | {"steps": [{"step": "gamma", "settings": 3}]}), "damaged"),
        (
            json.dumps(GOOD | {"steps": [{"step": "gamma", "settings": {"exponent": 99}}]}),
            "Step 1 of the recipe, Gamma.*between 0.2 and 5",
        ),
        (
            json.dumps(
                GOOD
                | {"steps": [{"step": "match", "settings": {"reference": {"name": "a", "content":
                                                                          "###a"}}}]}
            ),
            "inside the recipe is damaged",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_recipe_is_refused(text: str | bytes, message: str):
    with pytest.raises(PrepareError, match=message):
        Pipeline.from_json(text)


# ------------------------------------------------------------------ running


@pytest.fixture
def scene(town: TownSample) -> rsam.Scene:
    return rsam.open_scene(write_geotiff(town), name="town.tif")


def test_tiles_with_context_give_what_the_whole_gives(
    monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene
):
    recipe = Pipeline().add(RemoveSpecks(8)).add(Bilateral(6, 2)).add(Median(3)).add(Gamma(1.3))
    whole = recipe.run_scene(scene)
    monkeypatch.setattr(_running, "TILE", 128)
    tiled = recipe.run_scene(scene)
    np.testing.assert_array_equal(tiled.read_bands(), whole.read_bands())
    assert (tiled.transform, tiled.crs) == (scene.transform, scene.crs)
    assert tiled.gsd == pytest.approx(scene.gsd)


def test_statistics_of_the_whole_serve_every_tile(monkeypatch: pytest.MonkeyPatch):
    # Left half dark, right half bright: a stretch of each tile for itself would level them.
    values = np.zeros((256, 512, 3), np.uint8)
    values[:, :256] = np.random.default_rng(1).integers(20, 60, (256, 256, 3))
    values[:, 256:] = np.random.default_rng(2).integers(150, 200, (256, 256, 3))
    scene = write_scene(Raster.of_array(values), "halves.tif")
    recipe = Pipeline().add(RemoveHaze()).add(Stretch(1, 1))
    whole = recipe.run_scene(scene)
    monkeypatch.setattr(_running, "TILE", 128)
    tiled = recipe.run_scene(scene)
    np.testing.assert_array_equal(tiled.read_bands(), whole.read_bands())
    assert tiled.read_bands()[:, :256].mean() < 60
    assert tiled.read_bands()[:, 256:].mean() > 190


def test_large_statistics_come_from_a_reduced_copy(monkeypatch: pytest.MonkeyPatch, scene):
    monkeypatch.setattr(_running, "TILE", 128)
    monkeypatch.setattr(_running, "SAMPLE_SIDE", 112)
    sizes = []
    fit = Stretch.fit
    monkeypatch.setattr(Stretch, "fit", lambda s, r: sizes.append((r.width, r.scale)) or fit(s, r))
    Pipeline().add(Stretch()).run_scene(scene)
    assert sizes == [(112, 4.0)]


def test_too_large_for_a_step_that_needs_everything(
    monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene
):
    monkeypatch.setattr(_running, "MAX_WHOLE_VALUES", 320 * 320 * 3)
    with pytest.raises(PrepareError, match="“Remove stripes” needs the whole image") as caught:
        Pipeline().add(Gamma()).add(Destripe()).run_scene(scene)
    assert "320 × 320" in str(caught.value), "what would do"
    with pytest.raises(PrepareError, match=r"Local contrast.* and .*Remove stripes.* need "):
        Pipeline().add(Clahe()).add(Destripe()).run_scene(scene)
    done = Pipeline().add(Gamma()).add(Destripe(), on=False).run_scene(scene)
    assert done.shape == scene.shape


@pytest.mark.parametrize("recipe", [Pipeline().add(Gamma()).add(Median()), Pipeline().add(Clahe())])
def test_progress_goes_forward_and_cancelling_stops(
    monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene, recipe: Pipeline
):
    monkeypatch.setattr(_running, "TILE", 128)
    told: list[float] = []
    recipe.run_scene(scene, lambda fraction, text: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0
    assert 0.85 < told[-1] < 1
    asked = []

    def enough() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        recipe.run_scene(scene, None, enough)
    assert len(asked) == 2


def test_what_goes_wrong_names_its_step(scene: rsam.Scene):
    named_only = MatchHistogram(ImageFile("other.tif"))
    with pytest.raises(PrepareError, match=r"^Match another image: The recipe uses"):
        Pipeline().add(Gamma()).add(named_only).run_scene(scene)


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch, grey: Raster):
    def fail(self, raster, fitted=None):
        raise MemoryError

    monkeypatch.setattr(Gamma, "apply", fail)
    with pytest.raises(PrepareError, match=r"^Gamma.*not enough memory.*Crop"):
        Pipeline().add(Gamma()).run(grey)


def test_a_step_that_changes_the_size_cannot_hide_in_tiles(
    monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene, probe: type[Step]
):
    monkeypatch.setattr(_running, "TILE", 128)
    monkeypatch.setattr(probe, "apply", lambda self, r, fitted=None: r.cropped(0, 0, 9, 9))
    with pytest.raises(PrepareError, match="changed the size"):
        Pipeline().add(probe()).run_scene(scene)


def test_nodata_is_kept_through_a_whole_recipe():
    town = rendered(200, 160, gsd=0.3, seed=3)
    valid = np.ones(town.labels.shape, bool)
    valid[40:80, 50:120] = False
    values = np.where(valid[..., None], town.image, 0).astype(np.uint8)
    raster = Raster.of_array(values, valid)
    recipe = Pipeline().add(RemoveHaze()).add(Bilateral(10, 3)).add(Stretch()).add(Clahe())
    done = recipe.run(raster)
    np.testing.assert_array_equal(done.valid, valid)
    np.testing.assert_array_equal(done.values[~valid], 0)
    # The hole does not matter: with rubbish in it the rest comes out the same.
    rubbish = np.where(valid[..., None], town.image, 255).astype(np.uint8)
    other = recipe.run(Raster.of_array(rubbish, valid))
    np.testing.assert_array_equal(other.values[valid], done.values[valid])


def test_of_a_large_file_only_what_a_crop_keeps_is_read(
    monkeypatch: pytest.MonkeyPatch, scene: rsam.Scene
):
    from rsam_core.prepare.steps.geometric import Crop

    crop = Crop(x=100, y=60, width=200, height=150)
    whole = Pipeline().add(crop).add(Destripe()).run_scene(scene)
    monkeypatch.setattr(_running, "MAX_WHOLE_VALUES", 250 * 250 * 3)
    seen = []
    monkeypatch.setattr(
        _running, "read_raster", lambda s, w=None, m=None: seen.append(w) or read_raster(s, w, m)
    )
    part = Pipeline().add(crop).add(Destripe()).run_scene(scene)
    assert seen == [rsam.Window(100, 60, 200, 150)]
    np.testing.assert_array_equal(part.read_bands(), whole.read_bands())
    assert part.transform == whole.transform
    assert part.pixel_to_map(0, 0) == pytest.approx(scene.pixel_to_map(100, 60))
    # In tiles, and cut twice.
    monkeypatch.setattr(_running, "TILE", 64)
    twice = Pipeline().add(crop).add(Crop(x=10, y=5)).add(Median(2)).run_scene(scene)
    expected = Median(2).apply(read_raster(scene, rsam.Window(110, 65, 190, 145))).values
    np.testing.assert_array_equal(twice.read_bands(), expected)
    assert twice.pixel_to_map(0, 0) == pytest.approx(scene.pixel_to_map(110, 65))
    with pytest.raises(PrepareError, match=r"^Crop: .*outside"):
        Pipeline().add(Crop(x=9000)).run_scene(scene)
