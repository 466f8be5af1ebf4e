"""Cross validation: fit and validate each fold of subjects, with a proof that the folds are disjoint."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.dataset.folds import Fold, divide, pixel_hashes, prove_disjoint, subjects_sha256
from cardioseg.dataset.run_folder import RunFolder
from cardioseg.dataset.slices import Slices, annotated_with, gather
from cardioseg.dataset.store import MANIFEST, Dataset
from cardioseg.dataset.training_run import RunDescription, read_description
from cardioseg.errors import NoInputError, UsageError
from cardioseg.files import sha256, sole_writer, sweep_partials, write_json
from cardioseg.ingest.labels.subject import Subject
from cardioseg.network.unet import UNet
from cardioseg.training.checkpoint import Checkpoint, newest, weights_sha256
from cardioseg.training.fit import Job, fit
from cardioseg.training.initial_model import InitialModel
from cardioseg.training.journal import StepRecord
from cardioseg.training.recipe import Recipe
from cardioseg.training.slice_scores import SliceScore, per_image, per_subject
from cardioseg.training.slice_scores import write_scores as write_slice_scores
from cardioseg.training.validation import validate

_WORDS = {  # for the keys of `training.json`
    "recipe": "recipe",
    "seed": "seed",
    "dataset": "dataset",
    "dataset_sha256": "dataset",
    "subjects_sha256": "dataset",
    "folds": "number of folds",
    "held_out": "choice of subjects held out",
    "steps": "number of steps",
    "initial_model": "initial model",
    "cardioseg": "version of cardioseg",
}


@dataclass(frozen=True)
class Plan:
    """The settings of a training run.

    Attributes:
        dataset: the dataset to train on.
        folder: the folder for the run's files.
        recipe: the recipe of each fold.
        folds: number of folds; 1 trains on every subject that is not held out.
        seed: random seed for folds, initial weights and batches.
        held_out: subjects that no fold may train on.
        device: a torch device name.
        checkpoint_steps: steps between checkpoints.
        steps: steps of each fold; None: as many as the recipe's epochs have.
        initial_model: the model to start from; None: random weights.
    """

    dataset: Dataset
    folder: Path
    recipe: Recipe
    folds: int = 3
    seed: int = 0
    held_out: tuple[str, ...] = ()
    device: str = "cpu"
    checkpoint_steps: int = 200
    steps: int | None = None
    initial_model: InitialModel | None = None

    def seen_by_initial_model(self, fold: Fold) -> bool:
        """Whether the initial model may have been trained on subjects that the fold is validated on."""
        if self.initial_model is None or not fold.validation:
            return False
        training = self.initial_model.card.training
        is_same_dataset = training.dataset_sha256 == sha256(self.dataset.folder / MANIFEST)
        return not is_same_dataset or training.subjects_sha256 != subjects_sha256(fold.train)


@dataclass(frozen=True)
class FoldResult:
    """The result of one fold.

    Attributes:
        fold: its subjects.
        trained: number of subjects that gave slices for its training.
        steps: number of its steps.
        weights_sha256: hash of its weights.
        scores: the scores of its validation.
    """

    fold: Fold
    trained: int
    steps: int
    weights_sha256: str
    scores: tuple[SliceScore, ...] = field(repr=False)

    def summary(self, labels: Sequence[str]) -> dict[str, Any]:
        """The fold's scores for `scores.json`."""
        return {
            "fold": self.fold.index,
            "steps": self.steps,
            "weights_sha256": self.weights_sha256,
            "dice": {
                label: {
                    "per_image": asdict(per_image(self.scores, label)),
                    "per_subject": asdict(per_subject(self.scores, label)),
                    "both_empty": sum(score.dice is None for score in self.scores if score.label == label),
                }
                for label in labels
            },
        }


def prepare_run(plan: Plan, resume: bool) -> tuple[Fold, ...]:
    """Divide the subjects, prove the folds disjoint, and write `training.json` and `folds.json`.

    Raises:
        NoInputError: a fold has no slice to train on.
        UsageError: too few subjects, shared subjects or images, nothing to resume, or a run with other settings.
    """
    described, run = describe(plan), RunFolder(plan.folder)
    if resume and not run.is_begun:
        raise UsageError(f"nothing to resume in {plan.folder}", "leave out --resume to start")
    if run.is_begun and (differing := _differences(read_description(run), described)):
        raise UsageError(f"{plan.folder} holds a run with another {differing}", "choose another folder")
    hashes: dict[str, frozenset[str]] = {}
    labelled: set[str] = set()
    for subject in plan.dataset.subjects():
        hashes[subject.subject_id] = pixel_hashes(subject)
        if gives_slices(subject, plan.recipe):
            labelled.add(subject.subject_id)
    patient_of = plan.dataset.patient_of
    folds = divide(hashes, plan.folds, plan.seed, plan.held_out, patient_of)
    _check_labelled(plan, folds, labelled)
    tested_folds = [replace(fold, validation=tuple(sorted({*fold.validation, *plan.held_out}))) for fold in folds]
    proofs = [
        asdict(fold) | {"proof": prove_disjoint(tested, hashes, patient_of)}
        for fold, tested in zip(folds, tested_folds, strict=True)
    ]
    sweep_partials(plan.folder, below=False)
    write_json(run.description, described.document())
    write_json(run.folds, proofs)
    return folds


def _differences(earlier: RunDescription, described: RunDescription) -> str:
    """The settings in which two runs differ, in words; "" if they are the same."""
    before, now = (
        run.document() | ({"initial_model": run.initial_model.sha256} if run.initial_model else {})
        for run in (earlier, described)
    )
    words = (_WORDS.get(key, key) for key in now | before if before.get(key) != now.get(key))
    return " and another ".join(dict.fromkeys(words))


def _check_labelled(plan: Plan, folds: Sequence[Fold], labelled: Set[str]) -> None:
    """Refuse a plan with a fold that has no slice to train on."""
    wanted = f"{' and '.join(plan.recipe.labels)} annotated"
    if not labelled:
        raise NoInputError(f"no slice of {plan.dataset.folder} has {wanted}", "choose another --recipe")
    for fold in folds:
        if labelled.isdisjoint(fold.train):
            raise NoInputError(f"fold {fold.index} has no training subject with a slice that has {wanted}")


def run_fold(
    plan: Plan,
    fold: Fold,
    report: Callable[[StepRecord], None],
    resume: bool,
    begin: Callable[[int, int], None],
) -> FoldResult:
    """Fit one fold and validate it; writes `fold-I/` with checkpoints, logs and `validation.csv`.

    Other processes may run other folds of the same run at the same time.

    Args:
        plan: the run.
        fold: a fold from `prepare_run`.
        report: called at every logged step.
        resume: resume from the newest checkpoint, if there is one.
        begin: called once, with the number of steps and the number of steps already done.

    Raises:
        ResourceError: another process runs this fold.
    """
    dataset, recipe = plan.dataset, plan.recipe
    slices = slices_for(recipe, map(dataset.subject, fold.train))
    folder = RunFolder(plan.folder).fold(fold.index)
    initial = plan.initial_model.of_fold(fold.index) if plan.initial_model else None
    job = Job(
        recipe, slices, folder.path, fold.index, plan.seed, plan.device, plan.checkpoint_steps, plan.steps, initial
    )
    with sole_writer(folder.path):
        unfinished = newest(folder.path) if resume else None
        begin(job.steps, unfinished.step if unfinished else 0)
        final = fit(job, report, resume=unfinished is not None)
        scores = tuple(validate(network_of(final, recipe), recipe, map(dataset.subject, fold.validation)))
        write_slice_scores(folder.validation, scores)
    trained = sum(gives_slices(dataset.subject(subject_id), recipe) for subject_id in fold.train)
    return FoldResult(fold, trained, final.step, weights_sha256(final.network), scores)


def gives_slices(subject: Subject, recipe: Recipe) -> bool:
    """Whether a subject has a slice for the training of a recipe."""
    return any(annotated_with(volume, recipe.structures).any() for volume in subject.volumes)


def slices_for(recipe: Recipe, subjects: Iterable[Subject]) -> Slices:
    """The training slices of a recipe."""
    settings = (recipe.structures, recipe.size, recipe.preprocessing, recipe.nominal_spacing_mm)
    return gather(subjects, *settings)


def write_scores(plan: Plan, results: Sequence[FoldResult]) -> None:
    """Write `scores.json`: the scores of each fold over images and over subjects."""
    write_json(RunFolder(plan.folder).scores, [result.summary(plan.recipe.labels) for result in results])


def network_of(checkpoint: Checkpoint, recipe: Recipe) -> UNet:
    """The network of a checkpoint, ready to predict: what it sees changes nothing in it."""
    network = UNet(len(recipe.labels) + 1, recipe.norm)
    network.load_state_dict(checkpoint.network)
    return network.eval()


def describe(plan: Plan) -> RunDescription:
    """All settings that the run depends on; `--resume` and `export` read them."""
    limit = {} if plan.steps is None else {"steps": plan.steps}
    initial = {} if plan.initial_model is None else {"initial_model": plan.initial_model.recorded()}
    settings = {
        "cardioseg": __version__,
        "dataset": plan.dataset.name,
        "dataset_sha256": sha256(plan.dataset.folder / MANIFEST),
        "subjects_sha256": subjects_sha256(plan.dataset.subject_ids),
        "folds": plan.folds,
        "seed": plan.seed,
        "held_out": sorted(plan.held_out),
        "recipe": plan.recipe.model_dump(mode="json"),
    }
    return RunDescription.model_validate(limit | initial | settings)
