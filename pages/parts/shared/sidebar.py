"""The sidebar beside a picture: the image, the model, and how objects are drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared.band_picker import band_picker
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import plain
from pages.parts.shared.scene_card import scene_card
from rsam_core.models.installed import ready_models
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _
from rsam_core.session.session import Session

FILLS = {N_("Colours by object"): "random", N_("One colour"): "single", N_("No filling"): "none"}
LARGE_LOOKS = {N_("filled red"): "fill", N_("outlined red"): "contour"}
OTHERS = {N_("shown"): "show", N_("faded"): "fade", N_("hidden"): "hide"}


def image_name(session: Session) -> None:
    """The scene card alone."""
    with st.container(key="card", gap="xxsmall"):
        scene_card(session.image.scene)


def image_facts(session: Session) -> None:
    """The scene card, the scale where the file does not bring it, and the choice of bands."""
    scene = session.image.scene
    image_name(session)
    if scene.transform is not None and scene.crs is None:
        _coordinate_system(session)
    if scene.transform is None or scene.crs is None or not scene.gsd:
        _pixel_size(session)
    with st.expander(_("Bands and contrast"), icon=":material/palette:"), banner.guard():
        settings = band_picker(scene, f"bands-{session.image.token}-{scene.content_hash}")
        if settings != scene.view_settings:
            with st.spinner(_("Drawing the picture anew…")):
                session.change_scene(scene.with_view(settings))
            st.rerun()


def _coordinate_system(session: Session) -> None:
    """Name the coordinate system of an image whose world file says where, but not in which."""
    code = st.text_input(
        _("Coordinate system (EPSG code)"),
        placeholder=_("for example 32637"),
        key=f"crs-{session.image.token}",
        help=_(
            "The file says where the image lies, but not in which coordinate system. Whoever "
            "made it knows the code, for example 32637 for UTM zone 37 North, or 4326 for "
            "degrees."
        ),
    ).strip()
    if code:
        with banner.guard():
            named = code if ":" in code else f"EPSG:{code}"
            session.rescale(session.image.scene.with_crs(named))
            st.rerun()


def _pixel_size(session: Session) -> None:
    """Type how large a pixel is on the ground."""
    scene = session.image.scene
    typed = st.number_input(
        _("Size of a pixel on the ground (m)"),
        min_value=0.0,
        max_value=1000.0,
        value=float(scene.gsd or 0.0),
        step=0.05,
        format="%.3f",
        key=f"gsd-{session.image.token}",
        help=_(
            "The file does not say how large a pixel is. Type it (drone images: 0.02 to 0.1 "
            "m; aerial: 0.1 to 0.5 m; satellite: 0.3 to 10 m) and areas come in m². Leave 0 "
            "to stay with pixels."
        ),
    )
    with banner.guard():
        if typed > 0 and typed != scene.gsd:
            session.rescale(scene.with_gsd(typed))
        elif typed == 0 and scene.gsd:
            session.rescale(replace(scene, gsd=None))


def model_choice() -> None:
    """Choose among the models that are ready."""
    ready = ready_models()
    names = [info.name for info in ready]
    if model_name() not in names:
        st.session_state["model_name"] = names[0]
    if len(names) > 1:
        titles = {info.name: info.title for info in ready}
        chosen = st.selectbox(
            _("Model"),
            names,
            index=names.index(model_name()),
            format_func=lambda n: plain(titles[n]),
        )
        if chosen != model_name():
            st.session_state["model_name"] = chosen
            st.rerun()
    else:
        st.caption(
            _("Model: **{title}** :material/check_circle:").format(title=plain(ready[0].title))
        )
    st.page_link("pages/screens/models.py", label=_("More models"), icon=":material/add:")


def overlay_style(gsd: float | None, largest: float) -> OverlayStyle:
    """Widgets for the overlay; ``largest`` is the area of the largest object in pixels."""
    with st.expander(_("Look of the outlines"), icon=":material/brush:"):
        return _style_form(gsd, largest)


def _style_form(gsd: float | None, largest: float) -> OverlayStyle:
    keep = {"persist_state": "session"}
    fill = st.selectbox(_("Filling"), list(FILLS), format_func=_, key="fill", **keep)
    colour = "#FFB000"
    if FILLS[fill] != "random":
        colour = st.color_picker(_("Colour"), colour, key="fill-colour", **keep)
    opacity = 0.45
    if FILLS[fill] != "none":
        opacity = st.slider(_("Opacity"), 0.0, 1.0, 0.45, 0.05, key="opacity", **keep)
    contour = st.toggle(_("Outlines"), True, key="contour", **keep)
    width = 2
    if contour:
        width = st.slider(_("Line width"), 1, 6, 2, key="line-width", **keep)
    style = OverlayStyle(
        fill=FILLS[fill], color=colour, opacity=opacity, contour=contour, contour_width=width
    )
    large = st.toggle(
        _("Large objects only"),
        key="large-on",
        help=_(
            "Marks the objects above an area in red, for example the large buildings of a town."
        ),
        **keep,
    )
    if not large:
        return style
    factor = gsd**2 if gsd else 1.0
    unit = "m²" if gsd else "px"
    top = _round_up(largest * factor)
    # Stored apart from the slider, whose end moves with the largest object.
    limit = st.slider(
        _("Large means at least ({unit})").format(unit=unit),
        0,
        top,
        min(st.session_state.get("large-limit", round(top / 4)), top),
        key=f"large-area-{unit}",
    )
    st.session_state["large-limit"] = limit
    look = st.segmented_control(
        _("Large objects are"),
        list(LARGE_LOOKS),
        default="filled red",
        format_func=_,
        key="large-look",
        required=True,
        **keep,
    )
    others = st.segmented_control(
        _("The others are"),
        list(OTHERS),
        default="hidden",
        format_func=_,
        key="large-others",
        required=True,
        **keep,
    )
    return replace(
        style,
        large_area=limit / factor,
        large_mode=LARGE_LOOKS[look or "filled red"],
        others=OTHERS[others or "hidden"],
    )


def _round_up(value: float) -> int:
    """The next of 10, 20, 50, 100, 200, ... so that the end of a scale seldom moves."""
    power = 10 ** max(1, math.floor(math.log10(max(value, 10))))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
