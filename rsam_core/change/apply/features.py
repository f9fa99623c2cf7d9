"""Things on the ground of a site: shapes in metres with a table, from objects or drawn outlines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.change.apply.site import Shapes, Site
from rsam_core.change.findings import Change
from rsam_core.errors import ApplyError
from rsam_core.formats.polygons import OutlineSettings, outlines
from rsam_core.objects.instances import Instances

if TYPE_CHECKING:
    import pandas as pd
    from shapely import STRtree
    from shapely.geometry.base import BaseGeometry

_NAMES = ("name", "title", "bezeichnung", "nom", "nombre", "label", "id")


@dataclass(frozen=True, eq=False)
class Features:
    """Things of one kind on the ground.

    Attributes
    ----------
    name : str
        For people: of the file, or what the objects are.
    shapes : ndarray of shapely geometries, shape (N,)
        On the plane of a site, in metres; valid.
    table : pandas.DataFrame
        One row a shape, indexed from 0.
    notes : tuple of str
        What was done to make them fit, and what was left out.
    """

    name: str
    shapes: Shapes
    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.shapes) != len(self.table):
            raise ApplyError(f"“{self.name}” has {len(self.shapes):,} shapes and "
                             f"{len(self.table):,} rows. Read it again.")  # fmt: skip

    def __len__(self) -> int:
        return len(self.shapes)

    @classmethod
    def of_shapes(
        cls,
        name: str,
        shapes: Sequence[BaseGeometry] | Shapes,
        rows: Sequence[Mapping[str, Any]] | None = None,
        notes: Sequence[str] = (),
    ) -> Features:
        """Features of shapes on the plane and their attributes."""
        import pandas as pd

        array = np.empty(len(shapes), dtype=object)
        array[:] = list(shapes)
        table = pd.DataFrame(list(rows) if rows is not None else [], index=range(len(array)))
        return cls(name, array, table, tuple(notes))

    @classmethod
    def of_objects(cls, objects: Instances, site: Site, name: str) -> Features:
        """Outlines of objects, with their number, class and score.

        Parameters
        ----------
        objects : Instances
            In pixels of the site's scene.
        site : Site
        name : str
        """
        rows = [{"object": o.id, "kind": o.label or "", "score": float(o.score)} for o in objects]
        # Steps along the pixels would lengthen borders; areas stay those of the masks.
        shapes = outlines(objects, OutlineSettings(1.0))
        return cls.of_shapes(name, site.plane(shapes), rows)

    @classmethod
    def of_polygons(
        cls,
        polygons: Sequence[ArrayLike],
        site: Site,
        name: str,
        names: Sequence[str] = (),
    ) -> Features:
        """Areas that were drawn on the picture.

        Parameters
        ----------
        polygons : sequence of array_like of float, shape (N, 2)
            Corners in scene pixels.
        site : Site
        name : str
            Of the layer.
        names : sequence of str
            Of the areas, as far as they have one of their own; the others are numbered.

        Raises
        ------
        ApplyError
            One has fewer than three corners, or encloses nothing.
        """
        import shapely

        shapes = []
        for corners in polygons:
            points = np.asarray(corners, dtype=float)
            if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
                raise ApplyError("An area needs at least three corners. Draw it again.")
            shape = shapely.make_valid(
                shapely.Polygon(points), method="structure", keep_collapsed=False
            )
            if not shape.area > 0:
                raise ApplyError("An area encloses nothing. Draw it again.")
            shapes.append(shape)
        own = [str(text).strip()[:200] for text in names][: len(shapes)]
        own += [""] * (len(shapes) - len(own))
        rows = [{"name": text or (f"{name} {k}" if len(shapes) > 1 else name)}
                for k, text in enumerate(own, 1)]  # fmt: skip
        return cls.of_shapes(name, site.plane(shapes), rows, [f"“{name}” was drawn by hand."])

    @cached_property
    def tree(self) -> STRtree:
        """Spatial index of the shapes."""
        from shapely import STRtree

        return STRtree(self.shapes)

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """Square metres of each, shape (N,)."""
        import shapely

        return shapely.area(self.shapes) if len(self) else np.zeros(0)

    @cached_property
    def union(self) -> BaseGeometry:
        """All of them as one shape, ground that several cover counted once."""
        return united(self.shapes)

    def names(self) -> list[str]:
        """What each is called: by its name if it has one, else numbered."""
        lower = {str(column).lower(): column for column in reversed(list(self.table.columns))}
        column = next((lower[name] for name in _NAMES if name in lower), None)
        if column is None:
            return [str(number + 1) for number in range(len(self))]
        return [
            str(number + 1) if value is None or value != value or value == "" else _text(value)
            for number, value in enumerate(self.table[column])
        ]

    def column(self, name: str) -> list[Any]:
        """Values of a column; None where there is none."""
        if name not in self.table:
            return [None] * len(self)
        return list(self.table[name])

    def select(self, keep: ArrayLike, name: str | None = None) -> Features:
        """Those for which `keep` is true, or with these positions."""
        keep = np.asarray(keep)
        where = np.flatnonzero(keep) if keep.dtype == bool else keep.astype(int)
        return replace(
            self,
            name=name or self.name,
            shapes=self.shapes[where],
            table=self.table.iloc[where].reset_index(drop=True),
        )

    def clipped(self, area: BaseGeometry, note: bool = True) -> Features:
        """The parts inside an area; what has none is left out, and a note says so."""
        import shapely

        if not len(self):
            return self
        shapely.prepare(area)
        inside = shapely.covers(area, self.shapes)
        if inside.all():
            return self
        shapes = self.shapes.copy()
        shapes[~inside] = shapely.intersection(self.shapes[~inside], area)
        dimension = shapely.get_dimensions(self.shapes)
        keep = ~shapely.is_empty(shapes) & (shapely.get_dimensions(shapes) == dimension)
        keep |= inside
        cut = int((keep & ~inside).sum())
        out = int((~keep).sum())
        notes = list(self.notes)
        if note and cut:
            notes.append(f"{cut:,} of “{self.name}” reach beyond the picture; what lies in it "
                         "counts.")  # fmt: skip
        if note and out:
            notes.append(f"{out:,} of “{self.name}” lie outside the picture and do not count.")
        return replace(replace(self, shapes=shapes).select(keep), notes=tuple(notes))

    def of_dimension(self, wanted: int) -> Features:
        """Only areas (2), lines (1) or points (0)."""
        import shapely

        return self.select(shapely.get_dimensions(self.shapes) == wanted)


def united(shapes: Shapes) -> BaseGeometry:
    """All shapes as one, ground that several cover counted once; an empty polygon of none."""
    import shapely

    if not len(shapes):
        return shapely.Polygon()
    # Of what lies apart nothing has to be joined, which newer versions know: 50 times as fast.
    if shapely.geos_version >= (3, 12) and hasattr(shapely, "disjoint_subset_union_all"):
        return shapely.disjoint_subset_union_all(shapes)
    return shapely.union_all(shapes)


def before_and_after(
    changes: Sequence[Change],
    site: Site,
    names: tuple[str, str] = ("before", "after"),
    wanted: Callable[[Change], bool] = lambda change: True,
) -> tuple[Features, Features]:
    """The objects of either date as a comparison found them.

    Parameters
    ----------
    changes : sequence of Change
        Of `rsam_core.change.compare`, for example those that a person did not refuse.
    site : Site
        Of the common grid.
    names : tuple of str
        What to call them.
    wanted : callable
        Whether a change counts, for example by its kind.

    Returns
    -------
    before, after : Features
        With columns ``object`` (number of the change), ``kind``, ``score`` and ``change``.
    """
    some = [change for change in changes if wanted(change)]
    result = []
    for date, name in enumerate(names):
        ends = [(c, (c.before, c.after)[date]) for c in some]
        kept = [(c, replace(end, id=c.id, label=c.kind)) for c, end in ends if end is not None]
        objects = Instances([item for _, item in kept], site.shape)
        made = Features.of_objects(objects, site, name)
        table = made.table.assign(change=[c.change for c, _ in kept])
        result.append(replace(made, table=table))
    return result[0], result[1]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
