"""The kinds of object that the embedded model tells apart."""

from __future__ import annotations

from rsam_core.runtime.language import N_

KINDS = (
    N_("building"),
    N_("road"),
    N_("car"),
    N_("tree"),
    N_("grass or field"),
    N_("bare ground"),
    N_("water"),
    N_("pool"),
    N_("boat"),
    N_("other"),
)
"""In the order of the kind head's outputs; "road" means any paved surface."""

UNKNOWN = -1
"""In place of a kind's number where a label does not tell."""

OF_RENDERED = {
    "roof": "building",
    "road": "road",
    "paved": "road",
    "car": "car",
    "truck": "car",
    "tree": "tree",
    "bush": "tree",
    "hedge": "tree",
    "field": "grass or field",
    "sports field": "grass or field",
    "water": "water",
    "pool": "pool",
    "boat": "boat",
    "container": "other",
    "jetty": "other",
}
"""Kind of each class that `rsam_core.samples` draws."""


def kind_number(name: str) -> int:
    """Number of a kind, `UNKNOWN` for a name that is none."""
    return KINDS.index(name) if name in KINDS else UNKNOWN
