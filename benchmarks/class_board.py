"""A class board with thirty pupils at once: ``python -m benchmarks.class_board [--pupils 30]``.

Starts the app and lets a teacher open a class board in it; pupils then join over websocket
sessions on loopback, without browsers, all within a few seconds. Each begins, clicks every object
of the exercise, a few seconds after one another as people do, and hands in, while the teacher's
page looks for news every two seconds. Told are
the waits (from sending to what the browser would show), whether all results came in, and all
errors. Needs Linux, no data.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.app_server import running_app
from benchmarks.classroom import cpu_seconds
from benchmarks.classroom_browser import Browser, Seen

GOAL_WAIT = 5.0
"""Seconds."""
THINK, TURN = (3.0, 9.0), (0.5, 1.5)
"""Seconds before a click, and before the next object."""
_POLL = 2.0
_INTERNAL = "$$STREAMLIT_INTERNAL_KEY"


class Visitor(Browser):
    """A session on the page Learn.

    Parameters
    ----------
    address : str
    query : str
        Of the address, such as ``"board=H4RT9"``.
    """

    def __init__(self, address: str, query: str) -> None:
        super().__init__(address)
        self.query = query
        self.texts: dict[str, str] = {}
        self.picture: dict[str, Any] = {}
        self.metrics: dict[str, str] = {}
        self.said: list[str] = []
        self.fragments: dict[str, str] = {}
        self._fragment = ""

    async def run(self, states: list[WidgetState], fragment: str = "") -> None:
        """Send the state of widgets, upon which the page or a piece of it is drawn."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.fragment_id = self.query, fragment
        rerun.page_script_hash = self.page
        if not self.page:
            rerun.page_name = "learn"
        rerun.widget_states.widgets.extend(states)
        rerun.cached_message_hashes.extend(self._messages)
        self.seen = Seen(self.seen.widgets)
        self.said.clear()
        await self._socket.send(message.SerializeToString())

    async def act(self, states: list[WidgetState], widget: str = "") -> float:
        """The same for a widget where it stands; seconds until all is drawn."""
        began = time.perf_counter()
        await self.run(states, self.fragments.get(widget, ""))
        return await self.until(lambda seen: seen.finished) - began

    async def push(self, label: str) -> float:
        """Press a button; seconds until all is drawn."""
        return await self.act([self.press(label)], label)

    async def click(self, x: float, y: float) -> float:
        """Click on the picture; seconds until all is drawn."""
        value = {"kind": "click", "x": x, "y": y, "x2": x, "y2": y, "other": False}
        state = WidgetState(id=f"{_INTERNAL}_{self.seen.widgets['rsam_touch']}__events")
        state.json_trigger_value = json.dumps([{"event": "touch", "value": value}])
        return await self.act([state], "rsam_touch")

    def fill(self, label: str, text: str) -> WidgetState:
        """A text in a field."""
        return WidgetState(id=self.texts[label], string_value=text)

    def _take(self, message: ForwardMsg) -> None:
        known = message
        if message.WhichOneof("type") == "ref_hash":
            known = self._messages.get(message.ref_hash, message)
        self._fragment = known.delta.fragment_id if known.WhichOneof("type") == "delta" else ""
        super()._take(message)
        kind = known.WhichOneof("type")
        if kind == "navigation":
            self.page = known.navigation.page_script_hash or self.page
        elif kind == "script_finished":
            piece = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
            self.seen.finished |= known.script_finished == piece

    def _element(self, element: Any) -> None:
        super()._element(element)
        kind, name = element.WhichOneof("type"), ""
        if kind == "text_input":
            self.texts[element.text_input.label] = element.text_input.id
        elif kind == "metric":
            self.metrics[element.metric.label] = element.metric.body
        elif kind == "html":
            self.said.append(element.html.body)
            name = "table" if "class-table" in element.html.body else ""
        elif kind == "alert":
            self.said.append(element.alert.body)
        elif kind == "button":
            name = element.button.label
        elif kind == "bidi_component":
            name = element.bidi_component.component_name.rpartition(".")[2]
            if name == "rsam_touch":
                self.picture = json.loads(element.bidi_component.json)
        if name:
            self.fragments[name] = self._fragment


Waits = dict[str, list[float]]


async def teach(address: str, objects: int) -> tuple[Visitor, str]:
    """Open a board."""
    teacher = Visitor(address, "part=class")
    await teacher.open()
    await teacher.push("Make an exercise")
    if objects != 5:
        raise SystemExit("The maker offers five objects at first.")
    await teacher.push("Open a class board")
    found = re.search(r'board-code"[^>]*>(\w{5})<', "".join(teacher.said))
    if found is None:
        raise SystemExit(f"No board was opened: {teacher.errors}")
    return teacher, found[1]


async def learn(address: str, code: str, number: int, arrives: float, waits: Waits) -> Visitor:
    """Join, click every object, and hand in."""
    await asyncio.sleep(arrives)
    rng = np.random.default_rng(number)
    pupil = Visitor(address, f"board={code}")
    began = time.perf_counter()
    await pupil.open()
    waits["open the page"].append(time.perf_counter() - began)
    name = next(label for label in pupil.texts if label.startswith("Your name"))
    joining = [pupil.fill(name, "Anna"), pupil.press("Join")]
    waits["join"].append(await pupil.act(joining))
    waits["begin"].append(await pupil.push("Begin"))
    for index in range(5):
        await asyncio.sleep(rng.uniform(*THINK))
        mark = next(m for m in pupil.picture["marks"] if m["kind"] == "spot")
        waits["click: mask"].append(await pupil.click(mark["x"], mark["y"]))
        if pupil.metrics.get("Clicks") != "1":
            pupil.errors.append(f"a click was answered by {pupil.metrics}")
        if index < 4:
            await asyncio.sleep(rng.uniform(*TURN))
            waits["next object"].append(await pupil.push("Next object"))
    began = time.perf_counter()
    await pupil.act([pupil.press("Done")], "Done")
    await pupil.until(lambda seen: seen.finished and any("Handed in" in s for s in pupil.said))
    waits["hand in"].append(time.perf_counter() - began)
    return pupil


async def lesson(address: str, pupils: int, arrive: float) -> tuple[Waits, int, list[str]]:
    """All at once; the waits, how many came in, and all errors."""
    names = ("open the page", "join", "begin", "click: mask", "next object", "hand in", "the board")
    waits: Waits = {name: [] for name in names}
    teacher, code = await teach(address, 5)
    # The first loads the model; a teacher would try the exercise beforehand, too.
    await learn(address, code, 999, 0.0, {name: [] for name in names})
    coming = [
        learn(address, code, number, arrive * number / pupils, waits) for number in range(pupils)
    ]
    class_ = asyncio.gather(*coming)
    done = 0
    # Once all have handed in, the next look has to show all.
    while True:
        over = class_.done()
        waits["the board"].append(await teacher.act([], "table"))
        done = "".join(teacher.said).count('<tr class="done">')
        if over:
            break
        await asyncio.wait([class_], timeout=_POLL)
    visitors = [teacher, *class_.result()]
    errors = [error for visitor in visitors for error in visitor.errors]
    for visitor in visitors:
        await visitor.close()
    return waits, done - 1, errors


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=30)
    parser.add_argument("--arrive", type=float, default=10.0, help="seconds in which all arrive")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app:
        began = time.perf_counter()
        waits, done, errors = asyncio.run(lesson(app.address, args.pupils, args.arrive))
        lasted, spent = time.perf_counter() - began, cpu_seconds(app.pid)
        trouble = re.findall(r"^.*(?:Traceback|Error:).*$", app.log.read_text(), re.MULTILINE)
    print(
        f"{args.pupils} pupils, all within {args.arrive:.0f} s; {lasted:.0f} s in all, in which "
        f"the server computed {spent:.0f} s"
    )
    print(f"\n{'wait for, s':22s}{'count':>7s}{'p50':>8s}{'p95':>8s}{'max':>8s}")
    for what, found in waits.items():
        p50, p95 = np.percentile(found, [50, 95])
        print(f"{what:22s}{len(found):7d}{p50:8.2f}{p95:8.2f}{max(found):8.2f}")
    for text in dict.fromkeys([*errors, *trouble]):
        print("   ", text[:200])
    worst = max(max(found) for found in waits.values())
    for text, met in (
        (f"all results on the board ({done} of {args.pupils})", done == args.pupils),
        (f"nobody waits more than {GOAL_WAIT:.0f} s (worst {worst:.1f})", worst <= GOAL_WAIT),
        ("no error", not errors and not trouble),
    ):
        print(f"goal: {text}: {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
