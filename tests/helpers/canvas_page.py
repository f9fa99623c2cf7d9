"""The canvas alone on a page, without the app: what it is sent and what it tells are the test's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from pages.parts.shared.javascript import script

COMPONENT = Path(__file__).parents[2] / "pages/parts/shared/canvas/component"
ADDRESS = "http://canvas.test/"
SIZE = (800, 600)

_PAGE = """<!doctype html><style>body {{ margin: 0; width: {width}px }} {css}</style>{html}
<script type="module">
import canvas from "./canvas.js";
window.reports = [];
const setStateValue = (name, value) => window.reports.push(structuredClone(value));
window.send = (data) => {{
  window.leave = canvas({{ parentElement: document.body, data, setStateValue }});
}};
window.ready = true;
</script>"""


class CanvasPage:
    """A canvas of 800 × 600 that shows a scene as large, one screen pixel a scene pixel.

    Parameters
    ----------
    page : Page
    pictures : dict of str to bytes
        Files that the canvas can fetch, by name.
    """

    def __init__(self, page: Page, files: dict[str, bytes]) -> None:
        self.page, self.files = page, files
        self.data: dict[str, Any] = {
            "token": "t", "scene": list(SIZE), "gsd": None, "height": SIZE[1], "mode": "points",
            "label": 1, "pictures": [], "overlay": None, "extra": None, "drawn": None,
            "view": [0, 0, *SIZE], "marks": [], "canvas": "", "ack": 0, "look": None, "badge": "",
            "camera": None, "proposals": None, "rests": False, "answer": None, "place": None,
        }  # fmt: skip
        page.route(ADDRESS + "**", self._serve)
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        page.goto(ADDRESS)
        page.wait_for_function("window.ready")

    def _serve(self, route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name == "":
            css, html = (COMPONENT / f"canvas.{kind}" for kind in ("css", "html"))
            content = _PAGE.format(width=SIZE[0], css=css.read_text(), html=html.read_text())
            route.fulfill(body=content, content_type="text/html")
        elif name == "canvas.js":
            route.fulfill(body=script(COMPONENT / "canvas.js"), content_type="text/javascript")
        elif name in self.files:
            route.fulfill(body=self.files[name])
        else:
            route.fulfill(status=404)

    def send(self, **changes: Any) -> None:
        """Let the program send what it sent last, but for some changes."""
        self.data |= changes
        self.page.evaluate("data => window.send(data)", self.data)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the last report."""
        reports = self.page.evaluate("window.reports")
        return reports[-1]["events"] if reports else []

    def acknowledge(self, **changes: Any) -> None:
        """Answer the last report."""
        report = self.page.evaluate("window.reports.at(-1)")
        last = max(event["n"] for event in report["events"])
        self.send(canvas=report["canvas"], ack=last, **changes)

    def frames(self, count: int = 2) -> None:
        """Wait until so many frames were drawn."""
        self.page.evaluate(
            """async count => {
                for (; count > 0; count--) await new Promise(requestAnimationFrame);
            }""",
            count,
        )

    def outline(self, name: str) -> str:
        """What the canvas of the outlines says: "shown", "accepted" or "count"."""
        self.frames()
        return self.page.locator("canvas.outline").get_attribute(f"data-{name}") or ""

    def inked(self, x: int, y: int) -> bool:
        """Whether the canvas of the outlines covers a pixel of the screen."""
        return self.page.evaluate(
            """([x, y]) => document.querySelector("canvas.outline").getContext("2d")
                .getImageData(x, y, 1, 1).data[3] > 0""",
            [x, y],
        )
