"""Training run on disk, for the code that evaluates or exports it: its settings and its folds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardioseg.dataset.folds import Fold, hashes_of, prove_disjoint
from cardioseg.dataset.store import Dataset
from cardioseg.errors import UsageError
from cardioseg.files import sha256

GO_ON = "to continue it, run the command that started it again, with --resume and without --fold"


@dataclass(frozen=True)
class Run:
    """A training run: its folder, its `training.json` and its folds."""

    folder: Path
    described: dict[str, Any]
    folds: tuple[Fold, ...]

    @property
    def recipe_sha256(self) -> str:
        """A hash of the recipe, its steps and the dataset: the same for runs with other folds or seeds."""
        shared = {key: self.described[key] for key in ("recipe", "dataset_sha256", "steps") if key in self.described}
        return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def is_run(folder: Path) -> bool:
    """Whether `train` wrote the folder."""
    return (folder / "folds.json").is_file() and (folder / "training.json").is_file()


def read_run(folder: Path, dataset: Dataset) -> Run:
    """A run that was trained on `dataset`.

    Raises:
        UsageError: it is not a run, or was trained on another dataset.
    """
    try:
        described = json.loads((folder / "training.json").read_text())
        folds = [_fold(described_fold) for described_fold in json.loads((folder / "folds.json").read_text())]
        digest = described["dataset_sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(f"{folder} is not a training run", "`cardioseg train DATASET -o RUN` writes one") from None
    if digest != sha256(dataset.folder / "dataset.json"):
        raise UsageError(f"{folder} was trained on another dataset than {dataset.folder}")
    return Run(folder, described, tuple(folds))


def prove_unseen(run: Run, dataset: Dataset) -> str:
    """Prove, from the subjects' ids and the pixels of every slice, that no fold is evaluated on its training data.

    Args:
        run: the run, with the folds to evaluate.
        dataset: the dataset that it was trained on.

    Returns:
        The proof, as a sentence.

    Raises:
        UsageError: a subject or an image of a fold's validation is in its training.
    """
    hashes = hashes_of(dataset.subjects())
    for fold in run.folds:
        prove_disjoint(fold, hashes, dataset.patient_of)
    validated = {subject_id for fold in run.folds for subject_id in fold.validation}
    slices = sum(len(hashes[subject_id]) for subject_id in validated)
    planned = run.described["folds"]
    of_all = "" if len(run.folds) == planned else f"{len(run.folds)} of "
    folds = f"{of_all}{planned} fold{'s' if planned > 1 else ''}"
    subjects = f"{len(validated)} unseen subject{'s' if len(validated) != 1 else ''}"
    left_out = sorted({subject_id for fold in run.folds for subject_id in fold.left_out})
    exceptions = f" (not {' and '.join(left_out)}: in training under another name)" if left_out else ""
    return f"{folds}, {subjects}{exceptions}; no subject and none of their {slices:,} slices was in training"


def _fold(described: dict[str, Any]) -> Fold:
    subjects = (tuple(described.get(name, ())) for name in ("train", "validation", "left_out"))
    return Fold(described["index"], *subjects)
