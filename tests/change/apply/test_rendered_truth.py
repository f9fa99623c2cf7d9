"""Answers on rendered pairs with exact truth: counts exact, areas within 2 %."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rsam_core.change import ArrayPicture, align
from rsam_core.change.apply import Features, Inputs, Site
from rsam_core.change.apply.answer import VERDICT
from rsam_core.change.apply.damage import GRADES
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.sample import (
    AFTER,
    BEFORE,
    CHOICES,
    FOREST_AFTER,
    FOREST_BEFORE,
    GRADED,
    VALUES,
    sample_layers,
    sample_pair,
)
from rsam_core.samples import PairSample
from rsam_core.samples.pair_records import paste


@pytest.fixture(scope="module")
def pair() -> PairSample:
    return sample_pair()


@pytest.fixture(scope="module")
def pictures(pair: PairSample) -> tuple[ArrayPicture, ArrayPicture]:
    first, second = (
        ArrayPicture(s.image, name, s.crs, s.transform, s.gsd)
        for s, name in ((pair.before, "2019"), (pair.after, "2023"))
    )
    return first, second


@pytest.fixture(scope="module")
def site(pictures) -> Site:
    from dataclasses import replace

    from rsam_core.scene.ground_distance import ground_sample_distance

    first = pictures[0]
    gsd = ground_sample_distance(first.transform, first.crs, first.width, first.height)
    return Site.of(replace(first, gsd=gsd))


@pytest.fixture(scope="module")
def layers(pair: PairSample, site: Site) -> dict[str, Features]:
    return sample_layers(pair, site)


def ask(key: str, site: Site, layers: dict[str, Features], **more: object):
    given = {
        need.split("/")[1]: layers[name]
        for need, name in CHOICES.items()
        if need.startswith(f"{key}/") and name in layers
    }
    return QUESTIONS[key].answer(Inputs(site, given, VALUES.get(key, {}), ("2019", "2023"), **more))


def figures(answer) -> dict[str, object]:
    return {f.label: f.value for f in answer.summary().figures}


def pixels(pair: PairSample, date: int, kinds: tuple[str, ...] | None = None) -> int:
    """Pixels that roofs really cover at a date; of some kinds of change alone."""
    covered = np.zeros(pair.shape, bool)
    for record in (*pair.records, *pair.unchanged):
        if record.cls == "roof" and (kinds is None or record.kind in kinds):
            covered |= paste((record.before, record.after)[date], pair.shape)
    return int(covered.sum())


def test_growth_counts_what_was_built(pair: PairSample, site: Site, layers):
    found = figures(ask("growth", site, layers))
    each = site.gsd**2
    roofs = [r for r in (*pair.records, *pair.unchanged) if r.cls == "roof"]
    assert found["Buildings, 2019"] == sum(r.before is not None for r in roofs)
    assert found["Buildings, 2023"] == sum(r.after is not None for r in roofs)
    new = sum(found[f"{kind}: buildings"] for kind in ("Infill", "Edge growth", "Outlying"))
    assert new == sum(r.kind == "built" for r in roofs)
    assert found["No longer there: buildings"] == sum(r.kind == "demolished" for r in roofs)
    for date, name in enumerate(("2019", "2023")):
        assert found[f"Built-up area, {name}"] == pytest.approx(pixels(pair, date) * each, rel=0.02)
    area = sum(found[f"{kind}: area"] for kind in ("Infill", "Edge growth", "Outlying"))
    assert area == pytest.approx(pixels(pair, 1, ("built",)) * each, rel=0.02)


def test_every_second_new_building_has_no_permit(pair: PairSample, site: Site, layers):
    answer = ask("permits", site, {k: v for k, v in layers.items() if k != "Road reserve"})
    built = sum(r.kind == "built" for r in pair.records)
    assert answer.findings.column(VERDICT).count("no permit") == built // 2


def test_cleared_trees(pair: PairSample, site: Site, layers):
    gone = sum(r.before.area for r in pair.records if r.kind == "cleared")
    found = figures(ask("forest", site, layers))
    assert found["Cleared, all of it"] == pytest.approx(gone * site.gsd**2, rel=0.02)
    standing = layers[FOREST_BEFORE].union.area - layers[FOREST_AFTER].union.area
    assert standing == pytest.approx(gone * site.gsd**2, rel=0.02)


def test_coverage_of_all_squares_together(pair: PairSample, site: Site, layers):
    answer = ask("density", site, layers)
    assert answer.findings.table["buildings"].sum() == len(layers[AFTER])
    covered = pixels(pair, 1) * site.gsd**2
    assert answer.findings.table["covered_m2"].sum() == pytest.approx(covered, rel=0.02)
    whole = pair.shape[0] * pair.shape[1] * site.gsd**2
    assert figures(answer)["Coverage"] == pytest.approx(100 * covered / whole, rel=0.02)


def test_cost_counts_the_damaged(pair: PairSample, site: Site, layers):
    found = figures(ask("cost", site, layers))
    assert found["Damaged buildings"] == sum(r.kind == "damaged" for r in pair.records)
    areas = dict.fromkeys(GRADES, 0.0)
    for record in pair.records:
        if record.kind == "damaged":
            areas[record.grade] += record.before.area * site.gsd**2
    likely = sum(areas[g] * s for g, s in zip(GRADES, (0, 0.10, 0.40, 1.00))) * 1.5 * 1200
    assert found["Cost, likely"] == pytest.approx(likely, rel=0.02)


def grades_at(found: Features, graded: Features) -> list[str]:
    """True grade of each outline: of the building that shares most ground with it."""
    grades = []
    for shape in found.shapes:
        near = graded.tree.query(shape, predicate="intersects")
        shared = [graded.shapes[k].intersection(shape).area for k in near]
        grades.append(graded.column("grade")[near[int(np.argmax(shared))]] if shared else GRADES[0])
    return grades


def test_damage_and_deterioration_look_at_the_pictures(pair: PairSample, pictures, site, layers):
    alignment = align(*pictures)
    answer = ask("damage", site, {**layers, BEFORE: layers[GRADED]}, alignment=alignment)
    table = answer.findings.table
    graded = grades_at(answer.findings, layers[GRADED])
    assert len(table) == len(layers[GRADED])
    assert f1_score(graded, table[VERDICT], labels=list(GRADES), average="macro",
                    zero_division=0) >= 0.6  # fmt: skip
    assert answer.draft
    # The worst come first, and every probability is that of the grade that is told.
    ranks = [GRADES.index(v) for v in table[VERDICT]]
    assert ranks == sorted(ranks, reverse=True)
    names = [f"p_{g.replace(' ', '_')}" for g in GRADES]
    np.testing.assert_allclose(table[names].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(table[names].max(axis=1), table["probability"], atol=1e-6)
    ranked = ask("deterioration", site, layers, alignment=alignment).findings
    hurt = [k for k, grade in enumerate(grades_at(ranked, layers[GRADED])) if grade in GRADES[2:]]
    assert np.median(hurt) < len(ranked) / 6


def test_pictures_of_two_dates_are_asked_for(site: Site, layers):
    missing = QUESTIONS["damage"].missing(Inputs(site, {"buildings": layers[BEFORE]}))
    assert [one.key for one in missing] == ["second date"]
    assert "Change page" in missing[0].text
