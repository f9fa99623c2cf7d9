"""The command line: what it writes, what it prints, how it ends."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rsam_core.evaluate import cli
from tests.helpers.models import rectangle
from tests.helpers.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared/data/validation/buildings/banepa_np"
QUICK = ["--prompts", "none", "--methods", "filled-box,otsu", "--quiet"]


@pytest.fixture
def town(tmp_path):
    """Three images of bright squares on dark ground."""
    for kind in ("images", "masks"):
        (tmp_path / "town" / kind).mkdir(parents=True)
    for k in range(3):
        mask = rectangle((50, 60), 10, 10, 30 + k, 30)
        image = np.where(mask[..., None], 220, 30).repeat(3, -1).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"town/images/{k}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / f"town/masks/{k}.png")
    return tmp_path / "town"


def test_a_folder_becomes_a_report(town, tmp_path, capsys):
    output = tmp_path / "report"
    assert cli.main([str(town), *QUICK, "--output", str(output)]) == 0
    assert {path.name for path in output.iterdir()} == {
        "report.html",
        "results.csv",
        "results.json",
        "results.jsonl",
    }
    data = json.loads((output / "results.json").read_text())
    assert [row["iou"] for row in data["table"]] == [1, 1]
    with (output / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6
    shown = capsys.readouterr().out
    assert "Otsu threshold in the box" in shown
    assert "1.000" in shown
    assert str(output / "report.html") in shown
    page = (output / "report.html").read_text()
    assert "--methods filled-box,otsu" in page


def test_resume_uses_what_is_there_and_a_new_run_does_not(town, tmp_path, capsys):
    output = tmp_path / "report"
    arguments = [str(town), *QUICK, "--output", str(output)]
    cli.main(arguments)
    file = output / "results.jsonl"
    header, *lines = file.read_text().splitlines()
    changed = json.loads(lines[0])
    for row in changed["objects"]:
        row["iou"] = 0.0
    file.write_text("\n".join([header, json.dumps(changed)]) + "\n")
    assert cli.main([*arguments, "--resume"]) == 0
    ious = json.loads((output / "results.json").read_text())["table"][0]["iou"]
    assert ious == pytest.approx(2 / 3)
    assert cli.main(arguments) == 0
    assert json.loads((output / "results.json").read_text())["table"][0]["iou"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no folder “nowhere”"),
        (["."], "holds no images"),
        (["town", "--methods", "magic"], "no method called “magic”"),
        (["town", "--prompts", "circle"], "is not a prompt"),
        (["town", "--model", "no-such-model"], "no-such-model"),
        (["town", "--studies", "weather"], "no study called “weather”"),
        (["town", "--prompts", "none"], "Nothing to compare"),
        (["town", *QUICK, "--studies", "size"], "Studies need a model"),
        (["town", "--limit", "0"], "At least one image"),
        (["town", "--output", "file/report"], "cannot be written"),
    ],
)
def test_mistakes_end_with_a_message_and_code_2(
    town, tmp_path, monkeypatch, capsys, arguments, message
):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path if arguments != ["."] else tmp_path / "empty")
    assert cli.main([*arguments, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_broken_image_is_named_and_code_1(town, tmp_path, capsys):
    (town / "images/1.png").write_bytes(b"no picture")
    assert cli.main([str(town), *QUICK, "--output", str(tmp_path / "r")]) == 1
    assert "Not evaluated: images/1.png" in capsys.readouterr().err
    data = json.loads((tmp_path / "r/results.json").read_text())
    assert [f["image"] for f in data["failures"]] == ["images/1.png"]
    assert data["images_done"] == 3


def test_several_folders_are_compared(town, tmp_path, capsys):
    other = tmp_path / "village"
    shutil.copytree(town, other)
    output = tmp_path / "r"
    assert cli.main([str(town), str(other), *QUICK, "--output", str(output)]) == 0
    assert (output / "town/report.html").exists()
    assert (output / "village/report.html").exists()
    data = json.loads((output / "village/results.json").read_text())
    assert {"town", "village"} <= {c["first"] for c in data["comparisons"]} | {
        c["second"] for c in data["comparisons"]
    }


def test_the_progress_line_counts_images(town, tmp_path, capsys):
    arguments = [str(town), *QUICK[:-1], "--output", str(tmp_path / "r")]
    assert cli.main(arguments) == 0
    error = capsys.readouterr().err
    assert "town:   0%" in error
    assert "3 of 3 images" in error


def test_a_stop_keeps_what_is_finished(town, tmp_path, monkeypatch, capsys):
    from rsam_core.evaluate import run

    real, seen = run.evaluate_sample, []

    def interrupted(*arguments, **options):
        seen.append(1)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments, **options)

    monkeypatch.setattr(run, "evaluate_sample", interrupted)
    before = signal.getsignal(signal.SIGINT)
    arguments = [str(town), *QUICK, "--output", str(tmp_path / "r")]
    assert cli.main(arguments) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert "--resume" in capsys.readouterr().err
    assert json.loads((tmp_path / "r/results.json").read_text())["images_done"] == 1
    assert cli.main([*arguments, "--resume"]) == 0
    assert len(seen) == 4
    assert json.loads((tmp_path / "r/results.json").read_text())["images_done"] == 3


def test_a_study_that_fails_does_not_cost_the_report(town, tmp_path, monkeypatch, capsys):
    from rsam_core.errors import EvaluationError
    from rsam_core.evaluate.studies import STUDIES, Study

    def fails(*_, **__):
        raise EvaluationError("nothing to study")

    monkeypatch.setitem(STUDIES, "size", Study("size", "Size", "", STUDIES["size"].settings, fails))
    arguments = [str(town), "--prompts", "box", "--quiet", "--studies", "size"]
    assert cli.main([*arguments, "--output", str(tmp_path / "r")]) == 1
    assert "The study “Size” failed: nothing to study" in capsys.readouterr().err
    assert (tmp_path / "r/report.html").exists()


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "rsam_core.evaluate", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0
    assert "FOLDER" in done.stdout
    assert "random-walker" in done.stdout


@pytest.mark.skipif(not SHARED.exists(), reason="the validation tiles are not here")
def test_real_tiles_with_the_embedded_model_and_a_study(tmp_path):
    arguments = [str(SHARED), "--limit", "3", "--seed", "1", "--prompts", "box", "--quiet"]
    arguments += ["--studies", "size", "--study-objects", "3", "--output", str(tmp_path)]
    assert cli.main(arguments) == 0
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["table"][0]["method"] == "rsam-tiny:box"
    assert 0.4 < data["table"][0]["iou"] <= 1
    assert data["studies"][0]["key"] == "size"
    assert "data:image/png" in (tmp_path / "report.html").read_text()


def test_a_folder_of_which_nothing_can_be_used_does_not_end_the_others(town, tmp_path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(town, broken)
    for path in (broken / "masks").iterdir():
        path.write_bytes(b"no mask")
    output = tmp_path / "report"
    arguments = [str(broken), str(town), *QUICK, "--output", str(output)]
    assert cli.main(arguments) == cli.SOME_FAILED
    assert "Not evaluated: broken" in capsys.readouterr().err
    assert (output / "town" / "report.html").is_file()
    assert cli.main([str(broken), *QUICK, "--output", str(output)]) == cli.WRONG
    assert cli.main([str(broken), str(broken), *QUICK, "--output", str(output)]) == cli.WRONG
