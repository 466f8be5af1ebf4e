"""Run evaluation: each network of a cross validation on the subjects that its fold kept for validation."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardioseg.cross_validation.fold_model import open_fold
from cardioseg.cross_validation.held_out import predict_held_out
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.dataset.training_run import GO_ON, Run, prove_unseen, read_run
from cardioseg.errors import NoInputError, UsageError
from cardioseg.evaluation.judgement import Judgement, judge, unjudged
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import Pair
from cardioseg.execution.executor import Executor, Lost, in_order
from cardioseg.export.card import Precision
from cardioseg.image.labels import Label
from cardioseg.inference.session import Model
from cardioseg.skipped import Skipped

Item = tuple[int, str]  # a fold and the id of a subject


@dataclass(frozen=True)
class RunEvaluation:
    """A cross validation, ready to be evaluated.

    Attributes:
        run: the cross validation.
        dataset: that it was trained on.
        models: the networks of the finished folds, by the number of the fold.
        unfinished: why the other folds have no network, by the number of the fold.
        origin: of the masks: run, dataset, weights, split.
    """

    run: Run
    dataset: Dataset
    models: Mapping[int, Model] = field(repr=False)
    unfinished: Mapping[int, str]
    origin: Origin

    @property
    def items(self) -> list[Item]:
        """Each subject with the fold whose network has not seen it."""
        return [
            (fold.index, subject_id)
            for fold in self.run.folds
            if fold.index in self.models
            for subject_id in fold.validation
        ]

    def judgements(self, executor: Executor) -> Iterator[Judgement]:
        """What each of the `items` comes to, in their order; after one for the run as a whole."""
        problems = tuple(Skipped(f"fold {fold}", why) for fold, why in self.unfinished.items())
        yield Judgement(patient_keys=self.dataset.patient_of, problems=problems)
        work = _Validation(self.run, self.dataset, self.models, self.run.description.structures)
        for (_, subject_id), result in in_order(executor, work, self.items):
            yield unjudged(subject_id, result) if isinstance(result, Lost) else result


def open_run(folder: Path, dataset_folder: Path, precision: Precision, threads: int) -> RunEvaluation:
    """Open the networks of a run and prove that none was trained on a subject that it is evaluated on.

    Args:
        folder: of the training run.
        dataset_folder: that it was trained on.
        precision: of the networks' convolutions.
        threads: of each network.

    Raises:
        NoInputError: the finished folds held no subject out of training.
        UsageError: no fold is finished, or the run was trained on another dataset.
        RefusedError: a fold's checkpoint or model is damaged.
    """
    dataset = open_dataset(dataset_folder)
    run = read_run(folder, dataset)
    opened = {fold.index: open_fold(run, dataset, fold.index, precision, threads) for fold in run.folds}
    models = {fold: model for fold, model in opened.items() if isinstance(model, Model)}
    if not models:
        raise UsageError(f"no fold of {folder} is finished", GO_ON)
    finished = replace(run, folds=tuple(fold for fold in run.folds if fold.index in models))
    if not any(fold.validation for fold in finished.folds):
        hint = "train with --folds 2 or more, or with --hold-out; or evaluate masks of other subjects: export, predict"
        raise NoInputError(f"{folder} held no subject out of training, so that none can be evaluated", hint)
    split = f"seed {run.description.seed}, {prove_unseen(finished, dataset)}"
    split += "" if precision == "float32" else "; convolutions in 8-bit integers"
    origin = Origin(
        folder.resolve().name,
        dataset.name,
        weights_sha256=tuple(model.card.training.weights_sha256[0] for model in models.values()),
        recipe_sha256=run.recipe_sha256,
        precision=precision,
        split=split,
    )
    unfinished = {fold: why.message for fold, why in opened.items() if isinstance(why, UsageError)}
    return RunEvaluation(run, dataset, models, unfinished, origin)


@dataclass(frozen=True)
class _Validation:
    """Predicts a subject with the network of its fold and compares the masks. Each process gets the models once."""

    run: Run
    dataset: Dataset
    models: Mapping[int, Model]
    segmented: Collection[Label]

    def prepare(self) -> None:
        """Nothing is needed."""

    def __call__(self, item: Item) -> Judgement:
        subject = self.dataset.subject(item[1])
        predicted = predict_held_out(self.run, subject, self.models[item[0]])
        pairs = (Pair(subject.subject_id, volume.case_ids[0], volume, mask) for volume, mask in predicted)
        return replace(judge(pairs, self.segmented), group_of={subject.subject_id: subject.group})
