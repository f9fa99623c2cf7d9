"""Models as folders: where they are, what kind they are of, and what must not be opened."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from rsam_core.errors import ModelError
from rsam_core.models.hub.catalog import HUB, KINDS, WORDS, HubInfo
from rsam_core.models.info import Traits
from rsam_core.models.place import State, models_folder

CONFIG = "config.json"
_UNSAFE = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack")
_MAX_CONFIG = 4_000_000
_DEEPEST = 50


def folder_of(info: HubInfo) -> Path:
    """The folder in which a model's files are, or would be."""
    return models_folder() / str(info.file)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder, in order."""
    return sorted(folder.glob("*.safetensors"))


def state(info: HubInfo) -> State:
    """Tell quickly whether a model's folder can be used.

    Returns
    -------
    {"ready", "downloadable", "damaged"}
        "damaged" if there is a folder that lacks something, or holds weights of a kind that is
        not opened.
    """
    folder = folder_of(info)
    if not folder.is_dir() or not any(_visible(folder)):
        return "downloadable"
    try:
        check(folder)
    except ModelError:
        return "damaged"
    return "ready"


def check(folder: Path) -> str:
    """Make sure that a folder holds a model that may be opened.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
        Its ``model_type``, a key of `rsam_core.models.hub.catalog.KINDS`.

    Raises
    ------
    ModelError
        If files are missing, the weights are in a format that could run a program, or the model
        is of a kind that RSAM does not know.
    """
    config = read_config(folder)
    kind = str(config.get("model_type", ""))
    if kind not in KINDS:
        known = ", ".join(sorted({one.split("_video")[0] for one in KINDS}))
        raise ModelError(
            f"The folder {folder} holds a model of the kind “{kind[:40]}”, which RSAM cannot use. "
            f"It can use: {known}."
        )
    if _names_another(config):
        raise ModelError(
            f"The description of the model in {folder} names another model, from which a part of "
            "it is to be taken. RSAM reads nothing but the folder itself. Get the model with all "
            "its parts (its config.json has an entry “backbone_config”)."
        )
    files = weight_files(folder)
    if not files:
        unsafe = next((p.name for p in _visible(folder) if p.suffix in _UNSAFE), None)
        if unsafe is not None:
            raise ModelError(
                f"The weights in {folder} are in the file {unsafe}. A file of that format can run "
                "a program when it is opened, so RSAM does not open it. Get the model's file "
                "model.safetensors instead and put it there."
            )
        raise ModelError(
            f"The folder {folder} has no weights. Put the model's file model.safetensors there, "
            "beside config.json."
        )
    missing = _missing_parts(folder)
    if missing:
        raise ModelError(
            f"The folder {folder} lacks the file {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + ". Copy all files of the model, or download it again on the Models page."
        )
    for path in files:
        _check_header(path)
    return kind


def _names_another(config: Any, depth: int = 0) -> bool:
    """Whether a description, or a part of it, names another model that would be fetched."""
    if depth > _DEEPEST:
        return True
    if isinstance(config, dict):
        named = config.get("backbone")
        if isinstance(named, str) and named and not isinstance(config.get("backbone_config"), dict):
            return True
        return any(_names_another(value, depth + 1) for value in config.values())
    return isinstance(config, list) and any(_names_another(v, depth + 1) for v in config)


def read_config(folder: Path) -> dict[str, Any]:
    """The ``config.json`` of a folder.

    Raises
    ------
    ModelError
        If it is missing or no JSON object.
    """
    path = folder / CONFIG
    try:
        if path.stat().st_size > _MAX_CONFIG:
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError
    except FileNotFoundError as error:
        raise ModelError(
            f"The folder {folder} has no file {CONFIG}. Copy all files of the model there."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The file {path} cannot be read as a model's description. Copy it again."
        ) from error
    return content


def found() -> tuple[HubInfo, ...]:
    """Models in folders of the models folder that are not in the list of the hub.

    Returns
    -------
    tuple of HubInfo
        By name. A folder that is no model of a known kind is left out.
    """
    infos = []
    for folder in _own_folders():
        try:
            infos.append(_described(folder, check(folder)))
        except ModelError:
            continue
    return tuple(infos)


def refused() -> dict[str, str]:
    """Folders with a description that cannot be used: their names, and why."""
    reasons = {}
    for folder in _own_folders():
        try:
            check(folder)
        except ModelError as error:
            reasons[folder.name] = str(error)
    return reasons


def _own_folders() -> list[Path]:
    """Folders of the models folder that look like models and are not in the list of the hub."""
    own = {info.file for info in HUB}
    try:
        folders = sorted(p for p in models_folder().iterdir() if p.is_dir())
    except OSError:
        return []
    return [
        folder
        for folder in folders
        if folder.name not in own
        and not folder.name.startswith(".")
        and (folder / CONFIG).is_file()
    ]


def _described(folder: Path, kind: str) -> HubInfo:
    task = KINDS[kind][0]
    size = sum(path.stat().st_size for path in weight_files(folder))
    return HubInfo(
        name=folder.name,
        title=folder.name,
        family="hub",
        description={
            "prompts": "Outlines what you point at.",
            "words": "Finds what words name.",
            "names": "Says what finished objects are.",
        }[task],
        licence="as you got it",
        memory_mb=max(500, round(3 * size / 1e6)),
        file=folder.name,
        bytes=size,
        traits=WORDS if task == "words" else Traits(),
        task=task,
        group="Your own",
        needs=("timm",) if kind.startswith("edgetam") else (),
    )


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _missing_parts(folder: Path) -> list[str]:
    """Files that an index of several parts names and that are not there, beside the index."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return []
    try:
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return [index.name]

    def here(name: str) -> bool:
        # Only a bare name lies in the folder itself, on every system.
        return Path(name).name == name and "\\" not in name and (folder / name).is_file()

    return sorted(str(name) for name in named if not here(str(name)))


def _check_header(path: Path) -> None:
    """Make sure that a file is whole: its header says how long it must be."""
    try:
        found = path.stat()
        if not _is_whole(path, found.st_size, found.st_mtime_ns):
            raise ValueError
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The file {path} is damaged or not whole. Download the model again on the Models "
            "page, or copy the file anew."
        ) from error


@lru_cache(maxsize=256)
def _is_whole(path: Path, size: int, changed: int) -> bool:
    """Whether a file of safetensors is as long as its header says; read again once it changes."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, 100_000_000):
                return False
            header = json.loads(file.read(length))
        ends = [
            entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return False
    return size == 8 + length + max(ends, default=0)
