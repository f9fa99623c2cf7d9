"""What only printed sheets have: a new page, lines to write on, blanks to fill in.

They are parts of a `rsam_core.render.html.Section`, for pages and for PDF alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from rsam_core.render.html import Figure


@dataclass(frozen=True)
class PageBreak:
    """What follows begins on a new page of paper; on a screen a rule stands there."""

    template: ClassVar[str] = "rsam_core.render/page_break.html"


@dataclass(frozen=True)
class Lines:
    """Empty lines to write on by hand.

    Attributes
    ----------
    count : int
    """

    template: ClassVar[str] = "rsam_core.render/lines.html"

    count: int = 3


@dataclass(frozen=True)
class Blanks:
    """What is filled in by hand, side by side, such as name and date.

    Attributes
    ----------
    labels : sequence of str
    """

    template: ClassVar[str] = "rsam_core.render/blanks.html"

    labels: Sequence[str]


@dataclass(frozen=True)
class Together:
    """Parts that stay on one page of paper if they fit on one, such as a question and its lines.

    Attributes
    ----------
    parts : sequence
        As of a section, but no plain texts.
    """

    template: ClassVar[str] = "rsam_core.render/together.html"

    parts: Sequence[Any]


@dataclass(frozen=True)
class Beside:
    """A picture with empty lines to the right of it, which saves paper.

    Attributes
    ----------
    figure : Figure
        With a `tallest` that leaves room beside it.
    lines : int
    """

    template: ClassVar[str] = "rsam_core.render/beside.html"

    figure: Figure
    lines: int
