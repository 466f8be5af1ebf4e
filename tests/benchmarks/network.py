"""What ILN costs in ONNX Runtime: the exported network with ILN beside the same with IN and with no norm at all.

    python tests/benchmarks/network.py -o docs/performance/network.json

Networks take turns in one thread of one process; ratios are of CPU time, turn by turn, figures are medians over turns.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch

from cardioseg.export.onnx_export import to_onnx
from cardioseg.network.unet import UNet

CLASSES = 4
NORMS = ("none", "in", "iln")
SHAPES = ((1, 128), (2, 128), (8, 128), (1, 256))  # images, pixels in height and width


def session(norm: str) -> Any:
    """The exported network, in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    network = UNet(CLASSES, norm, torch.Generator().manual_seed(0))
    return onnxruntime.InferenceSession(to_onnx([network]), options, providers=["CPUExecutionProvider"])


def measure(images: int, pixels: int, turns: int) -> dict[str, Any]:
    """Milliseconds an image, and the ratio to the network without a norm."""
    batch = np.random.default_rng(0).random((images, 1, pixels, pixels), np.float32)
    sessions = {norm: session(norm) for norm in NORMS}
    for one in sessions.values():
        one.run(None, {"image": batch})
    times = [{norm: _seconds(one, batch) for norm, one in sessions.items()} for _ in range(turns)]
    return {
        norm: {
            "wall_ms": 1000 * median(turn[norm][0] for turn in times) / images,
            "cpu_ms": 1000 * median(turn[norm][1] for turn in times) / images,
            "ratio": median(turn[norm][1] / turn["none"][1] for turn in times),
        }
        for norm in NORMS
    }


def _seconds(one: Any, batch: np.ndarray) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    one.run(None, {"image": batch})
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--turns", type=int, default=25)
    options = parser.parse_args()
    rows = []
    for images, pixels in SHAPES:
        rows.append({"images": images, "pixels": pixels, "norms": measure(images, pixels, options.turns)})
        for norm, figures in rows[-1]["norms"].items():
            cost = f"{figures['cpu_ms']:.1f} ms CPU, {figures['wall_ms']:.1f} ms wall, {figures['ratio']:.3f} x none"
            print(f"{images} of {pixels} x {pixels}, {norm}: {cost}", flush=True)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"onnxruntime": onnxruntime.__version__, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
