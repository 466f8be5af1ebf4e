"""Protocol: what all jobs of a run share, and the jobs: one network each (norm x learning rate x fold x seed)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.dataset.folds import Fold, divide, hashes_of, without_duplicates
from cardioseg.dataset.store import Dataset
from cardioseg.errors import UsageError
from cardioseg.files import write_json
from cardioseg.reproduce.paper import FOLDS, Organ
from cardioseg.training.recipe import Recipe, check_recipe, read_recipe
from cardioseg.wording import listed

CHOOSING_SHARE = 0.1  # share of the training subjects that is kept out of training to choose the learning rate
PILOT_SHARE = 0.2  # share of the steps in the jobs that choose the learning rate before the other jobs run
PILOT_FOLD = 0
_SHOWN = 3
_SPLIT_SEED = 0  # a job's seed changes its weights and batches, but not its subjects


@dataclass(frozen=True)
class Job:
    """One network to train and test."""

    norm: str
    learning_rate: float
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """The name of the job's folder."""
        return f"{self.norm}-lr{self.learning_rate:g}-fold{self.fold}-seed{self.seed}"


@dataclass(frozen=True)
class Protocol:
    """What all jobs share.

    Attributes:
        dataset: a prepared dataset.
        organ: the task.
        folder: output folder: `jobs/<name>/`, and `unfinished/<name>/` while a job runs.
        folds: number of folds.
        steps_fraction: the part of the paper's rotation grid that is trained on, drawn at random.
        spacing_mm: in-plane spacing to which the images are resampled; None for the paper's.
        window: networks are trained and tested on this many central pixels in height and width; None for whole slices.
        external: a second prepared dataset, on which every network is scored without further training; None for none.
        is_pilot: whether the jobs only choose a learning rate: they are scored on the subjects kept out, not tested.
        device: a torch device name.
    """

    dataset: Dataset
    organ: Organ
    folder: Path
    folds: int = FOLDS
    steps_fraction: float = 1.0
    spacing_mm: float | None = None
    window: int | None = None
    external: Dataset | None = None
    is_pilot: bool = False
    device: str = "cpu"

    @property
    def pilot(self) -> "Protocol":
        """The same protocol with short jobs, in a separate folder."""
        fraction = self.steps_fraction * PILOT_SHARE
        folder = self.folder / "pilot"
        return replace(self, folder=folder, steps_fraction=fraction, external=None, is_pilot=True)

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
        """The job's fold, and the training subjects that are kept out of training to choose the learning rate.

        Subjects that are duplicates of training subjects are left out of both the test and the choice.
        """
        hashes, patient_of = hashes_of(self.dataset.subjects()), self.dataset.patient_of
        fold = divide(hashes, self.folds, _SPLIT_SEED, patient_of=patient_of)[job.fold]
        patients = sorted({patient_of[subject_id] for subject_id in fold.train})
        drawn = np.random.default_rng([_SPLIT_SEED, job.fold]).permutation(patients)
        chosen = set(drawn[: max(1, round(CHOOSING_SHARE * len(drawn)))].tolist())
        choosing = tuple(subject_id for subject_id in fold.train if patient_of[subject_id] in chosen)
        trained = tuple(sorted(set(fold.train) - set(choosing)))
        return fold, without_duplicates(Fold(job.fold, trained, choosing), hashes).validation

    def path(self, job: Job) -> Path:
        """The folder of a finished job."""
        return self.folder / "jobs" / job.name

    def unfinished(self, job: Job) -> Path:
        """The folder of a job's checkpoints and logs until it is finished."""
        return self.folder / "unfinished" / job.name

    def describe(self) -> dict[str, Any]:
        """Everything that the results depend on, except the jobs themselves and the device."""
        return {
            "dataset": self.dataset.name,
            "dataset_sha256": self.dataset.content_sha256(),
            "external": self.external.name if self.external else None,
            "external_sha256": self.external.content_sha256() if self.external else None,
            "organ": self.organ.name,
            "folds": self.folds,
            "steps_fraction": self.steps_fraction,
            "spacing_mm": self.spacing_mm,
            "window": self.window,
        }


def _resampled(document: dict[str, Any], spacing_mm: float) -> dict[str, Any]:
    """The changed parts of a recipe for another spacing, with the same field of view."""
    preprocessing = document["preprocessing"]
    recipe_mm = preprocessing["spacing_mm"] or document["nominal_spacing_mm"]
    multiple = preprocessing["multiple"]
    size = max(1, round(document["size"] * recipe_mm / spacing_mm / multiple)) * multiple
    return {"size": size, "preprocessing": preprocessing | {"spacing_mm": spacing_mm}}


def plan(rates: Mapping[str, Sequence[float]], folds: Sequence[int], seeds: Sequence[int]) -> list[Job]:
    """The jobs of each norm's learning rates, fold by fold, so that an interrupted run has one fold of all norms."""
    return [
        Job(norm, rate, fold, seed)
        for seed, fold in product(seeds, folds)
        for norm, of_norm in rates.items()
        for rate in of_norm
    ]


def require_other_scans(protocol: Protocol) -> None:
    """Make sure that the second dataset holds none of the scans that networks are trained on.

    Raises:
        UsageError: it does.
    """
    if protocol.external is None:
        return
    own = frozenset[str]().union(*hashes_of(protocol.dataset.subjects()).values())
    shared = [name for name, theirs in hashes_of(protocol.external.subjects()).items() if not own.isdisjoint(theirs)]
    if shared:
        told = f"{protocol.external.folder} has scans of {protocol.dataset.folder}: {listed(shared, _SHOWN)}"
        raise UsageError(told, "--external tests networks on scans that they have not seen: choose another dataset")


def claim(protocol: Protocol) -> None:
    """Write `protocol.json` into the protocol's folder, or check that the jobs there follow the same protocol.

    Raises:
        UsageError: they follow another protocol.
    """
    path, described = protocol.folder / "protocol.json", protocol.describe()
    if path.is_file() and (before := json.loads(path.read_text())) != described:
        changed = [name for name in described if before.get(name) != described[name]]
        raise UsageError(f"{protocol.folder} holds jobs of another {' and '.join(changed)}", "choose another folder")
    write_json(path, described)
