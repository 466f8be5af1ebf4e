"""Comparison: a folder of predicted masks against a folder of references."""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.errors import NoInputError
from cardioseg.evaluation.pairing import matching_id, pair
from cardioseg.evaluation.references import read_references
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore, score
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.masks import MaskFolder, find_masks, predicted_labels
from cardioseg.ingest.subject import Skipped


def evaluate(predicted: Path, reference: Path) -> Evaluation:
    """Compare predicted masks with reference labels.

    Args:
        predicted: what `predict` wrote (`<case_id>/mask.nii.gz`), or any folder of NIfTI masks named by case. Its
            `run.json`, where there is one, says which labels the model segments; others are not evaluated.
        reference: a labelled layout that `ingest` reads, or any folder of NIfTI masks named by case.

    Returns:
        The scores of the pairs that could be compared, and why the rest could not.

    Raises:
        NoInputError: nothing could be compared.
        UnusableError: `run.json` is damaged.
    """
    for folder in (predicted, reference):
        if not folder.exists():
            raise NoInputError(f"{folder}: no such folder")
    predictions = find_masks(predicted)
    if not predictions.paths:
        raise NoInputError(f"{predicted}: no NIfTI masks in it", "give the folder that `cardioseg predict` wrote")
    known = predicted_labels(predicted)
    outcomes = list(_compare(predictions, reference, frozenset(STRUCTURES) if known is None else known))
    scores = [outcome for outcome in outcomes if isinstance(outcome, VolumeScore)]
    problems = tuple(dict.fromkeys(outcome for outcome in outcomes if isinstance(outcome, Skipped)))
    labels = _present(scores)
    if not labels:
        raise NoInputError(f"nothing in {predicted} could be compared with {reference}", _first_reason(problems))
    return Evaluation(labels, tuple(score for score in scores if score.label in labels), problems)


def _compare(predictions: MaskFolder, reference: Path, segmented: frozenset[Label]) -> Iterator[VolumeScore | Skipped]:
    yield from predictions.clashes
    unmatched = dict(predictions.paths)
    for subject in read_references(reference):
        if isinstance(subject, Skipped):
            yield subject
            continue
        yield from subject.skipped
        for volume in subject.volumes:
            unmatched.pop(matching_id(volume, predictions) or "", None)
        for one in pair(subject, predictions):
            yield from [one] if isinstance(one, Skipped) else score(one, segmented)
    yield from (Skipped(predictions.where(path), "no reference") for path in unmatched.values())


def _present(scores: list[VolumeScore]) -> tuple[Label, ...]:
    """The labels that occur in at least one reference: one that never does was not drawn."""
    drawn = {score.label for score in scores if score.reference_voxels}
    return tuple(label for label in STRUCTURES if label in drawn)


def _first_reason(problems: tuple[Skipped, ...]) -> str:
    if not problems:
        return "they have no label in common"
    return f"{len(problems)} problems, the first: {problems[0].where}: {problems[0].why}"
