"""What runs in the background, on the page: how far it is, a button that stops it, its result."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from rsam_core.runtime.jobs import JobRegistry
from rsam_core.runtime.language import _

POLL_SECONDS = 0.5


def shown(
    jobs: JobRegistry,
    name: str,
    doing: str,
    *,
    key: str,
    take_over: Callable[[], object] = lambda: None,
    stop: str | None = None,
    help: str | None = None,
    wide: bool = False,
) -> bool:
    """Show a job that was started and whose result nobody has taken over yet.

    While it runs, only its bar is drawn again and again; once it has ended, its result is taken
    over and the whole page is drawn.

    Parameters
    ----------
    jobs : JobRegistry
        Who owns the job.
    name : str
        Of the job.
    doing : str
        What goes on; the job's own words follow it.
    key : str
        Of the button that stops it.
    take_over : callable, optional
        Called once the job has ended, well or not, before the page is drawn; it takes the job
        from `jobs`. By default the page does so when it is drawn.
    stop : str
        What is written on the button instead of "Stop", where stopping keeps a part of the result
        for example.
    help : str, optional
        What becomes of the work when it is stopped.
    wide : bool
        Whether there is room for the button beside the bar.

    Returns
    -------
    bool
        Whether there is such a job; nothing is drawn without one.
    """
    if jobs.get(name) is None:
        return False
    # In a place of its own: Streamlit tells fragments apart by the container that they are in.
    with st.container():
        _watch(jobs, name, doing, key, take_over, stop or _("Stop"), help, wide)
    return True


@st.fragment(run_every=POLL_SECONDS)
def _watch(
    jobs: JobRegistry,
    name: str,
    doing: str,
    key: str,
    take_over: Callable[[], object],
    stop: str,
    help: str | None,
    wide: bool,
) -> None:
    job = jobs.get(name)
    if job is None or job.finished:
        # Without a job another run of the page has taken it over.
        take_over()
        st.rerun()
    bar, button = st.columns([5, 1], vertical_alignment="center") if wide else (st, st)
    bar.progress(job.fraction, text=f"{doing} {_(job.text)}")
    button.button(
        _("Stopping…") if job.cancelling else stop,
        icon=":material/stop:",
        key=key,
        help=help,
        disabled=job.cancelling,
        width="stretch",
        on_click=job.cancel,
    )
