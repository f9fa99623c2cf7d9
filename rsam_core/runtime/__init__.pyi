from .archive import Files, Source, open_files
from .budgets import NOBODY, Held, Store, make_room
from .cache import Kept
from .console import ProgressLine, on_interrupt
from .fair_queue import (
    BACKGROUND,
    CLICK,
    LOOK,
    FairQueue,
    in_turns,
    turns_at_once,
)
from .jobs import Job, JobRegistry
from .presence import Departures
from .timing import mark, span

__all__ = [
    "BACKGROUND",
    "CLICK",
    "LOOK",
    "NOBODY",
    "Departures",
    "FairQueue",
    "Files",
    "Held",
    "Job",
    "JobRegistry",
    "Kept",
    "ProgressLine",
    "Source",
    "Store",
    "in_turns",
    "make_room",
    "mark",
    "on_interrupt",
    "open_files",
    "span",
    "turns_at_once",
]
