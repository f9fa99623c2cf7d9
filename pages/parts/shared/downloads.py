"""Buttons that hand out files: each gives its file, or says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.shared import banner, streamlit_adapter
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, number

_MAX_NUMBER = 65_535
"""What a pixel of a PNG holds."""


def offer(
    title: str,
    content: bytes | str | Callable[[], bytes],
    name: str,
    mime: str,
    *,
    key: str,
    refused: str | None = None,
    icon: str = ":material/download:",
    **options: Any,
) -> None:
    """A download button.

    A file that is made only when it is wanted may turn out to be impossible then. The browser is
    told of it as a failed download, in Streamlit's words; what was wrong is said in ours by
    drawing the page again.

    Parameters
    ----------
    title : str
        What is written on it.
    content : bytes, str or callable
        The file, or what makes it.
    name : str
        Of the file; see `rsam_core.formats.names.safe_name`.
    mime : str
    key : str
        Of the button, and name of the action for `banner`.
    refused : str, optional
        Why this file cannot be had, where that is known beforehand; the button is then grey.
    icon : str
    **options
        For ``st.download_button``.
    """
    failed = st.session_state.setdefault(f"{key}-failed", [])
    if failed:
        # Written by the thread that made the file, for this run to say.
        banner.fail(key, failed[-1])
        failed.clear()

    session = streamlit_adapter.session_id()

    def make() -> bytes:
        try:
            return content()
        except Exception as error:
            failed.append(error)
            if session is not None:
                # Without it the message comes with the next click.
                with suppress(Exception):
                    streamlit_adapter.draw_again(session)
            # Streamlit writes to its log what comes from here, and nothing of it to the browser.
            raise

    if refused is not None:
        options["help"] = plain(refused)
    st.download_button(
        title,
        make if callable(content) else content,
        name,
        mime,
        icon=icon,
        on_click="ignore",
        key=key,
        disabled=refused is not None or bool(options.pop("disabled", False)),
        **options,
    )


@dataclass(frozen=True)
class File:
    """A file that a dialog offers.

    Attributes
    ----------
    title : str
        What is written on its button.
    about : str
        What it is for.
    make : callable
    ending : str
        Of its name, from the stem on.
    mime : str
    """

    title: str
    about: str
    make: Callable[[], bytes]
    ending: str
    mime: str


def offer_all(files: Sequence[File], stem: str, key: str) -> None:
    """Buttons for files, in two columns; `key` and the ending name each."""
    columns = st.columns(2, gap="small")
    for place, file in enumerate(files):
        with columns[place % 2]:
            offer(
                file.title, file.make, f"{stem}{file.ending}", file.mime,
                key=f"{key}-{file.ending}", help=file.about, width="stretch",
            )  # fmt: skip


def reason(make: Callable[[], object]) -> str | None:
    """Why a file, or a small one of its kind, cannot be made; None if it can."""
    try:
        make()
    except RsamError as error:
        return str(error)
    return None


def too_many(objects: Instances) -> str | None:
    """Why objects do not fit into a PNG of numbers; None if they do."""
    if len(objects) and objects.ids.max() > _MAX_NUMBER:
        return _(
            "A label PNG holds object numbers up to {most}. Take the labels as GeoTIFF, which "
            "holds all."
        ).format(most=number(_MAX_NUMBER))
    return None
