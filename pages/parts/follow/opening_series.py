"""Which frames: dates of one place, a video, an invented series, or the image folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.follow import samples
from pages.parts.shared import (
    banner,
    current_session,
    destination,
    folder,
    progress,
    streamlit_adapter,
)
from pages.parts.shared import session_memory as memory
from pages.parts.shared.image_root import root
from pages.parts.shared.names import MAX_LENGTH, plain, visible
from rsam_core.change.video import VIDEO_TYPES, VideoFacts, video_facts
from rsam_core.errors import FollowError
from rsam_core.runtime.language import _, number
from rsam_core.samples.series_gallery import series_entry
from rsam_core.session.follow_project import open_waiting, resume
from rsam_core.session.following import FollowState, follow_state
from rsam_core.session.series_source import (
    MAX_FRAMES,
    File,
    Series,
    series_of_entry,
    series_of_files,
    series_of_video,
)
from rsam_core.session.session import Session

PAGE = "pages/screens/follow.py"
JOB, ACTION = "open series", "open-series"
IMAGES = ["jpg", "jpeg", "png", "tif", "tiff", "bmp", "webp", "jp2"]
_TRIED, _KNOWN = "opened-series", "video-facts"


def choose(session: Session | None) -> None:
    """Everything with which a series can be opened."""
    busy = running(session)
    state = None if session is None else follow_state(session)
    if session is not None and state is not None and state.waiting is not None and not busy:
        _waits(session, state)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        st.subheader(_("Your own dates, or a video"), anchor=False)
        files = st.file_uploader(
            _("Two or more images of one place, or one video"),
            type=[*IMAGES, *VIDEO_TYPES], accept_multiple_files=True, key="series-upload",
            help=_("Dates are read from the names of the files (lake_2018-07.tif) or from the "
                   "files; you can type them later. Georeferenced images of other size or "
                   "resolution are brought to one grid. Videos: MP4, WebM, GIF."),
        )  # fmt: skip
        # Drawn while a series is being opened, too: otherwise Streamlit forgets the files.
        if not busy:
            together = _together(session)
            _uploaded(session, files, together)
            _from_folder(session, together)
    with right:
        st.subheader(_("Or a series to try"), anchor=False)
        samples.cards(lambda make: _start(None, make))


def _together(session: Session | None) -> bool:
    """Whether the open image is one of the dates."""
    if session is None or session.image.pipeline is not None:
        return False
    if follow_state(session).waiting is not None or follow_state(session).frames is not None:
        return False
    name = session.image.scene.name
    return st.toggle(
        _("Together with the open image ({name})").format(name=plain(name, 40)),
        value=True,
        key="series-together",
        help=_("It is one of the dates, and its grid is that of all. Its objects stay."),
    )


def _waits(session: Session, state: FollowState) -> None:
    """Work of a project whose frames are not there."""
    waiting = state.waiting
    key = ("reopened-series", session.image.token)
    if key not in st.session_state:
        # Once by itself, where the files came along or the series is invented.
        st.session_state[key] = True
        if waiting.source.files or waiting.source.kind == "sample":
            _start(session, lambda **control: open_waiting(state, **control))
    names = ", ".join(f"“{plain(name, MAX_LENGTH)}”" for name in waiting.source.names[:4])
    more = len(waiting.source.names) - 4
    if more > 0:
        names = _("{names} and {count} more").format(names=names, count=more)
    st.info(
        _(
            "An object was followed through {names}. Open those files again to go on; "
            "nothing is lost until then."
        ).format(names=names),
        icon=":material/history:",
    )
    st.button(
        _("Begin with another series"), key="forget-series", on_click=_forget, args=(state,),
        help=_("Forgets what was followed."),
    )  # fmt: skip


def _forget(state: FollowState) -> None:
    state.waiting = None
    state.number += 1


def _uploaded(session: Session | None, files: Sequence[Any], together: bool) -> None:
    if not files:
        if st.session_state.pop(_TRIED, None) is not None:
            banner.forget(ACTION)
        return
    ids = (*(file.file_id for file in files), together)
    videos = [file for file in files if _is_video(file.name)]
    if len(files) == 1 and not videos and not together:
        st.info(
            _("One date is open. Add another one, or more."), icon=":material/add_photo_alternate:"
        )
        return
    if st.session_state.get(_TRIED) == ids:
        st.button(_("Open them again"), key="series-again", on_click=_again)
        return
    if videos and len(files) > 1:
        banner.show(FollowError(
            _("A video stands for itself. Open either one video, or images of several dates.")
        ))  # fmt: skip
        return
    for file in files:
        memory.keep_uploads_within_limits(file.name)
    if videos:
        _video(session, videos[0].name, videos[0].getvalue(), ids)
        return
    contents: list[File] = [(file.name, file.getvalue()) for file in files]
    _open_files(session, contents, together, ids)


def _again() -> None:
    st.session_state.pop(_TRIED, None)


def _is_video(name: str) -> bool:
    return Path(name).suffix.lower().lstrip(".") in VIDEO_TYPES


def _open_files(
    session: Session | None, contents: Sequence[File], together: bool, ids: tuple
) -> None:
    opened = session.image.scene if session is not None and together else None
    keep = session if together else None

    def make(**_: Any) -> Series:
        return series_of_files(contents, opened=opened)

    st.session_state[_TRIED] = ids
    _start(_wanting(session, keep), make)


def _video(session: Session | None, name: str, content: bytes | Path, ids: tuple) -> None:
    """Open a video; a long one asks first how many of its frames to take."""
    with banner.guard():
        facts = _facts(name, content, ids)
        every = 1
        waiting = _waiting_state(session)
        if waiting is not None and waiting.source.kind == "video":
            every = waiting.source.every
        elif (facts.frames or 0) > MAX_FRAMES:
            asked = _ask(facts)
            if asked is None:
                return
            every = asked
        st.session_state[_TRIED] = ids
        _start(
            _wanting(session, None),
            lambda **control: series_of_video(name, content, every, **control),
        )


def _facts(name: str, content: bytes | Path, ids: tuple) -> VideoFacts:
    """What a video says of itself, or what is wrong about it; asked once, not at every run."""
    known = st.session_state.get(_KNOWN)
    if known is None or known[0] != ids:
        with st.spinner(_("Looking at the video…")):
            try:
                known = ids, video_facts(content, plain(name, 60))
            except FollowError as error:
                known = ids, error
        st.session_state[_KNOWN] = known
    if isinstance(known[1], FollowError):
        raise known[1]
    return known[1]


def _ask(facts: VideoFacts) -> int | None:
    """How many frames of a long video: every how many, or None until it is decided."""
    length = _("{count} frames").format(count=number(facts.frames))
    if facts.seconds and facts.seconds > 90:
        length += ", " + _("{count} minutes").format(count=number(facts.seconds / 60))
    st.warning(
        _(
            "This video has {length}. So many take long to follow, and seldom tell "
            "more than a part of them."
        ).format(length=length),
        icon=":material/movie:",
    )
    least = min(20, MAX_FRAMES)
    most = st.slider(
        _("Frames to take, evenly over the whole video"), least, MAX_FRAMES, 100, 10,
        key="video-frames",
    )  # fmt: skip
    every = facts.every(most)
    taken = -(-facts.frames // every)
    go = st.button(
        _("Take one frame in {every}: {taken} frames").format(every=every, taken=taken),
        type="primary",
        key="video-go",
        icon=":material/movie_filter:",
    )
    return every if go else None


def _from_folder(session: Session | None, together: bool) -> None:
    top = root()
    found = [] if top is None else [*folder.images(top), *_videos(top)]
    if not found:
        return
    chosen = st.multiselect(
        _("Or from the image folder"), found, key="series-folder",
        format_func=lambda path: visible(path.relative_to(top), folder.MAX_SHOWN),
        placeholder=_("Choose two or more images, or one video"),
    )  # fmt: skip
    enough = len(chosen) + together > 1 or any(_is_video(path.name) for path in chosen)
    if not st.button(_("Open"), key="series-folder-open", icon=":material/folder_open:",
                     disabled=not enough):  # fmt: skip
        return
    videos = [path for path in chosen if _is_video(path.name)]
    ids = (*map(str, chosen), together)
    if videos:
        _video(session, videos[0].name, videos[0].resolve(), ids)
        return
    contents: list[File] = [(path.name, path.resolve()) for path in chosen]
    _open_files(session, contents, together, ids)


def _videos(top: Path) -> list[Path]:
    whole = top.resolve()
    found = [p for p in sorted(whole.rglob("*")) if p.is_file() and _is_video(p.name)]
    return [p for p in found if p.resolve().is_relative_to(whole)][: folder.MAX_LISTED]


# ------------------------------------------------------------------ in the background


def _waiting_state(session: Session | None) -> Any:
    return None if session is None else follow_state(session).waiting


def _wanting(session: Session | None, keep: Session | None) -> Session | None:
    """The session that the series belongs to: one that waits for it, or whose image is in it."""
    return session if _waiting_state(session) is not None else keep


def _start(session: Session | None, make: Callable[..., Series | None]) -> None:
    """Open a series in the background, for a session or for a new one."""

    def run(**control: Callable[..., Any]) -> tuple[Session | None, Series | None]:
        return session, make(**control)

    banner.forget(ACTION)
    current_session.visit().jobs.start(JOB, run, latest=True)
    st.rerun()


def at_work() -> bool:
    """Whether a series is being opened, or was and waits to be shown."""
    return current_session.visit().jobs.get(JOB) is not None


def running(session: Session | None) -> bool:
    """Show a series that is being opened; take it over once it is there."""
    jobs = current_session.visit().jobs
    job = jobs.take(JOB)
    if job is None:
        return progress.shown(jobs, JOB, _("Opening the series:"), key="stop-series",
                              help=_("What is open stays as it is."))  # fmt: skip
    if job.state == "failed":
        streamlit_adapter.do_all(lambda: banner.fail(ACTION, job.error))
    elif job.state == "done":
        wanted, series = job.result
        if series is not None:
            with banner.guard(ACTION):
                _enter(session, wanted, series)
    return False


def _enter(session: Session | None, wanted: Session | None, series: Series) -> None:
    """Show a series that was opened."""
    if wanted is not None and wanted is session:
        resume(follow_state(session), series)
    else:
        session = current_session.of_scene(series.first)
        follow_state(session).open(series)
    # All of it: the series was handed out once.
    streamlit_adapter.do_all(
        lambda: None if session is wanted else current_session.enter(session),
        banner.forget_all,
        lambda: destination.head_for(PAGE),
    )
    destination.go(PAGE)


def open_sample(key: str) -> None:
    """Begin to open a series of the samples."""
    with banner.guard(ACTION):
        entry = series_entry(key)
        _start(None, lambda **control: series_of_entry(entry, **control))
