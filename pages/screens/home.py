"""Home: what RSAM is, how it works, and the shortest way to a first outline."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.home import drop, over_time, works
from pages.parts.shared import banner, current_session, folder, opening, speech
from pages.parts.shared.gallery import SEGMENT, gallery, open_and_go, row
from pages.parts.shared.names import full, plain
from pages.parts.shared.project_panel import open_project
from pages.parts.shared.swipe import swipe
from rsam_core.runtime.language import N_, _
from rsam_core.scene.world_file import WORLD_FILE_TYPES, is_world_file, pair_uploads

TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "gif", "bmp", "webp", "jp2"]

# Characters of a name that fit on a button of the left column.
BUTTON = 34

STEPS = (
    N_(":material/image: **1. Open an image.** It stays on this computer."),
    N_(
        ":material/ads_click: **2. Show what you mean:** click it, or let RSAM look for everything."
    ),
    N_(
        ":material/straighten: **3. Take the result along:** outlines, areas in square metres, "
        "files for your GIS."
    ),
)
PICTURES = Path(__file__).resolve().parents[1] / "parts" / "home"
SIZE = (1024, 512)


st.html(PICTURES / "home.css")
st.html(drop.hints())
# Its place is there before its content: what follows would be drawn anew when the works come, and
# a file that is just being given to the page would be lost.
with st.container(key="works", gap="small"):
    works.section()
drop.anywhere()
left, right = st.columns([11, 10], gap="medium")
with left:
    st.title(_("Outline anything in an aerial image"))
    st.markdown(
        _(
            "RSAM finds the outline of what you point at (a building, a field, a car), measures "
            "it and hands it to your GIS. No account, no internet, no programming."
        )
    )
    st.markdown("  \n".join(_(step) for step in STEPS))
    files = st.file_uploader(
        _("Open your own image"),
        type=[*TYPES, *WORLD_FILE_TYPES],
        accept_multiple_files=True,
        key="home-upload",
        help=_(
            "Georeferenced TIFF files bring their scale along, so areas come in square "
            "metres. For a picture with a world file (.jgw, .pgw, .tfw), drop both. For "
            "other images you can type the size of a pixel later."
        ),
    )
    by_name = {file.name: file for file in files}
    pairs: dict[str, str | None] = {}
    if len(by_name) == 1 and is_world_file(next(iter(by_name))):
        st.info(
            _("This is a world file. Add the image that it belongs to."), icon=":material/info:"
        )
    else:
        with banner.guard():
            pairs = pair_uploads(by_name)
    if pairs:
        # The image that was added last.
        name, world_name = list(pairs.items())[-1]
        file, world = by_name[name], by_name.get(world_name)
        ids = (file.file_id, world.file_id if world else None)

        def open_now() -> None:
            with st.spinner(_("Opening the image…")):
                open_and_go(
                    file.getvalue(),
                    file.name,
                    world_file=world,
                    tried=lambda: st.session_state.update({"opened-upload": ids}),
                )

        if st.session_state.get("opened-upload") != ids:
            open_now()
        else:
            st.button(
                _("Open {name} again").format(name=plain(file.name, BUTTON)),
                key="open-again",
                help=full(file.name, BUTTON),
                on_click=lambda: st.session_state.pop("opened-upload", None),
            )
    elif st.session_state.pop("opened-upload", None) is not None:
        # The file that could not be opened was taken away.
        banner.forget("open-image")
    folder.chooser()
    project = st.file_uploader(_("Or a project that RSAM saved"), type=["zip"], key="home-project")
    if project is not None and st.session_state.get("opened-project") != project.file_id:
        opened = {"opened-project": project.file_id}
        open_project(project, tried=lambda: st.session_state.update(opened))
    opening.watch()
    if current_session.current() is not None:
        name = current_session.current().image.scene.name
        st.page_link(
            "pages/screens/segment.py",
            label=_("Back to {name}").format(name=plain(name, BUTTON)),
            icon=":material/arrow_forward:",
            help=full(name, BUTTON),
        )
with right:
    before, after = ((PICTURES / f"{name}.jpg").read_bytes() for name in ("before", "after"))
    swipe(before, after, size=SIZE, height=None, key="home-picture")
    with st.container(horizontal=True, vertical_alignment="top", key="below-picture"):
        st.caption(
            _("Santa Monica, outlined by RSAM without a click. Image: USDA NAIP"), width="stretch"
        )
        with st.container(width=150, key="home-language"):
            speech.choice()
st.subheader(_("Or try a sample"))
gallery()
st.caption(_("**Two dates, and series**, to see what changed or to follow one object."))
row(over_time.cards(), SEGMENT)
