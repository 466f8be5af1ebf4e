"""Slice scores: the Dice of each validated slice, as a table and as means over images and over subjects."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cardioseg.files import write_csv
from cardioseg.measure.spread import Spread, spread

Image = tuple[str, str, int]  # subject, volume, slice


@dataclass(frozen=True)
class SliceScore:
    """The Dice of one structure on one slice; None if it is in neither mask, or not drawn in the volume at all."""

    subject_id: str
    volume: str
    slice: int
    label: str
    dice: float | None

    @property
    def image(self) -> Image:
        """What was scored."""
        return self.subject_id, self.volume, self.slice

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> "SliceScore":
        """From a row of a table.

        Raises:
            KeyError, ValueError: it lacks a column, or a number.
        """
        dice = float(row["dice"]) if row["dice"] else None
        return cls(row["subject_id"], row["volume"], int(row["slice"]), row["label"], dice)


COLUMNS = tuple(SliceScore.__annotations__)


def write_scores(path: Path, scores: Iterable[SliceScore]) -> None:
    """Write a table with a row a score, atomically."""
    write_csv(path, COLUMNS, map(asdict, scores))


def read_scores(path: Path) -> list[SliceScore]:
    """The scores of a table that `write_scores` wrote.

    Raises:
        OSError, KeyError, ValueError: it cannot be read.
    """
    with path.open(newline="") as file:
        return [SliceScore.of_row(row) for row in csv.DictReader(file)]


def per_image(scores: Sequence[SliceScore], label: str) -> Spread:
    """The spread over images, as in the paper."""
    return spread([score.dice for score in scores if score.label == label and score.dice is not None])


def per_subject(scores: Sequence[SliceScore], label: str) -> Spread:
    """The spread over subjects, each with the mean of its images."""
    by_subject: dict[str, list[float]] = {}
    for score in scores:
        if score.label == label and score.dice is not None:
            by_subject.setdefault(score.subject_id, []).append(score.dice)
    return spread([float(np.mean(values)) for values in by_subject.values()])
