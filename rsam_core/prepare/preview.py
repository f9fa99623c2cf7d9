"""Previews: the effect of each step on a reduced copy, or on a detail at full resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare._reading import read_raster
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.stage import naming
from rsam_core.prepare.step import Step
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

# Context around a detail for steps that would like to see the whole image.
CONTEXT = 160
BINS = 64


@dataclass(frozen=True, eq=False)
class Link:
    """What became of the image at one step.

    Attributes
    ----------
    step : Step
    before : Raster
        As it comes to the step.
    fitted : Any
        What the step learned from it.
    after : Raster
    """

    step: Step
    before: Raster
    fitted: Any
    after: Raster


class Chain:
    """Steps applied one after the other; what did not change is not computed again.

    Attributes
    ----------
    links : tuple of Link
        Up to the first step that failed.
    error : Exception or None
        Why that step failed.
    """

    def __init__(self) -> None:
        self.links: tuple[Link, ...] = ()
        self.error: Exception | None = None

    def run(
        self,
        start: Raster,
        steps: Sequence[Step],
        fit: Callable[[int, Step, Raster], Any] | None = None,
    ) -> Raster:
        """Apply the steps.

        Parameters
        ----------
        start : Raster
            The image; the same object as last time lets results be used again.
        steps : sequence of Step
        fit : callable, optional
            ``fit(position, step, raster)`` gives the statistics; by default the step takes them
            from the raster that comes to it.

        Returns
        -------
        Raster
            The last good result.
        """
        kept: list[Link] = []
        raster, self.error = start, None
        for position, step in enumerate(steps):
            try:
                fitted = None if fit is None else fit(position, step, raster)
                link = self._known(position, step, raster, fitted)
                if link is None:
                    with naming(step):
                        fitted = step.fit(raster) if fit is None else fitted
                        link = Link(step, raster, fitted, step.apply(raster, fitted))
            except Exception as error:
                self.error = error
                break
            kept.append(link)
            raster = link.after
        self.links = tuple(kept)
        return raster

    def _known(self, position: int, step: Step, before: Raster, fitted: Any) -> Link | None:
        """What was computed last time, if nothing that it depends on has changed."""
        if position >= len(self.links):
            return None
        link = self.links[position]
        same = link.step == step and link.before is before
        return link if same and (fitted is None or link.fitted is fitted) else None


@dataclass(frozen=True, eq=False)
class Preview:
    """Before and after.

    Attributes
    ----------
    before, after : Raster
    left_out : tuple of str
        Titles of steps that this preview cannot show.
    error : Exception or None
        Why a step could not be applied; `after` is what the steps before it give.
    """

    before: Raster
    after: Raster
    left_out: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def comparable(self) -> bool:
        """Whether both show the same place in the same shape, so that one can lie on the other."""
        before, after = self.before, self.after
        ratio = (before.width * after.height) / (before.height * after.width)
        return abs(ratio - 1) < 0.02


class Previewer:
    """Previews of one scene for a changing list of steps.

    Parameters
    ----------
    scene : Scene
        The original.
    overview_size : int
        Longest side of the reduced copy.
    """

    def __init__(self, scene: Scene, overview_size: int = 960) -> None:
        self.scene = scene
        self.overview = read_raster(scene, max_size=overview_size)
        self.whole = Chain()
        self._detail = Chain()
        self._part: tuple[Window, Raster] | None = None

    def overall(self, steps: Sequence[Step]) -> Preview:
        """The whole image, reduced."""
        after = self.whole.run(self.overview, steps)
        return Preview(self.overview, after, error=self.whole.error)

    def detail(self, steps: Sequence[Step], window: Window) -> Preview:
        """A part at full resolution, with statistics of the whole image.

        Steps that need the frame of the whole image are left out: those that move things, and
        pan-sharpening.
        """
        self.whole.run(self.overview, steps)
        error = self.whole.error
        learned = [link for link in self.whole.links if _stays(link.step)]
        shown = [link.step for link in learned]
        left_out = tuple(step.title for step in steps if not _stays(step))
        halos = [CONTEXT if step.halo is None else step.halo for step in shown]
        start = self._padded(window, max([CONTEXT, *halos]))
        after = self._detail.run(start, shown, lambda i, step, raster: learned[i].fitted)
        part = self._part[0]
        x, y = window.x - part.x, window.y - part.y
        before = start.cropped(x, y, window.width, window.height)
        # A step may have made the pixels smaller.
        across, down = after.width / start.width, after.height / start.height
        box = (x * across, y * down, window.width * across, window.height * down)
        after = after.cropped(*(round(v) for v in box))
        return Preview(before, after, left_out, self._detail.error or error)

    def _padded(self, window: Window, margin: int) -> Raster:
        """The window with context, read once."""
        x, y = max(0, window.x - margin), max(0, window.y - margin)
        right = min(self.scene.width, window.x + window.width + margin)
        bottom = min(self.scene.height, window.y + window.height + margin)
        part = Window(x, y, right - x, bottom - y)
        if self._part is None or self._part[0] != part:
            self._part = part, read_raster(self.scene, part)
        return self._part[1]


def detail_window(scene: Scene, place: tuple[float, float], size: tuple[int, int]) -> Window:
    """A window of a size (width, height) around a place given as shares of the scene (x, y)."""
    width, height = min(size[0], scene.width), min(size[1], scene.height)
    if min(width, height) < 1:
        raise PrepareError("A detail needs at least one pixel.")
    x = round(place[0] * scene.width - width / 2)
    y = round(place[1] * scene.height - height / 2)
    return Window(
        min(max(x, 0), scene.width - width), min(max(y, 0), scene.height - height), width, height
    )


def tone_histogram(raster: Raster, bins: int = BINS) -> NDArray[np.float64]:
    """Share of the valid pixels in each class of brightness, in percent.

    Parameters
    ----------
    raster : Raster
    bins : int
        Classes from black to white of the picture shown.

    Returns
    -------
    ndarray, shape (bins,)
        Zeros if no pixel is valid.
    """
    picture = raster.rgb()[raster.valid].astype(np.float32)
    # Luma of ITU-R BT.601, as pictures of 8 bits are weighed.
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    counts, _ = np.histogram(grey, bins, (0, 256))
    return 100 * counts / max(1, len(grey))


def _stays(step: Step) -> bool:
    """Whether a part can be shown alone: nothing moves, no second image lies on the whole."""
    second = any(parameter.kind == "image" for parameter in step.parameters())
    return step.group != "Geometric" and not (second and step.halo is None)
