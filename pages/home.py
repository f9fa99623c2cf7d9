"""Home: what RSAM is, how it works, and the shortest way to a first outline."""

from __future__ import annotations

import streamlit as st

from pages.parts import workspace
from pages.parts.gallery import gallery, open_and_go

TYPES = ["jpg", "jpeg", "png", "tif", "tiff", "gif", "bmp", "webp", "jp2"]

STEPS = (
    (":material/image: **1. Open an image**", "A satellite, aerial or drone image: JPG, PNG or "
     "GeoTIFF. It stays on this computer."),
    (":material/ads_click: **2. Show what you mean**", "Click a building, draw a box around it, "
     "or let RSAM look for everything."),
    (":material/straighten: **3. Take the result along**", "Outlines, areas in square metres, "
     "a table, and files that open in your GIS."),
)  # fmt: skip


st.title("Outline anything in an aerial image")
st.markdown(
    "RSAM finds the outline of what you point at (a building, a field, a car), measures it and "
    "hands it to your GIS. No account, no internet, no programming."
)
for column, (head, text) in zip(st.columns(3), STEPS):
    with column.container(border=True, height="stretch"):
        st.markdown(head)
        st.caption(text)

left, _, right = st.columns([5, 0.3, 9])
with left:
    st.subheader("Open your own image")
    file = st.file_uploader(
        "Image file",
        type=TYPES,
        key="home-upload",
        help="Georeferenced TIFF files bring their scale along, so areas come in square metres. "
        "For other images you can type the size of a pixel later.",
    )
    if file is not None and st.session_state.get("opened-upload") != file.file_id:
        st.session_state["opened-upload"] = file.file_id
        with st.spinner("Opening the image…"):
            open_and_go(file.getvalue(), file.name)
    elif file is not None:
        st.button(
            f"Open {file.name} again",
            key="open-again",
            on_click=lambda: st.session_state.pop("opened-upload", None),
        )
    if workspace.current() is not None:
        st.page_link(
            "pages/segment.py",
            label=f"Back to {workspace.current().scene.name}",
            icon=":material/arrow_forward:",
        )
with right:
    st.subheader("Or try a sample")
    st.caption("Invented towns, drawn by RSAM, with exact truth to compare with.")
    gallery()
