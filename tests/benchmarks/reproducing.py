"""How fast `reproduce --workers 2` trains, beside another build, and what a step at batch 1 consists of.

    git worktree add /tmp/before 3408b25
    python tests/benchmarks/reproducing.py --before /tmp/before -o docs/performance/reproducing.json

Both builds take turns with a short and a long run each; the cost of a step is that of the difference, so that start,
scoring and tables do not count. The ratio is of CPU time. The bare step is set beside what its multiplications would
take in a large matrix product on one thread.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from training import Times, fit_and_bare

from cardioseg.network.unet import UNet
from cardioseg.phantom import Phantom, write_sunnybrook
from cardioseg.training.optimization import Optimization
from cardioseg.training.recipe import Recipe, read_recipe
from cardioseg.training.step import step_of

ROOT = Path(__file__).parents[2]
PIXELS, SPACING_MM = 128, 2.734  # what every build knows: half of the paper's pixels
SUBJECTS, ANGLES = 6, 61
SHORT, LONG = 20, 220  # steps a job
WORKERS = 2
MATRIX = 1024


def cost_of_a_step(build: Path, dataset: Path) -> Times:
    """Wall and CPU time of a step in `reproduce` with as many workers as jobs."""
    (few, *short), (many, *long) = (timed(build, dataset, steps) for steps in (SHORT, LONG))
    wall, cpu = ((after - before) / (many - few) for before, after in zip(short, long, strict=True))
    return wall, cpu


def timed(build: Path, dataset: Path, steps: int) -> tuple[int, float, float]:
    """Steps of all jobs together, wall and CPU time of the whole command."""
    manifest = json.loads((dataset / "dataset.json").read_text())
    images = sum(v["annotated_slices"] for s in manifest["subjects"] for v in s["volumes"]) / SUBJECTS
    trained = images * (SUBJECTS // 2 - 1)  # of two folds, without the subject that chooses the rate
    fraction = (steps / 2 + 0.5) / (trained * ANGLES)
    with tempfile.TemporaryDirectory() as out:
        command = f"reproduce {dataset} --organ lv -o {out} --tables 2 --lrs 0.1 --folds 2 --fold 0 -d cpu -q".split()
        command += f"--spacing-mm {SPACING_MM} --steps-fraction {fraction} --workers {WORKERS}".split()
        command += ["--threads", str(WORKERS)]
        wall, cpu = time.perf_counter(), _cpu_s_of_children()
        _run(build, command)
        wall, cpu = time.perf_counter() - wall, _cpu_s_of_children() - cpu
        with (Path(out) / "jobs.csv").open(newline="") as file:
            return sum(int(row["steps"]) for row in csv.DictReader(file)), wall, cpu


def _run(build: Path, command: list[str]) -> None:
    """A command of a build: Python takes packages from where it is started before those that are installed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "cardioseg", *command], cwd=build, env=environment, check=True)


def _cpu_s_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def builds(before: Path, turns: int) -> dict[str, Any]:
    """This build and another one, turn by turn."""
    with tempfile.TemporaryDirectory() as folder:
        size = {"slices": 6, "phases": 8, "rows": 128, "columns": 128, "spacing_mm": (10.0, 2.8, 2.8)}
        write_sunnybrook([Phantom(seed=seed, **size) for seed in range(SUBJECTS)], Path(folder) / "labelled")
        dataset = Path(folder) / "dataset"
        _run(ROOT, ["ingest", str(Path(folder) / "labelled"), "-o", str(dataset), "-q"])
        times = [[cost_of_a_step(build, dataset) for build in (before, ROOT)] for _ in range(turns)]
    commit = subprocess.run(["git", "-C", before, "rev-parse", "--short", "HEAD"], capture_output=True, check=True)
    return {
        "before": commit.stdout.decode().strip(),
        "before_steps_per_s": 1 / median(old[0] for old, _ in times),
        "steps_per_s": 1 / median(new[0] for _, new in times),
        "ratio": median(old[1] / new[1] for old, new in times),
        "turns": turns,
    }


def paper_recipe() -> Recipe:
    """The paper's, on the central pixels."""
    document = read_recipe("paper_lv").model_dump()
    document["preprocessing"]["window"] = PIXELS
    return Recipe.model_validate(document)


def beside_the_bare_step(steps: int, turns: int) -> float:
    """The share of `fit`'s CPU time, 0 to 1, that is not the bare step."""
    with tempfile.TemporaryDirectory() as folder:
        times = [fit_and_bare(paper_recipe(), steps, Path(folder) / str(turn), "cpu") for turn in range(turns + 1)][1:]
    return median(1 - bare[1] / whole[1] for whole, bare in times)


def bare_step(turns: int) -> dict[str, float]:
    """A step's CPU time beside that of its multiplications in a large matrix product, in turns."""
    step = step_of(UNet(2, "iln").train(), Optimization())
    batch = torch.rand(1, 1, PIXELS, PIXELS), torch.zeros(1, PIXELS, PIXELS, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        step(*batch, 0.01)
    square = torch.rand(MATRIX, MATRIX)
    times = [(_cpu_s(lambda: step(*batch, 0.01)), _cpu_s(lambda: square @ square)) for _ in range(turns)]
    flop_per_s = [2 * MATRIX**3 / product for _, product in times]
    floors = [counter.get_total_flops() / speed for speed in flop_per_s]
    return {
        "cpu_s": median(whole for whole, _ in times),
        "gflop": counter.get_total_flops() / 1e9,
        "gflop_per_s_of_products": median(flop_per_s) / 1e9,
        "share_of_product_speed": median(floor / whole for floor, (whole, _) in zip(floors, times, strict=True)),
    }


def _cpu_s(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="a checkout of the other build")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {
        "torch": torch.__version__,
        "pixels": PIXELS,
        "workers": WORKERS,
        "step": bare_step(10 * options.turns),
        "beside_the_bare_step": beside_the_bare_step(150, options.turns),
        "builds": builds(options.before.resolve(), options.turns),
    }
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
