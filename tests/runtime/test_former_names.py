"""Older notebooks go on: modules are found under their former names, and say where they are."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from rsam_core.runtime.former_names import FORMER


@pytest.mark.parametrize("name", sorted(FORMER))
def test_the_former_name_leads_to_the_same_module(name):
    present = importlib.import_module(f"rsam_core.{FORMER[name]}")
    sys.modules.pop(f"rsam_core.{name}", None)
    with pytest.warns(DeprecationWarning, match=FORMER[name]):
        former = importlib.import_module(f"rsam_core.{name}")
    assert former is present
    assert present.__name__ == f"rsam_core.{FORMER[name]}"
    assert present.__spec__.name == present.__name__


def test_both_ways_of_writing_it_work_in_a_fresh_process():
    code = (
        "from rsam_core import export\n"
        "from rsam_core.instances import Instance, Instances\n"
        "from rsam_core.objects.instances import Instances as same\n"
        "print(export.to_geojson.__name__, Instances is same)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["to_geojson", "True"]
