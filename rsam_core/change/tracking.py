"""From one frame to the next: where an object must be, what is outlined there, whether it is it."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change import _tracked_outlines as outlines
from rsam_core.change.motion import camera_shift, object_shift
from rsam_core.errors import FollowError
from rsam_core.objects.crops import Crop, clip
from rsam_core.objects.instance import Instance
from rsam_core.objects.resample import to_scene, view_mask
from rsam_core.prompts.prompt import Prompt
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.segmenter import Segmenter

_LOOSE = 0.10
"""By which share of its sides the expected box is widened."""

_STEADY = 0.5
"""Rank from which on an answer is believed."""

_LOOKS = 0.65
"""Cosine of the features with those of the object from which on it is found again."""

_PAINT = 16.0
"""Distance in L*a*b* between the mean colours up to which something may be the lost object."""

_PLACES = 4
"""Places at which a lost object is looked for."""

_MEMORY = 0.15
"""Share of a new frame in the remembered look of the object."""

_TREND = 6
"""Frames from which growth is foretold."""

_FASTEST = 0.10
"""Growth between two frames, as a logarithm of the area, that is foretold at most."""

_SMALL_SIDE = 72
"""Objects up to this many pixels are looked at enlarged."""

_MAX_VIEW = 768
"""Pixels of the model's view at most."""

_CONTEXT = 1.0
"""By how many times its own size the view reaches beyond the object on each side."""

_ALIKE = 0.5
"""Correlation of two patches from which on they show the same."""

_ABRUPT = 0.78
"""Overlap with what is expected below which a change is not believed at once."""

_AGREE = 0.8
"""Overlap of what is found in frames one after the other from which on they mean the same."""

_WITNESSES = 2
"""So many further frames must agree on a change that came at once."""

_CRUMB = 0.05
"""Pieces smaller than this share of the largest one are left out."""


@dataclass(frozen=True, eq=False)
class Step:
    """What was found in a frame.

    Attributes
    ----------
    outline : Instance or None
    sure : float
        0 to 1.
    shift : ndarray of float64, shape (2,)
        How far the picture moved since the frame before.
    """

    outline: Instance | None
    sure: float
    shift: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Found:
    """An outline, how sure it is, its look, and where it was expected."""

    item: Instance
    sure: float
    look: NDArray[np.float32] | None
    place: Instance


class Tracker:
    """What is remembered of an object and of the last frame.

    Parameters
    ----------
    segmenter : Segmenter
    holes : bool
        Whether holes stay holes, such as an island in a lake.
    patient : bool
        Whether there are enough frames to wait until others confirm a sudden change.
    """

    def __init__(self, segmenter: Segmenter, *, holes: bool = False, patient: bool = False) -> None:
        self.segmenter, self.holes, self.patient = segmenter, holes, patient
        self.rumour: Instance | None = None
        self.witnesses = 0
        self.image: NDArray[np.uint8]
        self.mask: Instance
        self.look: NDArray[np.float32] | None = None
        self.paint = np.zeros(3)
        self.speed = np.zeros(2)
        self.growth: deque[float] = deque(maxlen=_TREND)
        self.lost = 0
        self.astray = False

    def begin(self, image: NDArray[np.uint8], prompt: Prompt | Instance) -> tuple[Instance, float]:
        """The object at a person's prompt, or as a person outlined it.

        Raises
        ------
        FollowError
            Nothing was found there.
        PromptError
            The prompt lies outside the frame.
        """
        if isinstance(prompt, Instance):
            found: Instance | None = prompt
            score = 1.0 if prompt.score is None else float(prompt.score)
        else:
            answer = self.segmenter.predict(self.segmenter.embed(image), prompt)
            found, score = answer.instance(0), float(answer.scores[0])
        if found is None:
            raise FollowError("Nothing was found there. Click the object's middle, or box it.")
        item = self._whole(found)
        self.image, self.mask = image, item
        view = self._view(item, image.shape[:2])
        self.paint = outlines.paint(image, item)
        self.look = outlines.look_of(self._embed(image, view), view, item)
        return item, score

    def fork(self) -> Tracker:
        """Another one that goes on from the same frame."""
        other = copy.copy(self)
        other.growth = deque(self.growth, maxlen=_TREND)
        return other

    def step(self, image: NDArray[np.uint8]) -> Step:
        """The object in the next frame."""
        known = camera_shift(self.image, image)
        shift = np.zeros(2) if known is None else known
        before, self.image = self.image, image
        best = None
        held: Instance | None = None
        if self.lost or known is None:
            self.astray |= known is None
            self._carry(shift)
            best = self._outlined(image, [self.mask], strict=True)
        else:
            places, jumped = self._expected(before, image, shift)
            best = self._outlined(image, places, strict=jumped)
            if best is None:
                self._carry(shift)
            elif self.patient and self._is_abrupt(best.item, best.place):
                held = self._visible(best.place, image.shape[:2])
        if held is not None:
            self.mask = held
            return Step(held, 0.5 * best.sure, shift)
        # What has left the picture is not looked for in it.
        if best is None and (
            self.astray or outlines.inside(outlines.middle(self.mask), image.shape[:2])
        ):
            best = self._found_again(image)
        if best is None:
            self.lost += 1
            self.speed = np.zeros(2)
            return Step(None, 0.0, shift)
        item, sure, look = best.item, best.sure, best.look
        if self.lost:
            self.growth.clear()
        else:
            own = outlines.middle(item) - (outlines.middle(self.mask) + shift)
            self.speed = 0.5 * self.speed + 0.5 * own
            self.growth.append(float(np.log(item.area / self.mask.area)))
        self.mask, self.lost, self.astray = item, 0, False
        self.paint += _MEMORY * (outlines.paint(image, item) - self.paint)
        if look is not None and self.look is not None:
            mixed = (1 - _MEMORY) * self.look + _MEMORY * look
            self.look = mixed / (np.linalg.norm(mixed) + 1e-9)
        return Step(item, sure, shift)

    def _is_abrupt(self, item: Instance, moved: Instance) -> bool:
        """Whether an outline differs so much from what is expected that it is not believed yet."""
        if outlines.overlap(item, moved) >= _ABRUPT:
            self.rumour, self.witnesses = None, 0
            return False
        told = self.rumour is not None and outlines.overlap(self.rumour, item) >= _AGREE
        self.rumour, self.witnesses = item, self.witnesses + 1 if told else 0
        return self.witnesses < _WITNESSES

    def _visible(self, item: Instance, shape: tuple[int, int]) -> Instance | None:
        """What of an outline lies in the picture."""
        part = clip(Crop(item.mask, item.x, item.y), (0, 0, shape[1], shape[0]))
        if not part.mask.any():
            return None
        return outlines.trimmed(replace(item, mask=part.mask, x=part.x, y=part.y))

    def _carry(self, shift: NDArray[np.float64]) -> None:
        """Let the last outline move with the picture while the object is not seen."""
        dx, dy = (round(float(v)) for v in shift)
        self.mask = replace(self.mask, x=self.mask.x + dx, y=self.mask.y + dy)

    # ------------------------------------------------------------------ where it must be

    def _expected(
        self, before: NDArray[np.uint8], image: NDArray[np.uint8], shift: NDArray[np.float64]
    ) -> tuple[list[Instance], bool]:
        """The last outline, moved and grown as lately, and whether it moved far by itself.

        Where the picture of the object says another place than its way so far, both count.
        """
        x0, y0, x1, y1 = self.mask.bbox
        guess = shift + self.speed
        reach = max(12.0, 0.35 * min(max(x1 - x0, y1 - y0), 120)) + float(np.hypot(*self.speed))
        found, alike = object_shift(before, image, (x0, y0, x1, y1), guess, reach)
        ratio = 1.0
        if len(self.growth) >= 3:
            rate = float(np.clip(np.median(self.growth), -_FASTEST, _FASTEST))
            ratio = float(np.exp(rate / 2))
        if alike <= _ALIKE:
            return [outlines.moved(self.mask, guess, ratio)], False
        away = float(np.hypot(*(found - guess)))
        places = [found, guess] if away > 1.5 else [found]
        jumped = away > 0.5 * max(x1 - x0, y1 - y0)
        return [outlines.moved(self.mask, offset, ratio) for offset in places], jumped

    def _view(self, item: Instance, shape: tuple[int, int]) -> Frame:
        """The part of a frame that the model looks at."""
        height, width = shape
        x0, y0, x1, y1 = item.bbox
        side = max(x1 - x0, y1 - y0)
        factor = 2.0 if side <= _SMALL_SIDE else 1.0
        around = max(_CONTEXT * side, 64.0)
        left, top = max(int(x0 - around), 0), max(int(y0 - around), 0)
        right, bottom = min(int(x1 + around), width), min(int(y1 + around), height)
        left, top = min(left, width - 32), min(top, height - 32)
        left, top = max(left, 0), max(top, 0)
        right, bottom = max(right, min(left + 32, width)), max(bottom, min(top + 32, height))
        wide, high = right - left, bottom - top
        factor = min(factor, _MAX_VIEW / max(wide, high))
        return Frame(
            left, top, wide, high, max(round(wide * factor), 1), max(round(high * factor), 1)
        )

    def _embed(self, image: NDArray[np.uint8], view: Frame) -> Any:
        x0, y0, x1, y1 = (round(v) for v in view.bounds)
        part = np.ascontiguousarray(image[y0:y1, x0:x1])
        if view.scale != (1.0, 1.0):
            how = cv2.INTER_AREA if view.scale[0] < 1 else cv2.INTER_CUBIC
            part = cv2.resize(part, (view.columns, view.rows), interpolation=how)
        return self.segmenter.embed(part)

    # ------------------------------------------------------------------ what is there

    def _outlined(
        self, image: NDArray[np.uint8], places: list[Instance], *, strict: bool
    ) -> _Found | None:
        """The best outline around where the object must be, if it is believed.

        `strict` asks for its look and colour, too: where it is may be another thing by now.
        """
        height, width = image.shape[:2]
        view: Frame | None = None
        embedding: Any = None
        best, rank = None, _STEADY
        for moved in places:
            if self._visible(moved, (height, width)) is None:
                continue
            if view is None:
                # The places lie so near each other that one view shows them all.
                view = self._view(moved, (height, width))
                embedding = self._embed(image, view)
            for item, score in self._answers(embedding, view, moved):
                value, like, look = self._rank(embedding, view, item, moved, score)
                if value > rank and not (strict and self._is_another(image, item, look)):
                    best, rank = _Found(item, like, look, moved), value
        return best

    def _is_another(
        self, image: NDArray[np.uint8], item: Instance, look: NDArray[np.float32] | None
    ) -> bool:
        """Whether features or colour speak against an outline."""
        if look is not None and self.look is not None and float(look @ self.look) < _LOOKS:
            return True
        return float(np.linalg.norm(outlines.paint(image, item) - self.paint)) > _PAINT

    def _answers(
        self, embedding: Any, view: Frame, moved: Instance
    ) -> list[tuple[Instance, float]]:
        x0, y0, x1, y1 = moved.bbox
        wide = _LOOSE * np.array([x1 - x0, y1 - y0]) + 1
        corners = view.from_scene([(x0 - wide[0], y0 - wide[1]), (x1 + wide[0], y1 + wide[1])])
        box = np.clip(corners, 0, (view.columns, view.rows)).ravel()
        if box[2] - box[0] < 3 or box[3] - box[1] < 3:
            return []
        mask, x, y = view_mask(
            moved, (view.x, view.y), view.scale[0], (0, 0, view.columns, view.rows)
        )
        prompts = [Prompt(box=box)]
        inside = outlines.deepest(mask)
        if inside is not None:
            point = inside[0] + x, inside[1] + y
            prompts += [Prompt(points=[point]), Prompt(points=[point], box=box)]
        found = []
        for answer in self.segmenter.predict(embedding, prompts):
            for k in range(len(answer)):
                item = answer.instance(k)
                if item is not None:
                    found.append((self._whole(to_scene(item, view)), float(answer.scores[k])))
        return found

    def _rank(
        self, embedding: Any, view: Frame, item: Instance, moved: Instance, score: float
    ) -> tuple[float, float, NDArray[np.float32] | None]:
        """How much speaks for an outline, how sure it is, and its look."""
        overlap = outlines.overlap(item, moved)
        look = outlines.look_of(embedding, view, item)
        like = 0.5
        if look is not None and self.look is not None:
            like = max(float(look @ self.look), 0.0)
        value = 0.65 * overlap + 0.2 * like + 0.15 * score
        return value, 0.5 * overlap + 0.5 * like, look

    def _whole(self, item: Instance) -> Instance:
        """An outline without crumbs, and without holes unless they are wanted."""
        count, pieces, facts, _ = cv2.connectedComponentsWithStats(item.mask.astype(np.uint8))
        areas = facts[1:, cv2.CC_STAT_AREA]
        mask = item.mask
        if count > 2:
            mask = np.isin(pieces, 1 + np.flatnonzero(areas >= _CRUMB * areas.max()))
        if not self.holes:
            outer = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL,
                                     cv2.CHAIN_APPROX_NONE)[0]  # fmt: skip
            filled = np.zeros(mask.shape, np.uint8)
            cv2.drawContours(filled, outer, -1, 1, cv2.FILLED)
            mask = filled.astype(bool)
        return item if mask is item.mask else outlines.trimmed(replace(item, mask=mask))

    # ------------------------------------------------------------------ lost and found

    def _found_again(self, image: NDArray[np.uint8]) -> _Found | None:
        """The place of the picture whose features look most like the object."""
        from rsam_core.segment.features.pooling import feature_maps

        embedding = self.segmenter.embed(image)
        maps = feature_maps(embedding)
        if not maps or self.look is None:
            return None
        cells, size = maps[0]
        mean = cells.mean((1, 2), keepdims=True)
        centred = (cells - mean).reshape(len(cells), -1)
        close = self.look @ centred / (np.linalg.norm(centred, axis=0) + 1e-9)
        close = cv2.GaussianBlur(close.reshape(cells.shape[1:]).astype(np.float32), (3, 3), 0)
        height, width = image.shape[:2]
        whole = Frame(0, 0, width, height, width, height)
        best: _Found | None = None
        for _ in range(_PLACES):
            row, column = np.unravel_index(int(close.argmax()), close.shape)
            point = (min((column + 0.5) * size, width - 0.5), min((row + 0.5) * size, height - 0.5))
            close[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = -1
            answer = self.segmenter.predict(embedding, Prompt(points=[point]))
            for k in range(len(answer)):
                item = answer.instance(k)
                if item is None or not 0.4 < item.area / self.mask.area < 2.5:
                    continue
                item = self._whole(item)
                look = outlines.look_of(embedding, whole, item)
                like = 0.0 if look is None else float(look @ self.look)
                if self._is_another(image, item, look):
                    continue
                if best is None or like > best.sure:
                    best = _Found(item, like, look, item)
        return best
