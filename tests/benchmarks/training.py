"""What a training step costs: ILN beside torch's InstanceNorm2d, and `fit` beside the bare step.

    python tests/benchmarks/training.py -o docs/performance/training.json
    python tests/benchmarks/training.py --device cuda -o docs/performance/training_gpu.json

Networks take turns within one process, so the machine's mood cancels in the ratios, which are of CPU time, on a GPU of
wall time; figures are medians over turns.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from cardioseg.dataset.augmentation import Augmentation
from cardioseg.dataset.slices import Slices
from cardioseg.image.window import Window
from cardioseg.network.unet import Convolution, UNet
from cardioseg.training.fit import Job, fit
from cardioseg.training.optimization import Optimization
from cardioseg.training.recipe import Recipe, read_recipe
from cardioseg.training.step import step_of

CLASSES = 4
IMAGES = 32
NETWORKS = ("none", "torch's InstanceNorm2d", "in", "iln")
REFERENCE = NETWORKS[1]


def network(norm: str) -> UNet:
    """The project's U-Net with one of its norms, or with torch's."""
    if norm != REFERENCE:
        return UNet(CLASSES, norm, torch.Generator().manual_seed(0))
    built = UNet(CLASSES, "none", torch.Generator().manual_seed(0))
    for layer in built.modules():
        if isinstance(layer, Convolution):
            layer[1] = nn.InstanceNorm2d(layer[0].out_channels, affine=True)
    return built


def one_step(norm: str, batch: int, pixels: int, device: str) -> Callable[[], object]:
    """One training step as `fit` makes it: forward, backward, update."""
    step = step_of(network(norm).to(device).train(), Optimization())
    image = torch.rand(batch, 1, pixels, pixels, device=device)
    target = torch.randint(0, CLASSES, (batch, pixels, pixels), device=device)
    return lambda: step(image, target, 0.01)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time of one call, and of what it left a GPU to do."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def norms(batch: int, pixels: int, turns: int, device: str) -> dict[str, Any]:
    """Every norm's step; ratios to torch's InstanceNorm2d, turn by turn."""
    steps = {norm: one_step(norm, batch, pixels, device) for norm in NETWORKS}
    for step, _ in product(steps.values(), range(1 if device == "cpu" else 6)):
        step()
    times = [{norm: seconds(step) for norm, step in steps.items()} for _ in range(turns)]
    clock = int(device == "cpu")
    return {
        norm: {
            "wall_s": median(turn[norm][0] for turn in times),
            "cpu_s": median(turn[norm][1] for turn in times),
            "ratio": median(turn[norm][clock] / turn[REFERENCE][clock] for turn in times),
        }
        for norm in NETWORKS
    }


def throughput(steps: int, turns: int, device: str) -> dict[str, float]:
    """Images a second of `fit` with the recipe sax, augmentation and logs included, beside the same steps bare."""
    recipe = read_recipe("sax")
    with tempfile.TemporaryDirectory() as folder:
        times = [fit_and_bare(recipe, steps, Path(folder) / str(turn), device) for turn in range(turns + 1)][1:]
    images = steps * recipe.optimization.batch_size
    return {
        "images_per_s": images / median(whole[0] for whole, _ in times),
        "bare_images_per_s": images / median(bare[0] for _, bare in times),
        "share": median(bare[1] / whole[1] for whole, bare in times),
    }


Times = tuple[float, float]


def fit_and_bare(recipe: Recipe, steps: int, folder: Path, device: str) -> tuple[Times, Times]:
    """Wall and CPU time of `fit` over some steps, and of the same steps bare."""
    slices = _slices(recipe).to(device)
    job = _job(recipe, slices, steps, folder, device)
    epoch = job.epoch(0)
    batches = [epoch.batch(pairs) for pairs in islice(epoch.order(), steps)]
    step = step_of(UNet(len(recipe.labels) + 1, recipe.norm).to(device).train(), recipe.optimization)
    step(*batches[0], 0.0)

    def bare() -> None:
        for batch in batches:
            step(*batch, 0.001)

    return seconds(lambda: _fit(job)), seconds(bare)


def _fit(job: Job) -> None:
    fit(job, lambda _: None)


def _job(recipe: Recipe, slices: Slices, steps: int, folder: Path, device: str) -> Job:
    pairs = len(slices) * len(recipe.augmentation.angles.degrees)
    part = (steps + 0.5) * recipe.optimization.batch_size / pairs
    augmentation = Augmentation(**recipe.augmentation.model_dump() | {"grid_fraction": part})
    once = recipe.optimization.model_copy(update={"epochs": 1})
    job = Job(
        recipe.model_copy(update={"augmentation": augmentation, "optimization": once}), slices, folder, device=device
    )
    if job.steps != steps:
        raise ValueError(f"{job.steps} steps, not {steps}")
    return job


def _slices(recipe: Recipe) -> Slices:
    torch.manual_seed(0)
    slices, window = _random_slices(recipe.size), recipe.preprocessing.window
    if not window:
        return slices
    coarse = _random_slices(window) if recipe.preprocessing.locate_mm else None
    return replace(slices, windows=(Window(window),) * IMAGES, coarse=coarse)


def _random_slices(size: int) -> Slices:
    return Slices(torch.rand(IMAGES, size, size), torch.randint(0, 2, (IMAGES, size, size), dtype=torch.uint8))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    on = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    result: dict[str, Any] = {
        "threads": options.threads,
        "torch": torch.__version__,
        "pixels": 256,
        "on": on,
        "norms": {},
    }
    for batch in (1, 8):
        result["norms"][batch] = norms(batch, result["pixels"], options.turns, options.device)
        for norm, figures in result["norms"][batch].items():
            print(f"batch {batch}, {norm}: {figures['wall_s'] * 1e3:.0f} ms, {figures['ratio']:.3f} x {REFERENCE}")
    result["throughput"] = throughput(12 if on == "CPU" else 200, 3, options.device)
    print(" ".join(f"{name} {value:.3f}" for name, value in result["throughput"].items()))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
