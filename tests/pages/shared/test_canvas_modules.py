"""The canvas's modules under node: those that need no page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pages.parts.shared.javascript import script
from tests.helpers.waiting import PATIENCE

ROOT = Path(__file__).parents[3]
COMPONENT = ROOT / "pages/parts/shared/canvas/component"
OLDEST = 20
"""The first version of node whose own test runner takes a list of files."""


def node() -> str:
    """Path of node, if it is new enough."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    if int(re.match(r"v(\d+)", version.stdout)[1]) < OLDEST:
        pytest.skip(f"node {version.stdout.strip()} is older than {OLDEST}")
    return found


def test_modules_under_node():
    files = sorted((ROOT / "tests" / "js").glob("*.test.mjs"))
    assert files
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", *map(str, files)],
        capture_output=True, text=True, timeout=5 * PATIENCE, check=False,
    )  # fmt: skip
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed is not None
    assert int(passed[1]) >= len(files)


def test_the_joined_canvas_is_one_valid_module(tmp_path: Path):
    joined = tmp_path / "canvas.mjs"
    joined.write_text(script(COMPONENT / "canvas.js"), encoding="utf-8")
    done = subprocess.run(
        [node(), "--check", str(joined)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted(COMPONENT.glob("*.js")), ids=lambda path: path.name)
def test_each_module_lets_editors_check_its_types(path: Path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "// @ts-check"
