"""Shared slices: the slices on which two systems are compared, and each subject's mean over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from cardioseg.evaluation.scores import METRICS, VolumeScore
from cardioseg.evaluation.studies_of_patients import EACH_A_PATIENT, PatientOf

Place = tuple[str, str, str, int]  # subject, reference, volume, slice
_Values = Mapping[Place, float | None]


@dataclass(frozen=True)
class SharedSlices:
    """One metric of one label on the slices on which both systems have a value.

    Attributes:
        first: mean of the first system over the shared slices of each subject, by subject id, or of each patient if
            some subjects are studies of one patient.
        second: the same of the second system, for the same subjects in the same order.
        subjects: number of subjects with a shared slice.
        volumes: number of volumes with a shared slice.
        slices: number of shared slices.
        first_only: number of slices on which only the first system has a value.
        second_only: number of slices on which only the second system has a value.
    """

    first: Mapping[str, float]
    second: Mapping[str, float]
    subjects: int
    volumes: int
    slices: int
    first_only: int
    second_only: int


def shared_slices(
    first: Iterable[VolumeScore],
    second: Iterable[VolumeScore],
    metric: str,
    patient_of: PatientOf = EACH_A_PATIENT,
) -> SharedSlices:
    """Find the slices that both systems have, and the means over them.

    If both masks of one system are empty on a slice, it has no Dice there. But if the other system drew something on
    this slice, which the reference does not have, the other has Dice 0; then the first has Dice 1, as it is right.

    Args:
        first: the scores of one label by the first system.
        second: the scores of the same label by the second system.
        metric: one of `METRICS`.
        patient_of: the patient of each subject that shares its patient with another.
    """
    values: _Values = _values(first, metric)
    others: _Values = _values(second, metric)
    if metric == "dice":
        values, others = _right_if_empty(values, others), _right_if_empty(others, values)
    shared = [place for place, value in values.items() if value is not None and others.get(place) is not None]
    return SharedSlices(
        first=_subject_means(values, shared, patient_of),
        second=_subject_means(others, shared, patient_of),
        subjects=len({place[0] for place in shared}),
        volumes=len({place[:-1] for place in shared}),
        slices=len(shared),
        first_only=_defined(values) - len(shared),
        second_only=_defined(others) - len(shared),
    )


def _values(scores: Iterable[VolumeScore], metric: str) -> dict[Place, float | None]:
    """The value of each annotated slice; None where it is undefined."""
    return {
        (score.subject_id, score.reference_id, score.volume, part.index): METRICS[metric](part)
        for score in scores
        for part in score.slices
    }


def _right_if_empty(values: _Values, others: _Values) -> _Values:
    return {place: 1.0 if value is None and others.get(place) is not None else value for place, value in values.items()}


def _subject_means(values: _Values, shared: Sequence[Place], patient_of: PatientOf) -> dict[str, float]:
    by_subject: dict[str, list[float]] = {}
    for place in shared:
        if (value := values[place]) is not None:
            by_subject.setdefault(patient_of.get(place[0], place[0]), []).append(value)
    return {subject_id: fmean(own) for subject_id, own in by_subject.items()}


def _defined(values: _Values) -> int:
    return sum(value is not None for value in values.values())
