"""Summary: many scores become a mean and a spread, label by label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.spread import Spread, spread


@dataclass(frozen=True)
class LabelSummary:
    """One label over everything that was scored.

    Attributes:
        label: the structure.
        cases: predictions with at least one annotated volume.
        slices_scored: slices with a Dice.
        slices_both_empty: slices that both sides left empty, hence not scored.
        dice_per_slice: over the scored slices of all cases; the headline.
        dice_per_volume: over the 3D Dice of the volumes.
        dice_per_subject: over the subjects' means of their scored slices.
    """

    label: Label
    cases: int
    slices_scored: int
    slices_both_empty: int
    dice_per_slice: Spread
    dice_per_volume: Spread
    dice_per_subject: Spread


def summarise(scores: Iterable[VolumeScore]) -> tuple[LabelSummary, ...]:
    """Summarise each label that has scores."""
    by_label: dict[Label, list[VolumeScore]] = {}
    for score in scores:
        by_label.setdefault(score.label, []).append(score)
    return tuple(_summarise(label, by_label[label]) for label in STRUCTURES if label in by_label)


def _summarise(label: Label, scores: Sequence[VolumeScore]) -> LabelSummary:
    by_subject: dict[str, list[float]] = {}
    for score in scores:
        by_subject.setdefault(score.subject_id, []).extend(score.slice_dice)
    slices = [value for score in scores for value in score.slice_dice]
    return LabelSummary(
        label=label,
        cases=len({score.case_id for score in scores}),
        slices_scored=len(slices),
        slices_both_empty=sum(score.slices_both_empty for score in scores),
        dice_per_slice=spread(slices),
        dice_per_volume=spread([score.dice for score in scores if score.dice is not None]),
        dice_per_subject=spread([fmean(values) for values in by_subject.values() if values]),
    )
