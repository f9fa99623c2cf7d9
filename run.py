"""Set RSAM up in a virtual environment and start it: ``python run.py`` (``python run.py test``).

``python run.py --share`` lets others in the network open it, too; ``--share NAME`` says by which
name or number they call this computer.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare(requirements: str) -> None:
    """Create the environment and install what changed since the last time."""
    if sys.version_info < (3, 11):
        sys.exit("RSAM needs Python 3.11 or newer. Install it and run this command again.")
    if not PYTHON.exists():
        print("Setting up (once; this takes a few minutes)…", flush=True)
        venv.create(ENVIRONMENT, with_pip=True)
    text = b"".join(path.read_bytes() for path in sorted(ROOT.glob("requirements*.txt")))
    wanted = f"{requirements} {hashlib.sha256(text).hexdigest()}"
    stamp = ENVIRONMENT / "installed.txt"
    done = stamp.read_text().splitlines() if stamp.exists() else []
    if wanted not in done:
        command = [PYTHON, "-m", "pip", "install", "--quiet", "-r", ROOT / requirements]
        if subprocess.run(command).returncode:
            sys.exit(
                "The packages could not be installed. Check the internet connection, which is "
                "needed this first time, and run this command again."
            )
        stamp.write_text("\n".join([*done, wanted]))


def workers(arguments: list[str]) -> list[str]:
    """Two processes for the tests, unless the arguments say something about that.

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
    arguments = sys.argv[1:]
    if arguments[:1] == ["test"]:
        prepare("requirements-dev.txt")
        command = [PYTHON, "-m", "pytest", *workers(arguments[1:]), *arguments[1:]]
    else:
        prepare("requirements.txt")
        command = [PYTHON, "-m", "streamlit", "run", ROOT / "app.py", *shared(arguments)]
    try:
        return subprocess.run(command, cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
