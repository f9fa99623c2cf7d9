"""With what an evaluation was computed: versions of the software, and the computer."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "numpy",
    "torch",
    "opencv-python-headless",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "pandas",
    "rasterio",
    "segment-anything",
)


def environment() -> dict[str, str]:
    """Date, versions and computer, in words; nothing that names the user or the machine."""
    import rsam_core

    facts = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "RSAM": rsam_core.__version__,
        "Python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    facts["system"] = f"{platform.system()} {platform.machine()}"
    facts["processor"] = f"{_processor()}, {os.cpu_count()} logical cores"
    if "torch" in sys.modules:
        import torch

        facts["threads of torch"] = str(torch.get_num_threads())
    if hasattr(os, "getloadavg"):
        facts["load of the computer at the end"] = f"{os.getloadavg()[0]:.1f}"
    return facts


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"
