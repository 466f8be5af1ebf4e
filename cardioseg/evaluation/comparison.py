"""Comparison: predicted masks with references, subject by subject."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from cardioseg.dataset.same_patient import same_patients
from cardioseg.errors import NoInputError, UsageError
from cardioseg.evaluation.gaps import shortened
from cardioseg.evaluation.judgement import Judgement, Judging, unjudged
from cardioseg.evaluation.measures import paired_measures
from cardioseg.evaluation.mistakes import DoubtfulConvention
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import NO_PREDICTION
from cardioseg.evaluation.references import find_references, is_plain, plain_convention
from cardioseg.evaluation.reported_measures import read_reported
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.seen_subjects import seen_subjects
from cardioseg.evaluation.undrawn import doubtful_moments, is_drawn
from cardioseg.evaluation.worst_pairs import WorstPairs
from cardioseg.execution.executor import Executor, Lost, in_order
from cardioseg.execution.in_process import Here
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label
from cardioseg.ingest.labels.nnunet_dataset_json import stated_convention
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import Source
from cardioseg.results.edits import is_predicted
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.mask_files import (
    MaskFolder,
    case_id,
    find_masks,
    no_masks,
)
from cardioseg.results.run_record import read_run_record
from cardioseg.skipped import Skipped

_ACDC = CONVENTIONS["acdc"]
_NO_REFERENCE = "no reference"
_GIVE_RESULTS = "give the folder that `cardioseg predict` wrote"
_PREDICTED_FIRST = "give the predicted masks first and the reference last: cardioseg evaluate PREDICTED REFERENCE"
_SWAPPED = f"`cardioseg predict` wrote the reference, but not the other folder; {_PREDICTED_FIRST}"


def evaluate(
    predicted: Path,
    reference: Path,
    predicted_convention: Convention | None = None,
    meaning: Meaning = AS_USUAL,
    executor: Executor = Here(),  # noqa: B008 - frozen
) -> Evaluation:
    """Compare predicted masks with reference labels.

    Args:
        predicted: what `predict` wrote (`<case_id>/mask.nii.gz`), or any folder of NIfTI masks named by case. If it
            has a `run.json`, only the labels that the model segments are evaluated.
        reference: a prepared dataset, a labelled layout that `ingest` reads, or a folder of NIfTI masks named by case.
        predicted_convention: the meaning of the numbers in predicted masks; None: as in nnU-Net's card, else ACDC's.
        meaning: what the numbers and names of the references mean, if not what their layout says, else ACDC's.
        executor: reads and scores the subjects.

    Returns:
        The scores of the pairs that could be compared, and the reasons why the others could not.

    Raises:
        NoInputError: nothing could be compared.
        UnusableError: `run.json` or the prepared dataset is damaged.
        UsageError: a meaning is given for references whose numbers and names already have one, or for masks that
            `predict` wrote.
    """
    for folder in (predicted, reference):
        if not folder.exists():
            raise NoInputError(f"{folder}: no such folder")
    predictions = find_masks(predicted)
    if predictions.paths and predicted.is_file() and reference.is_file():
        predictions = MaskFolder(predicted, {case_id(reference): predicted})  # two files need no name in common
    if not predictions.paths:
        raise no_masks(predicted, _GIVE_RESULTS if is_plain(predicted) else _PREDICTED_FIRST)
    if predicted_convention is not None and any(map(is_predicted, predictions.paths.values())):
        what = f"--predicted-labels has no effect: `predict` wrote the masks in {predicted}"
        raise UsageError(what, "leave out --predicted-labels")
    run = read_run_record(ResultsFolder(predicted))
    structures = run.structures
    if predicted_convention is None:
        stated = stated_convention(predicted, "--predicted-labels") if structures is None else None
        predicted_convention = stated or _ACDC
    origin = Origin(predicted.resolve().name, reference.resolve().name, run.model_sha256)
    doubtful = [*_doubtful_reference(reference, meaning)]
    if structures is None or predicted_convention != _ACDC:
        doubtful.append(DoubtfulConvention(predicted_convention, "--predicted-labels"))
    work = Judging(predictions, predicted_convention, STRUCTURES if structures is None else structures, doubtful)
    evaluation = collect(_judged(work, find_references(reference, meaning), executor), origin)
    unchanged = {score.case_id for score in evaluation.scores}.difference(evaluation.edited)
    swapped = _swapped(reference, origin) if structures is None else ()
    seen = seen_subjects(run.used_model, reference, {score.subject_id for score in evaluation.scores})
    mistakes = (*swapped, *seen, *evaluation.mistakes)
    return replace(evaluation, mistakes=mistakes, reported=read_reported(predictions, unchanged))


def _doubtful_reference(reference: Path, meaning: Meaning) -> Iterator[DoubtfulConvention]:
    """The convention of plain masks, whose numbers nothing but a folder's card or the user explains."""
    if is_plain(reference):
        numbers = meaning.numbers or plain_convention(reference, meaning)
        yield DoubtfulConvention(numbers, "--labels", is_reference=True)


def _swapped(reference: Path, origin: Origin) -> tuple[Skipped, ...]:
    """The warning that PREDICTED and REFERENCE look swapped, if `predict` wrote the reference."""
    if read_run_record(ResultsFolder(reference)).structures is None:
        return ()
    return (Skipped(origin.reference, _SWAPPED),)


def collect(judgements: Iterable[Judgement], origin: Origin) -> Evaluation:
    """Collect the judgements of all subjects into one evaluation.

    Args:
        judgements: one per subject.
        origin: what is compared.

    Raises:
        NoInputError: nothing could be compared.
    """
    scores: list[VolumeScore] = []
    problems: list[Skipped] = []
    mistakes: list[Skipped] = []
    edits: list[Skipped] = []
    edited: list[str] = []
    corrected: list[str] = []
    group_of: dict[str, str] = {}
    patient_keys: dict[str, str | None] = {}
    worst = WorstPairs()
    for judgement in judgements:
        problems += judgement.problems
        mistakes += judgement.mistakes
        edits += judgement.edits
        edited += judgement.edited
        corrected += judgement.corrected
        group_of |= judgement.group_of
        patient_keys |= judgement.patient_keys
        for pair, pair_scores in judgement.scored:
            scores += pair_scores
            worst.add(pair, [score for score in pair_scores if is_drawn(score)])
    labels = _reference_labels(scores)
    distinct = tuple(dict.fromkeys(problems))
    if not labels:
        raise _nothing_compared(origin, distinct)
    kept = [score for score in scores if score.label in labels]
    drawn = tuple(filter(is_drawn, kept))
    return Evaluation(
        labels=labels,
        scores=drawn,
        problems=distinct,
        undrawn=tuple(score for score in kept if not is_drawn(score)),
        mistakes=(*mistakes, *doubtful_moments(paired_measures(drawn)), *shortened(drawn)),
        edits=tuple(dict.fromkeys(edits)),
        edited=tuple(dict.fromkeys(edited)),
        corrected=tuple(dict.fromkeys(corrected)),
        worst=worst.pairs,
        origin=origin,
        group_of=group_of,
        patient_of=same_patients(patient_keys),
    )


def _nothing_compared(origin: Origin, problems: tuple[Skipped, ...]) -> NoInputError:
    message = f"nothing in {origin.predicted} could be compared with {origin.reference}"
    return NoInputError(message, _hint(problems), [f"{problem.where}: {problem.why}" for problem in problems])


def _judged(work: Judging, references: Iterable[Source | Skipped], executor: Executor) -> Iterator[Judgement]:
    """The judgement of each subject, then one of the predictions that belong to no subject."""
    predictions = work.predictions
    unreadable: list[Skipped] = []
    yield Judgement(problems=predictions.clashes)
    unmatched, has_unusable_reference = dict(predictions.paths), False
    for source, result in in_order(executor, work, _usable(references, unreadable)):
        judgement = unjudged(source.where, result) if isinstance(result, Lost) else result
        has_unusable_reference |= judgement.has_unusable_reference
        for case in judgement.matched:
            unmatched.pop(case, None)
        yield replace(judgement, patient_keys={source.subject_id: source.patient})
    reason = "no reference that can be used" if has_unusable_reference or unreadable else _NO_REFERENCE
    without_reference = (Skipped(predictions.where(path), reason) for path in unmatched.values())
    yield Judgement(problems=(*unreadable, *without_reference))


def _usable(references: Iterable[Source | Skipped], unreadable: list[Skipped]) -> Iterator[Source]:
    """The subjects; everything else is appended to `unreadable`."""
    for reference in references:
        if isinstance(reference, Source):
            yield reference
        else:
            unreadable.append(reference)


def _reference_labels(scores: list[VolumeScore]) -> tuple[Label, ...]:
    """The labels that occur in at least one reference; a label that never occurs was not drawn."""
    drawn = {score.label for score in scores if score.overlap.reference}
    return tuple(label for label in STRUCTURES if label in drawn)


def _hint(problems: tuple[Skipped, ...]) -> str:
    if not problems:
        return "they have no label in common"
    sides = {problem.why: problem.where for problem in reversed(problems)}
    if sides.keys() == {_NO_REFERENCE, NO_PREDICTION}:
        examples = f"{sides[NO_PREDICTION]} is a reference, {sides[_NO_REFERENCE]} a prediction"
        return f"masks are paired by name: {examples}; give each case the same name on both sides"
    names = "masks are paired by name; " if sides.keys() <= {_NO_REFERENCE, NO_PREDICTION} else ""
    return f"{names}{len(problems)} problems, the first: {problems[0].where}: {problems[0].why}"
