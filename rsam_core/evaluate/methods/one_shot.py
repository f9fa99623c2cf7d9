"""One-shot segmentation among the methods that an evaluation compares."""

from __future__ import annotations

from rsam_core.evaluate.methods.base import Mask, Method, SharedImageWork, best_instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import tight_box
from rsam_core.scene.coordinates import view_frame
from rsam_core.segment.one_shot.candidate_search import search
from rsam_core.segment.one_shot.descriptors import ArrayScene
from rsam_core.segment.one_shot.examples import EmbeddedView, make_example
from rsam_core.segment.one_shot.ranking import rank
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.segmenter import Segmenter


class OneShotMethod(Method):
    """The first true object of an image is the example; the others are found by it.

    A user draws a box around the example, as for any object, and that mask is learned from; it
    is also the answer for the example itself. Each other true object is answered by the found
    one with the highest IoU, if any was kept at the suggested threshold.

    Parameters
    ----------
    segmenter : Segmenter
    settings : OneShotSettings, optional
    """

    sees_truth = True
    prompt = "one example in a box"

    def __init__(self, segmenter: Segmenter, settings: OneShotSettings | None = None) -> None:
        self.segmenter, self.settings = segmenter, settings or OneShotSettings()
        self.model = segmenter.model.name
        self.key = f"{self.model}:one-shot"
        self.title = f"{self.model}, {self.prompt}"
        self.shared = (f"embedding {self.model}", f"one-shot {self.model}")

    def prepare(self, bench: SharedImageWork) -> None:
        bench.embedding(self.segmenter)

    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        found = bench.shared(f"one-shot {self.model}", lambda: self._find(bench, truth))
        return bench.user(best_instance, found, truth)

    def _find(self, bench: SharedImageWork, truth: Mask) -> Instances:
        embedding = bench.embedding(self.segmenter)
        box = bench.user(tight_box, truth)
        drawn = self.segmenter.predict(embedding, Prompt(box=box)).instance(source="box")
        height, width = truth.shape
        if drawn is None:
            return Instances.empty(truth.shape)
        scene, view = ArrayScene(bench.image), view_frame(width, height)
        shown = EmbeddedView(embedding, view.x, view.y, view.scale[0])
        example = make_example(self.segmenter, scene, shown, drawn)
        state = search(
            self.segmenter,
            scene,
            view,
            embedding,
            [example],
            self.settings,
            cancelled=bench.cancelled,
        )
        alike = rank(state, [example], self.settings).choose()
        return Instances.concat([Instances([drawn], truth.shape), alike])
