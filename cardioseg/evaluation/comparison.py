"""Comparison: predicted masks against references, a folder of them or pair by pair."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from cardioseg.errors import NoInputError
from cardioseg.evaluation.mistakes import Numbers, likely_mistake
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import NO_PREDICTION, Pair, matching_id, pair
from cardioseg.evaluation.references import is_plain, read_references
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore, score
from cardioseg.evaluation.worst import Worst
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.ingest.masks import MaskFolder, case_id, find_masks, predicted_labels, predicting_model_sha256
from cardioseg.ingest.subject import Skipped

Convention = Mapping[int, Label]
_ACDC = CONVENTIONS["acdc"]
_NO_REFERENCE = "no reference"


def evaluate(
    predicted: Path, reference: Path, predicted_convention: Convention = _ACDC, convention: Convention = _ACDC
) -> Evaluation:
    """Compare predicted masks with reference labels.

    Args:
        predicted: what `predict` wrote (`<case_id>/mask.nii.gz`), or any folder of NIfTI masks named by case. Its
            `run.json`, where there is one, says which labels the model segments; others are not evaluated.
        reference: a prepared dataset, a labelled layout that `ingest` reads, or a folder of NIfTI masks named by case.
        predicted_convention: the meaning of the numbers in predicted masks.
        convention: the meaning of the numbers in a plain folder of reference masks.

    Returns:
        The scores of the pairs that could be compared, and why the rest could not.

    Raises:
        NoInputError: nothing could be compared.
        UnusableError: `run.json` or the prepared dataset is damaged.
    """
    for folder in (predicted, reference):
        if not folder.exists():
            raise NoInputError(f"{folder}: no such folder")
    predictions = find_masks(predicted)
    if predictions.paths and predicted.is_file() and reference.is_file():
        predictions = MaskFolder(predicted, {case_id(reference): predicted})  # two files need no name in common
    if not predictions.paths:
        raise NoInputError(f"{predicted}: no NIfTI masks in it", "give the folder that `cardioseg predict` wrote")
    known = predicted_labels(predicted)
    pairs = _pairs(predictions, reference, predicted_convention, convention)
    origin = Origin(predicted.resolve().name, reference.resolve().name, predicting_model_sha256(predicted))
    doubtful = None
    if known is None or predicted_convention != _ACDC:
        doubtful = Numbers(predicted_convention, "--predicted-labels")
    elif is_plain(reference):
        doubtful = Numbers(convention, "--labels", of_reference=True)
    return evaluate_pairs(pairs, STRUCTURES if known is None else known, origin, doubtful)


def evaluate_pairs(
    pairs: Iterable[Pair | Skipped], segmented: Collection[Label], origin: Origin, doubtful: Numbers | None = None
) -> Evaluation:
    """Score pairs one by one.

    Args:
        pairs: masks on the same grid, or why there is no pair.
        segmented: the labels that the prediction can have.
        origin: what is compared.
        doubtful: the numbers whose convention may be the wrong one, where labels look swapped.

    Raises:
        NoInputError: nothing could be compared.
    """
    scores: list[VolumeScore] = []
    problems: list[Skipped] = []
    mistakes: list[Skipped] = []
    worst = Worst()
    for one in pairs:
        if isinstance(one, Skipped):
            problems.append(one)
            continue
        own = tuple(score(one, segmented))
        scores += own
        worst.add(one, own)
        if what := likely_mistake(one, segmented, doubtful):
            mistakes.append(Skipped(f"{one.case_id} {one.reference.name}".strip(), what))
    labels = _present(scores)
    distinct = tuple(dict.fromkeys(problems))
    if not labels:
        what = f"nothing in {origin.predicted} could be compared with {origin.reference}"
        raise NoInputError(what, _first_reason(distinct))
    kept = tuple(one for one in scores if one.label in labels)
    return Evaluation(labels, kept, distinct, tuple(mistakes), worst.pairs, origin)


def _pairs(
    predictions: MaskFolder, reference: Path, predicted_convention: Convention, convention: Convention
) -> Iterator[Pair | Skipped]:
    yield from predictions.clashes
    unmatched, lacking = dict(predictions.paths), _NO_REFERENCE
    for subject in read_references(reference, convention):
        if isinstance(subject, Skipped):
            lacking = "no reference that can be used"
            yield subject
            continue
        yield from subject.skipped
        for volume in subject.volumes:
            unmatched.pop(matching_id(volume, predictions) or "", None)
        yield from pair(subject, predictions, predicted_convention)
    yield from (Skipped(predictions.where(path), lacking) for path in unmatched.values())


def _present(scores: list[VolumeScore]) -> tuple[Label, ...]:
    """The labels that occur in at least one reference: one that never does was not drawn."""
    drawn = {score.label for score in scores if score.overlap.reference}
    return tuple(label for label in STRUCTURES if label in drawn)


def _first_reason(problems: tuple[Skipped, ...]) -> str:
    if not problems:
        return "they have no label in common"
    names = "masks are paired by name; " if {one.why for one in problems} <= {_NO_REFERENCE, NO_PREDICTION} else ""
    return f"{names}{len(problems)} problems, the first: {problems[0].where}: {problems[0].why}"
