from .archive import Files, Source, open_files
from .budgets import UNOWNED, Holding, Store, choose_evictions
from .cache import ArrayCache
from .console import ProgressLine, on_interrupt
from .fair_queue import (
    BACKGROUND,
    ENCODE,
    INTERACTIVE,
    FairQueue,
    in_turns,
    turns_at_once,
)
from .jobs import Job, JobRegistry
from .presence import SessionMonitor
from .timing import mark, span

__all__ = [
    "BACKGROUND",
    "ENCODE",
    "INTERACTIVE",
    "UNOWNED",
    "ArrayCache",
    "FairQueue",
    "Files",
    "Holding",
    "Job",
    "JobRegistry",
    "ProgressLine",
    "SessionMonitor",
    "Source",
    "Store",
    "choose_evictions",
    "in_turns",
    "mark",
    "on_interrupt",
    "open_files",
    "span",
    "turns_at_once",
]
