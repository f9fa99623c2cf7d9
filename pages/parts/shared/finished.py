"""What was started on one page and ends while one looks at another says so."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.parts.shared import current_session
from rsam_core.runtime.jobs import Job
from rsam_core.runtime.language import N_, _
from rsam_core.session import (
    evaluation,
    learning,
    one_shot,
    preparation,
    refining,
    search,
)

POLL_SECONDS = 1.5
_KEY = "finished-watched"


@dataclass(frozen=True)
class Work:
    """Something that runs in the background.

    Attributes
    ----------
    name : str
        Of its job.
    title : str
        What it is to people.
    page : str
        Title of the page that shows it.
    where : str
        Where its result is.
    mode : str or None
        Mode of that page in which it is shown; any if None.
    """

    name: str
    title: str
    page: str
    where: str
    mode: str | None = None


WORKS = (
    Work(
        search.JOB,
        N_("The search for everything"),
        "Segment",
        N_("Its objects are in the picture; thresholds are on the Segment page under Everything"),
        "Everything",
    ),
    Work(one_shot.HERE, N_("The search by example"), "One-shot", N_("See the One-shot page")),
    Work(
        one_shot.OTHERS,
        N_("The search in other images"),
        "One-shot",
        N_("See the One-shot page, under Other images"),
    ),
    Work(
        preparation.JOB, N_("The preparation of the image"), "Prepare", N_("See the Prepare page")
    ),
    Work(refining.JOB, N_("The refining of outlines"), "Objects", N_("See the Objects page")),
    Work(learning.JOB, N_("The learning of classes"), "Objects", N_("See the Objects page")),
    Work(
        evaluation.IMAGE,
        N_("The comparison of methods"),
        "Evaluate",
        N_("See the Evaluate page, under Compare methods"),
    ),
    Work(evaluation.STUDY, N_("The study"), "Evaluate", N_("See the Evaluate page, under Studies")),
    Work(
        evaluation.DATASET,
        N_("The evaluation of a data set"),
        "Evaluate",
        N_("See the Evaluate page, under Data sets"),
    ),
)


def watch(page: str) -> None:
    """Tell of all that ends while it is not looked at; call once a run, after the page.

    Parameters
    ----------
    page : str
        Title of the page that is shown.
    """
    running = _running()
    known: dict[str, Job] = st.session_state.setdefault(_KEY, {})
    _tell(known, page)
    known |= running
    elsewhere = [work for work in WORKS if work.name in known and not _shown(work, page)]
    if elsewhere:
        _look(page)


@st.fragment(run_every=POLL_SECONDS)
def _look(page: str) -> None:
    known: dict[str, Job] = st.session_state.get(_KEY, {})
    if any(job.finished for job in known.values()):
        # With the whole page, which takes the result over.
        st.rerun()


def _running() -> dict[str, Job]:
    session = current_session.current()
    owners = [current_session.visit().jobs, *([] if session is None else [session.jobs])]
    jobs = [(work.name, owner.get(work.name)) for owner in owners for work in WORKS]
    return {name: job for name, job in jobs if job is not None and not job.finished}


def _shown(work: Work, page: str) -> bool:
    return page == work.page and work.mode in (None, st.session_state.get("mode"))


def _tell(known: dict[str, Job], page: str) -> None:
    for work in WORKS:
        job = known.get(work.name)
        if job is None or not job.finished:
            continue
        del known[work.name]
        if _shown(work, page) or job.state == "cancelled":
            continue
        if job.state == "failed":
            st.toast(
                _("{title} failed. {where}.").format(title=_(work.title), where=_(work.where)),
                icon=":material/error:",
            )
        else:
            st.toast(
                _("{title} has finished. {where}.").format(
                    title=_(work.title), where=_(work.where)
                ),
                icon=":material/check:",
            )
