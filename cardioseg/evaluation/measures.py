"""Measures: what each subject's reference says of its ventricles, beside what the prediction says.

The volumes are those of the scores, at the reference's own end-diastole and end-systole and on its annotated slices: so
a difference is one of the masks, never one of the choice of phases or slices.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.ventricles import MYOCARDIUM_G_PER_ML

_SIDES = {"lv": Label.LV_CAVITY, "rv": Label.RV_CAVITY}
MEASURES = (
    *("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef_percent", "lv_mass_g"),
    *("rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "rv_ef_percent"),
)

_Volumes = Mapping[tuple[str, Label], float | None]


@dataclass(frozen=True)
class MeasurePair:
    """One measure of one subject, `MEASURES` by name: from the reference mask and from the predicted one."""

    subject_id: str
    measure: str
    reference: float
    predicted: float


def paired_measures(scores: Iterable[VolumeScore]) -> tuple[MeasurePair, ...]:
    """Every measure that both masks of a subject give; subjects in the order of the scores."""
    by_subject: dict[str, list[VolumeScore]] = {}
    for score in scores:
        by_subject.setdefault(score.subject_id, []).append(score)
    return tuple(pair for subject_id, own in by_subject.items() for pair in _pairs(subject_id, own))


def _pairs(subject_id: str, scores: list[VolumeScore]) -> Iterator[MeasurePair]:
    reference, predicted = (
        _measures({(score.volume, score.label): getattr(score, side) for score in scores})
        for side in ("reference_ml", "predicted_ml")
    )
    for name in MEASURES:
        expected, found = reference.get(name), predicted.get(name)
        if expected is not None and found is not None:
            yield MeasurePair(subject_id, name, expected, found)


def _measures(volumes_ml: _Volumes) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for side, label in _SIDES.items():
        edv_ml, esv_ml = volumes_ml.get(("ed", label)), volumes_ml.get(("es", label))
        sv_ml = None if edv_ml is None or esv_ml is None else edv_ml - esv_ml
        ef_percent = 100 * sv_ml / edv_ml if sv_ml is not None and edv_ml else None
        found |= {f"{side}_edv_ml": edv_ml, f"{side}_esv_ml": esv_ml, f"{side}_sv_ml": sv_ml}
        found[f"{side}_ef_percent"] = ef_percent
    myocardium_ml = volumes_ml.get(("ed", Label.LV_MYOCARDIUM))
    found["lv_mass_g"] = None if myocardium_ml is None else MYOCARDIUM_G_PER_ML * myocardium_ml
    return found
