"""``python run.py`` sets up with what is there, says in a sentence what is missing, and goes on."""

from __future__ import annotations

import http.server
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import run
from tests.helpers.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for pip is a shell script")
ROOT = Path(run.__file__).parent
REAL_CREATE = run.create


class Computer:
    """A folder to set up in, with a pip that does as it is told and notes how it was called."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.calls = root, root / "calls.txt"
        root.mkdir(parents=True)
        for name in ("requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, root)
        self.environment = root / ".venv"
        self.python = self.environment / "bin" / "python"
        monkeypatch.setattr(run, "ROOT", root)
        monkeypatch.setattr(run, "ENVIRONMENT", self.environment)
        monkeypatch.setattr(run, "PYTHON", self.python)
        monkeypatch.setattr(run, "create", self.create)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(run.platform, "machine", lambda: "x86_64")
        monkeypatch.setattr(run, "has_card", lambda: False)
        monkeypatch.setattr(run, "answers", lambda: True)
        self.does = "exit 0"

    def create(self) -> None:
        self.python.parent.mkdir(parents=True, exist_ok=True)
        self.python.write_text(f'#!/bin/sh\necho "$@" >> "{self.calls}"\n{self.does}\n')
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR)

    def pip(self) -> list[str]:
        """How pip was called since the last time."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [line for line in lines if " install " in line]

    def start(self, *arguments: str) -> None:
        run.prepare("requirements.txt", list(arguments))

    def refused(self, *arguments: str) -> str:
        """What is said when it does not work: one sentence or two, no traces of a program."""
        with pytest.raises(SystemExit) as refusal:
            self.start(*arguments)
        said = str(refusal.value.code)
        assert "\n" not in said
        assert "Traceback" not in said
        assert "run this command again" in said
        return said


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    # Spaces and umlauts in every test.
    return Computer(tmp_path / "Müllers große Übung (1)", monkeypatch)


# ---------------------------------------------------------------------- which PyTorch


def test_without_a_card_the_small_packages_are_taken_and_it_is_said(computer, capsys):
    computer.start()
    first, second = computer.pip()
    assert f"--index-url {run.CPU_INDEX}" in first
    assert "torch>=" in first
    assert "torchvision>=" in first
    assert first.count("==") + first.count(">=") == 2, "nothing else comes from there"
    assert "-r " in second
    assert "index" not in second
    assert "without an NVIDIA card" in capsys.readouterr().out
    computer.start()
    assert computer.pip() == [], "a second start installs nothing"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("card", "answer", "arguments", "kind", "said"),
    [
        (False, True, [], "cpu", "--gpu takes the other one"),
        (False, False, [], "gpu", "does not answer within 3 seconds"),
        (True, True, [], "gpu", "NVIDIA card of this computer"),
        (True, True, ["--cpu"], "cpu", "as --cpu says"),
        (False, True, ["--gpu"], "gpu", "as --gpu says"),
    ],
)
def test_the_choice(computer, monkeypatch, card, answer, arguments, kind, said):
    monkeypatch.setattr(run, "has_card", lambda: card)
    monkeypatch.setattr(run, "answers", lambda: answer)
    found, why = run.torch_kind(arguments)
    assert found == kind
    assert said in why


@pytest.mark.parametrize(
    ("system", "machine"),
    [("win32", "AMD64"), ("darwin", "arm64"), ("darwin", "x86_64"), ("linux", "aarch64")],
)
def test_elsewhere_there_is_no_choice_and_nobody_is_asked(
    computer, monkeypatch, capsys, system, machine
):
    def asked() -> bool:
        raise AssertionError("nobody needs to be asked")

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(run.platform, "machine", lambda: machine)
    monkeypatch.setattr(run, "answers", asked)
    assert run.torch_kind(["--cpu"]) == ("", "")
    computer.start()
    assert len(computer.pip()) == 1
    assert "PyTorch" not in capsys.readouterr().out


def test_another_kind_on_request_later(computer, capsys):
    computer.start()
    computer.pip()
    computer.start("--gpu")
    renewed, rest = computer.pip()
    assert "--force-reinstall --no-deps torch" in renewed
    assert "index" not in renewed
    assert "-r " in rest
    computer.start("--gpu")
    computer.start()
    assert computer.pip() == [], "what was asked for stays"
    computer.start("--cpu")
    assert run.CPU_INDEX in computer.pip()[0]


def test_what_was_set_up_by_earlier_versions_stays(computer, monkeypatch):
    monkeypatch.setattr(run, "answers", lambda: False)
    computer.start()
    (computer.environment / "torch.txt").unlink()
    computer.pip()
    monkeypatch.setattr(run, "answers", lambda: True)
    (computer.root / "requirements.txt").write_text("torch>=3\nnumpy\n")
    computer.start()
    (only,) = computer.pip()
    assert "index" not in only
    computer.start("--gpu")
    assert computer.pip() == [], "that is what is there"


class Index(http.server.BaseHTTPRequestHandler):
    answer, status = threading.Event(), 200

    def do_HEAD(self) -> None:
        self.answer.wait()
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[Callable[..., str]]:
    """An index of packages on this computer, silent till the end or broken where wished."""
    servers, at_last = [], threading.Event()

    def serve(silent: bool = False, status: int = 200) -> str:
        answer = at_last if silent else threading.Event()
        if not silent:
            answer.set()
        handler = type("Handler", (Index,), {"answer": answer, "status": status})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/torch/"

    yield serve
    at_last.set()
    for server in servers:
        server.shutdown()


def test_an_index_that_is_slow_broken_or_not_there_does_not_answer(index, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert run.answers(index(), PATIENCE)
    assert not run.answers(index(status=503), PATIENCE)
    # It says nothing as long as this test lasts, so whoever waited for it would wait for ever.
    assert not run.answers(index(silent=True), 0.2)
    assert not run.answers("http://127.0.0.1:9/", 0.2)
    assert not run.answers("no address", 0.2)


# ---------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("NewConnectionError: Failed to establish: [Errno -3] Temporary failure in name resolution",
         "Check the internet connection"),
        ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "Check the internet connection"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
         "The disk is full. Make room"),
        ("ERROR: No matching distribution found for torch", "No matching distribution found for"),
    ],
)  # fmt: skip
def test_a_failure_is_one_sentence_and_the_next_start_goes_on(computer, said, expected):
    computer.does = f'echo "{said}"; exit 1'
    message = computer.refused("--gpu")
    assert expected in message
    computer.pip()
    computer.does = "exit 0"
    computer.create()
    computer.start("--gpu")
    assert len(computer.pip()) == 1
    assert run._done(*_wanted(), [])


def _wanted() -> tuple[str]:
    return (run._lines("installed.txt")[-1],)


def test_when_the_small_packages_break_off_those_of_pypi_are_taken(computer, capsys):
    computer.does = f'case "$*" in *{run.CPU_INDEX}*) echo "Connection aborted"; exit 1;; esac'
    computer.start()
    assert len(computer.pip()) == 2
    assert "those of PyPI are taken" in capsys.readouterr().out
    assert run._lines("torch.txt") == ["gpu"]


def test_when_the_small_packages_were_asked_for_nothing_else_is_taken(computer):
    computer.does = f'case "$*" in *{run.CPU_INDEX}*) echo "Connection aborted"; exit 1;; esac'
    assert "Check the internet connection" in computer.refused("--cpu")
    assert len(computer.pip()) == 1


def test_a_nearly_full_disk_is_told_before_anything_is_downloaded(computer, monkeypatch):
    usage = shutil.disk_usage(computer.root)
    monkeypatch.setattr(run.shutil, "disk_usage", lambda path: usage._replace(free=1 << 30))
    assert "Make room (3 GB are needed)" in computer.refused()
    assert "Make room (10 GB are needed)" in computer.refused("--gpu")
    assert computer.pip() == []


def test_a_python_without_environments_says_how_to_get_them(computer, monkeypatch):
    find = run.importlib.util.find_spec
    monkeypatch.setattr(run, "create", REAL_CREATE)
    monkeypatch.setattr(
        run.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    assert "sudo apt install python3-venv" in computer.refused()


def test_a_folder_that_may_not_be_written_to(computer, monkeypatch):
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", str(computer.root))

    monkeypatch.setattr(run, "create", refuse)
    assert "may not write into" in computer.refused()


def test_an_environment_that_was_left_half_made_is_made_again(computer, monkeypatch):
    import venv

    made = []
    monkeypatch.setattr(run, "create", REAL_CREATE)
    monkeypatch.setattr(
        venv, "create", lambda place, **options: made.append(options) or computer.create()
    )
    computer.does = "exit 1"
    computer.create()
    computer.does = "exit 0"
    computer.start()
    assert made == [{"with_pip": True, "clear": True}]
    computer.start()
    assert len(made) == 1


def test_stopping_in_the_middle_says_so_and_the_next_start_goes_on(computer, monkeypatch, capsys):
    popen = run.subprocess.Popen

    def interrupted(*args: object, **options: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["run.py", "--cpu"])
    monkeypatch.setattr(run.subprocess, "Popen", interrupted)
    assert run.main() == 130
    assert "To go on, run this command again" in capsys.readouterr().out
    monkeypatch.setattr(run.subprocess, "Popen", popen)
    computer.start()
    assert len(computer.pip()) == 2
    assert run._lines("torch.txt") == ["cpu"]


def test_a_second_start_waits_for_the_first_and_installs_nothing(computer, capsys):
    go_on = computer.root / "go on"
    computer.does = f'while [ ! -e "{go_on}" ]; do sleep 0.02; done'
    first, second = (threading.Thread(target=computer.start) for _ in range(2))
    first.start()
    until(computer.calls.exists)
    second.start()
    said = ""

    def waits() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return "Another start is setting RSAM up" in said

    until(waits)
    go_on.touch()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert len(computer.pip()) == 2, "only the first one has called it"


def test_the_lock_of_a_start_that_crashed_is_free(computer):
    code = (
        "import os, run, pathlib, sys; run.ROOT = pathlib.Path(sys.argv[1])\n"
        "with run.alone(): os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(computer.root)], cwd=ROOT, check=False)
    assert (computer.root / ".setup.lock").exists()
    with run.alone():
        pass


def test_words_for_the_choice_reach_neither_the_tests_nor_the_app(computer, monkeypatch):
    commands = []
    monkeypatch.setattr(run, "prepare", lambda *args: None)
    monkeypatch.setattr(
        run.subprocess, "run", lambda command, **o: commands.append(command) or _Ended()
    )
    for words in (["--cpu"], ["--gpu", "test", "-x"], ["test", "--cpu"]):
        monkeypatch.setattr(sys, "argv", ["run.py", *words])
        assert run.main() == 0
    assert not any("--cpu" in map(str, c) or "--gpu" in map(str, c) for c in commands)
    assert [("pytest" in command) for command in commands] == [False, True, True]


class _Ended:
    returncode = 0


def test_catalogues_are_compiled_when_they_changed_and_only_then(computer):
    folder = computer.root / "rsam_core" / "runtime" / "locale" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue, binary = folder / "rsam.po", folder / "rsam.mo"
    catalogue.write_text("")
    computer.does = f'echo done > "{binary}"'
    computer.create()
    run.compile_messages()
    assert computer.calls.read_text().split() == ["-m", "rsam_core.runtime.catalogs", "compile"]
    assert binary.read_text() == "done\n"
    computer.calls.unlink()
    run.compile_messages()
    assert not computer.calls.exists()
    os.utime(binary, (0, 0))
    run.compile_messages()
    assert computer.calls.exists()


def test_catalogues_that_cannot_be_compiled_do_not_keep_the_app_from_starting(computer):
    folder = computer.root / "rsam_core" / "runtime" / "locale" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "rsam.po").write_text("")
    # No interpreter, then one that fails.
    run.compile_messages()
    computer.does = "exit 1"
    computer.create()
    run.compile_messages()
    assert computer.calls.exists()


def test_the_app_starts_without_loading_what_only_a_picture_needs():
    """PyTorch takes seconds, which a second start would spend before its first page."""
    code = "import sys, app; print(sorted({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[-2] == "[]"
