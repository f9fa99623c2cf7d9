"""Ways to outline an object, each with one interface, so that one table can compare them.

A method is asked for one true object at a time. It derives the prompt that a careful person
would give (the central click, the tight box, corrective clicks), answers with a mask and says
how long that took. Work that serves all objects of an image (the embedding, superpixels, the
automatic mode) is done once on a :class:`SharedImageWork` and timed apart.

>>> methods = build_methods(["rsam-tiny"], ["box", "1", "3"], ["grabcut"])   # doctest: +SKIP
>>> bench = SharedImageWork(image)                                                     # doctest:
+SKIP
>>> for method in methods:                                                   # doctest: +SKIP
...     method.prepare(bench)
...     print(method.title, method.run(bench, truth).seconds)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import EvaluationError
from rsam_core.evaluate.methods.base import Mask, Method, Outcome, SharedImageWork, best_instance
from rsam_core.evaluate.methods.classical_methods import BASELINES
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import centre_click, corrective_click, tight_box

if TYPE_CHECKING:
    from rsam_core.objects.instances import Instances
    from rsam_core.segment.segmenter import Candidates, Segmenter

__all__ = [
    "BASELINES",
    "PROMPTS",
    "EverythingMethod",
    "FinderMethod",
    "Method",
    "Outcome",
    "PromptMethod",
    "SharedImageWork",
    "build_methods",
    "check_names",
]

Box = tuple[float, float, float, float]

MAX_CLICKS = 20
"""More clicks than anyone makes; the limit that the literature uses."""


def click_answers(
    segmenter: Segmenter, bench: SharedImageWork, truth: Mask, clicks: int
) -> Iterator[Candidates]:
    """Answers after 1, 2, ... simulated clicks; the best-scored mask of each is refined next.

    Stops early when the mask has no error left to click.
    """
    points, labels = [bench.user(centre_click, truth)], [1]
    answer = segmenter.predict(bench.embedding(segmenter), Prompt(points=points, labels=labels))
    yield answer
    yield from corrections(segmenter, bench, truth, answer, clicks - 1, points, labels)


def corrections(
    segmenter: Segmenter,
    bench: SharedImageWork,
    truth: Mask,
    answer: Candidates,
    clicks: int,
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[int] = (),
    box: Box | None = None,
) -> Iterator[Candidates]:
    """Answers after each of `clicks` further clicks on the largest error of the one before."""
    points, labels = list(points), list(labels)
    for _ in range(clicks):
        click = bench.user(corrective_click, truth, answer.masks[0])
        if click is None:
            return
        points.append(click[:2])
        labels.append(click[2])
        prompt = Prompt(points=points, labels=labels, box=box)
        answer = segmenter.predict(bench.embedding(segmenter), prompt, False, answer.refinement[0])
        yield answer


class PromptMethod(Method):
    """A promptable model with a simulated prompt.

    Parameters
    ----------
    segmenter : Segmenter
    prompt : str
        ``"box"``; a number of clicks from 1 to 20; ``"1best"`` for one click of whose three
        masks the best is taken, as a user who looks at them would; ``"box+N"`` for a box and N
        corrective clicks.

    Raises
    ------
    EvaluationError
        If the prompt is not known.
    """

    def __init__(self, segmenter: Segmenter, prompt: str) -> None:
        self.segmenter = segmenter
        self.has_box, self.clicks, self.best = _parse(prompt)
        self.model = segmenter.model.name
        self.key = f"{self.model}:{prompt}"
        self.shared = (f"embedding {self.model}",)
        self.prompt = _in_words(self.has_box, self.clicks, self.best)
        self.title = f"{self.model}, {self.prompt}"
        self.sees_truth = self.best

    def prepare(self, bench: SharedImageWork) -> None:
        bench.embedding(self.segmenter)

    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        if self.has_box:
            box = bench.user(tight_box, truth)
            answers = [self.segmenter.predict(bench.embedding(self.segmenter), Prompt(box=box))]
            answers += corrections(self.segmenter, bench, truth, answers[0], self.clicks, box=box)
        else:
            answers = list(click_answers(self.segmenter, bench, truth, self.clicks))
        last = answers[-1]
        best = bench.user(_best_match, truth, last.masks) if self.best else 0
        return last.masks[best], float(last.scores[best])


class EverythingMethod(Method):
    """Automatic mode; of all objects found, the one with the highest IoU answers for the true one.

    Parameters
    ----------
    segmenter : Segmenter
    """

    sees_truth = True
    prompt = "everything, best match"

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        self.model = segmenter.model.name
        self.key = f"{self.model}:everything"
        self.title = f"{self.model}, {self.prompt}"
        self.shared = (f"embedding {self.model}", f"everything {self.model}")

    def prepare(self, bench: SharedImageWork) -> None:
        self.find(bench)

    def find(self, bench: SharedImageWork) -> Instances:
        embedding = bench.embedding(self.segmenter)
        return bench.shared(
            f"everything {self.model}",
            lambda: self.segmenter.everything(embedding, cancelled=bench.cancelled),
        )

    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        return bench.user(best_instance, self.find(bench), truth)


class FinderMethod(Method):
    """Any function that finds all objects of an image; the best match answers for a true object.

    Parameters
    ----------
    key, title, prompt : str
        See :class:`Method`.
    finder : callable
        RGB image (H, W, 3) of uint8 to :class:`rsam_core.Instances`.
    """

    sees_truth = True

    def __init__(
        self, key: str, title: str, prompt: str, finder: Callable[[NDArray[np.uint8]], Instances]
    ) -> None:
        self.key, self.title, self.prompt, self.finder = key, title, prompt, finder
        self.shared = (key,)

    def prepare(self, bench: SharedImageWork) -> None:
        self.find(bench)

    def find(self, bench: SharedImageWork) -> Instances:
        return bench.shared(self.key, lambda: self.finder(bench.image))

    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        return bench.user(best_instance, self.find(bench), truth)


PROMPTS: Mapping[str, str] = {
    "box": "Tight box",
    "1": "1 point",
    "2": "2 points",
    "3": "3 points",
    "5": "5 points",
    "1best": "1 point, best of three masks",
    "box+1": "Box and 1 point",
    "everything": "Everything, best match",
}
"""Prompts to offer; any number of points to 20 and ``box+N`` work as well."""


def build_methods(
    models: Sequence[str] | Mapping[str, Segmenter],
    prompts: Sequence[str],
    baseline_keys: Sequence[str] = (),
) -> list[Method]:
    """Methods for a comparison: every model with every prompt, then the baselines.

    Parameters
    ----------
    models : sequence of str, or mapping of str to Segmenter
        Names of the catalogue, loaded here, or models that are loaded already.
    prompts : sequence of str
        See :class:`PromptMethod`; also ``"everything"``, and ``"one-shot"``.
    baseline_keys : sequence of str
        Keys of :data:`BASELINES`; ``"all"`` stands for all of them.

    Raises
    ------
    EvaluationError
        If a name is unknown or nothing is asked for.
    ModelError
        If a model is unknown or not installed.
    """
    check_names(prompts, baseline_keys)
    if prompts and not isinstance(models, Mapping):
        from rsam_core.models.load import load_model
        from rsam_core.segment.segmenter import Segmenter

        models = {name: Segmenter(load_model(name)) for name in dict.fromkeys(models)}
    methods: list[Method] = []
    if prompts:
        for segmenter in models.values():
            methods += [_prompted(segmenter, prompt) for prompt in dict.fromkeys(prompts)]
    keys = BASELINES if "all" in baseline_keys else dict.fromkeys(baseline_keys)
    methods += [BASELINES[key] for key in keys]
    if not methods:
        raise EvaluationError("Nothing to compare. Choose at least one prompt or method.")
    return methods


def check_names(prompts: Sequence[str], baseline_keys: Sequence[str]) -> None:
    """Raise :class:`EvaluationError` for a prompt or method that does not exist."""
    for prompt in prompts:
        if prompt not in ("everything", "one-shot"):
            _parse(prompt)
    for key in baseline_keys:
        if key not in BASELINES and key != "all":
            raise EvaluationError(
                f"There is no method called “{key}”. Choose from: {', '.join(BASELINES)}, or all."
            )


def _prompted(segmenter: Segmenter, prompt: str) -> Method:
    if prompt == "everything":
        return EverythingMethod(segmenter)
    if prompt == "one-shot":
        from rsam_core.evaluate.methods.one_shot import OneShotMethod

        return OneShotMethod(segmenter)
    return PromptMethod(segmenter, prompt)


def _parse(prompt: str) -> tuple[bool, int, bool]:
    """Whether there is a box, how many clicks, and whether the best of three masks is taken."""
    head, _, tail = prompt.partition("+")
    if prompt == "1best":
        return False, 1, True
    if prompt == "box":
        return True, 0, False
    number = tail if head == "box" else prompt
    if number.isascii() and number.isdigit() and 1 <= int(number) <= MAX_CLICKS:
        return head == "box", int(number), False
    raise EvaluationError(
        f"“{prompt}” is not a prompt. Use box, a number of points from 1 to {MAX_CLICKS}, 1best, "
        "box+1, or everything."
    )


def _in_words(box: bool, clicks: int, best: bool) -> str:
    points = f"{clicks} point{'s' if clicks > 1 else ''}"
    if best:
        return "1 point, best of three masks"
    if not box:
        return points
    return f"box and {points}" if clicks else "box"


def _best_match(truth: Mask, masks: NDArray[np.bool_]) -> int:
    shared = (masks & truth).sum((1, 2))
    return int(np.argmax(shared / (masks | truth).sum((1, 2))))
