"""Jobs: one network each (norm x learning rate x fold x seed), finished once, resumed wherever they were cut."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.dataset.folds import Fold, pixel_hashes, split, without_twins
from cardioseg.dataset.store import Dataset
from cardioseg.errors import NoInputError, UsageError
from cardioseg.files import sha256, write_json
from cardioseg.reproduce import samples
from cardioseg.reproduce.paper import Organ
from cardioseg.training.checkpoint import discard, newest, steps_done, weights_sha256
from cardioseg.training.crossval import network_of, slices_for
from cardioseg.training.fit import Job as Fitting
from cardioseg.training.fit import fit
from cardioseg.training.recipe import Recipe, check_recipe, read_recipe
from cardioseg.training.validation import SliceScore, validate

RESULT_FILE, STARTED_FILE = "result.json", "started.json"
CHOOSING_SHARE = 0.1  # of the training subjects, kept out of training to choose the learning rate on


@dataclass(frozen=True)
class Job:
    """One network to train and test."""

    norm: str
    learning_rate: float
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """The job's folder."""
        return f"{self.norm}-lr{self.learning_rate:g}-fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Protocol:
    """What all jobs share.

    Attributes:
        dataset: a prepared dataset.
        organ: the task.
        folder: gets `jobs/<name>/`.
        folds: number of folds.
        steps_fraction: the part of the paper's rotation grid that is run, drawn at random.
        spacing_mm: in-plane spacing that the images are resampled to; None for the paper's.
        window: networks are trained and tested on this many central pixels in height and width; None for whole slices.
        device: a torch device name.
    """

    dataset: Dataset
    organ: Organ
    folder: Path
    folds: int = 3
    steps_fraction: float = 1.0
    spacing_mm: float | None = None
    window: int | None = None
    device: str = "cpu"

    def recipe(self, job: Job) -> Recipe:
        """The paper's recipe with the job's norm and learning rate."""
        document = read_recipe(self.organ.recipe).model_dump()
        document["norm"] = job.norm
        document["optimization"]["learning_rate"] = job.learning_rate
        document["augmentation"]["grid_fraction"] = self.steps_fraction
        if self.spacing_mm:
            document |= _resampled(document, self.spacing_mm)
        document["preprocessing"]["window"] = self.window
        return check_recipe(document, f"job {job.name}")

    def fold(self, job: Job) -> tuple[Fold, tuple[str, ...]]:
        """The job's fold, and the training subjects that choose the learning rate instead of training.

        Subjects whose images are in training under another name are not tested.
        """
        hashes = {subject.subject_id: pixel_hashes(subject) for subject in self.dataset.subjects()}
        fold = without_twins(split(self.dataset.subject_ids, self.folds, job.seed)[job.fold], hashes)
        drawn = np.random.default_rng([job.seed, job.fold]).permutation(fold.train)
        choosing = tuple(sorted(map(str, drawn[: max(1, round(CHOOSING_SHARE * len(drawn)))])))
        return fold, choosing

    def path(self, job: Job) -> Path:
        """The job's folder."""
        return self.folder / "jobs" / job.name


def _resampled(document: dict[str, Any], spacing_mm: float) -> dict[str, Any]:
    """The changed parts of a recipe for another spacing: the same field of view in pixels of that size."""
    preprocessing = document["preprocessing"]
    own_mm = preprocessing["spacing_mm"] or document["nominal_spacing_mm"]
    multiple = preprocessing["multiple"]
    size = max(1, round(document["size"] * own_mm / spacing_mm / multiple)) * multiple
    return {"size": size, "preprocessing": preprocessing | {"spacing_mm": spacing_mm}}


def plan(
    norms: Sequence[str], learning_rates: Sequence[float], folds: Sequence[int], seeds: Sequence[int]
) -> list[Job]:
    """Every combination, folds outermost: one fold of everything is worth more than everything of one norm."""
    return [Job(norm, rate, fold, seed) for seed, fold, norm, rate in product(seeds, folds, norms, learning_rates)]


def claim(protocol: Protocol) -> None:
    """Write `protocol.json` into the protocol's folder, or make sure that the jobs there follow the same.

    Raises:
        UsageError: they do not.
    """
    path = protocol.folder / "protocol.json"
    described = {
        "dataset_sha256": sha256(protocol.dataset.folder / "dataset.json"),
        "organ": protocol.organ.name,
        "folds": protocol.folds,
        "steps_fraction": protocol.steps_fraction,
        "spacing_mm": protocol.spacing_mm,
        "window": protocol.window,
    }
    if path.is_file() and (before := {"window": None} | json.loads(path.read_text())) != described:
        changed = [name for name in described if before.get(name) != described[name]]
        raise UsageError(f"{protocol.folder} holds jobs of another {' and '.join(changed)}", "choose another folder")
    write_json(path, described)


def progress(protocol: Protocol, job: Job) -> float:
    """How much of a job is done, 0 to 1, as its folder tells; 1 is a result."""
    folder = protocol.path(job)
    if (folder / RESULT_FILE).is_file():
        return 1.0
    try:
        steps = json.loads((folder / STARTED_FILE).read_text())["steps"]
    except FileNotFoundError:
        return 0.0
    return float(min(0.99, steps_done(folder) / steps))


def run(protocol: Protocol, job: Job) -> dict[str, Any]:
    """Train and test one job, or read its result where it is finished; resumes what was cut.

    Raises:
        NoInputError: no slice of the dataset has the organ's label.
    """
    folder = protocol.path(job)
    if (folder / RESULT_FILE).is_file():
        discard(folder)  # which a run that was killed right here had yet to do
        return read(protocol, job)
    start = time.perf_counter()
    fold, choosing = protocol.fold(job)
    recipe, subject = protocol.recipe(job), protocol.dataset.subject
    slices = slices_for(recipe, map(subject, sorted(set(fold.train) - set(choosing))))
    if not len(slices):
        raise NoInputError(f"no slice of {protocol.dataset.folder} has {protocol.organ.label} annotated")
    fitting = Fitting(recipe, slices, folder, job.fold, job.seed, protocol.device)
    write_json(folder / STARTED_FILE, {"steps": fitting.steps})
    done = fit(fitting, lambda _: None, resume=newest(folder) is not None)
    network = network_of(done, recipe)
    samples.write(samples.draw(network, recipe, map(subject, fold.validation), np.random.default_rng(job.seed)), folder)
    result = {
        "job": asdict(job),
        "steps": done.step,
        "images": len(slices),
        "weights_sha256": weights_sha256(done.network),
        "test": [asdict(score) for score in validate(network, recipe, map(subject, fold.validation))],
        "choosing": [asdict(score) for score in validate(network, recipe, map(subject, choosing))],
        "seconds": round(time.perf_counter() - start, 1),
    }
    write_json(folder / RESULT_FILE, result)
    discard(folder)
    return result


def read(protocol: Protocol, job: Job) -> dict[str, Any]:
    """A finished job's result."""
    result: dict[str, Any] = json.loads((protocol.path(job) / RESULT_FILE).read_text())
    return result


def scores(result: dict[str, Any], part: str) -> Iterator[SliceScore]:
    """The scores of a result's `test` or `choosing` subjects."""
    return (SliceScore(**score) for score in result[part])
