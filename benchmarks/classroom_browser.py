"""A browser's side of a session, without the browser: Streamlit's protocol over a websocket."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

IMAGE_FIELD = "Open your own image"
"""Label of the field of the first page that takes an image."""
PATIENCE = 90.0
"""Seconds after which an answer counts as lost."""


class Lost(Exception):
    """The app did not answer, or answered with an error."""


@dataclass
class Seen:
    """What the page holds after a run of the script."""

    widgets: dict[str, str] = field(default_factory=dict)
    canvas: dict[str, Any] | None = None
    errors: list[str] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    finished: bool = False


class Browser:
    """One session with the app.

    Parameters
    ----------
    address : str
        ``http://host:port``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.session, self.page = "", ""
        self.pages: dict[str, str] = {}
        self.seen = Seen()
        self.errors: list[str] = []
        self.toasts: list[str] = []
        self.received = 0
        self._socket: ClientConnection | None = None
        self._messages: dict[str, ForwardMsg] = {}
        self._ages: dict[str, int] = {}
        self._runs = 0
        self._pictures: set[str] = set()
        self._urls: asyncio.Queue = asyncio.Queue()
        self._changed = asyncio.Event()
        self._reader: asyncio.Task | None = None
        self._xsrf = ""

    async def open(self) -> None:
        """Connect and load the first page."""
        self._xsrf = await asyncio.to_thread(self._token)
        self._socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        await self.run([])
        await self.until(lambda seen: seen.finished)

    async def close(self) -> None:
        """Close the tab."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()

    async def run(self, states: list[WidgetState]) -> None:
        """Send the state of widgets, upon which the script runs."""
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash = self.page
        rerun.widget_states.widgets.extend(states)
        rerun.cached_message_hashes.extend(self._messages)
        self.seen = Seen(self.seen.widgets)
        await self._socket.send(message.SerializeToString())

    async def until(self, condition: Callable[[Seen], bool]) -> float:
        """Wait until the page is so; the moment, in seconds of `time.perf_counter`."""
        end = time.perf_counter() + PATIENCE
        while not condition(self.seen):
            if self._reader.done():
                raise Lost(f"connection lost: {self._reader.exception()}")
            self._changed.clear()
            try:
                async with asyncio.timeout(end - time.perf_counter()):
                    await self._changed.wait()
            except TimeoutError:
                raise Lost(f"no answer in {PATIENCE:.0f} s") from None
        return time.perf_counter()

    async def upload(self, widget: str, name: str, content: bytes) -> list[WidgetState]:
        """Send a file; the state of its widget that says so."""
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.session_id = self.session
        message.file_urls_request.file_names.append(name)
        await self._socket.send(message.SerializeToString())
        urls = await asyncio.wait_for(self._urls.get(), PATIENCE)
        await asyncio.to_thread(self._put, urls.upload_url, name, content)
        state = WidgetState(id=self.seen.widgets[widget])
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(content), urls.file_id
        info.file_urls.CopyFrom(urls)
        return [state]

    def state(self, widget: str, value: dict[str, Any]) -> WidgetState:
        """What a component of ours tells."""
        return WidgetState(id=self.seen.widgets[widget], json_value=json.dumps(value))

    def press(self, label: str) -> WidgetState:
        """The press of a button."""
        return WidgetState(id=self.seen.widgets[label], trigger_value=True)

    def choose(self, label: str, option: str) -> WidgetState:
        """The choice among a row of options."""
        state = WidgetState(id=self.seen.widgets[label])
        state.string_array_value.data.append(option)
        return state

    async def _read(self) -> None:
        async for data in self._socket:
            self.received += len(data)
            message = ForwardMsg()
            message.ParseFromString(data)
            self._take(message)
            self._changed.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            self._ages[message.ref_hash] = self._runs
            known = self._messages.get(message.ref_hash)
            if known is None:
                self._complain(f"message {message.ref_hash} is not known here")
                return
            message, kind = known, known.WhichOneof("type")
        elif message.metadata.cacheable:
            self._messages[message.hash], self._ages[message.hash] = message, self._runs
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
            if message.new_session.page_script_hash != self.page:
                self.page = message.new_session.page_script_hash
                self.seen.widgets, self.seen.canvas = {}, None
            self.seen.finished = False
        elif kind == "file_urls_response":
            self._urls.put_nowait(message.file_urls_response.file_urls[0])
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.seen.finished = True
                self._runs += 1
                # As the browser does: what two runs did not use is forgotten.
                for key in [k for k, age in self._ages.items() if age < self._runs - 2]:
                    self._messages.pop(key, None)
                    del self._ages[key]
            elif message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self._complain("the script could not be compiled")
        elif kind == "session_event":
            if message.session_event.WhichOneof("type") == "script_compilation_exception":
                self._complain(message.session_event.script_compilation_exception.message)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._element(message.delta.new_element)
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            tabs = message.delta.add_block.tab_container
            if tabs.id:
                self.seen.widgets["tabs"] = tabs.id
        elif kind == "navigation":
            for page in message.navigation.app_pages:
                address = "" if page.is_default else page.url_pathname
                self.pages[address] = page.page_script_hash

    def _element(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self._complain(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            self._complain(element.alert.body)
        elif kind == "toast":
            self.toasts.append(element.toast.body)
        elif kind == "button_group":
            self.seen.widgets[element.button_group.label] = element.button_group.id
        elif kind == "button":
            self.seen.widgets[element.button.label] = element.button.id
        elif kind == "file_uploader":
            self.seen.widgets[element.file_uploader.label] = element.file_uploader.id
        elif kind == "bidi_component":
            name = element.bidi_component.component_name.rpartition(".")[2]
            self.seen.widgets[name] = element.bidi_component.id
            if name == "rsam_canvas":
                self.seen.canvas = json.loads(element.bidi_component.json)

    def _complain(self, what: str) -> None:
        self.seen.errors.append(what)
        self.errors.append(what)

    async def fetch_pictures(self) -> None:
        """Load the pictures of the canvas that were not loaded before."""
        for picture in (self.seen.canvas or {}).get("pictures", []):
            if picture["url"] not in self._pictures and picture["url"].startswith("/"):
                self._pictures.add(picture["url"])
                self.received += await asyncio.to_thread(self._get, picture["url"])

    def _get(self, path: str) -> int:
        with urllib.request.urlopen(self.address + path, timeout=PATIENCE) as answer:
            return len(answer.read())

    def _token(self) -> str:
        with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=PATIENCE) as answer:
            cookie = answer.headers.get("Set-Cookie") or ""
        return cookie.partition("=")[2].partition(";")[0]

    def _put(self, path: str, name: str, content: bytes) -> None:
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        request = urllib.request.Request(
            self.address + path, head.encode() + content + f"\r\n--{border}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={border}",
             "X-Xsrftoken": self._xsrf, "Cookie": f"_streamlit_xsrf={self._xsrf}"},
            method="PUT",
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            answer.read()
