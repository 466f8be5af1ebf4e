"""Run: a training run on disk, as those who did not train it see it: what was asked for, and its folds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardioseg.dataset.folds import Fold, pixel_hashes, prove_disjoint
from cardioseg.dataset.store import Dataset
from cardioseg.errors import UsageError
from cardioseg.files import sha256

GO_ON = "the command that started it, with --resume and without --fold, goes on with it"


@dataclass(frozen=True)
class Run:
    """A training run: its folder, its `training.json` and its folds."""

    folder: Path
    described: dict[str, Any]
    folds: tuple[Fold, ...]

    @property
    def recipe_sha256(self) -> str:
        """Of the recipe, its steps and the dataset: what runs of other folds or seeds have in common."""
        shared = {key: self.described[key] for key in ("recipe", "dataset_sha256", "steps") if key in self.described}
        return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def is_run(folder: Path) -> bool:
    """Whether `train` wrote the folder."""
    return (folder / "folds.json").is_file() and (folder / "training.json").is_file()


def read_run(folder: Path, dataset: Dataset) -> Run:
    """A run that was trained on `dataset`.

    Raises:
        UsageError: it is none, or was trained on another dataset.
    """
    try:
        described = json.loads((folder / "training.json").read_text())
        folds = [_fold(described_fold) for described_fold in json.loads((folder / "folds.json").read_text())]
        digest = described["dataset_sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(f"{folder} is no training run", "`cardioseg train DATASET -o RUN` writes one") from None
    if digest != sha256(dataset.folder / "dataset.json"):
        raise UsageError(f"{folder} was trained on another dataset than {dataset.folder}")
    return Run(folder, described, tuple(folds))


def prove_unseen(run: Run, dataset: Dataset) -> str:
    """Show anew, from the subjects' ids and the pixels of every slice, that no fold is judged on what it has seen.

    Args:
        run: with the folds that are judged, of those that it describes.
        dataset: that it was trained on.

    Returns:
        The proof, as a sentence.

    Raises:
        UsageError: a fold has seen a subject or an image of its validation.
    """
    hashes = {subject.subject_id: pixel_hashes(subject) for subject in dataset.subjects()}
    for fold in run.folds:
        prove_disjoint(fold, hashes)
    validated = {subject_id for fold in run.folds for subject_id in fold.validation}
    slices = sum(len(hashes[subject_id]) for subject_id in validated)
    planned = run.described["folds"]
    of_all = "" if len(run.folds) == planned else f"{len(run.folds)} of "
    folds = f"{of_all}{planned} fold{'s' * (planned > 1)}"
    subjects = f"{len(validated)} unseen subject{'s' * (len(validated) != 1)}"
    left_out = sorted({subject_id for fold in run.folds for subject_id in fold.left_out})
    exceptions = f" (not {' and '.join(left_out)}: in training under another name)" if left_out else ""
    return f"{folds}, {subjects}{exceptions}; no subject and none of their {slices:,} slices was in training"


def _fold(described: dict[str, Any]) -> Fold:
    subjects = (tuple(described.get(name, ())) for name in ("train", "validation", "left_out"))
    return Fold(described["index"], *subjects)
