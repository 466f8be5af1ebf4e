"""Training run on disk, for the code that evaluates or exports it: its settings and its folds."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, field_validator

from cardioseg.dataset.damage import damaged
from cardioseg.dataset.folds import Fold, hashes_of, prove_disjoint
from cardioseg.dataset.run_folder import RunFolder
from cardioseg.dataset.starting_model import StartingModel
from cardioseg.dataset.store import MANIFEST, Dataset
from cardioseg.errors import UsageError
from cardioseg.files import sha256
from cardioseg.image.labels import STRUCTURES, Label

GO_ON = "to continue it, run the command that started it again, with --resume and without --fold"
_T = TypeVar("_T")
_FOLDS = TypeAdapter(tuple[Fold, ...])


class RunDescription(BaseModel):
    """The settings of a training run, `training.json`: everything that it depends on.

    Attributes:
        steps: steps of each fold; None: as many as the recipe's epochs have.
        initial_model: the model that the training starts from; None: random weights.
        cardioseg: version.
        dataset: name of the dataset.
        dataset_sha256: hash of its manifest.
        subjects_sha256: hash of its subjects' ids.
        folds: number of folds.
        seed: random seed for folds, initial weights and batches.
        held_out: subjects that no fold may train on.
        recipe: the recipe as `Recipe` writes itself.
    """

    model_config = ConfigDict(frozen=True, extra="allow")  # a setting of another version makes another run

    steps: int | None = None
    initial_model: StartingModel | None = None
    cardioseg: str
    dataset: str
    dataset_sha256: str
    subjects_sha256: str
    folds: int
    seed: int
    held_out: tuple[str, ...]
    recipe: dict[str, Any]

    @field_validator("recipe")
    @classmethod
    def _says_what_is_read(cls, recipe: dict[str, Any]) -> dict[str, Any]:
        labels, spacing_mm = recipe.get("labels"), recipe.get("nominal_spacing_mm")
        keys = [label.key for label in STRUCTURES]
        if not isinstance(labels, list) or not all(label in keys for label in labels):
            raise ValueError("its labels are not structures")
        if spacing_mm is not None and not isinstance(spacing_mm, int | float):
            raise ValueError("its nominal spacing is not a number")
        return recipe

    @property
    def structures(self) -> tuple[Label, ...]:
        """The structures that the recipe segments."""
        return tuple(Label[key.upper()] for key in self.recipe["labels"])

    @property
    def nominal_spacing_mm(self) -> float | None:
        """The recipe's spacing of data that do not state theirs."""
        spacing_mm: float | None = self.recipe.get("nominal_spacing_mm")
        return spacing_mm

    def document(self) -> dict[str, Any]:
        """For JSON: the settings that were given."""
        return self.model_dump(exclude_unset=True)


_DESCRIPTION = TypeAdapter(RunDescription)


@dataclass(frozen=True)
class Run:
    """A training run: its folder, its settings and its folds."""

    folder: RunFolder
    description: RunDescription
    folds: tuple[Fold, ...]

    @property
    def recipe_sha256(self) -> str:
        """A hash of the recipe, its steps and the dataset: the same for runs with other folds or seeds."""
        settings = self.description.document()
        shared = {key: settings[key] for key in ("recipe", "dataset_sha256", "steps") if key in settings}
        return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()


def read_description(folder: RunFolder) -> RunDescription:
    """The settings of a run.

    Raises:
        UsageError: there are none, or they are damaged.
    """
    return _read(folder, folder.description, _DESCRIPTION)


def read_run(folder: Path, dataset: Dataset) -> Run:
    """A run that was trained on `dataset`.

    Raises:
        UsageError: it is not a run, is damaged, or was trained on another dataset.
    """
    run = RunFolder(folder)
    description = read_description(run)
    if description.dataset_sha256 != sha256(dataset.folder / MANIFEST):
        raise UsageError(f"{folder} was trained on another dataset than {dataset.folder}")
    return Run(run, description, _read(run, run.folds, _FOLDS))


def _read(folder: RunFolder, path: Path, schema: TypeAdapter[_T]) -> _T:
    try:
        return schema.validate_python(json.loads(path.read_text()))
    except OSError:
        hint = "`cardioseg train DATASET -o RUN` writes one"
        raise UsageError(f"{folder.path} is not a training run", hint) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(damaged(path, error), "train again, into another folder") from None


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
    planned = run.description.folds
    of_all = "" if len(run.folds) == planned else f"{len(run.folds)} of "
    folds = f"{of_all}{planned} fold{'s' if planned > 1 else ''}"
    initial = run.description.initial_model
    doubt = initial.doubt(validated, hashes, run.description.dataset_sha256) if initial else ""
    subjects = f"{len(validated)}{'' if doubt else ' unseen'} subject{'s' if len(validated) != 1 else ''}"
    left_out = sorted({subject_id for fold in run.folds for subject_id in fold.left_out})
    exceptions = f" (not {' and '.join(left_out)}: in training under another name)" if left_out else ""
    training = f"the training of this run, but {doubt}" if doubt else "training"
    return f"{folds}, {subjects}{exceptions}; no subject and none of their {slices:,} slices was in {training}"
