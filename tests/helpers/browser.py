"""What a person does and sees, in the words of the tests."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from pages.parts.shared.menu import MENU, SCREENS

PATIENCE = 60.0
"""Seconds to wait for anything at most; a busy machine is slow."""

HINTS = {
    "Boxes": "drag to the other",
    "Points": "Click an object",
    "Add": "Click an object",
    "Take away": "does not belong to the object",
    "Everything": "looks for every object",
}
"""Words of the line below the picture, by what the mouse does."""

expect.set_options(timeout=PATIENCE * 1000)


@dataclass(frozen=True)
class Screen:
    """A browser window with the app."""

    page: Page

    # -------------------------------------------------------------- waiting and finding

    def idle(self) -> None:
        """Wait until the app has drawn what the last action asked for."""
        self.page.wait_for_selector(
            '[data-testid="stApp"][data-test-script-state="notRunning"]'
            '[data-test-connection-state="CONNECTED"]'
        )

    def quiet(self) -> None:
        """Wait until nothing has happened for half a second: no late answer is under way."""
        self.page.evaluate("window.__busy = performance.now()")
        self.page.wait_for_function(
            """() => {
                const app = document.querySelector('[data-testid="stApp"]');
                const idle = app.getAttribute('data-test-script-state') === 'notRunning';
                if (!idle) window.__busy = performance.now();
                return performance.now() - window.__busy > 500;
            }"""
        )

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
        self.page.wait_for_timeout(300)
        self.idle()

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
