"""Set RSAM up in a virtual environment and start it: ``python run.py`` (``python run.py test``).

``python run.py --share`` lets others in the network open it, too; ``--share NAME`` says by which
name or number they call this computer. On Linux, ``--cpu`` and ``--gpu`` say which PyTorch to
install; without them RSAM looks whether there is an NVIDIA card.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PATIENCE = 3.0
"""Seconds that PyTorch's own index has to answer."""
ROOM = {"cpu": 3 << 30, "gpu": 10 << 30, "": 3 << 30}
"""Free bytes on the disk that an installation needs, by the kind of PyTorch."""

AGAIN = "run this command again: it goes on where it stopped"
OFFLINE = f"The packages could not be downloaded. Check the internet connection, then {AGAIN}."
FULL = f"The disk is full. Make room ({{}} GB are needed), then {AGAIN}."
NO_VENV = (
    "This Python cannot make environments for packages. On Debian and Ubuntu install it with: "
    f"sudo apt install python3-venv. Then {AGAIN}."
)
_OFFLINE_SIGNS = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|timed out|ProxyError|SSLError"
    r"|name resolution|getaddrinfo|unreachable|IncompleteRead|Connection (reset|aborted|broken)",
    re.IGNORECASE,
)
_FULL_SIGNS = re.compile(r"No space left|Errno 28|not enough space|disk full", re.IGNORECASE)


# ---------------------------------------------------------------------- which PyTorch


def has_card() -> bool:
    """Whether this computer has an NVIDIA card that is ready for use."""
    if any(Path(place).exists() for place in ("/proc/driver/nvidia/version", "/dev/nvidia0")):
        return True
    return shutil.which("nvidia-smi") is not None


def answers(address: str = f"{CPU_INDEX}/torch/", patience: float = PATIENCE) -> bool:
    """Whether an index of packages answers in time, looking up its name included."""
    found: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(OSError, ValueError):
            request = urllib.request.Request(address, method="HEAD")
            with urllib.request.urlopen(request, timeout=patience) as answer:
                found.append(answer.status == 200)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    return found == [True]


def torch_kind(arguments: list[str]) -> tuple[str, str]:
    """Which PyTorch to install, and why.

    Returns
    -------
    kind : str
        ``"cpu"`` for PyTorch's own CPU packages, ``"gpu"`` for those of PyPI with CUDA, empty
        where PyPI has one kind only.
    why : str
        To be printed; empty if there was no choice.
    """
    if sys.platform != "linux" or platform.machine().lower() not in ("x86_64", "amd64"):
        return "", ""
    if "--gpu" in arguments:
        return "gpu", "PyTorch for NVIDIA cards (5 GB more), as --gpu says."
    if "--cpu" in arguments:
        return "cpu", "PyTorch for computers without a graphics card, as --cpu says."
    if has_card():
        return "gpu", "PyTorch for the NVIDIA card of this computer (--cpu takes the small one)."
    if answers():
        return "cpu", "PyTorch for computers without an NVIDIA card (--gpu takes the other one)."
    return "gpu", (
        f"PyTorch from PyPI, which is 5 GB larger: {CPU_INDEX} does not answer within "
        f"{PATIENCE:.0f} seconds."
    )


# ---------------------------------------------------------------------- setting up


def prepare(requirements: str, arguments: list[str] | None = None) -> None:
    """Create the environment and install what changed since the last time."""
    arguments = arguments or []
    if sys.version_info < (3, 11):
        sys.exit("RSAM needs Python 3.11 or newer. Install it and run this command again.")
    text = b"".join(path.read_bytes() for path in sorted(ROOT.glob("requirements*.txt")))
    wanted = f"{requirements} {hashlib.sha256(text).hexdigest()}"
    if _done(wanted, arguments):
        return
    try:
        with alone():
            if not _done(wanted, arguments):
                _install(requirements, wanted, arguments)
    except PermissionError as error:
        sys.exit(
            f"RSAM may not write into {error.filename or ROOT}. Move its folder to a place of "
            f"your own, then {AGAIN}."
        )
    except OSError as error:
        if _FULL_SIGNS.search(str(error)):
            sys.exit(FULL.format(ROOM["cpu"] >> 30))
        raise


def _done(wanted: str, arguments: list[str]) -> bool:
    """Whether all is installed, with the kind of PyTorch that is asked for."""
    asked = {"--cpu": "cpu", "--gpu": "gpu"}
    kinds = {asked[word] for word in arguments if word in asked}
    present = _lines("torch.txt")
    changed = kinds and torch_kind(arguments)[0] and not kinds <= set(present or ["gpu"])
    return PYTHON.exists() and wanted in _lines("installed.txt") and not changed


def _lines(name: str) -> list[str]:
    path = ENVIRONMENT / name
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _install(requirements: str, wanted: str, arguments: list[str]) -> None:
    done = _lines("installed.txt") if PYTHON.exists() else []
    kind, why = torch_kind(arguments)
    before = (_lines("torch.txt") or ["gpu"])[0] if done else ""
    if done and not {"--cpu", "--gpu"} & set(arguments):
        # What works stays, unless somebody wishes another one.
        kind = before
    if not done:
        print("Setting up (once; this takes a few minutes)…", flush=True)
    if why and kind != before:
        print(why, flush=True)
    if not done and shutil.disk_usage(ROOT).free < ROOM[kind]:
        sys.exit(FULL.format(ROOM[kind] >> 30))
    create()
    torch = [line for line in _requirements() if re.match(r"torch(vision)?\b", line)]
    renew = ["--force-reinstall", "--no-deps"] if done and kind != before else []
    if kind == "cpu" and kind != before:
        told = pip("install", *renew, "--index-url", CPU_INDEX, *torch)
        if told is not None and ("--cpu" in arguments or told.startswith("The disk")):
            sys.exit(told)
        if told is not None:
            kind = "gpu"
            print("PyTorch's own packages could not be had; those of PyPI are taken.", flush=True)
    elif renew:
        _check(pip("install", *renew, *torch))
    _check(pip("install", "-r", str(ROOT / requirements)))
    (ENVIRONMENT / "torch.txt").write_text(kind, encoding="utf-8")
    (ENVIRONMENT / "installed.txt").write_text("\n".join([*done, wanted]), encoding="utf-8")


def _requirements() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines]


def create() -> None:
    """Make the environment, or make it again if that was interrupted."""
    if PYTHON.exists() and (_lines("installed.txt") or _has_pip()):
        return
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        sys.exit(NO_VENV)
    import venv

    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
    except subprocess.CalledProcessError:
        sys.exit(NO_VENV)


def _has_pip() -> bool:
    return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def pip(*words: str) -> str | None:
    """Run pip and show what it downloads; what to tell people if it fails, else None."""
    quiet = ["--progress-bar", "off", "--disable-pip-version-check", "--no-input"]
    running = subprocess.Popen(
        [PYTHON, "-m", "pip", *words, *quiet], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    said: list[str] = []
    try:
        for line in running.stdout:
            said.append(line)
            if line.strip().startswith(("Downloading", "Installing collected")):
                print(f"  {line.strip()[:100]}", flush=True)
    except KeyboardInterrupt:
        running.terminate()
        raise
    finally:
        running.wait()
    if running.returncode == 0:
        return None
    text = "".join(said)
    if _FULL_SIGNS.search(text):
        return FULL.format(ROOM["gpu"] >> 30)
    if _OFFLINE_SIGNS.search(text):
        return OFFLINE
    errors = [line.strip().rstrip(".") for line in said if line.startswith("ERROR")]
    last = errors[-1][:300] if errors else "pip ended without saying why"
    return f"The packages could not be installed: {last}. Mend that, then {AGAIN}."


def _check(told: str | None) -> None:
    if told is not None:
        sys.exit(told)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other start is setting up; the system ends the wait if that one crashes."""
    with (ROOT / ".setup.lock").open("a+b") as file:
        told = False
        while not _locked(file):
            if not told:
                print("Another start is setting RSAM up; waiting for it…", flush=True)
                told = True
            time.sleep(0.3)
        yield


def _locked(file) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def compile_messages() -> None:
    """Write the binary files of catalogues of messages that changed since the last time.

    Where that fails nothing is lost: the app reads the catalogues themselves then.
    """
    catalogues = (ROOT / "rsam_core" / "runtime" / "locale").glob("*/LC_MESSAGES/*.po")
    binaries = {path: path.with_suffix(".mo") for path in catalogues}
    if all(_is_newer(binary, path) for path, binary in binaries.items()):
        return
    command = [PYTHON, "-m", "rsam_core.runtime.catalogs", "compile"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)


def _is_newer(binary: Path, catalogue: Path) -> bool:
    return binary.exists() and binary.stat().st_mtime >= catalogue.stat().st_mtime


# ---------------------------------------------------------------------- starting


def workers(arguments: list[str]) -> list[str]:
    """Two processes for the tests, unless the arguments say something about that.

    Each begins with a server and a browser of its own, which mostly wait. A third one made browsers
    so slow that they gave up.
    What stays together, tests/helpers/groups.py says; tests/conftest.py puts the longest first.
    """
    ours = ("-n", "--numprocesses", "--dist", "--pdb", "--trace")
    words = {word for one in arguments for word in (one, one.partition("=")[0])}
    if "no:xdist" in " ".join(arguments) or words & set(ours):
        return []
    if any(one.startswith("-n") and one[2:].isalnum() for one in arguments):
        return []
    return ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]


def shared(arguments: list[str]) -> list[str]:
    """Arguments for Streamlit, with ``--share`` and a name after it said in its words."""
    if "--share" not in arguments:
        return arguments
    place = arguments.index("--share")
    before, after = arguments[:place], arguments[place + 1 :]
    options = ["--server.address", "0.0.0.0"]
    if after and not after[0].startswith("-"):
        options += ["--browser.serverAddress", after.pop(0)]
    print("Everybody in this network can open RSAM now. See SECURITY.md.", flush=True)
    return [*before, *options, *after]


def main() -> int:
    """Start the app, or with ``test`` run the tests; other arguments are passed on."""
    for stream in (sys.stdout, sys.stderr):
        # A console that knows few letters shall not end the program.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")
    given = sys.argv[1:]
    arguments = [word for word in given if word not in ("--cpu", "--gpu")]
    testing = arguments[:1] == ["test"]
    try:
        prepare("requirements-dev.txt" if testing else "requirements.txt", given)
        compile_messages()
    except KeyboardInterrupt:
        print(f"\nStopped before all was set up. To go on, {AGAIN}.", flush=True)
        return 130
    if testing:
        command = [PYTHON, "-m", "pytest", *workers(arguments[1:]), *arguments[1:]]
    else:
        command = [PYTHON, "-m", "streamlit", "run", ROOT / "app.py", *shared(arguments)]
    try:
        return subprocess.run(command, cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
