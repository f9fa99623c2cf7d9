"""Files to take along: for the map, for a table, for machine learning, as pictures, as a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.parts.shared import current_session, downloads
from pages.parts.shared.names import plain
from rsam_core import formats as export
from rsam_core.formats.names import safe_name
from rsam_core.formats.polygons import OutlineSettings, credited, is_placed
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import covered_ground
from rsam_core.objects.semantic import class_areas
from rsam_core.prepare import Pipeline
from rsam_core.render.overlays import overlay
from rsam_core.render.session_report import html_report
from rsam_core.render.style import OverlayStyle, legend
from rsam_core.runtime.language import N_, _, number
from rsam_core.scene.scene import Scene
from rsam_core.session.search import thresholds
from rsam_core.session.session import Session


@dataclass(frozen=True)
class Request:
    """What is to be written.

    Attributes
    ----------
    session : Session
    objects : Instances
    table : pandas.DataFrame
        One row an object.
    style : OverlayStyle
        How the picture is drawn.
    classes : ClassList
    outline : OutlineSettings
        How closely outlines follow the pixels.
    """

    session: Session
    objects: Instances
    table: pd.DataFrame
    style: OverlayStyle
    classes: ClassList
    outline: OutlineSettings

    @property
    def scene(self) -> Scene:
        """The image as it is shown."""
        return self.session.image.scene


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    title, help : str
        For people.
    ending, mime : str
    make : callable
        From a request to the bytes of the file.
    outlined : bool
        Whether it holds outlines, which can be simplified.
    refused : callable, optional
        Says why it cannot be had, or None if it can.
    """

    title: str
    help: str
    ending: str
    mime: str
    make: Callable[[Request], bytes]
    outlined: bool = False
    refused: Callable[[Request], str | None] | None = None


def _picture(r: Request):
    whole = r.session.image.overview
    return overlay(r.session.image.picture(whole), r.objects, r.style, scale=whole.scale[0])


def _report(r: Request) -> bytes:
    scene = r.scene
    labelled = any(item.label for item in r.objects)
    areas = class_areas(r.objects, r.classes, scene) if labelled else None
    settings = {
        # The report is in English.
        "Outlines": f"simplified by {r.outline.tolerance:g} {r.outline.unit}"
    }
    if not r.outline.tolerance:
        settings = {"Outlines": "along the pixels"}
    if r.session.marks.automatic is not None:
        chosen = r.session.marks.automatic.settings
        settings |= {
            "Model of the automatic mode": r.session.marks.automatic.model,
            "Minimum quality": f"{chosen.min_quality:g}",
            "Minimum size": f"{chosen.min_area:g} px",
        }
    if r.session.image.pipeline is not None:
        settings["Prepared by"] = ", ".join(step.title for step in r.session.image.pipeline.steps)
    return html_report(
        _picture(r), r.table, scene, legend=legend(r.style, r.objects, gsd=scene.gsd),
        class_areas=areas, settings=settings, covered=covered_ground(r.objects, scene),
    )  # fmt: skip


def _recipe(r: Request) -> bytes:
    """What was done to this image, as far as it can be done to others without looking."""
    from rsam_core.batch import Recipe

    automatic = r.session.marks.automatic
    model = automatic.model if automatic is not None else current_session.model_name()
    recipe = Recipe(
        model=model,
        prepare=r.session.image.pipeline or Pipeline(),
        segment=automatic.settings if automatic is not None else thresholds(model),
    )
    return recipe.to_json().encode()


def _outlines(function: Callable[..., bytes]) -> Callable[[Request], bytes]:
    return lambda r: function(r.objects, r.scene, table=r.table, settings=r.outline)


FORMATS: dict[str, tuple[Format, ...]] = {
    N_("Map"): (
        Format(
            "GeoPackage",
            N_("Outlines with all measures; opens in QGIS and ArcGIS."),
            "gpkg",
            "application/geopackage+sqlite3",
            _outlines(export.to_geopackage),
            True,
        ),
        Format(
            "GeoJSON",
            N_("Outlines in longitude and latitude, for web maps and every GIS."),
            "geojson",
            "application/geo+json",
            _outlines(export.to_geojson),
            True,
        ),
        Format(
            N_("Shapefile (ZIP)"),
            N_("For older programs. Column names have ten letters at most; a list is in the ZIP."),
            "shp.zip",
            "application/zip",
            _outlines(export.to_shapefile),
            True,
        ),
        Format(
            "KML",
            N_("For Google Earth."),
            "kml",
            "application/vnd.google-earth.kml+xml",
            lambda r: export.to_kml(
                r.objects, r.scene, table=r.table, settings=r.outline, classes=r.classes
            ),
            True,
        ),
        Format(
            N_("Labels (GeoTIFF)"),
            N_("The object's number at each pixel."),
            "labels.tif",
            "image/tiff",
            lambda r: export.label_geotiff(r.objects, r.scene),
        ),
        Format(
            N_("Classes (GeoTIFF)"),
            N_("The class at each pixel, with colours."),
            "classes.tif",
            "image/tiff",
            lambda r: export.class_geotiff(r.objects, r.classes, r.scene),
        ),
    ),
    N_("Table and report"): (
        Format(
            N_("Table (CSV)"),
            N_("One row an object, for spreadsheets."),
            "csv",
            "text/csv",
            lambda r: export.to_csv(credited(r.table, r.scene)),
        ),
        Format(
            N_("Report (HTML)"),
            N_("One page with picture, figures, table and settings; prints."),
            "html",
            "text/html",
            _report,
        ),
        Format(
            N_("Recipe for many images (JSON)"),
            N_(
                "Preparing and finding everything as here, and the usual smoothing, for a folder "
                "of images: python -m rsam_core.batch run."
            ),
            "batch.json",
            "application/json",
            _recipe,
        ),
    ),
    N_("Pictures"): (
        Format(
            N_("Picture with outlines (PNG)"),
            N_("As it is drawn now."),
            "overlay.png",
            "image/png",
            lambda r: export.overlay_png(_picture(r)),
        ),
        Format(
            N_("Labels (PNG)"),
            N_("The object's number at each pixel, 16 bits."),
            "labels.png",
            "image/png",
            lambda r: export.label_png(r.objects),
            refused=lambda r: downloads.too_many(r.objects),
        ),
        Format(
            N_("Classes (PNG)"),
            N_("The class at each pixel, with colours."),
            "classes.png",
            "image/png",
            lambda r: export.class_png(r.objects, r.classes),
        ),
    ),
    N_("Machine learning"): (
        Format(
            N_("COCO (polygons)"),
            N_(
                "JSON with polygons as in the COCO data set, which most programs for training read."
            ),
            "coco.json",
            "application/json",
            lambda r: export.to_coco(r.objects, r.scene, classes=r.classes, settings=r.outline),
            True,
        ),
        Format(
            N_("COCO (run lengths)"),
            N_("The same with exact masks in place of polygons."),
            "coco-rle.json",
            "application/json",
            lambda r: export.to_coco(r.objects, r.scene, classes=r.classes, masks="rle"),
        ),
        Format(
            N_("YOLO segmentation (ZIP)"),
            N_("A text line an object, with the list of classes."),
            "yolo.zip",
            "application/zip",
            lambda r: export.to_yolo(r.objects, r.scene, classes=r.classes, settings=r.outline),
            True,
        ),
    ),
}
"""Kinds of files by what they are for."""

TOLERANCES = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0]


def export_panel(
    session: Session, found: Instances, table: pd.DataFrame, style: OverlayStyle
) -> None:
    """Choose which objects go into which file, and download it.

    Parameters
    ----------
    session : Session
    found : Instances
        All objects.
    table : pandas.DataFrame
        One row an object, in the same order.
    style : OverlayStyle
        How the objects are drawn.
    """
    if not len(found):
        st.caption(_("There is nothing to take along yet. Find objects on the Segment page first."))
        return
    objects, table = _chosen(session, found, table)
    tolerance = st.select_slider(
        _("Simplify outlines (pixels)"),
        TOLERANCES,
        1.0,
        key="export-tolerance",
        persist_state="session",
        help=_(
            "How far an outline may stray from the pixels. 1 takes the steps off slanting "
            "edges and makes files much smaller; 0 keeps every corner."
        ),
    )
    request = Request(
        session,
        objects,
        table,
        style,
        session.marks.classes or ClassList(),
        OutlineSettings(tolerance),
    )
    purpose = st.segmented_control(
        _("What for"), list(FORMATS), default="Map", key="export-purpose", required=True,
        format_func=_, label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    stem = safe_name(Path(session.image.scene.name).stem)
    reasons = dict.fromkeys(
        reason for format in FORMATS[purpose or "Map"] if (reason := refusal(format, request))
    )
    for format in FORMATS[purpose or "Map"]:
        left, right = st.columns([5, 6], vertical_alignment="center", gap="small")
        with left:
            downloads.offer(
                _(format.title),
                lambda format=format: format.make(request),
                f"{stem}.{format.ending}",
                format.mime,
                key=f"export-{format.ending}",
                refused=refusal(format, request),
                width="stretch",
            )
        right.caption(_(format.help))
    for reason in reasons:
        st.caption(f":material/info: {plain(reason)}")
    if not is_placed(session.image.scene) and purpose == "Map":
        st.caption(
            _(":material/info: This image has no position on Earth, so outlines are in pixels.")
        )


def refusal(format: Format, request: Request) -> str | None:
    """Why a file of some kind cannot be had of these objects; None if it can.

    Outlines are tried with one object: whether they can be brought to where the format wants them
    depends on the scene. Of pictures, only numbers that are too high are refused.
    """
    if format.refused is not None:
        return format.refused(request)
    if not format.outlined:
        return None

    first = request.objects.select(request.objects.ids[:1].tolist())
    one = replace(request, objects=first, table=request.table.head(1))
    key = (request.session.image.scene, request.outline, request.classes)
    return request.session.memo.remember(
        f"refused-{format.ending}", key, lambda: downloads.reason(lambda: format.make(one))
    )


def _chosen(
    session: Session, found: Instances, table: pd.DataFrame
) -> tuple[Instances, pd.DataFrame]:
    """The objects that go into the file, with their rows of the table."""
    selected = [item.id for item in found if item.id in session.marks.selected]
    names = [N_("All objects"), N_("Selected")]
    scope = names[0]
    if selected:
        scope = st.segmented_control(
            _("Objects"), names, default=names[0], key="export-scope", required=True,
            format_func=lambda name: (
                f"{_(name)} ({number(len(selected if name == names[1] else found))})"
            ),
        )  # fmt: skip
    if scope != names[1]:
        return found, table
    keep = table["id"].isin(selected)
    return found.select(selected), table[keep].reset_index(drop=True)
