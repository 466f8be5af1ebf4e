"""How long `cardioseg evaluate` takes for N volumes, beside DeepMind's surface-distance on the same volumes.

    python tests/benchmarks/evaluation.py PREDICTED REFERENCE -o evaluation.json
    python tests/benchmarks/evaluation.py RUN DATASET -o evaluation.json      # of `train`: predicts first, timed apart
    python tests/benchmarks/evaluation.py --volumes 160 -o evaluation.json    # phantoms, predictions a little off

What is timed, in turn, as often as asked, each on one thread:

- `evaluate`: the whole command in a process of its own: start, files, overlaps and distances in 2D and 3D, bootstraps,
  tables, CSV, JSON, HTML;
- `surface-distance`: DeepMind's distances, HD95 and average distance in 3D, masks in memory, nothing else;
- `distances`: ours of the same masks, likewise in 3D with nothing else.

Wall time means something on a quiet machine only; CPU time and the ratios nearly always.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import surface_distance

from cardioseg.dataset.run_folder import RunFolder
from cardioseg.evaluation.pairing import Pair, find_pairs
from cardioseg.evaluation.references import find_references
from cardioseg.files import write_json
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.measure.distance import distances
from cardioseg.phantom import Phantom, reference
from cardioseg.results.mask_files import find_masks
from cardioseg.skipped import Skipped

BOUND_S = 60.0  # of `evaluate` for 160 volumes with masks ready, on two cores
BOUND_VOLUMES = 160
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PERCENTILE = 95

Masks = list[tuple[Any, Any, tuple[float, ...]]]  # reference, predicted, spacing_mm


@dataclass
class Timing:
    """Seconds of each repetition."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Time a block, its finished child processes included."""
        wall, cpu = time.perf_counter(), _cpu_s()
        yield
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s.append(_cpu_s() - cpu)

    def summary(self) -> dict[str, Any]:
        return {
            "wall_s": {"median": median(self.wall_s), "all": self.wall_s},
            "cpu_s": {"median": median(self.cpu_s), "all": self.cpu_s},
        }


def main() -> None:
    arguments = _arguments()
    os.environ.update(ONE_THREAD)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        timings: dict[str, Timing] = {}
        predicted, expected, source = _material(arguments, work, timings)
        masks, volumes = _masks(predicted, expected)
        arms: dict[str, Callable[[], object]] = {
            "evaluate": lambda: _evaluate(predicted, expected, work / "out"),
            "surface-distance": lambda: _theirs(masks),
            "distances": lambda: _ours(masks),
        }
        for repetition in range(arguments.repeats):
            for name, arm in arms.items():
                with timings.setdefault(name, Timing()).run():
                    arm()
                print(f"{repetition + 1}/{arguments.repeats} {name}: {timings[name].wall_s[-1]:.1f} s", file=sys.stderr)
    document = _document(source, volumes, len(masks), timings)
    print(_table(document))
    if arguments.out:
        write_json(arguments.out, document)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="PREDICTED REFERENCE")
    parser.add_argument("--volumes", type=int, default=BOUND_VOLUMES, help="how many, without folders")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, help="gets the figures as JSON")
    arguments = parser.parse_args()
    if len(arguments.folders) not in {0, 2}:
        parser.error("give PREDICTED and REFERENCE, or neither")
    return arguments


def _material(arguments: argparse.Namespace, work: Path, timings: dict[str, Timing]) -> tuple[Path, Path, str]:
    """Where masks and references lie, and what they are."""
    if not arguments.folders:
        _write_phantoms(work, arguments.volumes)
        return work / "predicted", work / "reference", "phantoms"
    predicted, expected = arguments.folders
    if not RunFolder(predicted).is_run:
        return predicted, expected, "masks"
    with timings.setdefault("predict", Timing()).run():
        _predict_run(predicted, expected, work / "predicted")
    return work / "predicted", expected, "cross validation"


def _write_phantoms(folder: Path, count: int) -> None:
    """ED and ES of hearts of several sizes; predictions are a pixel too low and lack a slice."""
    for number in range((count + 1) // 2):
        radius_mm = 22.0 + number % 9
        mask = reference(Phantom(slices=10, phases=5, rows=216, columns=256, seed=number, lv_radius_mm=radius_mm))
        sizes = (mask.voxels == Label.LV_CAVITY).sum(axis=(1, 2, 3))
        for name, phase in (("ed", int(sizes.argmax())), ("es", int(sizes.argmin()))):
            moved = np.roll(mask.voxels[phase], 1, axis=1)
            moved[1] = 0
            file = f"p{number:03d}_{name}.nii.gz"
            write_volume(folder / "reference" / file, Volume(mask.voxels[phase], mask.grid))
            write_volume(folder / "predicted" / file, Volume(moved, mask.grid))


def _predict_run(folder: Path, reference_folder: Path, out: Path) -> None:
    """The masks of a cross validation, each fold's network on its validation subjects, as `evaluate RUN` makes them."""
    from cardioseg.cross_validation.held_out import predict_held_out
    from cardioseg.dataset.store import open_dataset
    from cardioseg.dataset.training_run import read_run
    from cardioseg.inference.session import open_model

    dataset = open_dataset(reference_folder)
    run = read_run(folder, dataset)
    for fold in run.folds:
        model = open_model(folder / f"fold-{fold.index}" / "model", threads=1)
        held_out = map(dataset.subject, fold.validation)
        for volume, mask in chain.from_iterable(predict_held_out(run, subject, model) for subject in held_out):
            write_volume(out / f"{volume.case_ids[0]}.nii.gz", Volume(mask, volume.grid_or_nominal()))


def _masks(predicted: Path, expected: Path) -> tuple[Masks, int]:
    """Every structure of every pair that is empty on neither side, and the number of pairs."""
    folder = find_masks(predicted)
    read = (source.read() for source in find_references(expected) if not isinstance(source, Skipped))
    subjects = [subject for subject in read if not isinstance(subject, Skipped)]
    pairs = [one for subject in subjects for one in find_pairs(subject, folder) if isinstance(one, Pair)]
    found: Masks = []
    for one in pairs:
        spacing_mm = one.reference.spacing_mm
        if spacing_mm is None:
            sys.exit(f"{one.case_id} has no spacing: nothing to measure in mm")
        sides = ((one.reference.mask == label, one.predicted == label) for label in STRUCTURES)
        found += [(*both, spacing_mm) for both in sides if both[0].any() and both[1].any()]
    return found, len(pairs)


def _evaluate(predicted: Path, expected: Path, out: Path) -> None:
    command = [sys.executable, "-m", "cardioseg", "evaluate", str(predicted), str(expected), "-o", str(out), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 3}:
        sys.exit(done.stderr)


def _theirs(masks: Masks) -> list[tuple[float, tuple[float, float]]]:
    found = []
    for expected, predicted, spacing_mm in masks:
        apart = surface_distance.compute_surface_distances(expected, predicted, spacing_mm)
        hd95_mm = surface_distance.compute_robust_hausdorff(apart, _PERCENTILE)
        found.append((hd95_mm, surface_distance.compute_average_surface_distance(apart)))
    return found


def _ours(masks: Masks) -> list[object]:
    return [distances(*one) for one in masks]


def _document(source: str, volumes: int, structures: int, timings: dict[str, Timing]) -> dict[str, Any]:
    figures = {name: timing.summary() for name, timing in timings.items()}
    return {
        "what": source,
        "volumes": volumes,
        "structures": structures,
        "bound_s": BOUND_S * volumes / BOUND_VOLUMES,
        "threads": 1,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("cardioseg", "numpy", "scipy", "surface-distance")},
        "timings": figures,
        "ratios": {
            f"{first} / {second}": {
                kind: figures[first][kind]["median"] / figures[second][kind]["median"] for kind in ("wall_s", "cpu_s")
            }
            for first, second in (("evaluate", "surface-distance"), ("distances", "surface-distance"))
        },
    }


def _table(document: dict[str, Any]) -> str:
    lines = [f"{document['volumes']} volumes ({document['what']}), bound {document['bound_s']:.0f} s of wall time"]
    rows: Sequence[tuple[str, dict[str, Any]]] = list(document["timings"].items())
    lines += [
        f"{name:32} {one['wall_s']['median']:8.2f} s wall {one['cpu_s']['median']:8.2f} s CPU" for name, one in rows
    ]
    lines += [
        f"{name:32} {one['wall_s']:8.2f} x wall {one['cpu_s']:8.2f} x CPU" for name, one in document["ratios"].items()
    ]
    return "\n".join(lines)


def _cpu_s() -> float:
    """CPU seconds of this process and of its finished children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    main()
