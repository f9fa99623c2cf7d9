"""The same example in other images."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

import rsam_core as rsam
from pages.parts.one_shot.pictures import FOUND
from pages.parts.shared import banner, downloads, progress, resources
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import MAX_LENGTH, plain, visible
from rsam_core import formats as export
from rsam_core.errors import RsamError
from rsam_core.formats.names import safe_name
from rsam_core.objects.measurements import total_area_m2
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import _, ngettext
from rsam_core.segment.one_shot import Outcome
from rsam_core.session.one_shot import OTHERS, OneShotState, start_others
from rsam_core.session.session import Session

_PREVIEW = 640
_STYLE = OverlayStyle(fill="single", color=FOUND, opacity=0.4, contour_width=3)


def images_tab(session: Session, known: OneShotState) -> None:
    """Upload further images, search them, take the outlines along."""
    learned = [e for e in known.learned if e.positive]
    if not learned:
        st.caption(
            _(
                "Choose an example and find others like it in this image first. Then the same "
                "example can be looked for in other images of the same kind."
            )
        )
        return
    files = st.file_uploader(
        _("Other images"), accept_multiple_files=True, key=f"others-{session.image.token}",
        type=["jpg", "jpeg", "png", "tif", "tiff"],
        help=_("Best with images of about the same resolution, from the same season."),
    )  # fmt: skip
    if progress.shown(
        session.jobs,
        OTHERS,
        _("Looking…"),
        key="stop-others",
        stop=_("Stop and keep the finished ones"),
        take_over=known.collect_others,
        wide=True,
    ):
        return

    def start() -> None:
        scenes = [(f.name, partial(rsam.open_scene, f.getvalue(), name=f.name)) for f in files]
        start_others(session, known, resources.segmenter(model_name()), scenes)

    count = len(files or ())
    st.button(
        ngettext("Search {count} image", "Search {count} images", count).format(count=count),
        key="search-others",
        disabled=not count,
        icon=":material/travel_explore:",
        type="primary",
        on_click=start,
    )
    if known.others:
        _results(session, known)


def _results(session: Session, known: OneShotState) -> None:
    rows = []
    for outcome in known.others:
        found = outcome.choose()
        row: dict[str, Any] = {
            _("Image"): visible(outcome.name), _("Found"): None, _("Area (m²)"): None
        }  # fmt: skip
        if found is not None:
            area = total_area_m2(found, outcome.scene)
            row[_("Found")] = len(found)
            row[_("Area (m²)")] = None if area is None else round(area, 1)
            row[_("Note")] = " ".join(outcome.result.notes)
        else:
            row[_("Note")] = outcome.problem
        rows.append(row)
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="others-table", height="content")
    usable = [o for o in known.others if o.result is not None]
    columns = st.columns(3, gap="small")
    for place, outcome in enumerate(usable):
        with columns[place % 3]:
            picture = session.memo.remember(
                f"other-{place}", (outcome,), lambda outcome=outcome: _preview(outcome)
            )
            name = plain(outcome.name, MAX_LENGTH)
            st.image(
                picture, caption=name, width="stretch", alt=_("Found in {name}").format(name=name)
            )
    if usable:
        with banner.guard():
            content = session.memo.remember("others-zip", tuple(usable), lambda: _archive(usable))
            downloads.offer(
                _("Outlines of all images (GeoJSON, zipped)"), content, "found_by_example.zip",
                "application/zip", icon=":material/download:",
                key="download-others",
            )  # fmt: skip


def _preview(outcome: Outcome) -> bytes:
    picture = outcome.scene.read_rgb(None, _PREVIEW)
    scale = picture.shape[1] / outcome.scene.width
    return resources.jpeg(overlay(picture, outcome.choose(), _STYLE, scale=scale), 85)


def _archive(outcomes: list[Outcome]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, outcome in enumerate(outcomes, start=1):
            # Two images may have one name.
            name = f"{number:02d}_{safe_name(Path(outcome.name).stem)}.geojson"
            try:
                archive.writestr(name, export.to_geojson(outcome.choose(), outcome.scene))
            except RsamError as error:
                # One image without a place on Earth takes no other along.
                archive.writestr(f"{name}.left-out.txt", f"{outcome.name}: {error}\n")
    return stream.getvalue()
