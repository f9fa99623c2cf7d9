"""From a folder to a network of transformers with its weights; the only door to that package."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from rsam_core.errors import ModelError
from rsam_core.models.hub.catalog import KINDS, HubInfo
from rsam_core.models.hub.folders import check, folder_of
from rsam_core.models.info import ModelInfo

# What a folder names is never fetched: RSAM downloads models itself, when it is asked to.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

REQUIREMENTS = "requirements-models.txt"


def is_available(package: str = "transformers") -> bool:
    """Whether an optional package is installed; nothing is imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def require(info: HubInfo) -> None:
    """Make sure that the packages are there that a model needs.

    Raises
    ------
    ModelError
        If one is not; the message says how to install it.
    """
    missing = [name for name in ("transformers", *info.needs) if not is_available(name)]
    if missing:
        raise ModelError(
            f"{info.title} needs the package {' and '.join(missing)}, which is not installed. "
            f"Install it with “pip install -r {REQUIREMENTS}” in RSAM's folder."
        )


def best_device() -> torch.device:
    """The graphics card or Apple chip if PyTorch can use one, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def load(model: ModelInfo, device: str | torch.device | None = None) -> Any:
    """Load a model of the hub from its folder.

    Parameters
    ----------
    model : HubInfo
    device : str or torch.device, optional
        By default the best there is.

    Returns
    -------
    HubModel, TextModel or ClipNamer
        By its task.

    Raises
    ------
    ModelError
        If it is not installed, a package is missing, or the folder does not hold it whole.
    """
    info = model
    if not isinstance(info, HubInfo):
        raise ModelError(f"{info.title} is of the unknown kind “{info.family}”.")
    require(info)
    folder = folder_of(info)
    if not folder.is_dir():
        raise ModelError(
            f"{info.title} is not installed. Open the Models page and download it, or put its "
            f"files into the folder {folder}."
        )
    kind = check(folder)
    task = KINDS[kind][0]
    if task != info.task:
        raise ModelError(
            f"The folder {folder} holds another model than {info.title}. Delete it and download "
            "the model again on the Models page."
        )
    target = torch.device(device) if device is not None else best_device()
    network = read_network(folder, kind).to(target)
    if task == "prompts":
        from rsam_core.models.hub.promptable import HubModel

        return HubModel(network, image_processor(folder, kind, network), info.name)
    if task == "names":
        from rsam_core.models.hub.naming import ClipNamer

        return ClipNamer(network, processor(folder, kind), info.name)
    from rsam_core.models.hub.text import text_model

    return text_model(network, processor(folder, kind), info.name)


def read_network(folder: Path, kind: str) -> Any:
    """The network in a checked folder, in evaluation mode, 32-bit, on the processor.

    Raises
    ------
    ModelError
        If the weights do not fit, or there is too little memory.
    """
    import transformers

    name = KINDS[kind][1]
    network_class = getattr(transformers, name, None)
    if network_class is None:
        raise ModelError(
            f"The installed package transformers is too old for this model ({name}). Install it "
            f"again with “pip install -r {REQUIREMENTS}” in RSAM's folder."
        )
    with _quiet():
        try:
            network, report = network_class.from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except (MemoryError, RuntimeError) as error:
            if "alloc" in str(error).lower() or isinstance(error, MemoryError):
                raise ModelError(
                    f"The model in {folder} needs more memory than this computer has free. Close "
                    "other programs or choose a smaller model."
                ) from error
            raise _unfit(folder) from error
        except Exception as error:  # the reader raises whatever a wrong description leads to
            logging.getLogger(__name__).info("cannot load %s", folder, exc_info=True)
            raise _unfit(folder) from error
    lacking = len(report["missing_keys"]) + len(report["mismatched_keys"])
    if lacking:
        example = next(iter([*report["missing_keys"], *report["mismatched_keys"]]))
        example = example if isinstance(example, str) else str(example[0])
        raise ModelError(
            f"The weights in {folder} do not fit its description: {lacking} are missing or of "
            f"another size (for example {example[:80]}). Copy all files of the model again, or "
            "download it on the Models page."
        )
    return network.eval().requires_grad_(False)


def image_processor(folder: Path, kind: str, network: Any) -> Any:
    """What turns a picture into the input of a promptable network.

    Means and deviations come from the folder if it names them; the size is the network's.
    """
    import transformers

    padded = kind in ("sam", "sam_hq")
    if padded:
        processor_class = transformers.SamImageProcessor
    elif kind.startswith("sam3"):
        processor_class = transformers.Sam3ImageProcessor
    else:
        processor_class = transformers.Sam2ImageProcessor
    side = int(network.prompt_encoder.input_image_size)
    square = {"height": side, "width": side}
    sizes = {"size": {"longest_edge": side}, "pad_size": square} if padded else {"size": square}
    with _quiet():
        try:
            return processor_class.from_pretrained(str(folder), local_files_only=True, **sizes)
        except (OSError, ValueError, TypeError, KeyError):
            # Many folders do without that file; then it is as published.
            return processor_class(**sizes)


def processor(folder: Path, kind: str) -> Any:
    """What turns pictures and words into the input of a model of words.

    Raises
    ------
    ModelError
        If the folder lacks what splits words into tokens.
    """
    import transformers

    classes = {
        "sam3": "Sam3Processor",
        "sam3_video": "Sam3Processor",
        "grounding-dino": "GroundingDinoProcessor",
        "clipseg": "CLIPSegProcessor",
        "clip": "CLIPProcessor",
    }
    with _quiet():
        try:
            return getattr(transformers, classes[kind]).from_pretrained(
                str(folder), local_files_only=True
            )
        except Exception as error:  # as for the network
            logging.getLogger(__name__).info("cannot load %s", folder, exc_info=True)
            raise ModelError(
                f"The folder {folder} lacks files that turn words into numbers (tokenizer.json, or "
                "vocab.json and merges.txt), or they are damaged. Copy all files of the model "
                "again, or download it on the Models page."
            ) from error


def _unfit(folder: Path) -> ModelError:
    return ModelError(
        f"The model in {folder} cannot be read: its files are damaged or belong to another model. "
        "Copy all files of the model again, or download it on the Models page."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no warnings of the package in the log of the app."""
    from transformers.utils import logging as spoken

    before, bars = spoken.get_verbosity(), spoken.is_progress_bar_enabled()
    spoken.set_verbosity_error()
    spoken.disable_progress_bar()
    try:
        yield
    finally:
        spoken.set_verbosity(before)
        if bars:
            spoken.enable_progress_bar()
