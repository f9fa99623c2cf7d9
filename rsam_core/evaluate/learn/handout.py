"""What teachers print: for each lesson a plan and a worksheet, and an overview of all.

Everything is said in the language in use; `rsam_core.runtime.language.speaking` chooses another.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rsam_core.errors import Cancelled
from rsam_core.evaluate.learn.catalog import LESSONS, lesson
from rsam_core.evaluate.learn.lesson import Lesson, Task
from rsam_core.render import html
from rsam_core.render.paper import Beside, Blanks, Lines, PageBreak, Together
from rsam_core.render.pdf import pdf
from rsam_core.runtime.language import _, current, ngettext, number

_TALLEST, _WIDEST, _ACROSS = 55, 100, 150
"""Millimetres of a picture, so that three tasks find room on a page, and lines beside it; and of
one that has none beside it."""
_LOWER = 40
"""Millimetres of a picture that is one of two in four tasks, which then find room on a page."""
_STRIP = 4.5
"""Widths in heights, from which on a picture has no lines beside it."""
_LINE = 9
"""Millimetres of an empty line, rounded up."""
_LONGEST = 900
"""Pixels of a picture's longer side: 190 dots an inch over the width of the page."""


@dataclass(frozen=True, eq=False)
class Handout:
    """Something to print, in one language.

    Attributes
    ----------
    title, subtitle : str
    sections : tuple of Section
    stem : str
        Name of its files without the ending, in letters that every system takes.
    language : str
        Code.
    enlarged : float
        How much larger its type is than that of reports.
    """

    title: str
    subtitle: str
    sections: tuple[html.Section, ...]
    stem: str
    language: str
    enlarged: float = 1.13

    def html(self) -> bytes:
        """As one HTML file that needs no other and prints on A4."""
        return html.page(
            self.title, self.sections, subtitle=self.subtitle, layout="handout",
            language=self.language,
        ).encode()  # fmt: skip

    def pdf(self) -> bytes:
        """As PDF on A4."""
        footer = f"RSAM · {self.title}"
        return pdf(
            self.title, self.sections, subtitle=self.subtitle, footer=footer,
            language=self.language, enlarged=self.enlarged,
        )  # fmt: skip


def lesson_plan(chosen: Lesson) -> Handout:
    """How to teach a lesson: goals, the hour step by step, the checks and what to talk about."""
    plan = chosen.plan
    minutes = ngettext("{minutes} minute", "{minutes} minutes", plan.minutes)
    begin, hour = 0, []
    for step in plan.steps:
        span = f"{number(begin)}–{number(begin + step.minutes)}"
        hour.append((span, _(step.text)))
        begin += step.minutes
    needs = (
        _("A computer or tablet with RSAM for each pupil or pair: page Learn, lesson {number}.")
        .format(number=number(chosen.number)),
        *(_(need) for need in plan.needs),
    )  # fmt: skip
    sections = [
        html.Section("", [html.Text(_(chosen.question), kind="abstract")]),
        html.Section(_("Goals"), [html.Items([_(goal) for goal in plan.goals])]),
        html.Section(_("What is needed"), [html.Items(needs)]),
        html.Section(
            _("The hour"), [html.Table((_("Minutes"), _("What happens")), hour, text_columns=(1,))]
        ),
        html.Section(
            _("Checks in RSAM, and what helps"),
            [html.Table((_("Task"), _("Help")),
                        [(_(check.task), _(check.hint)) for check in chosen.checks],
                        text_columns=(0, 1))],
        ),
        html.Section(_("To talk about"), [html.Items([_(text) for text in plan.talk])]),
        html.Section(
            _("Where this lesson simplifies"),
            [html.Items([_(text) for text in chosen.simplifies])],
        ),
    ]  # fmt: skip
    return Handout(
        _title(chosen), _("Lesson plan") + " · " + minutes.format(minutes=number(plan.minutes)),
        tuple(part for part in sections if _holds(part)), f"{_stem(chosen)}-plan", current(),
        enlarged=1.0,
    )  # fmt: skip


def worksheet(chosen: Lesson) -> Handout:
    """The questions of a lesson, with lines to write on, and the answers on pages of their own.

    Raises
    ------
    RsamError
        If what the worksheet asks about cannot be computed.
    """
    return sheet(
        _title(chosen), chosen.worksheet(), f"{_stem(chosen)}-worksheet", _(chosen.question)
    )


def sheet(title: str, tasks: Sequence[Task], stem: str, question: str = "") -> Handout:
    """Tasks as something to print.

    Parameters
    ----------
    title : str
    tasks : sequence of Task
    stem : str
        See `Handout`.
    question : str
        What all of them are about.
    """
    pictures = sum(task.picture is not None for task in tasks)
    tallest = _LOWER if len(tasks) == 4 and pictures == 2 else _TALLEST
    asked = [_asked(place, task, tallest) for place, task in enumerate(tasks, 1)]
    answers = [html.Text(task.answer, lead=f"{place}.") for place, task in enumerate(tasks, 1)]
    sections = (
        html.Section("", [Blanks((_("Name"), _("Class"), _("Date"))), *asked, PageBreak()]),
        html.Section(_("Answers: {title}").format(title=title), answers),
    )
    subtitle = " · ".join(filter(None, (_("Worksheet"), question)))
    return Handout(title, subtitle, sections, stem, current())


def _asked(place: int, task: Task, most: int) -> Together:
    question = html.Text(task.question, lead=f"{place}.")
    if task.picture is None:
        return Together([question, Lines(task.lines)])
    high, wide = task.picture.shape[:2]
    # What is that wide would be a strip if it left room beside it.
    strip = wide > _STRIP * high
    tallest = round(min(most, (_ACROSS if strip else _WIDEST) * high / wide))
    figure = html.Figure(
        html.photograph(task.picture, _LONGEST), task.caption, alt=task.caption, numbered=False,
        tallest=tallest,
    )  # fmt: skip
    if strip:
        return Together([question, figure, Lines(max(2, task.lines - 1))])
    # Shorter lines, but as many as there is room for beside it.
    return Together([question, Beside(figure, max(task.lines, tallest // _LINE))])


def overview() -> Handout:
    """All lessons with their minutes and goals."""
    said = _("What pupils can do after each lesson. Each stands alone; the order is a proposal.")
    sections = [html.Section("", [said])]
    for chosen in map(lesson, LESSONS):
        goals = html.Items([_(goal) for goal in chosen.plan.goals])
        about = [html.Text(times(chosen), kind="note"), goals]
        sections.append(html.Section(_title(chosen), about, level=3))
    return Handout(
        _("Lessons on satellite images"), _("Overview for teachers"), tuple(sections), "overview",
        current(), enlarged=1.0,
    )  # fmt: skip


def times(chosen: Lesson) -> str:
    """How long a lesson takes in RSAM, and with all around it."""
    alone, hour = chosen.minutes, chosen.plan.minutes
    return " · ".join(
        (
            ngettext("{minutes} minute in RSAM", "{minutes} minutes in RSAM", alone)
            .format(minutes=number(alone)),
            ngettext("{minutes} minute in class", "{minutes} minutes in class", hour)
            .format(minutes=number(hour)),
        )
    )  # fmt: skip


def everything(
    *,
    progress: Callable[[float, str], object] = lambda fraction, text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> bytes:
    """All plans, worksheets and the overview, each as HTML and PDF, as one zip.

    Parameters
    ----------
    progress : callable, optional
        Called with the share that is done and what comes next.
    cancelled : callable, optional
        Asked before each file.

    Raises
    ------
    Cancelled
        If it was stopped.
    RsamError
        If a worksheet cannot be made.
    """
    made: list[tuple[str, Callable[[], Handout]]] = [("", overview)]
    for key in LESSONS:
        chosen = lesson(key)
        made += [
            (_title(chosen), lambda chosen=chosen: lesson_plan(chosen)),
            (_title(chosen), lambda chosen=chosen: worksheet(chosen)),
        ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (title, make) in enumerate(made):
            if cancelled():
                raise Cancelled
            progress(place / len(made), title)
            handout = make()
            archive.writestr(f"{handout.stem}.html", handout.html())
            if cancelled():
                raise Cancelled
            archive.writestr(f"{handout.stem}.pdf", handout.pdf())
    return out.getvalue()


def _title(chosen: Lesson) -> str:
    return f"{number(chosen.number)}. {_(chosen.title)}"


def _stem(chosen: Lesson) -> str:
    return f"{chosen.number}-{chosen.key.replace('_', '-')}"


def _holds(section: html.Section) -> bool:
    """Whether there is anything below the heading."""
    first = section.parts[0]
    return not isinstance(first, html.Items) or bool(first.texts)
