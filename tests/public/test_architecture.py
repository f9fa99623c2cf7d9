"""The house: few rooms, one direction, no circles, nobody in another's private files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import of the core, those inside functions included; not those for type checkers."""
    return grimp.build_graph("rsam_core", cache_dir=None, exclude_type_checking_imports=True)


def circles(edges: set[tuple[str, str]]) -> list[list[str]]:
    """Groups of more than one node that reach each other."""
    names = sorted({name for edge in edges for name in edge})
    number = {name: i for i, name in enumerate(names)}
    rows, columns = zip(*((number[a], number[b]) for a, b in edges))
    matrix = csr_matrix((np.ones(len(edges)), (rows, columns)), (len(names), len(names)))
    _, group = connected_components(matrix, directed=True, connection="strong")
    found = [[n for n, g in zip(names, group) if g == one] for one in np.unique(group)]
    return [members for members in found if len(members) > 1]


def test_circles_are_seen():
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")}) == [["a", "b", "c"]]


def test_layers_and_streamlit():
    # In a process of its own: it sets up logging again, after which no logger of ours would speak.
    code = "import sys, importlinter.cli as c; sys.exit(c.lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_few_names_at_the_top():
    names = {p.stem for p in (ROOT / "rsam_core").glob("*.py") if p.stem != "__init__"}
    names |= {p.parent.name for p in (ROOT / "rsam_core").glob("*/__init__.py")}
    assert len(names) <= 15, sorted(names)
    # A folder that lost its door would be a package all the same.
    folders = {p.name for p in (ROOT / "rsam_core").iterdir() if p.is_dir()} - {"__pycache__"}
    assert folders <= names


def edges_of(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    """Importer and imported of every import."""
    return {(a, b) for a in graph.modules for b in graph.find_modules_directly_imported_by(a)}


def test_no_circle_of_modules(graph: grimp.ImportGraph):
    assert circles(edges_of(graph)) == []


def test_no_circle_of_packages(graph: grimp.ImportGraph):
    top = {tuple(name.split(".")[1] for name in edge if "." in name) for edge in edges_of(graph)}
    assert circles({edge for edge in top if len(edge) == 2 and edge[0] != edge[1]}) == []


def private_reach(importer: str, imported: str) -> bool:
    """Whether an import reaches an underscored file from outside the package it lies in."""
    parts = imported.split(".")
    return any(
        part.startswith("_") and not importer.startswith(".".join(parts[:i]) + ".")
        for i, part in enumerate(parts)
        if i
    )


def test_nobody_reaches_into_private_files(graph: grimp.ImportGraph):
    assert private_reach("rsam_core.a.b", "rsam_core.c._d")
    assert not private_reach("rsam_core.c.b", "rsam_core.c._d")
    assert [e for e in sorted(edges_of(graph)) if private_reach(*e)] == []
    for place in ("pages", "benchmarks", "training"):
        for path in sorted((ROOT / place).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rsam_core"):
                    named = [f"{node.module}.{alias.name}" for alias in node.names]
                    for name in named:
                        # Dunder names are public, and so is gettext's `_`.
                        private = [
                            p for p in name.split(".") if p[0] == "_" and p[:2] != "__" and p != "_"
                        ]
                        assert not private, f"{path}: {name}"


def test_no_screen_imports_another():
    shared = {"shared", "banner"}
    for folder in sorted((ROOT / "pages/parts").iterdir()):
        if not folder.is_dir() or folder.name == "__pycache__":
            continue
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pages."):
                    parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                    target = parts[2] if len(parts) > 2 else ""
                    assert target in shared | {folder.name}, f"{path} imports {node.module}"
