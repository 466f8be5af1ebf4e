"""What a training step costs: ILN beside torch's InstanceNorm2d, and `fit` beside the bare step.

    python tests/benchmarks/training.py -o docs/performance/training.json

Networks take turns within one process, so the machine's mood cancels in the ratios; figures are medians over turns.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cardioseg.dataset.augment import Augmentation
from cardioseg.dataset.slices import Slices
from cardioseg.network.unet import Convolution, UNet
from cardioseg.training.fit import Job, fit
from cardioseg.training.memory import keep_freed
from cardioseg.training.optimization import Optimization, loss, optimizer
from cardioseg.training.recipe import Recipe, read_recipe

CLASSES = 4
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


def step_of(norm: str, batch: int, pixels: int) -> Callable[[], None]:
    """One training step: forward, backward, update."""
    settings = Optimization()
    trained = network(norm)
    weights = optimizer(settings, trained.parameters())
    image, target = torch.rand(batch, 1, pixels, pixels), torch.randint(0, CLASSES, (batch, pixels, pixels))

    def step() -> None:
        value = loss(settings, trained(image), target)
        weights.zero_grad()
        value.backward()
        weights.step()

    return step


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU time of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def norms(batch: int, pixels: int, turns: int) -> dict[str, Any]:
    """Every norm's step; ratios to torch's InstanceNorm2d are of CPU time, turn by turn."""
    steps = {norm: step_of(norm, batch, pixels) for norm in NETWORKS}
    for step in steps.values():
        step()
    times = [{norm: seconds(step) for norm, step in steps.items()} for _ in range(turns)]
    return {
        norm: {
            "wall_s": median(turn[norm][0] for turn in times),
            "cpu_s": median(turn[norm][1] for turn in times),
            "ratio": median(turn[norm][1] / turn[REFERENCE][1] for turn in times),
        }
        for norm in NETWORKS
    }


def throughput(steps: int, turns: int) -> dict[str, float]:
    """Images a second of `fit` with the recipe sax, augmentation and logs included, beside the same steps bare."""
    recipe = read_recipe("sax")
    with tempfile.TemporaryDirectory() as folder:
        times = [_turn(recipe, steps, Path(folder) / str(turn)) for turn in range(turns + 1)][1:]
    images = steps * recipe.optimization.batch_size
    return {
        "images_per_s": images / median(whole[0] for whole, _ in times),
        "bare_images_per_s": images / median(bare[0] for _, bare in times),
        "share": median(bare[1] / whole[1] for whole, bare in times),
    }


def _turn(recipe: Recipe, steps: int, folder: Path) -> tuple[tuple[float, float], tuple[float, float]]:
    slices = _slices(recipe.preprocessing.window or recipe.size, recipe.size)
    job = _job(recipe, slices, steps, folder)
    epoch = job.epoch(0)
    batches = [epoch.batch(pairs) for pairs in islice(epoch.order(), steps)]
    trained = UNet(len(recipe.labels) + 1, recipe.norm)
    weights = optimizer(recipe.optimization, trained.parameters())

    def bare() -> None:
        for image, target in batches:
            _step(recipe, trained, weights, image, target)

    return seconds(lambda: _fit(job)), seconds(bare)


def _step(recipe: Recipe, trained: UNet, weights: torch.optim.Optimizer, image: Tensor, target: Tensor) -> None:
    value = loss(recipe.optimization, trained(image), target)
    weights.zero_grad()
    value.backward()
    weights.step()


def _fit(job: Job) -> None:
    fit(job, lambda _: None)


def _job(recipe: Recipe, slices: Slices, steps: int, folder: Path) -> Job:
    pairs = len(slices) * len(recipe.augmentation.angles.degrees)
    part = (steps + 0.5) * recipe.optimization.batch_size / pairs
    augmentation = Augmentation(**recipe.augmentation.model_dump() | {"grid_fraction": part})
    once = recipe.optimization.model_copy(update={"epochs": 1})
    job = Job(recipe.model_copy(update={"augmentation": augmentation, "optimization": once}), slices, folder)
    if job.steps != steps:
        raise ValueError(f"{job.steps} steps, not {steps}")
    return job


def _slices(window: int, size: int) -> Slices:
    torch.manual_seed(0)
    n = 32
    closer = Slices(torch.rand(n, size, size), torch.randint(0, 4, (n, size, size), dtype=torch.uint8))
    whole = torch.rand(n, window, window), torch.randint(0, 4, (n, window, window), dtype=torch.uint8)
    return Slices(*whole, closer=closer, hearts=np.zeros((n, 2)))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed()  # as `fit` does
    result: dict[str, Any] = {"threads": options.threads, "torch": torch.__version__, "pixels": 256, "norms": {}}
    for batch in (1, 8):
        result["norms"][batch] = norms(batch, result["pixels"], options.turns)
        for norm, figures in result["norms"][batch].items():
            print(f"batch {batch}, {norm}: {figures['wall_s'] * 1e3:.0f} ms, {figures['ratio']:.3f} x {REFERENCE}")
    result["throughput"] = throughput(40, 3)
    print(" ".join(f"{name} {value:.3f}" for name, value in result["throughput"].items()))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
