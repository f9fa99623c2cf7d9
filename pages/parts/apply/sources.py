"""Where the layers of a question come from: objects of the image, both dates, files, answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

import rsam_core as rsam
from pages.parts.apply.dates_there import series_of
from rsam_core.change import align
from rsam_core.change.aligned import Alignment
from rsam_core.change.apply import Features, Inputs, Need, Question, Site, before_and_after
from rsam_core.change.apply.greenery import green_areas
from rsam_core.change.apply.grids import onto
from rsam_core.change.findings import Change
from rsam_core.runtime.language import _, number
from rsam_core.session.apply import ApplyState, KeptLayer
from rsam_core.session.change import change_state
from rsam_core.session.change_wishes import OURS
from rsam_core.session.session import Session

NOTHING = ""
SERIES = "series"
"""Among the values of a question: whether the series that is open is looked at."""


def offered(session: Session, state: ApplyState, question: Question, need: Need) -> dict[str, str]:
    """What may be taken for a need: keys, and words for people."""
    found: dict[str, str] = {}
    if need.date is not None:
        found |= _of_dates(session, need)
    objects = session.objects
    if 2 in need.dimensions and len(objects) and need.key != "damage":
        counts = Counter(item.label for item in objects if item.label)
        found |= {
            f"objects:{label}": _("Objects of this image: {label} ({count})").format(
                label=label, count=number(count)
            )
            for label, count in counts.most_common(12)
        }
        found["objects"] = _("All objects of this image ({count})").format(
            count=number(len(objects))
        )
    if question.key == "cost" and "damage" in state.answers and need.key == "damage":
        found["answer:damage"] = _("Your answer to “Damage after a disaster”")
    found |= {
        f"layer:{name}": f"{name} ({number(len(layer.shapes))})"
        for name, layer in state.layers.items()
    }
    if question.key == "forest" and need.key in ("before", "after"):
        second = change_state(session).second is not None
        if need.key == "before" or second:
            found[f"green:{need.date}"] = _("What is green in the picture")
    return found


def _of_dates(session: Session, need: Need) -> dict[str, str]:
    change = change_state(session)
    result = change.found.get(OURS)
    if result is None:
        return {}
    dates = change.dates(session.image.scene)
    name = dates[need.date] or (_("the first date"), _("the second date"))[need.date]
    some = [c for c in result.changes if _counts(session, c) and _end(c, need.date) is not None]
    own = [c for c in some if c.kind in need.kinds]
    found = {}
    if own:
        many = f"{need.kinds[0]}s"
        found[f"change:{need.date}:{need.kinds[0]}"] = _(
            "Found by comparing: {kind} at {date} ({count})"
        ).format(kind=_(many), date=name, count=number(len(own)))
    if some:
        found[f"change:{need.date}"] = _("Found by comparing: all at {date} ({count})").format(
            date=name, count=number(len(some))
        )
    return found


def _counts(session: Session, change: Change) -> bool:
    """Whether a change was not refused; a refused one was none."""
    return change_state(session).review.said_of(change) is not False


def _end(change: Change, date: int):  # type: ignore[no-untyped-def]
    return (change.before, change.after)[date]


def chosen(
    session: Session, state: ApplyState, question: Question, need: Need, options: Mapping[str, str]
) -> str:
    """What is taken for a need: as a person chose, or what suits best."""
    said = state.choices.get(f"{question.key}/{need.key}")
    if said is not None and (said in options or said == NOTHING):
        return said
    if need.date is not None:
        named = next((key for key in options if key.startswith("change:")), None)
        if named is not None:
            return named
    for kind in need.kinds:
        if f"objects:{kind}" in options:
            return f"objects:{kind}"
    if "answer:damage" in options:
        return "answer:damage"
    if not need.optional and need.kinds == ("building",) and "objects" in options:
        return "objects"
    return NOTHING


def features_of(
    session: Session, state: ApplyState, source: str, need: Need, site: Site
) -> Features:
    """What is taken, on the plane of the open image."""
    kind, _, rest = source.partition(":")
    scene = session.image.scene
    if kind == "layer":
        return state.layers[rest].features(site)
    if kind == "answer":
        return _answered(state, rest)
    if kind == "green":
        picture = change_state(session).pictures(scene)[int(rest)] if _two(session) else scene
        # Names of layers stand in files and reports, which are in English.
        name = f"Green at the {('first', 'second')[int(rest)]} date"
        own = Site.of(picture)
        made = green_areas(picture, own, name=name)
        return made if picture is scene else _moved(made, own, site, picture, scene)
    if kind == "change":
        return _compared(session, rest, need, site)
    objects = session.objects
    if rest:
        objects = objects.select(lambda item: item.label == rest)
    return Features.of_objects(objects, site, rest or "Objects of this image")


def _two(session: Session) -> bool:
    return change_state(session).second is not None


def _answered(state: ApplyState, key: str) -> Features:
    return state.answers[key].checked(state.checks(key))


def _compared(session: Session, rest: str, need: Need, site: Site) -> Features:
    change, scene = change_state(session), session.image.scene
    result = change.found[OURS]
    date, _, kind = rest.partition(":")
    own = Site.of(result.scene)
    wanted = [c for c in result.changes
              if _counts(session, c) and (not kind or c.kind in need.kinds)]  # fmt: skip
    names = [n or f"{('first', 'second')[k]} date" for k, n in enumerate(change.dates(scene))]
    pair = before_and_after(wanted, own, (f"Found at {names[0]}", f"Found at {names[1]}"))
    made = pair[int(date)]
    return made if result.scene is scene else _moved(made, own, site, result.scene, scene)


def _moved(
    made: Features, own: Site, site: Site, picture: rsam.Scene, scene: rsam.Scene
) -> Features:
    kept = KeptLayer.of(made, own)
    return KeptLayer(kept.name, onto(kept.shapes, picture, scene), kept.rows,
                     kept.notes).features(site)  # fmt: skip


def inputs(
    session: Session,
    state: ApplyState,
    question: Question,
    taken: Mapping[str, str],
    values: Mapping[str, object],
    dates: tuple[str, ...],
) -> Inputs:
    """All that a question is answered with; may take a while, so it runs in the background."""
    scene = session.image.scene
    site = Site.of(scene)
    layers = {
        need.key: features_of(session, state, taken[need.key], need, site)
        for need in question.needs
        if taken.get(need.key)
    }
    series = series_of(session) if question.series and values.get(SERIES) else None
    alignment = aligned(session) if question.pictures and series is None else None
    if alignment is not None and alignment.reference is not scene:
        other = Site.of(alignment.reference)
        layers = {key: _moved(layer, site, other, scene, alignment.reference)
                  for key, layer in layers.items()}  # fmt: skip
        site = other
    return Inputs(site, layers, values, dates, alignment, series)


def aligned(session: Session) -> Alignment | None:
    """Both pictures on one grid: as the Change page has them, or brought together here."""
    change, scene = change_state(session), session.image.scene
    if change.second is None:
        return None
    if change.fits(scene):
        return change.alignment
    return align(*change.pictures(scene), change.wishes.align)


def counts(layer: KeptLayer) -> str:
    """How much a layer holds, in words."""
    import shapely

    kinds = Counter(np.array(["points", "lines", "areas"])[
        shapely.get_dimensions(layer.shapes)].tolist())  # fmt: skip
    return ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
