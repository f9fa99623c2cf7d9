"""What the automatic mode found in the tiles of a scene, and how objects come out of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.objects.suppression import suppress
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings, EverythingState
from rsam_core.segment.tiles.grid import Tile
from rsam_core.segment.tiles.stitching import TileMask, is_cut, join, touches_edge


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be looked at.

    Attributes
    ----------
    tiles : tuple of Tile
        In reduced scene pixels (scene pixels times the scale).
    points : tuple of ndarray, each (N, 2)
        Grid points of each tile's core, in reduced scene pixels.
    region : Window
        The part of the scene that is looked at, in reduced scene pixels.
    factor : int
        Scene pixels a reduced pixel, 1 / scale.
    regular : int
        Number of tiles that cover the region; those after them were laid over seams.
    """

    tiles: tuple[Tile, ...]
    points: tuple[NDArray[np.float64], ...]
    region: Window
    factor: int
    regular: int

    @property
    def total(self) -> int:
        """Grid points of the regular tiles."""
        return sum(map(len, self.points[: self.regular]))


@dataclass(frozen=True, eq=False)
class TiledState(EverythingState):
    """What `initialize_tiled` found, before any threshold.

    Attributes
    ----------
    masks : PackedMasks
        In scene pixels (times the scale, where that is below 1), best score first.
    stability : ndarray of float32
        One value a mask.
    shape : tuple of int
        Height and width of the whole scene.
    points : int
        Grid points dealt with.
    complete : bool
        False if it was cancelled before the last tile was done.
    tile_of : ndarray of int64
        Index of the tile in which each mask was found.
    plan : Plan
        All tiles, at last those laid over seams.
    done : tuple of int
        Indices of the tiles that were looked at to the end.
    empty : tuple of int
        Those among them that hold no data, or no grid point.
    """

    tile_of: NDArray[np.int64]
    plan: Plan
    done: tuple[int, ...]
    empty: tuple[int, ...]

    @property
    def boxes(self) -> NDArray[np.int64]:
        """Pixel edges x0, y0, x1, y1 of each mask's bounding box, shape (N, 4)."""
        return self.masks.boxes

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each mask, shape (N,)."""
        return self.masks.areas

    @property
    def scores(self) -> NDArray[np.float64]:
        """Predicted IoU of each mask, shape (N,)."""
        return self.masks.scores

    @cached_property
    def _windows(self) -> NDArray[np.int64]:
        """x0, y0, x1, y1 of what each tile has seen; without area where nothing was looked at."""
        seen = np.array([corners(tile.window) for tile in self.plan.tiles], np.int64)
        looked = np.zeros(len(seen), bool)
        looked[list(self.done)] = True
        looked[list(self.empty)] = False
        looked[self.tile_of] = True
        seen[~looked, 2:] = seen[~looked, :2]
        return seen

    @cached_property
    def _at_edge(self) -> NDArray[np.bool_]:
        """Which masks an edge of their tile may cut."""
        windows = np.array([corners(tile.window) for tile in self.plan.tiles], np.int64)
        return touches_edge(self.boxes, windows[self.tile_of], corners(self.plan.region))

    def choose(self, settings: EverythingSettings) -> list[Instance]:
        """The numbered objects: thresholds and suppression in each tile, then seams, then all.

        Quality, stability and the largest share (of the tile) are asked of each piece before
        pieces are joined; the smallest area is asked of the object.
        """
        found, joined = self.pieces(settings)
        smallest = self._smallest(settings)
        found += [piece for piece in joined if piece.area >= smallest and not is_cut(piece)]
        # A whole object comes before one that an edge still cuts, whatever their scores.
        found.sort(key=lambda piece: (piece.cut > 0, -piece.score))
        stay = suppress(
            lambda i: found[i].mask,
            np.array([piece.box for piece in found], np.int64).reshape(-1, 4),
            np.array([piece.area for piece in found], np.int64),
            settings.max_overlap,
        )
        objects = sorted((found[i] for i in stay), key=lambda piece: -piece.score)
        return [self._to_scene(piece, number) for number, piece in enumerate(objects, start=1)]

    def pieces(self, settings: EverythingSettings) -> tuple[list[TileMask], list[TileMask]]:
        """What passes the thresholds: masks that no tile edge touches, and joined pieces.

        The latter may still be cut; see `rsam_core.segment.tiles.stitching.is_cut`.
        """
        smallest = self._smallest(settings)
        tile_areas = np.array([t.window.width * t.window.height for t in self.plan.tiles])
        passed = np.flatnonzero(
            (self.scores >= settings.min_quality)
            & (self.stability >= settings.min_stability)
            & (self.areas <= settings.max_share * tile_areas[self.tile_of])
            & ((self.areas >= smallest) | self._at_edge)
        )
        opened: dict[int, NDArray[np.bool_]] = {}

        def mask_of(i: int) -> NDArray[np.bool_]:
            position = int(passed[i])
            if position not in opened:
                opened[position] = self.masks.mask(position)
            return opened[position]

        kept = suppress(
            mask_of,
            self.boxes[passed],
            self.areas[passed],
            settings.max_overlap,
            self.tile_of[passed],
        )
        found, cut = [], []
        for i in kept:
            p = int(passed[i])
            x0, y0, x1, y1 = self.boxes[p].tolist()
            piece = TileMask(
                mask_of(i),
                (x0, y0, x1, y1),
                int(self.areas[p]),
                float(self.scores[p]),
                int(self.tile_of[p]),
            )
            (cut if self._at_edge[p] else found).append(piece)
        return found, join(cut, self._windows)

    def _smallest(self, settings: EverythingSettings) -> float:
        """Smallest area in reduced pixels."""
        return settings.min_area / self.plan.factor**2

    def _to_scene(self, piece: TileMask, number: int) -> Instance:
        """A piece as a numbered object in scene pixels; enlarged smoothly if reduced."""
        x, y = piece.box[:2]
        factor = self.plan.factor
        if factor == 1:
            return Instance(piece.mask, x, y, piece.score, number, "everything")
        import cv2

        # A pixel of margin lets the outline round off instead of ending at the crop.
        soft = np.pad(piece.mask, 1).astype(np.float32)
        size = (soft.shape[1] * factor, soft.shape[0] * factor)
        large = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR) > 0.5
        left, top = (x - 1) * factor, (y - 1) * factor
        large = large[max(-top, 0) : self.shape[0] - top, max(-left, 0) : self.shape[1] - left]
        left, top = max(left, 0), max(top, 0)
        if not large.any():
            large[large.shape[0] // 2, large.shape[1] // 2] = True
        return Instance(large, left, top, piece.score, number, "everything")


def corners(window: Window) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a window."""
    return window.x, window.y, window.x + window.width, window.y + window.height
