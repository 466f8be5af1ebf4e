"""Error budget: which mistakes cost how much Dice, label by label, over everything and by phase."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from cardioseg.evaluation.scores import SliceScore, VolumeScore
from cardioseg.evaluation.summary import ALL, PHASES
from cardioseg.image.labels import STRUCTURES, Label


@dataclass(frozen=True)
class ErrorParts:
    """The parts of the Dice that is lost, each between 0 and 1.

    `extra_slices`, `missed_slices`, `base`, `mid` and `apex` add up to 1 - Dice; so do `extra_slices`, `missed_slices`,
    `too_small` and `too_large`.

    Attributes:
        extra_slices: on slices on which only the prediction has the label.
        missed_slices: on slices on which only the reference has the label.
        base: on slices of the base on which both have the label, hence along the boundary; `regions.regions`.
        mid: the same for mid-ventricular slices.
        apex: the same for slices of the apex.
        too_small: along the boundary, where the prediction lacks the label.
        too_large: along the boundary, where only the prediction has the label.
    """

    extra_slices: float
    missed_slices: float
    base: float
    mid: float
    apex: float
    too_small: float
    too_large: float

    @property
    def lost(self) -> float:
        """1 - Dice."""
        return self.extra_slices + self.missed_slices + self.too_small + self.too_large


PARTS = tuple(field.name for field in fields(ErrorParts))
COLUMN_TITLES = {"lost": "lost"} | {name: name.replace("_", " ") for name in PARTS}


@dataclass(frozen=True)
class ErrorBudget:
    """The mean over volumes of one label's parts.

    Attributes:
        label: the structure.
        group: `all`, `ed` or `es`.
        volumes: number of volumes that have a Dice.
        parts: the mean of each part; `parts.lost` is 1 - the mean Dice per volume.
    """

    label: Label
    group: str
    volumes: int
    parts: ErrorParts


def error_budgets(scores: Iterable[VolumeScore]) -> tuple[ErrorBudget, ...]:
    """The budget of each label that has scores: over all volumes, then for each phase that has scores."""
    scored = [score for score in scores if score.overlap.dice is not None]
    return tuple(
        ErrorBudget(label, group, len(chosen), _mean([error_parts(score) for score in chosen]))
        for label in STRUCTURES
        for group in (ALL, *PHASES)
        if (chosen := [score for score in scored if score.label is label and group in (ALL, score.volume)])
    )


def error_parts(score: VolumeScore) -> ErrorParts:
    """The parts of the Dice that one volume loses.

    Args:
        score: of a volume in which at least one of the two masks has the label.

    Raises:
        ZeroDivisionError: both masks are empty.
    """
    slices = score.slices
    outlined = [part for part in slices if part.overlap.reference and part.overlap.predicted]
    extra = sum(_too_large(part) for part in slices if not part.overlap.reference)
    missed = sum(_too_small(part) for part in slices if not part.overlap.predicted)
    by_region = (_wrong(part for part in outlined if part.region == region) for region in ("base", "mid", "apex"))
    counts = (extra, missed, *by_region, sum(map(_too_small, outlined)), sum(map(_too_large, outlined)))
    both_volumes = score.overlap.reference + score.overlap.predicted
    return ErrorParts(*(count / both_volumes for count in counts))


def _mean(parts: Sequence[ErrorParts]) -> ErrorParts:
    return ErrorParts(*(fmean(getattr(of_volume, name) for of_volume in parts) for name in PARTS))


def _wrong(slices: Iterator[SliceScore]) -> int:
    return sum(_too_small(part) + _too_large(part) for part in slices)


def _too_small(part: SliceScore) -> int:
    """Pixels that only the reference has."""
    return part.overlap.reference - part.overlap.both


def _too_large(part: SliceScore) -> int:
    """Pixels that only the prediction has."""
    return part.overlap.predicted - part.overlap.both
