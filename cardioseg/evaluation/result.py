"""Result: an evaluation as a record, JSON and CSV."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg import __version__
from cardioseg.evaluation import corrected_masks, small_samples, studies_of_patients
from cardioseg.evaluation.error_budget import PARTS, ErrorBudget, error_budgets
from cardioseg.evaluation.evaluation_rules import SEED, stated
from cardioseg.evaluation.gaps import volumes_with_gaps
from cardioseg.evaluation.left_out_slices import left_out
from cardioseg.evaluation.measures import MEASURES, MeasurePair, Reported, paired_measures, reported_pairs, values_of
from cardioseg.evaluation.missed_measures import missed_measures
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.reported_measures import other_phases
from cardioseg.evaluation.scores import METRICS, VolumeScore
from cardioseg.evaluation.studies_of_patients import PatientOf, by_patient
from cardioseg.evaluation.subject_groups import COLUMNS as GROUP_COLUMNS
from cardioseg.evaluation.subject_groups import SubjectGroup, subject_groups
from cardioseg.evaluation.summary import LabelSummary, summarise
from cardioseg.evaluation.undrawn import not_drawn, without_moments
from cardioseg.files import write_csv, write_json
from cardioseg.image.labels import Label
from cardioseg.measure.agreement import Agreement, agreement
from cardioseg.skipped import Skipped

VOLUME_COLUMNS = (
    *("subject_id", "case_id", "volume", "label", *METRICS),
    *("reference_ml", "predicted_ml", "difference_ml", "slices_scored", "slices_both_empty", "slices_left_out"),
)
SLICE_COLUMNS = ("subject_id", "case_id", "volume", "label", "slice", "region", *METRICS)
ERROR_COLUMNS = ("label", "group", "volumes", "lost", *PARTS)
MEASURE_COLUMNS = tuple(MeasurePair.__annotations__)


@dataclass(frozen=True)
class Evaluation:
    """The result of a comparison of predictions with references.

    Attributes:
        labels: the evaluated labels: segmented by the model and present in the references.
        scores: one per label of each reference volume.
        problems: what could not be compared, and why.
        undrawn: of structures that a reference volume of several slices does not have at all: not compared.
        mistakes: cases that look as if labels were swapped, an axis flipped, or ED taken for ES, and how.
        worst: the few pairs that agree least, the worst first.
        origin: what was compared.
        reported: the measures of the predictions in `measures.csv`.
        edits: masks whose edit is compared, and files next to masks that are not compared, and why.
        edited: cases whose prediction was edited; their rows in `measures.csv` are of the mask before the edit.
        corrected: cases whose prediction a person changed, as an edit or in `review`.
        group_of: the group of each subject by its id, such as its scanner or diagnosis, if the references name groups.
        patient_of: the patient of each subject that is one of several studies of a patient.
    """

    labels: tuple[Label, ...]
    scores: tuple[VolumeScore, ...]
    problems: tuple[Skipped, ...]
    undrawn: tuple[VolumeScore, ...] = field(default=(), repr=False)
    mistakes: tuple[Skipped, ...] = ()
    worst: tuple[Pair, ...] = field(default=(), repr=False)
    origin: Origin = Origin("", "")  # noqa: RUF009 - frozen
    reported: Reported = field(default_factory=dict, repr=False)
    edits: tuple[Skipped, ...] = ()
    edited: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    group_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    patient_of: PatientOf = field(default_factory=dict, repr=False)

    @cached_property
    def summary(self) -> tuple[LabelSummary, ...]:
        """Each label over all (`group` is "all"), by phase and by region: `per_volume["dice"].mean`, for example."""
        return summarise(self.scores, self.patient_of)

    @cached_property
    def error_budgets(self) -> tuple[ErrorBudget, ...]:
        """Which mistakes cost how much Dice per volume, for each label over all and by phase."""
        return error_budgets(self.scores)

    @cached_property
    def subject_groups(self) -> tuple[SubjectGroup, ...]:
        """The results of each group of subjects, such as one scanner; none if all subjects are in one group."""
        return subject_groups(self.scores, self.measures, self.group_of)

    @cached_property
    def left_out(self) -> tuple[Skipped, ...]:
        """Slices and structures that the reference does not draw, by volume; subjects whose ED and ES are unknown."""
        undrawn = *not_drawn(self.undrawn), *without_moments((*self.scores, *self.undrawn))
        return (*left_out(self.scores), *volumes_with_gaps(self.scores), *undrawn)

    @property
    def other_phases(self) -> tuple[Skipped, ...]:
        """The volumes whose phase differs from the reported ED or ES."""
        return other_phases(self.scores, self.reported)

    @cached_property
    def measures(self) -> tuple[MeasurePair, ...]:
        """The measures of each subject."""
        return paired_measures(self.scores, self.reported)

    @cached_property
    def agreements(self) -> dict[str, Agreement]:
        """How well each measure agrees at the reader's phases and slices: `agreements["lv_edv_ml"].bias`."""
        return _agreements(self.measures, self.patient_of)

    @cached_property
    def missed_measures(self) -> tuple[Skipped, ...]:
        """Subjects whose prediction misses a structure at ED or ES, or lacks a measure that the reference has."""
        return tuple(missed_measures(self.scores, self.measures, self.reported_measures))

    @property
    def warning(self) -> str:
        """The warning that the agreement of measures is computed from few subjects, or ""."""
        return small_samples.warning((*self.agreements.values(), *self.reported_agreements.values()))

    @property
    def patient_note(self) -> str:
        """How many patients the subjects are, if some are studies of one patient, else ""."""
        return studies_of_patients.note(self.scores, self.patient_of)

    @property
    def correction_warning(self) -> str:
        """The warning that a person changed some of the predicted masks, or ""."""
        return corrected_masks.warning(self.corrected, self.scores)

    @cached_property
    def reported_measures(self) -> tuple[MeasurePair, ...]:
        """The measures for which the prediction has two numbers, as reported."""
        return reported_pairs(self.measures)

    @cached_property
    def reported_agreements(self) -> dict[str, Agreement]:
        """The agreement of these measures as reported, by their names."""
        return _agreements(self.reported_measures, self.patient_of)

    @property
    def protocol(self) -> str:
        """The rules: the metrics, the means, empty masks, measures and intervals."""
        return stated(self.summary)

    def to_json(self) -> dict[str, Any]:
        """Everything except the single slices, ready for `json.dumps`."""
        return {
            "origin": asdict(self.origin) | {"cardioseg": __version__},
            "protocol": self.protocol,
            "labels": [label.key for label in self.labels],
            "summary": [asdict(summary) | {"label": summary.label.key} for summary in self.summary],
            "error_budget": list(self.error_rows()),
            "subject_groups": list(self.group_rows()),
            "warning": self.warning,
            "patient_note": self.patient_note,
            "agreement": {name: asdict(agreement) for name, agreement in self.agreements.items()},
            "agreement_as_reported": {name: asdict(agreement) for name, agreement in self.reported_agreements.items()},
            "missed_measures": [asdict(missed) for missed in self.missed_measures],
            "correction_warning": self.correction_warning,
            "edits": [asdict(edit) for edit in self.edits],
            "left_out": [asdict(volume) for volume in self.left_out],
            "other_phases": [asdict(volume) for volume in self.other_phases],
            "volumes": list(self.volume_rows()),
            "measures": [asdict(pair) for pair in self.measures],
            "problems": [asdict(problem) for problem in self.problems],
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
        }

    def volume_rows(self) -> Iterator[dict[str, Any]]:
        """A row for each label of each volume, with the columns of `evaluation.csv`."""
        for score in self.scores:
            yield (
                _identity(score)
                | {name: metric(score) for name, metric in METRICS.items()}
                | {
                    "reference_ml": score.reference_ml,
                    "predicted_ml": score.predicted_ml,
                    "difference_ml": score.difference_ml,
                    "slices_scored": len(score.scored),
                    "slices_both_empty": len(score.slices) - len(score.scored),
                    "slices_left_out": len(score.left_out),
                }
            )

    def slice_rows(self) -> Iterator[dict[str, Any]]:
        """A row for each label of each slice, with the columns of `evaluation_slices.csv`."""
        for score in self.scores:
            for part in score.slices:
                metrics = {name: metric(part) for name, metric in METRICS.items()}
                yield _identity(score) | {"slice": part.index, "region": part.region} | metrics

    def error_rows(self) -> Iterator[dict[str, Any]]:
        """A row for each error budget, with the columns of `evaluation_errors.csv`."""
        for budget in self.error_budgets:
            identity = {"label": budget.label.key, "group": budget.group, "volumes": budget.volumes}
            yield identity | {"lost": budget.parts.lost} | asdict(budget.parts)

    def group_rows(self) -> Iterator[dict[str, Any]]:
        """Rows for each group of subjects, with the columns of `evaluation_groups.csv`."""
        for group in self.subject_groups:
            yield from group.rows()


def write(evaluation: Evaluation, folder: Path) -> None:
    """Write `evaluation.json`, and as tidy tables `evaluation.csv` and `evaluation_slices|measures|errors|groups.csv`.

    Raises:
        ResourceError: the file system refuses.
    """
    write_csv(folder / "evaluation.csv", VOLUME_COLUMNS, evaluation.volume_rows())
    write_csv(folder / "evaluation_slices.csv", SLICE_COLUMNS, evaluation.slice_rows())
    write_csv(folder / "evaluation_measures.csv", MEASURE_COLUMNS, map(asdict, evaluation.measures))
    write_csv(folder / "evaluation_errors.csv", ERROR_COLUMNS, evaluation.error_rows())
    write_csv(folder / "evaluation_groups.csv", GROUP_COLUMNS, evaluation.group_rows())
    write_json(folder / "evaluation.json", evaluation.to_json())


def _agreements(pairs: Sequence[MeasurePair], patient_of: PatientOf) -> dict[str, Agreement]:
    rng = np.random.default_rng(SEED)
    subjects = Counter(pair.measure for pair in pairs)
    studies = Counter(pair.measure for pair in pairs if pair.predicted is not None)
    patients = by_patient(pairs, patient_of)
    agreements = {name: agreement(*values_of(patients, name), rng) for name in MEASURES if subjects[name]}
    return {
        name: replace(found, studies=studies[name], missing=subjects[name] - studies[name])
        for name, found in agreements.items()
    }


def _identity(score: VolumeScore) -> dict[str, Any]:
    return {
        "subject_id": score.subject_id,
        "case_id": score.case_id,
        "volume": score.volume,
        "label": score.label.key,
    }
