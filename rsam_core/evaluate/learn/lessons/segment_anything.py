"""Lesson 2, What is the Segment Anything Model? One look at a picture, then answers to prompts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lesson import Check, Lesson, Plan, Step, Task
from rsam_core.evaluate.learn.lessons import segment_anything_inside as inside
from rsam_core.evaluate.learn.subject import Subject, place_subject
from rsam_core.models.catalog import get_model_info
from rsam_core.runtime.language import N_, _, number, percent

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding

PLACES = {
    "campus": N_("Campus in Claremont"),
    "avenues": N_("Streets of Santa Monica"),
    "basins": N_("Reservoirs"),
    "freeway": N_("Car parks by a motorway"),
}
"""Real pictures that the lesson offers, first the one that it begins with."""

START = Marks(((130.0, 60.0, 1),))
"""The click that the lesson begins with: on the lawn of the campus."""

AMBIGUOUS = Marks(((240.0, 112.0, 1),))
"""A click on a path of the campus, which three masks understand in three ways."""

MANY, VARIED = 0.2, 3.0
"""Share of the picture, and ratio of areas, that the checks ask for."""

CELL = 8
"""Pixels of a side of the cells of ``rsam-tiny``."""

WORKING_YEAR = 220 * 8 * 3600
"""Seconds at work in a year: 220 days of 8 hours."""


@dataclass(frozen=True)
class Collection:
    """A collection of pictures with masks.

    Attributes
    ----------
    pictures, masks : int
        Rounded, as published.
    by_hand : float
        Share of the masks that people made or corrected.
    """

    pictures: int
    masks: int
    by_hand: float

    @property
    def masks_each(self) -> float:
        """Masks of a picture, on average."""
        return self.masks / self.pictures

    def working_years(self, seconds: float) -> float:
        """How long one person would draw all masks at so many seconds each."""
        return self.masks * seconds / WORKING_YEAR


SA_1B = Collection(11_000_000, 1_100_000_000, 0.009)
"""What SAM was trained on, as published with it (Kirillov et al., 2023)."""

SECONDS_EACH = 14
"""What a mask took the people who made the first ones, as published there."""

TINY_PICTURES = 1719
"""Pictures that ``rsam-tiny`` was trained on, photographs and invented towns among them: the sum
of the table in its model card."""


def weights_of_sam() -> int:
    """Numbers that the largest SAM has learned: its file holds four bytes for each."""
    return (get_model_info("sam-vit-h").bytes or 0) // 4


@lru_cache(maxsize=1)
def weights_of_tiny() -> int:
    """Numbers that ``rsam-tiny`` has learned, counted."""
    return sum(p.numel() for p in asking.segmenter().model.network.parameters())


def subject(place: str) -> Subject:
    """A picture of the lesson."""
    return place_subject(place)


def middle(image: NDArray[np.uint8], width: int = 512, height: int = 256) -> NDArray[np.uint8]:
    """The middle of a picture, no larger than those of the lesson, of whole cells."""
    rows, columns = image.shape[:2]
    height, width = (
        min(least, side) if side < CELL else min(least, side // CELL * CELL)
        for least, side in ((height, rows), (width, columns))
    )
    top, left = max(rows - height, 0) // 2, max(columns - width, 0) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])


CHECKS = (
    Check(
        "alike",
        N_("Look, on the campus: find a place to click so that more than a fifth of the picture is "
           "at least 80 % alike."),
        lambda r: r["part"] == "look" and r["place"] == "campus" and r["from"] >= 0.8
        and r["alike"] > MANY,
        N_("What is alike may have other colours: large even areas are alike to the model."),
    ),
    Check(
        "ambiguous",
        N_("Answer: find one click whose largest mask is at least three times as large as its "
           "smallest."),
        # Not the click that the lesson begins with, which may mean a lot on another picture.
        lambda r: r["part"] == "answer" and r["clicked"] and r["points"] == 1 and not r["box"]
        and max(r["areas"]) >= VARIED * min(r["areas"]) > 0,
        N_("Click where several things lie one in another, such as a window in a roof."),
    ),
    Check(
        "half",
        N_("Learn: let the model click everywhere, then ask it to be so sure that between a third "
           "and two thirds of its masks are left."),
        lambda r: r["part"] == "learn" and 0 < r["all"] <= 3 * r["kept"] <= 2 * r["all"],
        N_("Press the button first. Then move “How sure” up or down."),
    ),
)  # fmt: skip


@lru_cache(maxsize=2)
def _encoded(place: str = "campus") -> Embedding:
    return asking.segmenter().embed(subject(place).image)


def three_masks(image: NDArray[np.uint8], marks: Marks) -> tuple[NDArray[np.uint8], list[float]]:
    """The masks of a click side by side, and how sure the model is of each."""
    found = asking.answer(asking.segmenter(), _encoded(), marks)
    window = inside.around(found)
    pictures = []
    for k in range(len(found)):
        shown = cv2.resize(inside.masked(image, found, k)[window], (256, 128))
        pictures += [shown, np.full((128, 8, 3), 255, np.uint8)]
    return np.hstack(pictures[:-1]), [float(score) for score in found.scores]


@lru_cache(maxsize=1)
def sheet_times() -> inside.Times:
    """Times of the worksheet, measured once, so that all that are printed here ask the same."""
    return inside.measured(asking.segmenter(), subject("campus").image, START)


def worksheet() -> tuple[Task, ...]:
    """Questions on what is written down, on three masks, on time and on SA-1B."""
    image = subject("campus").image
    height, width = image.shape[:2]
    model = asking.segmenter()
    cells = inside.features(model, _encoded())
    channels, rows, columns = cells.shape
    masks, scores = three_masks(image, AMBIGUOUS)
    times = sheet_times()
    clicks = 20
    return (
        Task(
            _("A picture has {width} × {height} pixels. The image encoder writes {channels} "
              "numbers for each cell of {size} × {size} pixels. How many cells are there, and how "
              "many numbers in all?").format(
                width=number(width), height=number(height), channels=number(channels),
                size=number(width / columns)),
            _("{columns} × {rows} = {cells} cells, so {cells} × {channels} = {all} numbers. The "
              "picture itself has {width} × {height} × 3 = {before}.").format(
                columns=number(columns), rows=number(rows), cells=number(columns * rows),
                channels=number(channels), all=number(columns * rows * channels),
                width=number(width), height=number(height), before=number(width * height * 3)),
            np.hstack([
                image, np.full((height, 8, 3), 255, np.uint8),
                inside.spread(inside.as_colours(cells), (height, width)),
            ]),
            _("A campus from above, and beside it its feature map as coloured squares."),
        ),
        Task(
            _("One click was answered with three masks, of which the model is {scores} sure. Which "
              "one does it choose? Why does it give three?")
            .format(scores=_list([percent(score) for score in scores])),
            _("The first, because {best} is the highest. One click may mean a small thing or the "
              "larger one that it belongs to, and the model cannot know which.").format(
                best=percent(max(scores))),
            masks,
            _("The same part of a campus three times, each with another coloured mask."),
        ),
        Task(
            _("The computer that made this sheet measured {look} ms for one look and {answer} ms "
              "for one answer; yours measures other times. With the times of this sheet: how long "
              "do {clicks} clicks on one picture take? How long, if the model had to look again "
              "for each?").format(
                look=number(1000 * times.look), answer=number(1000 * times.answer),
                clicks=number(clicks)),
            _("Once: {look} + {clicks} · {answer} = {once} ms. Again each time: {clicks} · ({look} "
              "+ {answer}) = {again} ms. Times of your own go in their places.").format(
                look=number(1000 * times.look), answer=number(1000 * times.answer),
                clicks=number(clicks),
                once=number(_rounded(times).asked(clicks)),
                again=number(_rounded(times).asked(clicks, looks=clicks))),
        ),
        Task(
            _("SA-1B has {pictures} million pictures and {masks} million masks. How many masks has "
              "a picture on average? How many years would one person draw, at {seconds} seconds a "
              "mask and 8 hours on 220 days a year?").format(
                pictures=number(SA_1B.pictures / 1e6), masks=number(SA_1B.masks / 1e6),
                seconds=number(SECONDS_EACH)),
            _("{each} masks a picture; {years} years. So a model drew nearly all of them: it "
              "clicked on a grid of points and kept what it was sure of.").format(
                each=number(SA_1B.masks_each),
                years=number(SA_1B.working_years(SECONDS_EACH))),
        ),
    )  # fmt: skip


def _rounded(times: inside.Times) -> inside.Times:
    """In whole milliseconds, as they are printed, so that the sums of the sheet come out."""
    return inside.Times(round(1000 * times.look), round(1000 * times.answer))


def _list(texts: list[str]) -> str:
    return " · ".join(texts)


def cover() -> NDArray[np.uint8]:
    """The picture on the left, its feature map on the right."""
    image = subject("campus").image[:, 100:]
    colours = inside.as_colours(inside.features(asking.segmenter(), _encoded()))
    shown = inside.spread(colours, subject("campus").shape)[:, 100:].copy()
    cut = shown.shape[1] // 2
    shown[:, :cut] = image[:, :cut]
    shown[:, cut - 1 : cut + 1] = 255
    height, width = shown.shape[:2]
    wanted = min(height, round(width * 240 / 400))
    return cv2.resize(shown[:wanted], (400, 240), interpolation=cv2.INTER_AREA)


LESSON = Lesson(
    key="segment_anything",
    number=2,
    title=N_("What is the Segment Anything Model?"),
    question=N_("How can one model outline anything that you point at?"),
    minutes=10,
    checks=CHECKS,
    simplifies=(
        N_("The colours show only three directions of the features; the model uses all of them."),
        N_("The maps of “Point” are shown for the whole picture. The decoder of rsam-tiny sees the "
           "part of it around the prompt, and more maps than these."),
        N_("SAM's own list of numbers for a point uses other random directions, and adds what kind "
           "of point it is."),
        N_("Times are those of a single person on this computer; they change with what else it "
           "does."),
    ),
    plan=Plan(
        goals=(
            N_("Name the three parts of the model: image encoder, prompt encoder, mask decoder."),
            N_("Say why the picture is encoded only once."),
            N_("Say why one click gets three masks, and how one of them is chosen."),
            N_("Say what the model was trained on, and who drew those masks."),
        ),
        steps=(
            Step(5, N_("Show a click and its mask on the wall. How could a computer do that?")),
            Step(15, N_("Pupils go through the four steps in pairs and do the three checks.")),
            Step(10, N_("Measure the times on every computer and compare them on the board.")),
            Step(15, N_("Worksheet, then the talk.")),
        ),
        talk=(
            N_("Nearly all masks of SA-1B were drawn by a model. Is that a good teacher?"),
            N_("The pictures of SA-1B are photographs by people. What may be hard from above?"),
        ),
    ),
    worksheet=worksheet,
    cover=cover,
)  # fmt: skip
