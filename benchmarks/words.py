"""Words: how well sentences are understood, what they find, and how quickly.

``python -m benchmarks.words [parse] [true] [found] [speed]``; all four without arguments. *found*
outlines eight towns with the embedded model and names what it found, and the ground between, with
a kind head that is trained for it on sixteen others, which takes minutes.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from rsam_core.errors import WordsError
from rsam_core.models import load_model
from rsam_core.models.tiny.encoder import FeatureMaps
from rsam_core.models.tiny.kind_head import KindHead, describe
from rsam_core.models.tiny.kinds import KINDS, OF_RENDERED, UNKNOWN
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import Matching, match
from rsam_core.samples import TownSample, render_town
from rsam_core.scene.window import Window
from rsam_core.segment.everything import generate, initialize, settings_for
from rsam_core.segment.kinds import Kinds
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.words import describe as describe_objects
from rsam_core.segment.words import words
from rsam_core.segment.words.ground import find_kinds_and_ground, ground_regions
from tests.segment.words.test_sentences import differences
from tests.segment.words.towns import TownScene, cases, f1, town
from training.kinds import Examples, fit

SPACING = 22.0
TRAIN_SEED = 7300
"""First of the seeds of the towns that the kind head learns from."""
TRAIN_TURNS = 2
"""Towns of each style that it learns from."""
HALF = 0.3
"""IoU from which an outline is of an object, if not good enough to count as found."""
SURE = 0.4
"""Probability below which the head's word counts for nothing."""


def parse() -> None:
    """Share of the 300 free sentences that mean what is written beside them."""
    wrong = {language: len(differences(language)) for language in ("en", "fr", "es", "vi")}
    print(f"understood as expected: {300 - sum(wrong.values())} of 300; wrong by language {wrong}")


def true() -> None:
    """F1 of the 60 sentences with the towns' own outlines and kinds."""
    scores = []
    for number, case in enumerate(cases()):
        place = town(number)
        known = describe_objects(place.objects, place.scene)
        for row in case["sentences"]:
            some = words(row["text"]).select(place.objects, known=known)
            scores.append(f1(set(some.ids.tolist()), set(row["ids"])))
    print(f"true outlines: mean F1 {np.mean(scores):.3f} over {len(scores)} sentences")


def outlined(segmenter: Segmenter, image: np.ndarray) -> tuple[Instances, FeatureMaps]:
    """What the model finds, and the features that tell of its kinds."""
    embedding = segmenter.embed(image)
    settings = settings_for(segmenter.model.name, spacing=SPACING, min_area=16, max_share=0.6)
    return generate(initialize(segmenter, embedding, settings), settings), embedding.features.maps


def seen(maps: FeatureMaps, some: Instances) -> torch.Tensor:
    """What the kind head sees of objects or regions."""
    return describe(maps, [(i.mask, i.x, i.y) for i in some])


def truth_of(drawn) -> Instances:
    """Objects of a town with their kinds."""
    items = Instances.from_label_map(drawn.labels)
    return Instances(
        [
            Instance(i.mask, i.x, i.y, 1, i.id, "truth", OF_RENDERED[drawn.classes[i.id]])
            for i in items
        ],
        items.shape,
    )


def pairs_of(matched: Matching) -> list[tuple[int, int]]:
    """Positions of each pair in the truth and in what was found."""
    return list(zip(matched.rows.tolist(), matched.columns.tolist()))


def kinds_of_pixels(drawn: TownSample) -> np.ndarray:
    """Number of the kind of what is drawn at each pixel, (H, W)."""
    numbers = np.full(int(drawn.labels.max()) + 1, KINDS.index("other"))
    for label, name in drawn.classes.items():
        if label < len(numbers):
            numbers[label] = KINDS.index(OF_RENDERED[name])
    return numbers[drawn.labels]


def lessons(segmenter: Segmenter, drawn: TownSample) -> Examples:
    """What a town teaches of its own objects, of those that are found and the regions between.

    What is found and agrees with none of its objects is other; where it half agrees, it teaches
    nothing. A region is what most of its pixels are.
    """
    real = truth_of(drawn)
    found, maps = outlined(segmenter, drawn.image)
    told = np.full(len(found), KINDS.index("other"))
    for _, j in pairs_of(match(real, found, HALF)):
        told[j] = UNKNOWN
    for i, j in pairs_of(match(real, found, 0.5)):
        told[j] = KINDS.index(real[i].label)
    own = Instances([i for i in real if i.area >= 16], real.shape)
    whole = Window(0, 0, drawn.image.shape[1], drawn.image.shape[0])
    labels = ground_regions(found, TownScene(drawn), whole)
    regions = Instances.from_label_map(labels)
    counts = np.zeros((len(regions) + 1, len(KINDS)), int)
    np.add.at(counts, (labels, kinds_of_pixels(drawn)), 1)
    inputs = torch.cat([seen(maps, some) for some in (found, own, regions)])
    kinds = [told, [KINDS.index(i.label) for i in own], counts[1:].argmax(axis=1)]
    taught = torch.from_numpy(np.concatenate(kinds)).long()
    return Examples(inputs[taught != UNKNOWN], taught[taught != UNKNOWN])


def kind_head(segmenter: Segmenter) -> KindHead:
    """A head that learned from towns of the same styles as those that are asked about."""
    parts = []
    for turn in range(TRAIN_TURNS):
        for number, case in enumerate(cases()):
            seed = TRAIN_SEED + 100 * turn + number
            parts.append(lessons(segmenter, render_town(**(case["town"] | {"seed": seed}))))
    torch.manual_seed(0)
    head = KindHead()
    fit(
        head,
        Examples(torch.cat([p.inputs for p in parts]), torch.cat([p.kinds for p in parts])),
    )
    return head.eval()


def found() -> None:
    """F1 of the 60 sentences with the embedded model's outlines and guessed kinds."""
    segmenter = Segmenter(load_model())
    head = kind_head(segmenter)
    scores, limits, right_kinds = [], [], []
    for number, case in enumerate(cases()):
        place = town(number)
        objects, maps = outlined(segmenter, place.scene.image)

        def named(some: Instances, maps: FeatureMaps = maps) -> Kinds:
            return Kinds(head.probabilities(seen(maps, some)).numpy(), SURE)

        kinds, ground = find_kinds_and_ground(objects, objects, place.scene, named)
        known = describe_objects(
            objects, place.scene, probabilities=kinds.probabilities, sure=SURE, ground=ground
        )
        pairs = pairs_of(match(place.objects, objects, 0.5))
        told = known.table["kind"].to_numpy(object)
        right_kinds += [told[j] == place.objects[i].label for i, j in pairs]
        for row in case["sentences"]:
            some = set(words(row["text"]).select(objects, known=known).ids.tolist())
            meant = set(row["ids"])
            chosen = objects.select(some)
            right = match(place.objects.select(meant), chosen, 0.5)
            total = len(some) + len(meant)
            scores.append(2 * right.tp / total if total else 1.0)
            hit = {int(place.objects[i].id) for i, _ in pairs} & meant
            limits.append(2 * len(hit) / (len(hit) + len(meant)) if meant else 1.0)
            print(f"  {scores[-1]:.2f} of {limits[-1]:.2f}  {row['text']}")
    print(
        f"found outlines: mean F1 {np.mean(scores):.3f} over {len(scores)} sentences; with perfect "
        f"words on the same outlines it would be {np.mean(limits):.3f}; kinds right for "
        f"{np.mean(right_kinds):.3f} of the objects found"
    )


SPEED = (
    "large buildings with red roofs",
    "cars on the road",
    "buildings within 50 m of water",
    "trees near buildings",
    "trees next to roads but not near water",
    "the five largest buildings between roads and water",
    "everything except small trees or white cars",
)


def speed() -> None:
    """Seconds for a sentence over ten thousand objects."""
    drawn = render_town(2400, 1800, gsd=0.3, seed=1, style="suburb")
    tile = truth_of(drawn)
    count = -(-10_000 // len(tile))
    items = [
        Instance(i.mask, i.x + 2400 * k, i.y, 1, 0, "truth", i.label)
        for k in range(count)
        for i in tile
    ][:10_000]
    objects = Instances(items, (1800, 2400 * count))
    scene = TownScene(drawn)
    scene.image = np.tile(drawn.image, (1, count, 1))
    scene.height, scene.width = scene.shape = scene.image.shape[:2]
    began = time.perf_counter()
    known = describe_objects(objects, scene)
    print(f"{len(objects):,} objects; described once in {time.perf_counter() - began:.2f} s")
    for text in SPEED:
        times = []
        for _ in range(4):
            began = time.perf_counter()
            try:
                some = words(text).select(objects, scene, known=known)
            except WordsError as error:
                print(error)
                break
            times.append(time.perf_counter() - began)
        else:
            first, later = times[0], min(times[1:])
            print(f"  first {first:.3f} s, then {later:.3f} s, {len(some):5,} found: {text}")


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["parse", "true", "found", "speed"]
    for name in chosen:
        {"parse": parse, "true": true, "found": found, "speed": speed}[name]()
