"""What the automatic mode found, with the thresholds that choose among it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

from rsam_core.objects.edits import identity, same_mask
from rsam_core.objects.instance import Instance
from rsam_core.objects.resample import to_scene
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.everything import EverythingSettings, EverythingState, generate


@dataclass(frozen=True, eq=False)
class Automatic:
    """A decoded automatic mode and the thresholds in force.

    Attributes
    ----------
    state : EverythingState
        Everything that was decoded.
    settings : EverythingSettings
        What is chosen of it.
    model : str
        Name of the model that decoded it.
    view : Frame or None
        The view that was searched; None where `state` is in scene pixels already, because the
        whole scene was searched in tiles.
    """

    state: EverythingState
    settings: EverythingSettings
    model: str
    view: Frame | None = None

    def with_settings(self, settings: EverythingSettings) -> Automatic:
        """The same with other thresholds."""
        return replace(self, settings=settings)

    @cached_property
    def objects(self) -> tuple[Instance, ...]:
        """The chosen objects in scene pixels, best score first."""
        chosen = generate(self.state, self.settings)
        if self.view is None:
            return tuple(chosen)
        return tuple(to_scene(item, self.view) for item in chosen)

    @cached_property
    def distinct(self) -> tuple[tuple[Hashable, Instance], ...]:
        """The chosen objects, each with what tells it from the others; equal masks count once."""
        found: dict[Hashable, Instance] = {}
        for item in self.objects:
            known = identity(item)
            key, twin = known, 1
            # Two masks may share box and area, though hardly ever.
            while key in found and not same_mask(found[key], item):
                key, twin = (known, twin), twin + 1
            found.setdefault(key, item)
        return tuple(found.items())
