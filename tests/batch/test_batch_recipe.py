"""Recipes of a batch: saved, read, and refused with the place that is wrong."""

from __future__ import annotations

import json

import pytest

from rsam_core.batch import ClassRule, Recipe
from rsam_core.batch.recipe import EXAMPLE
from rsam_core.errors import BatchError, ClassifyError
from rsam_core.objects.classify.rules import Condition, Rule
from rsam_core.objects.refine.settings import RefineSettings
from rsam_core.prepare import Pipeline
from rsam_core.prepare.steps.noise import Bilateral
from rsam_core.segment.everything import EverythingSettings


def edited(**changes) -> str:
    """The example with some entries changed; None takes one away."""
    data = json.loads(EXAMPLE.to_json()) | changes
    return json.dumps({k: v for k, v in data.items() if v is not ...})


def test_a_recipe_comes_back_as_it_was_saved():
    rule = Rule((Condition("area", ">=", 50), Rule((Condition("solidity", ">", 0.9),), "or")))
    recipe = Recipe(
        prepare=Pipeline().add(Bilateral()),
        segment=EverythingSettings(spacing=48, min_quality=0.6),
        refine=RefineSettings(regularise=True, unit="m"),
        classify=(ClassRule("roof", rule), ClassRule("tree", Rule((Condition("area", "<", 50),)))),
        keep=("roof",),
        export=("geojson", "labels"),
        tile=512,
    )
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.fingerprint == recipe.fingerprint
    assert Recipe.from_json(Recipe(refine=None).to_json()).refine is None


def test_what_a_recipe_leaves_out_has_its_usual_value():
    assert Recipe.from_json('{"format": "rsam-batch", "version": 1}') == Recipe()
    short = '{"format": "rsam-batch", "version": 1, "segment": {"spacing": 20}}'
    assert Recipe.from_json(short).segment == EverythingSettings(spacing=20)


def test_other_recipes_have_other_fingerprints():
    prints = {
        recipe.fingerprint
        for recipe in (Recipe(), EXAMPLE, Recipe(tile=512), Recipe(refine=None),
                       Recipe(segment=EverythingSettings(min_area=31)))
    }  # fmt: skip
    assert len(prints) == 5


def test_a_recipe_says_what_it_does():
    text = EXAMPLE.describe()
    for words in ("rsam-tiny", "32 pixels", "remove specks", "building if area_m2", "GeoPackage"):
        assert words in text
    assert "Prepare: nothing" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "no recipe"),
        ('{"format": "rsam-recipe"}', "no recipe"),
        ('{"format": "rsam-batch", "version": 9}', "version 9"),
        ('{"format": "rsam-batch"}', "has no version"),
        (edited(colour="red"), "unknown entry “colour”"),
        (edited(segment={"spacing": 2}), "“segment”: Grid points"),
        (edited(segment={"spacing": "wide"}), "“spacing” must be a number"),
        (edited(segment={"spacing": True}), "“spacing” must be a number"),
        (edited(segment={"space": 3}), "no setting “space”"),
        (edited(segment=[]), "“segment”: it must hold"),
        (edited(refine={"unit": 3}), "“unit” must be a word"),
        (edited(refine={"regularise": 1}), "“regularise” must be true or false"),
        (edited(refine={"smooth": -1}), "“refine”"),
        (edited(prepare={"steps": []}), "“prepare”"),
        (edited(classify={}), "“classify”: it must be a list"),
        (edited(classify=[3]), "“classify”: each class"),
        (edited(classify=[{"class": "", "items": []}]), "“classify”"),
        (edited(classify=[{"class": "roof", "items": []}], keep=[]), "“classify”: A rule needs"),
        (edited(keep=["pool"]), "“pool”"),
        (edited(keep="building"), "“keep”: it must be a list"),
        (edited(export=["dwg"]), "“dwg” is no format"),
        (edited(export=[]), "no format"),
        (edited(tile=64), "“tile”"),
        (edited(tile=512.5), "“tile”"),
        (edited(tile=True), "“tile”"),
        (edited(model=""), "“model”"),
    ],
)
def test_what_is_wrong_is_named(text, words):
    with pytest.raises(BatchError, match=words.replace("(", r"\(")):
        Recipe.from_json(text)


def test_a_class_needs_a_name_that_the_app_would_take():
    with pytest.raises(ClassifyError):
        ClassRule("  ", Rule((Condition("area", ">", 1),)))


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan")])
def test_numbers_without_measure_are_refused(value: float) -> None:
    with pytest.raises(BatchError, match="“spacing” must be a number"):
        Recipe.from_json(edited(segment={"spacing": value}))
