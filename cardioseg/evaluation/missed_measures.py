"""Missed measures: the subjects whose prediction lacks a structure at ED or ES, or a measure that the reference has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cardioseg.evaluation.gaps import without_gaps
from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.agreement import Agreement
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.skipped import Skipped
from cardioseg.wording import listed

_VOLUMES = {
    ("ed", Label.LV_CAVITY): "lv_edv_ml",
    ("es", Label.LV_CAVITY): "lv_esv_ml",
    ("ed", Label.RV_CAVITY): "rv_edv_ml",
    ("es", Label.RV_CAVITY): "rv_esv_ml",
    ("ed", Label.LV_MYOCARDIUM): "lv_mass_g",
}


def missed_measures(
    scores: Iterable[VolumeScore], pairs: Sequence[MeasurePair], reported_pairs: Iterable[MeasurePair]
) -> Iterator[Skipped]:
    """A line for each structure that a prediction misses at ED or ES, then one for each subject that lacks a report.

    Args:
        scores: of all subjects.
        pairs: their measures at the reader's phases and slices.
        reported_pairs: their measures as reported.
    """
    missed: dict[tuple[str, Label], list[str]] = {}
    for score in without_gaps(scores):
        if (score.volume, score.label) in _VOLUMES and score.reference_ml and not score.overlap.predicted:
            missed.setdefault((score.subject_id, score.label), []).append(score.volume)
    lacking = _lacking(pairs)
    for (subject_id, label), volumes in missed.items():
        zero = [_VOLUMES[volume, label] for volume in volumes]
        lost = [name for name in lacking.get(subject_id, ()) if QUANTITIES[name].structure is label]
        left_out = f"; left out: {listed(_captions(lost))}" if lost else ""
        where = " and ".join(volume.upper() for volume in volumes)
        counts = "counts" if len(zero) == 1 else "count"
        amount = f"{listed(_captions(zero))} {counts} as 0 {QUANTITIES[zero[0]].unit}"
        why = f"the prediction has no {label.title} at {where}: {amount}{left_out}"
        yield Skipped(subject_id, why)
    for subject_id, names in _lacking(reported_pairs).items():
        yield Skipped(subject_id, f"measures.csv does not give {listed(_captions(names))} of the compared mask")


def warning(agreements: Iterable[Agreement]) -> str:
    """What `8 of 12` subjects means, if a measure has subjects without a predicted value; else ""."""
    if not any(agreement.missing for agreement in agreements):
        return ""
    return (
        "8 of 12, for example: of 12 subjects that have a reference, 8 have a predicted value. The agreement is that "
        "of the 8 alone, so it may look better than it is"
    )


def _lacking(pairs: Iterable[MeasurePair]) -> Mapping[str, Sequence[str]]:
    """The measures without a predicted value, by subject."""
    names: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.predicted is None:
            names.setdefault(pair.subject_id, []).append(pair.measure)
    return names


def _captions(measures: Sequence[str]) -> list[str]:
    return [QUANTITIES[name].caption for name in measures]
