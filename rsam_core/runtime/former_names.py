"""Modules under the names that they had before the packages were redrawn, for older notebooks.

``from rsam_core.instances import Instances`` still works and warns. New code takes the names of
`rsam_core` itself or of a package's door.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

FORMER = {
    "bands": "scene.bands",
    "classes": "objects.classify.classes",
    "classify": "objects.classify.by_example",
    "combine": "objects.combine",
    "datasets": "evaluate.datasets",
    "embedding": "segment.embedding",
    "everything": "segment.everything",
    "export": "formats",
    "features": "segment.features.extraction",
    "instance": "objects.instance",
    "instances": "objects.instances",
    "matching": "objects.matching",
    "methods": "evaluate.methods.prompted",
    "metrics": "evaluate.metrics",
    "one_shot": "segment.one_shot",
    "project": "session.project",
    "proposals": "segment.proposals",
    "refine": "objects.refine",
    "report": "render.session_report",
    "rules": "objects.classify.rules",
    "segmenter": "segment.segmenter",
    "semantic": "objects.semantic",
    "studies": "evaluate.studies",
    "style": "render.style",
    "tiled": "segment.tiles.run",
    "truth": "formats.truth",
    "window": "scene.window",
}
"""Former name to present name, both within `rsam_core`."""


class _Loader(Loader):
    def __init__(self, present: str) -> None:
        self._present = present

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        warnings.warn(
            f"{spec.name} is now {self._present}; the former name will go.",
            DeprecationWarning,
            stacklevel=2,
        )
        module = importlib.import_module(self._present)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run: it was loaded under its present name, and keeps it."""
        module.__spec__ = self._spec


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != "rsam_core" or name not in FORMER:
            return None
        return ModuleSpec(fullname, _Loader(f"{package}.{FORMER[name]}"))


def install() -> None:
    """Let the former names be imported; a second call changes nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
