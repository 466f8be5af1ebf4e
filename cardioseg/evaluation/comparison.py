"""Comparison: predicted masks against references, subject by subject."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cardioseg.errors import NoInputError
from cardioseg.evaluation.judgement import Judgement, Judging, unjudged
from cardioseg.evaluation.mistakes import Numbers
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import NO_PREDICTION
from cardioseg.evaluation.references import find_references, is_plain, plain_convention
from cardioseg.evaluation.reported import read_reported
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.worst import Worst
from cardioseg.execution.executor import Executor, Lost, in_order
from cardioseg.execution.here import Here
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.ingest.labels.layouts.nnunet_dataset_json import stated_convention
from cardioseg.ingest.labels.subject import Source
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.mask_files import (
    MaskFolder,
    case_id,
    find_masks,
    no_masks,
)
from cardioseg.results.run_record import read_run_record
from cardioseg.skipped import Skipped

Convention = Mapping[int, Label]
_ACDC = CONVENTIONS["acdc"]
_NO_REFERENCE = "no reference"
_GIVE = "give the folder that `cardioseg predict` wrote"
_PREDICTED_FIRST = "give the predicted masks first and the reference last: cardioseg evaluate PREDICTED REFERENCE"
_SWAPPED = f"`cardioseg predict` wrote the reference, but not the other folder; {_PREDICTED_FIRST}"


def evaluate(
    predicted: Path,
    reference: Path,
    predicted_convention: Convention | None = None,
    convention: Convention | None = None,
    executor: Executor = Here(),  # noqa: B008 - frozen
) -> Evaluation:
    """Compare predicted masks with reference labels.

    Args:
        predicted: what `predict` wrote (`<case_id>/mask.nii.gz`), or any folder of NIfTI masks named by case. Its
            `run.json`, where there is one, says which labels the model segments; others are not evaluated.
        reference: a prepared dataset, a labelled layout that `ingest` reads, or a folder of NIfTI masks named by case.
        predicted_convention: the meaning of the numbers in predicted masks; None: as nnU-Net's card says, else ACDC's.
        convention: the meaning of the numbers in reference masks; None: what their layout says, else ACDC's.
        executor: where subjects are read and scored.

    Returns:
        The scores of the pairs that could be compared, and why the rest could not.

    Raises:
        NoInputError: nothing could be compared.
        UnusableError: `run.json` or the prepared dataset is damaged.
        UsageError: a convention is given of references whose numbers have a meaning of their own.
    """
    for folder in (predicted, reference):
        if not folder.exists():
            raise NoInputError(f"{folder}: no such folder")
    predictions = find_masks(predicted)
    if predictions.paths and predicted.is_file() and reference.is_file():
        predictions = MaskFolder(predicted, {case_id(reference): predicted})  # two files need no name in common
    if not predictions.paths:
        raise no_masks(predicted, _GIVE if is_plain(predicted) else _PREDICTED_FIRST)
    run = read_run_record(ResultsFolder(predicted))
    known = run.structures
    if predicted_convention is None:
        said = stated_convention(predicted, "--predicted-labels") if known is None else None
        predicted_convention = said or _ACDC
    origin = Origin(predicted.resolve().name, reference.resolve().name, run.model_sha256)
    doubtful = None
    if known is None or predicted_convention != _ACDC:
        doubtful = Numbers(predicted_convention, "--predicted-labels")
    elif is_plain(reference):
        doubtful = Numbers(convention or plain_convention(reference), "--labels", of_reference=True)
    work = Judging(predictions, predicted_convention, STRUCTURES if known is None else known, doubtful)
    found = collect(_judged(work, find_references(reference, convention), executor), origin)
    unchanged = {score.case_id for score in found.scores}.difference(found.edited)
    swapped = known is None and read_run_record(ResultsFolder(reference)).structures is not None
    mistakes = (*[Skipped(origin.reference, _SWAPPED)] * swapped, *found.mistakes)
    return replace(found, mistakes=mistakes, reported=read_reported(predictions, unchanged))


def collect(judgements: Iterable[Judgement], origin: Origin) -> Evaluation:
    """All subjects together.

    Args:
        judgements: of the subjects, one by one.
        origin: what is compared.

    Raises:
        NoInputError: nothing could be compared.
    """
    scores: list[VolumeScore] = []
    problems: list[Skipped] = []
    mistakes: list[Skipped] = []
    edits: list[Skipped] = []
    edited: list[str] = []
    worst = Worst()
    for one in judgements:
        problems += one.problems
        mistakes += one.mistakes
        edits += one.edits
        edited += one.edited
        for pair, own in one.scored:
            scores += own
            worst.add(pair, own)
    labels = _present(scores)
    distinct = tuple(dict.fromkeys(problems))
    if not labels:
        what = f"nothing in {origin.predicted} could be compared with {origin.reference}"
        raise NoInputError(what, _first_reason(distinct), [f"{one.where}: {one.why}" for one in distinct])
    kept = tuple(one for one in scores if one.label in labels)
    return Evaluation(
        labels=labels,
        scores=kept,
        problems=distinct,
        mistakes=tuple(mistakes),
        edits=tuple(dict.fromkeys(edits)),
        edited=tuple(dict.fromkeys(edited)),
        worst=worst.pairs,
        origin=origin,
    )


def _judged(work: Judging, found: Iterable[Source | Skipped], executor: Executor) -> Iterator[Judgement]:
    """What each subject comes to, then the predictions that belong to none."""
    predictions = work.predictions
    unreadable: list[Skipped] = []
    yield Judgement(problems=predictions.clashes)
    unmatched, is_lacking = dict(predictions.paths), False
    for source, result in in_order(executor, work, _drawn(found, unreadable)):
        one = unjudged(source.where, result) if isinstance(result, Lost) else result
        is_lacking |= one.is_lacking
        for case in one.matched:
            unmatched.pop(case, None)
        yield one
    lacking = "no reference that can be used" if is_lacking or unreadable else _NO_REFERENCE
    alone = (Skipped(predictions.where(path), lacking) for path in unmatched.values())
    yield Judgement(problems=(*unreadable, *alone))


def _drawn(found: Iterable[Source | Skipped], unreadable: list[Skipped]) -> Iterator[Source]:
    """The subjects; what is none joins `unreadable`."""
    for one in found:
        if isinstance(one, Source):
            yield one
        else:
            unreadable.append(one)


def _present(scores: list[VolumeScore]) -> tuple[Label, ...]:
    """The labels that occur in at least one reference: one that never does was not drawn."""
    drawn = {score.label for score in scores if score.overlap.reference}
    return tuple(label for label in STRUCTURES if label in drawn)


def _first_reason(problems: tuple[Skipped, ...]) -> str:
    if not problems:
        return "they have no label in common"
    sides = {one.why: one.where for one in reversed(problems)}
    if sides.keys() == {_NO_REFERENCE, NO_PREDICTION}:
        examples = f"{sides[NO_PREDICTION]} is a reference, {sides[_NO_REFERENCE]} a prediction"
        return f"masks are paired by name: {examples}; give each case the same name on both sides"
    names = "masks are paired by name; " if sides.keys() <= {_NO_REFERENCE, NO_PREDICTION} else ""
    return f"{names}{len(problems)} problems, the first: {problems[0].where}: {problems[0].why}"
