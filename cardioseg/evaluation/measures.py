"""Measures: what each subject's reference says of its ventricles, beside what the prediction says.

A prediction gives two numbers for one measure. At the reader's phases and slices, it is measured as the reference is:
at the reference's own end-diastole and end-systole and on its annotated slices, so that a difference is one of the
masks, never one of the choice of phases or slices. As reported, it is the number in `measures.csv`: over the whole
stack, at the phases that were found in the prediction.

A structure that the prediction misses at ED or ES has a volume of 0 mL there: the error is the whole volume, so that a
miss never improves the agreement of volumes. As no heart empties, such a cavity has no SV and no EF.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from cardioseg.evaluation.gaps import without_gaps
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.curves import Beat
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.quantity import Values
from cardioseg.measure.ventricles import beat_values

AT_READERS, AS_REPORTED = "at the reader's phases and slices", "as reported"
MEASURES = tuple(key for key, quantity in QUANTITIES.items() if quantity.is_compared)
_ROUNDED = 0.01  # reported numbers have two decimals

_Volumes = Mapping[tuple[str, Label], float | None]
Reported = Mapping[str, Mapping[str, float]]  # by case id and name of the measure


@dataclass(frozen=True)
class MeasurePair:
    """One measure of one subject, `MEASURES` by name.

    Attributes:
        subject_id: the person.
        measure: its name.
        reference: from the reference mask.
        predicted: from the predicted mask, at the reader's phases and slices; None if the mask does not give it,
            because it misses the cavity at ED or ES.
        as_reported: of the prediction in `measures.csv`; None where nothing is reported.
    """

    subject_id: str
    measure: str
    reference: float
    predicted: float | None
    as_reported: float | None = None

    @property
    def difference(self) -> float | None:
        """Predicted minus reference."""
        return None if self.predicted is None else self.predicted - self.reference

    @property
    def differs(self) -> bool:
        """Whether the number that is reported is not `predicted`."""
        if self.as_reported is None:
            return False
        return self.predicted is None or abs(self.as_reported - self.predicted) > _ROUNDED


def paired_measures(scores: Iterable[VolumeScore], reported: Reported | None = None) -> tuple[MeasurePair, ...]:
    """Every measure that the reference of a subject gives; subjects in the order of the scores.

    A structure that the reference does not draw on slices between others has no volume.

    Args:
        scores: of all subjects.
        reported: the measures in `measures.csv`; a subject of several cases has none, each is a part of it.
    """
    by_subject: dict[str, list[VolumeScore]] = {}
    for score in without_gaps(scores):
        if score.overlap.reference:  # no ventricle is empty: its volume is not 0 mL, but not known
            by_subject.setdefault(score.subject_id, []).append(score)
    return tuple(pair for subject_id, own in by_subject.items() for pair in _pairs(subject_id, own, reported or {}))


def reported_pairs(pairs: Sequence[MeasurePair]) -> tuple[MeasurePair, ...]:
    """The measures that differ for any subject, of all subjects, with the reported number as predicted."""
    differing = {pair.measure for pair in pairs if pair.differs}
    return tuple(replace(pair, predicted=pair.as_reported) for pair in pairs if pair.measure in differing)


def values_of(pairs: Iterable[MeasurePair], measure: str) -> tuple[list[float], list[float]]:
    """The references and the predictions of a measure, of the subjects that have both."""
    both = [(pair.reference, pair.predicted) for pair in pairs if pair.measure == measure]
    complete = [(expected, measured) for expected, measured in both if measured is not None]
    return [expected for expected, _ in complete], [measured for _, measured in complete]


def means(pairs: Iterable[MeasurePair], measure: str) -> tuple[float | None, float | None]:
    """Mean of a measure over the subjects that have both: of the reference and of the prediction."""
    reference, predicted = values_of(pairs, measure)
    return (fmean(reference), fmean(predicted)) if reference else (None, None)


def _pairs(subject_id: str, scores: list[VolumeScore], reported: Reported) -> Iterator[MeasurePair]:
    reference, predicted = (
        _measures({(score.volume, score.label): getattr(score, side) for score in scores})
        for side in ("reference_ml", "predicted_ml")
    )
    cases = {score.case_id for score in scores}
    as_reported = reported.get(min(cases), {}) if len(cases) == 1 else {}
    for name in MEASURES:
        expected = reference.get(name)
        if expected is not None:
            yield MeasurePair(subject_id, name, expected, predicted.get(name), as_reported.get(name))


def _measures(volumes_ml: _Volumes) -> Values:
    lv, rv = (
        Beat(edv_ml=volumes_ml.get(("ed", label)), esv_ml=volumes_ml.get(("es", label)))
        for label in (Label.LV_CAVITY, Label.RV_CAVITY)
    )
    return beat_values(lv, rv, volumes_ml.get(("ed", Label.LV_MYOCARDIUM)))
