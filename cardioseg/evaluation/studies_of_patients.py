"""Studies of patients: subjects that are studies of one patient count as one patient in intervals and tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.wording import counted

PatientOf = Mapping[str, str]  # the patient of each subject that shares its patient with another subject
EACH_A_PATIENT: PatientOf = {}


def by_patient(pairs: Iterable[MeasurePair], patient_of: PatientOf) -> tuple[MeasurePair, ...]:
    """The measures with one pair for each patient: the mean over its studies.

    Studies without a predicted value count only if the patient has no other. A patient of several studies has the name
    that `patient_of` gives.

    Args:
        pairs: the measures of all subjects.
        patient_of: the patient of each subject that shares its patient with another.
    """
    by_name: dict[tuple[str, str], list[MeasurePair]] = {}
    for pair in pairs:
        patient = patient_of.get(pair.subject_id, pair.subject_id)
        by_name.setdefault((patient, pair.measure), []).append(pair)
    return tuple(
        studies[0] if len(studies) == 1 else _mean(patient, studies) for (patient, _), studies in by_name.items()
    )


def note(scores: Iterable[VolumeScore], patient_of: PatientOf) -> str:
    """How many patients the compared subjects are, and how they count; "" if each subject is a patient."""
    subjects = {score.subject_id for score in scores}
    patients = {patient_of.get(subject_id, subject_id) for subject_id in subjects}
    if len(patients) == len(subjects):
        return ""
    return (
        f"{len(subjects)} subjects are studies of {counted(len(patients), 'patient')}: intervals, tests and means per "
        "subject count patients, each with the mean of its studies"
    )


def counted_patients(patients: int, studies: int) -> str:
    """`12`, or `6 patients, 12 studies` if some are of one patient."""
    return str(patients) if patients == studies else f"{counted(patients, 'patient')}, {studies} studies"


def _mean(patient: str, studies: Sequence[MeasurePair]) -> MeasurePair:
    complete = [study for study in studies if study.predicted is not None] or studies
    predicted = [study.predicted for study in complete if study.predicted is not None]
    reference = fmean(study.reference for study in complete)
    return replace(
        studies[0],
        subject_id=patient,
        reference=reference,
        predicted=fmean(predicted) if predicted else None,
        as_reported=None,
    )
