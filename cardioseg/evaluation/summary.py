"""Summary: mean and spread of many scores, label by label, over everything and by phase and region."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from cardioseg.evaluation.regions import REGIONS
from cardioseg.evaluation.scores import METRICS, Metric, SliceScore, VolumeScore
from cardioseg.evaluation.studies_of_patients import EACH_A_PATIENT, PatientOf
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.spread import Spread, spread

ALL, PHASES = "all", ("ed", "es")
GROUPS = (ALL, *PHASES, *REGIONS)

Spreads = Mapping[str, Spread]


@dataclass(frozen=True)
class LabelSummary:
    """One label over everything that was scored, or over one group.

    Attributes:
        label: the structure.
        group: one of `GROUPS`: everything, one phase, or the slices of one region.
        cases: number of predictions with at least one annotated volume.
        slices_scored: number of slices with a Dice.
        slices_both_empty: number of slices that are empty in both masks, hence not scored.
        slices_missed: number of slices with Dice 0 because the prediction is empty.
        slices_invented: number of slices with Dice 0 because the reference is empty.
        per_slice: each metric of `METRICS`, over the scored slices of all cases.
        per_volume: over volumes, in 3D; empty for a region.
        per_subject: over the subjects' means of their scored slices; several studies of a patient are one subject.
    """

    label: Label
    group: str
    cases: int
    slices_scored: int
    slices_both_empty: int
    slices_missed: int
    slices_invented: int
    per_slice: Spreads
    per_volume: Spreads
    per_subject: Spreads


def summarise(scores: Iterable[VolumeScore], patient_of: PatientOf) -> tuple[LabelSummary, ...]:
    """Summarise each label that has scores: over everything, then over each group that has scores.

    Args:
        scores: of all subjects.
        patient_of: the patient of each subject that shares its patient with another.
    """
    by_label: dict[Label, list[VolumeScore]] = {}
    for score in scores:
        by_label.setdefault(score.label, []).append(score)
    return tuple(
        _summarise(label, group, chosen, patient_of)
        for label in STRUCTURES
        if label in by_label
        for group, chosen in _groups(by_label[label])
    )


def subject_means(
    scores: Iterable[VolumeScore], metric: str, patient_of: PatientOf = EACH_A_PATIENT
) -> dict[str, float]:
    """Each subject's mean over its scored slices, from which "per subject" is made; by patient as in `summarise`."""
    by_subject: dict[str, list[SliceScore]] = {}
    for score in scores:
        by_subject.setdefault(patient_of.get(score.subject_id, score.subject_id), []).extend(score.scored)
    values_by_subject = {subject_id: _values(METRICS[metric], slices) for subject_id, slices in by_subject.items()}
    return {subject_id: fmean(values) for subject_id, values in values_by_subject.items() if values}


def _groups(scores: Sequence[VolumeScore]) -> Iterator[tuple[str, Sequence[VolumeScore]]]:
    yield ALL, scores
    for phase in PHASES:
        if chosen := [score for score in scores if score.volume == phase]:
            yield phase, chosen
    for region in REGIONS:
        parts = [replace(score, slices=tuple(s for s in score.slices if s.region == region)) for score in scores]
        if chosen := [part for part in parts if part.slices]:
            yield region, chosen


def _summarise(label: Label, group: str, scores: Sequence[VolumeScore], patient_of: PatientOf) -> LabelSummary:
    slices = [part for score in scores for part in score.scored]
    return LabelSummary(
        label=label,
        group=group,
        cases=len({score.case_id for score in scores}),
        slices_scored=len(slices),
        slices_both_empty=sum(len(score.slices) for score in scores) - len(slices),
        slices_missed=sum(part.overlap.predicted == 0 for part in slices),
        slices_invented=sum(part.overlap.reference == 0 for part in slices),
        per_slice=_spreads(slices),
        per_volume={} if group in REGIONS else _spreads(scores),
        per_subject={name: spread(list(subject_means(scores, name, patient_of).values())) for name in METRICS},
    )


def _spreads(scores: Sequence[SliceScore | VolumeScore]) -> Spreads:
    return {name: spread(_values(metric, scores)) for name, metric in METRICS.items()}


def _values(metric: Metric, scores: Iterable[SliceScore | VolumeScore]) -> list[float]:
    return [value for score in scores if (value := metric(score)) is not None]
