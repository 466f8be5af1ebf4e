"""Subject groups: the results of the subjects of each scanner or diagnosis, as the references name them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cardioseg.evaluation.measures import MEASURES, MeasurePair
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.spread import Spread, spread

UNNAMED = "no group"
EJECTION_FRACTIONS = ("lv_ef_percent", "rv_ef_percent")
COLUMNS = ("subject_group", "label_or_measure", "metric", "mean", "std", "n", "lowest")


@dataclass(frozen=True)
class SubjectGroup:
    """The results of the subjects of one group.

    Attributes:
        name: the group, as the references name it.
        subjects: number of subjects.
        dice: Dice per volume of each label.
        lowest_dice: the lowest Dice of a volume, of each label.
        errors: predicted minus reference, of each measure, at the reader's phases and slices.
        absolute_errors: the same without their sign.
    """

    name: str
    subjects: int
    dice: Mapping[Label, Spread]
    lowest_dice: Mapping[Label, float]
    errors: Mapping[str, Spread]
    absolute_errors: Mapping[str, Spread]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The results as rows with the columns `COLUMNS`."""
        for label, dice in self.dice.items():
            yield self._row(label.key, "dice_per_volume", dice) | {"lowest": self.lowest_dice[label]}
        for measure, errors in self.errors.items():
            yield self._row(measure, "error", errors)
            yield self._row(measure, "absolute_error", self.absolute_errors[measure])

    def _row(self, name: str, metric: str, values: Spread) -> dict[str, Any]:
        statistics = {"mean": values.mean, "std": values.std, "n": values.n, "lowest": None}
        return {"subject_group": self.name, "label_or_measure": name, "metric": metric} | statistics


def subject_groups(
    scores: Sequence[VolumeScore], measures: Sequence[MeasurePair], group_of: Mapping[str, str]
) -> tuple[SubjectGroup, ...]:
    """The results of each group, by name; none if all subjects are in one group.

    Args:
        scores: of all subjects.
        measures: of all subjects.
        group_of: the group of each subject by id; a subject without one is in the group `UNNAMED`.
    """
    members: dict[str, set[str]] = {}
    for subject_id in sorted({score.subject_id for score in scores}):
        members.setdefault(group_of.get(subject_id) or UNNAMED, set()).add(subject_id)
    if len(members) < 2:
        return ()
    return tuple(
        _group(
            name,
            len(members[name]),
            [score for score in scores if score.subject_id in members[name]],
            [pair for pair in measures if pair.subject_id in members[name]],
        )
        for name in sorted(members, key=lambda name: (name == UNNAMED, name))
    )


def _group(name: str, subjects: int, scores: Sequence[VolumeScore], measures: Sequence[MeasurePair]) -> SubjectGroup:
    dice: dict[Label, list[float]] = {}
    for score in scores:
        if score.overlap.dice is not None:
            dice.setdefault(score.label, []).append(score.overlap.dice)
    errors = {
        measure: [
            difference for pair in measures if pair.measure == measure and (difference := pair.difference) is not None
        ]
        for measure in MEASURES
    }
    return SubjectGroup(
        name=name,
        subjects=subjects,
        dice={label: spread(dice[label]) for label in STRUCTURES if label in dice},
        lowest_dice={label: min(values) for label, values in dice.items()},
        errors={measure: spread(values) for measure, values in errors.items() if values},
        absolute_errors={
            measure: spread([abs(value) for value in values]) for measure, values in errors.items() if values
        },
    )
