"""What the kinds of objects in rendered places are called in lessons; marked for translation."""

from __future__ import annotations

from rsam_core.runtime.language import N_

ONE = {
    "roof": N_("roof"),
    "tree": N_("tree"),
    "bush": N_("bush"),
    "hedge": N_("hedge"),
    "paved": N_("paved area"),
    "pool": N_("pool"),
    "car": N_("car"),
    "truck": N_("truck"),
}
"""Name of one object of a kind."""

MANY = {
    "roof": N_("Roofs"),
    "tree": N_("Trees"),
    "hedge": N_("Hedges"),
    "paved": N_("Paved areas"),
    "pool": N_("Swimming pools"),
    "car": N_("Cars"),
}
"""Name of a kind."""
