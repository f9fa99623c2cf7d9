"""What a report says of each classical method: how it was set, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from rsam_core.evaluate.results import MethodInfo

_NOTES = {
    "filled-box": "the filled box, the least that a method given a box should beat",
    "grabcut": "GrabCut (Rother et al. 2004; OpenCV, five iterations)",
    "otsu": "Otsu's threshold (1979) of the grey values, in the box (the side that fills its "
    "middle) or in the whole image (the connected piece that was clicked)",
    "kmeans": "k-means clustering of CIELAB colours (Lloyd 1982), two clusters in the box (the one "
    "that fills its middle) or six in the whole image (the connected piece that was clicked)",
    "slic": "SLIC superpixels (Achanta et al. 2012; scikit-image, about 300 pixels each, "
    "compactness 10)",
    "felzenszwalb": "Felzenszwalb and Huttenlocher's regions (2004; scikit-image, scale 100, "
    "σ 0.8, at least 50 pixels)",
    "watershed": "the watershed of the Sobel gradient (Meyer and Beucher 1990) from two markers, "
    "the middle third of the box and what lies outside it",
    "random-walker": "the random walker (Grady 2006; scikit-image, β 130) from the same two "
    "markers, the middle third of the box and what lies outside it",
}
_REGIONS = (
    " Of regions, the one that was clicked, those that lie in the box by more than half, or (†) "
    "the best one or the best set counts."
)


def classical_methods(infos: Sequence[MethodInfo]) -> str:
    """The classical methods that were compared, in one paragraph; empty if there are none."""
    keys = [info.key for info in infos if info.model is None]
    names = dict.fromkeys(
        name for key in keys for name in _NOTES if key == name or key.startswith(f"{name}-")
    )
    if not names:
        return ""
    text = "Classical methods: " + "; ".join(_NOTES[name] for name in names) + "."
    return text + (_REGIONS if {"slic", "felzenszwalb"} & set(names) else "")
