"""``python -m rsam_core.batch``: a folder of scenes through one recipe, without a browser.

Exit codes: 0 all is well; 1 some scenes could not be used (the table says which); 2 a folder, a
recipe or an option is wrong; 130 stopped by Ctrl+C (the same command goes on).
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from pathlib import Path

from rsam_core.batch.recipe import EXAMPLE, Recipe
from rsam_core.batch.run import BatchRow, run_batch
from rsam_core.errors import BatchError
from rsam_core.runtime.console import GOOD, SOME_FAILED, STOPPED, ProgressLine, run_command


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m rsam_core.batch",
        description="Run a folder of satellite, aerial or drone images through one recipe: "
        "prepare, segment, refine, classify, export. A run that was stopped goes on where it "
        "ended when it is started again.",
    )
    commands = made.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="work through a folder")
    run.add_argument("recipe", type=Path, metavar="RECIPE.json")
    run.add_argument("folder", type=Path, metavar="FOLDER", help="images; folders in it count")
    run.add_argument("output", type=Path, metavar="OUTPUT", help="gets a folder for each image")
    run.add_argument("--again", action="store_true", help="also do what was done before")
    run.add_argument("--jobs", type=int, help="images worked on at a time (1; on a cluster 2)")
    run.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a Dask cluster, such as tcp://10.0.0.1:8786, whose workers have the "
        "same version of RSAM; images are read here and sent there in tiles",
    )
    run.add_argument("--quiet", action="store_true", help="no progress line")
    check = commands.add_parser("check", help="read a recipe and say what it does")
    check.add_argument("recipe", type=Path, metavar="RECIPE.json")
    commands.add_parser("example", help="print a recipe to begin with")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the program by default.

    Returns
    -------
    int
        Exit code.
    """
    options = parser().parse_args(arguments)
    return run_command(
        "rsam_core.batch",
        lambda stop: _command(options, stop),
        when_stopped="Stopped. The same command goes on where it ended.",
    )


def _command(options: argparse.Namespace, stop: threading.Event) -> int:
    if options.command == "example":
        print(EXAMPLE.to_json())
        return GOOD
    recipe = read_recipe(options.recipe)
    if options.command == "check":
        print(recipe.describe())
        return GOOD
    return _run(recipe, options, stop)


def read_recipe(path: Path) -> Recipe:
    """A recipe from a file.

    Raises
    ------
    BatchError
        If it cannot be read, or is no recipe.
    """
    try:
        return Recipe.from_json(path.read_bytes())
    except OSError as error:
        raise BatchError(
            f"The recipe {path} cannot be read ({error.strerror}). Check its name."
        ) from error


def _run(recipe: Recipe, options: argparse.Namespace, stop: threading.Event) -> int:
    cluster = None
    progress = ProgressLine(options.folder.name or str(options.folder), options.quiet)
    try:
        if options.scheduler:
            from rsam_core.batch.cluster import Cluster

            cluster = Cluster(options.scheduler)
        rows = run_batch(
            recipe,
            options.folder,
            options.output,
            spread=cluster.spread if cluster is not None else None,
            # Two images at a time keep the workers busy while one is put together.
            jobs=options.jobs or (2 if cluster is not None else 1),
            again=options.again,
            progress=progress,
            cancelled=stop.is_set,
        )
    finally:
        if cluster is not None:
            cluster.close()
    progress.end()
    print(table(rows))
    print(f"Results: {options.output}")
    if stop.is_set():
        return STOPPED
    return SOME_FAILED if any(row.state == "failed" for row in rows) else GOOD


def table(rows: Sequence[BatchRow]) -> str:
    """What became of each scene, for a terminal."""
    width = max(len(row.scene) for row in rows) + 2
    lines = [f"{'':{width}s}{'state':9s}{'found':>7s}{'area m²':>12s}{'seconds':>9s}"]
    for row in rows:
        found = "" if row.found is None else f"{row.found:,}"
        area = "" if row.area_m2 is None else f"{row.area_m2:,.0f}"
        seconds = f"{row.seconds:.1f}" if row.seconds else ""
        line = f"{row.scene:{width}s}{row.state:9s}{found:>7s}{area:>12s}{seconds:>9s}"
        lines.append(f"{line}  {row.problem}".rstrip())
    return "\n".join(lines)
