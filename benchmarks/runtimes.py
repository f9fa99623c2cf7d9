"""Would another runtime pay? ``python -m benchmarks.runtimes --folder DIR``.

The encoder of rsam-tiny on a view of 1024 × 1024 pixels and SAM's ViT-B encoder with random
weights, by RSAM as it is, and by ONNX Runtime and OpenVINO where they are installed in DIR
(``pip install --target DIR --no-deps onnx onnx-ir onnxscript onnxruntime openvino ml_dtypes``).
Medians, on the same image in one process; the largest difference of the results is told, too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import rsam_core as rsam
from benchmarks.everything_official import random_vit
from rsam_core.models.sam.encoder import FastEncoder

Encode = Callable[[Tensor], list[np.ndarray]]


class TinyEncoder(nn.Module):
    """The encoder of rsam-tiny with a plain tuple of maps as its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.network = rsam.load_model("rsam-tiny").network

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """RGB of 0 to 255, (1, 3, H, W), to the four maps."""
        maps = self.network.encode(pixels)
        return maps.features, maps.image, maps.key, maps.skip


def by_torch(module: Callable[[Tensor], Any]) -> Encode:
    """As RSAM computes."""

    def encode(pixels: Tensor) -> list[np.ndarray]:
        with torch.inference_mode():
            answer = module(pixels.contiguous(memory_format=torch.channels_last))
        return [part.numpy() for part in (answer if isinstance(answer, tuple) else (answer,))]

    return encode


def by_onnxruntime(module: nn.Module, pixels: Tensor, threads: int) -> Encode:
    """Exported to ONNX and run by ONNX Runtime."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "encoder.onnx")
        torch.onnx.export(module, (pixels,), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels.numpy()})


def by_openvino(module: nn.Module, pixels: Tensor, threads: int) -> Encode:
    """Converted and run by OpenVINO, in single precision."""
    import openvino

    model = openvino.convert_model(module, example_input=pixels, input=list(pixels.shape))
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(model, "CPU", settings)
    return lambda pixels: [np.array(part) for part in compiled([pixels.numpy()]).values()]


def median(encode: Encode, pixels: Tensor, repeats: int) -> tuple[float, list[np.ndarray]]:
    """Milliseconds, and the answer; once before that for what is made at the first call."""
    answer, times = encode(pixels), []
    for _ in range(repeats):
        began = time.perf_counter()
        answer = encode(pixels)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times)), answer


def compare(
    name: str, ours: Callable[[Tensor], Any], module: nn.Module, pixels: Tensor, args: Any
) -> list[dict[str, Any]]:
    """RSAM and each runtime on one encoder."""
    rows = []
    own, exact = median(by_torch(ours), pixels, args.repeats)
    rows.append({"encoder": name, "runtime": "RSAM", "ms": own, "times": 1.0, "difference": 0.0})
    for runtime, make in (("ONNX Runtime", by_onnxruntime), ("OpenVINO", by_openvino)):
        try:
            encode = make(module, pixels, args.threads)
        except ImportError as error:
            print(f"{runtime} is not there ({error})")
            continue
        spent, answer = median(encode, pixels, args.repeats)
        apart = max(float(np.abs(a - b).max()) for a, b in zip(exact, answer, strict=True))
        rows.append({"encoder": name, "runtime": runtime, "ms": spent,
                     "times": own / spent, "difference": apart})  # fmt: skip
    for row in rows:
        print(
            f"{row['encoder']:12s}{row['runtime']:14s}{row['ms']:9.0f} ms{row['times']:7.2f} ×"
            f"   largest difference {row['difference']:.1e}",
            flush=True,
        )
    return rows


def main() -> None:
    """Measure, print, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the other runtimes are installed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.folder:
        sys.path.append(str(args.folder))
    torch.set_num_threads(args.threads)
    pixels = torch.rand(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(0))
    tiny = TinyEncoder().eval()
    rows = compare("rsam-tiny", tiny, tiny, pixels * 255, args)
    sam = random_vit()
    rows += compare("ViT-B", FastEncoder(sam), sam.image_encoder, pixels - 0.5, args)
    if args.json:
        args.json.write_text(json.dumps({"rows": rows}, indent=2))


if __name__ == "__main__":
    main()
