"""What each kind of segmentation gave in lesson 5, as a table that fills as one tries them."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn.lessons.four_kinds_ways import Result
from pages.parts.learn.stage import Stage
from pages.parts.shared.names import markup
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.runtime.language import _, number, percent


def note(stage: Stage, subject: Subject, way: str, result: Result) -> None:
    """Keep what a way gave last, for the table."""
    seen = _seen(stage, subject)
    seen[way] = result


def table(stage: Stage, subject: Subject, called: dict[str, str]) -> None:
    """Show the table; ways that were not tried yet have empty cells."""
    seen = _seen(stage, subject)
    heads = [_("Kind"), _("What it needs from you"), _("Pieces")]
    truth = subject.labels is not None
    if truth:
        heads += [
            _("Objects told apart, of {count}").format(count=number(len(pieces.targets(subject)))),
            _("Pixels with the right kind"),
        ]
    needs = {
        "interactive": _("a click for each object"),
        "superpixels": _("a size"),
        "semantic": _("nothing"),
        "instances": _("nothing"),
    }
    rows = ""
    for way, name in called.items():
        cells = [name, needs[way], *_numbers(seen.get(way), truth)]
        first, *others = (markup(cell) for cell in cells)
        rows += f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{o}</td>" for o in others)
        rows += "</tr>"
    top = "".join(f'<th scope="col">{markup(head)}</th>' for head in heads)
    caption = markup(_("What each kind gave you on this picture"))
    st.html(
        f'<table class="learn-ways"><caption class="learn-unseen">{caption}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"
    )
    if not truth:
        st.caption(
            _("Nobody drew the truth of your own image, so that nothing is judged here. Switch off "
              "“On my image” for the checks.")
        )  # fmt: skip


def _numbers(result: Result | None, truth: bool) -> list[str]:
    if result is None:
        return [_("try it")] + [""] * (2 if truth else 0)
    cells = [number(result.pieces)]
    if truth:
        cells.append("" if result.apart is None else number(result.apart))
        named = _("it names nothing") if result.named is None else percent(result.named)
        cells.append(named)
    return cells


def _seen(stage: Stage, subject: Subject) -> dict[str, Result]:
    kept = st.session_state.get(stage.name("seen"))
    if kept is None or kept[0] != subject.key:
        kept = st.session_state[stage.name("seen")] = (subject.key, {})
    return kept[1]
