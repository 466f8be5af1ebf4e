"""`evaluate RUN`: the folds of a training run on the subjects that each has not seen."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cardioseg.cli import console
from cardioseg.cli.torch_device import require_torch
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.dataset.training_run import GO_ON, Run, prove_unseen, read_run
from cardioseg.errors import UsageError
from cardioseg.evaluation.comparison import collect
from cardioseg.evaluation.judgement import Judgement, judge, unjudged
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.result import Evaluation
from cardioseg.execution.executor import Executor, Lost, in_order
from cardioseg.export.card import Precision
from cardioseg.image.labels import Label
from cardioseg.inference.held_out import predict_held_out
from cardioseg.inference.session import Model, open_model
from cardioseg.skipped import Skipped

Models = Sequence[Model | UsageError]


@dataclass(frozen=True)
class Validation:
    """Predicts the subjects of a fold and judges them.

    Attributes:
        run: the cross validation.
        dataset: that it was trained on.
        models: of its folds; their bytes go to each process once.
        segmented: the labels that they can have.
    """

    run: Run
    dataset: Dataset
    models: Models
    segmented: Collection[Label]

    def prepare(self) -> None:
        """Nothing is needed."""

    def __call__(self, item: tuple[int, str]) -> Judgement:
        """What a subject comes to, by the number of its fold and its id."""
        model, subject = self.models[item[0]], self.dataset.subject(item[1])
        if isinstance(model, UsageError):
            raise model
        predicted = predict_held_out(self.run, subject, model)
        pairs = (Pair(subject.subject_id, volume.case_ids[0], volume, mask) for volume, mask in predicted)
        return replace(judge(pairs, self.segmented), group_of={subject.subject_id: subject.group})


def evaluate_run(
    folder: Path, reference: Path, executor: Executor, threads: int, precision: Precision, silent: bool
) -> Evaluation:
    """The cross validation: each fold's network on its validation subjects."""
    dataset = open_dataset(reference)
    run = read_run(folder, dataset)
    models = [_open_fold(run, dataset, fold.index, precision, executor.threads(threads)) for fold in run.folds]
    opened = [(fold, model) for fold, model in zip(run.folds, models, strict=True) if isinstance(model, Model)]
    if not opened:
        raise UsageError(f"no fold of {folder} is finished", GO_ON)
    judged = replace(run, folds=tuple(fold for fold, _ in opened))
    split = f"seed {run.description.seed}, {prove_unseen(judged, dataset)}"
    split += "" if precision == "float32" else "; convolutions in 8-bit integers"
    console.say(f"evaluated: {split}", silent)
    origin = Origin(
        folder.resolve().name,
        dataset.name,
        weights_sha256=tuple(model.card.training.weights_sha256[0] for _, model in opened),
        recipe_sha256=run.recipe_sha256,
        precision=precision,
        split=split,
    )
    segmented = run.description.structures
    return collect(_judged(Validation(run, dataset, models, segmented), executor, silent), origin)


def _open_fold(run: Run, dataset: Dataset, fold: int, precision: Precision, threads: int) -> Model | UsageError:
    """A fold's network, made a model folder of the run, where `predict -m` finds it too; or why it is not ready."""
    require_torch()
    from cardioseg.training.publication import Publication, publish

    folder, run_name = run.folder.fold(fold).model(precision), run.folder.path.resolve().name
    name = f"{run_name}-{fold}" + ("" if precision == "float32" else f"_{precision}")
    publication = Publication(name, "not stated", folds=(fold,), precision=precision)
    try:
        publish(run.folder.path, dataset, folder, publication)
    except UsageError as error:
        return error
    return open_model(folder, threads=threads)


def _judged(work: Validation, executor: Executor, silent: bool) -> Iterator[Judgement]:
    folds = list(zip(work.run.folds, work.models, strict=True))
    yield Judgement(patient_keys=work.dataset.patient_of)
    for fold, model in folds:
        if isinstance(model, UsageError):
            why = model.message.removeprefix(f"fold {fold.index} of {work.run.folder.path} is ")
            yield Judgement(problems=(Skipped(f"fold {fold.index}", why),))
    items = [
        (i, source) for i, (fold, model) in enumerate(folds) if isinstance(model, Model) for source in fold.validation
    ]
    with console.progress(silent) as bars:
        task = bars.add_task("subjects", total=len(items))
        for (_, subject_id), result in in_order(executor, work, items):
            bars.advance(task)
            yield unjudged(subject_id, result) if isinstance(result, Lost) else result
