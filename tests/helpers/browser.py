"""What a person does and sees, in the words of the tests."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from pages.parts.shared.menu import MENU, SCREENS
from tests.helpers.waiting import PATIENCE

HINTS = {
    "Boxes": "drag to the other",
    "Points": "Click an object",
    "Add": "Click an object",
    "Take away": "does not belong to the object",
    "Everything": "looks for every object",
}
"""Words of the line below the picture, by what the mouse does."""

VIEWPORT = {"width": 1280, "height": 800}
RERUN, BEGUN, ENDED, GOES_ON = 11, 4, 6, 2
"""Numbers of Streamlit's messages: a wish to run the page; a run has begun; it has ended, perhaps
in order to begin anew."""

# What the app's script state tells is late: between a click and the server's first word about it
# the page looks as idle as ever, which may last on a busy machine. So what goes to and fro is
# watched: the page is asked for as long as no run that began afterwards has ended.
_WATCH = f"""(() => {{
    const field = (data) => {{
        // Name and value of the first part that is neither its hash (1) nor metadata (2).
        const bytes = new Uint8Array(data);
        let at = 0;
        const number = () => {{
            let value = 0, shift = 1, byte;
            do {{
                byte = bytes[at++];
                value += (byte & 127) * shift;
                shift *= 128;
            }} while (byte & 128);
            return value;
        }};
        while (at < bytes.length) {{
            const tag = number(), name = tag >> 3;
            const value = number();
            if (name !== 1 && name !== 2) return [name, value];
            at += value;
        }}
        return [0, 0];
    }};
    // Whoever comes to the app asks for a first run.
    const told = window.__told = {{ asked: 1, begun: 0, answered: 0 }};
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {{
        constructor(...settings) {{
            super(...settings);
            this.addEventListener("message", (event) => {{
                if (typeof event.data === "string") return;
                const [name, value] = field(event.data);
                if (name === {BEGUN}) told.begun = told.asked;
                if (name === {ENDED} && value !== {GOES_ON}) {{
                    const done = told.begun;
                    // A moment for the page to draw it.
                    setTimeout(() => {{ told.answered = Math.max(told.answered, done); }}, 30);
                }}
            }});
            // What was asked of a connection that is cut is not answered any more.
            this.addEventListener("close", () => {{ told.answered = told.asked; }});
        }}
        send(data) {{
            if (typeof data !== "string" && field(data)[0] === {RERUN}) told.asked += 1;
            super.send(data);
        }}
    }};
}})()"""
_IDLE = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    const told = window.__told;
    const idle = app !== null && app.getAttribute("data-test-script-state") === "notRunning"
        && app.getAttribute("data-test-connection-state") === "CONNECTED"
        && told.answered === told.asked;
    const now = performance.now();
    if (!idle || (%(ms)d && document.querySelector('[data-testid="stProgress"]'))) {
        window.__quiet = { since: now, frames: 0 };
        return false;
    }
    window.__quiet.frames += 1;
    return now - window.__quiet.since >= %(ms)d && window.__quiet.frames > %(frames)d;
}"""

expect.set_options(timeout=PATIENCE * 1000)


def stranger(browser: Browser, **options: Any) -> BrowserContext:
    """A browser that has never been here, patient, whose talk with the server is watched."""
    context = browser.new_context(**{"viewport": VIEWPORT, "accept_downloads": True} | options)
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(_WATCH)
    return context


@dataclass(frozen=True)
class Screen:
    """A browser window with the app."""

    page: Page

    # -------------------------------------------------------------- waiting and finding

    def idle(self) -> None:
        """Wait until the app has drawn what the last action asked for."""
        self._rest(0, 0)

    def quiet(self) -> None:
        """Wait until all work has ended and nothing has happened for a moment.

        The moment is longer than pieces of the page wait before they tell what was done to them,
        and some frames as well: a browser that was stopped meanwhile does what is due first.
        """
        self._rest(300, 10)

    def _rest(self, ms: int, frames: int) -> None:
        self.page.evaluate("window.__quiet = { since: performance.now(), frames: 0 }")
        self.page.wait_for_function(_IDLE % {"ms": ms, "frames": frames})

    def known(self) -> None:
        """Wait until the app has begun, and knows the browser: that draws the page once more."""
        self.idle()
        self.page.wait_for_function("localStorage.getItem('rsam-browser') !== null")
        self.quiet()

    def button(self, name: str) -> Locator:
        """The button of the page (not of the canvas) with that text."""
        return self.page.get_by_test_id("stMain").locator("button").filter(has_text=name).first

    @property
    def canvas(self) -> Locator:
        """The canvas that takes the mouse."""
        return self.page.locator(".stage canvas.picture")

    def expect_text(self, text: str | re.Pattern) -> None:
        """Wait until a text is somewhere on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def expect_objects(self, count: int) -> None:
        """Wait until the headline counts so many objects."""
        if count == 0:
            expect(self.page.get_by_text("Objects appear here")).to_be_attached()
        else:
            word = "object" if count == 1 else "objects"
            expect(self.page.locator(".st-key-objects")).to_contain_text(
                re.compile(rf"^{count} {word} · ")
            )
        self.idle()

    @property
    def rows(self) -> list[str]:
        """The list of prompted objects, as on the screen."""
        texts = self.page.locator('[class*="st-key-select-"] button:visible').all_inner_texts()
        return [text.split("\n")[-1] for text in texts]

    def expect_rows(self, *rows: str) -> None:
        """Wait until the list of prompted objects reads so."""
        found = self.page.locator('[class*="st-key-select-"] button:visible')
        expect(found).to_have_text([re.compile(re.escape(row) + "$") for row in rows])
        self.idle()

    @property
    def marks(self) -> list[tuple[str, float, float]]:
        """Clicks and boxes of the current object, listed once it has two: kind, x and y."""
        texts = self.page.locator('[class*="st-key-unmark-"] button:visible').all_inner_texts()
        found = [re.search(r"(Click|Taken away|Box) at (\d+), (\d+)", text) for text in texts]
        return [(m[1], float(m[2]), float(m[3])) for m in found if m]

    # -------------------------------------------------------------- doing

    def give(self, name: str, content: bytes) -> None:
        """Upload a file in the first field of the page."""
        field = self.page.locator('input[type="file"]').first
        # An app that has not begun is as idle as one that is done: what is given to it before the
        # browser has said who it is may be lost.
        field.wait_for(state="attached")
        self.quiet()
        field.set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )

    def open(self, name: str, content: bytes) -> None:
        """Upload an image and wait for it on the Segment page."""
        self.give(name, content)
        expect(self.canvas).to_be_visible()
        expect(self.page.get_by_test_id("stSidebar")).to_contain_text(name)
        self.idle()

    def go_to(self, page: str) -> None:
        """Change to a page by the menu at the top."""
        menu = self.page.get_by_test_id("stTopNavLink").filter(has_text=page)
        for heading, names in MENU.items():
            if heading and page in (SCREENS[name][0] for name in names):
                self.page.get_by_test_id("stTopNavSection").filter(has_text=heading).click()
                menu = self.page.get_by_test_id("stTopNavDropdownLink").filter(has_text=page)
        menu.first.click()
        # The other page's pieces, its canvas among them, may still stand for a moment.
        self.quiet()

    def mode(self, name: str) -> None:
        """Choose Boxes, Points or Everything."""
        self._choose("mode", name)

    def points(self, kind: str) -> None:
        """Choose Add or Take away."""
        self._choose("point-kind", kind)

    def _choose(self, key: str, name: str) -> None:
        self.page.locator(f".st-key-{key} button").filter(has_text=name).click()
        # The button itself changes at once, the hint only with the canvas.
        expect(self.page.locator(".st-key-hint")).to_contain_text(HINTS[name])
        self.idle()

    @property
    def camera(self) -> tuple[float, float, float]:
        """Scene pixels at the canvas's top-left corner, and screen pixels per scene pixel."""
        stage = self.page.locator(".stage[data-camera]")
        x, y, scale = stage.get_attribute("data-camera").split()
        return float(x), float(y), float(scale)

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a pixel of the image is in the window."""
        box = self.canvas.bounding_box()
        assert box is not None
        if box["y"] < 60:
            # Whatever was looked at below the picture has scrolled the page; to the middle of the
            # window, because the menu covers the window's upper edge.
            self.canvas.evaluate("c => c.scrollIntoView({block: 'center', behavior: 'instant'})")
            box = self.canvas.bounding_box()
            assert box is not None
        x, y, scale = self.camera
        return box["x"] + (point[0] - x) * scale, box["y"] + (point[1] - y) * scale

    def click(self, point: tuple[float, float], **options) -> None:
        """Click a pixel of the image."""
        self.page.mouse.click(*self.place(point), **options)

    def drag(
        self, start: tuple[float, float], end: tuple[float, float], button: str = "left"
    ) -> None:
        """Drag from one pixel of the image to another."""
        x0, y0 = self.place(start)
        x1, y1 = self.place(end)
        mouse = self.page.mouse
        mouse.move(x0, y0)
        mouse.down(button=button)
        mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=3)
        mouse.move(x1, y1, steps=3)
        mouse.up(button=button)

    def wheel(self, point: tuple[float, float], factor: float) -> None:
        """Zoom by a factor around a pixel of the image, by turning the wheel over it."""
        self.page.mouse.move(*self.place(point))
        before = self.camera[2]
        while abs(math.log(before * factor / self.camera[2])) > 0.02:
            step = -math.log(before * factor / self.camera[2]) / 0.0022
            self.page.mouse.wheel(0, max(-240, min(240, step)))
            self.page.wait_for_timeout(50)
        self.quiet()

    # -------------------------------------------------------------- taking along

    def download(self, title: str, purpose: str = "Map") -> bytes:
        """Content of a file of the dialog of export."""
        self.quiet()
        self.button("Export").click()
        dialog = self.page.get_by_role("dialog")
        dialog.locator(".st-key-export-purpose button").filter(has_text=purpose).click()
        self.quiet()
        with self.page.expect_download() as waiting:
            dialog.get_by_role("button", name=title).click()
        content = Path(waiting.value.path()).read_bytes()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)
        return content

    def table(self) -> pd.DataFrame:
        """The table of objects, as downloaded."""
        return pd.read_csv(io.BytesIO(self.download("Table (CSV)", "Table and report")))

    def labels(self) -> np.ndarray:
        """The label picture, as downloaded: the object's number at each pixel."""
        return np.asarray(Image.open(io.BytesIO(self.download("Labels (PNG)", "Pictures"))))


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks that are not both empty."""
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a mask: its outer pixel edges."""
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def middle(mask: np.ndarray) -> tuple[float, float]:
    """A point well inside a mask: the one farthest from its border."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return float(column) + 0.5, float(row) + 0.5
