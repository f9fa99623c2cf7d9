"""Set RSAM up in a virtual environment and start it: ``python run.py`` (``python run.py test``)."""

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


def main() -> int:
    """Start the app, or with ``test`` run the tests; other arguments are passed on."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["test"]:
        prepare("requirements-dev.txt")
        command = [PYTHON, "-m", "pytest", *arguments[1:]]
    else:
        prepare("requirements.txt")
        command = [PYTHON, "-m", "streamlit", "run", ROOT / "app.py", *arguments]
    try:
        return subprocess.run(command, cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
