from .archive import Files, Source, open_files
from .budgets import UNOWNED, Holding, Store, choose_evictions
from .cache import ArrayCache
from .console import ProgressLine, run_command
from .fair_queue import (
    BACKGROUND,
    ENCODE,
    INTERACTIVE,
    FairQueue,
    model_slots,
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
    "mark",
    "model_slots",
    "open_files",
    "run_command",
    "span",
]
