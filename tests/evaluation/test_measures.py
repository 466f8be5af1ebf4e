"""Volumes, ejection fraction and mass of a reference beside those of its prediction."""

import pytest

from cardioseg.evaluation.measures import MeasurePair, paired_measures
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap

LV, RV, MYO = Label.LV_CAVITY, Label.RV_CAVITY, Label.LV_MYOCARDIUM


def volume(
    subject: str, name: str, label: Label, reference: int, predicted: int, ml: float | None = 0.1
) -> VolumeScore:
    return VolumeScore(subject, "c", name, label, Overlap(reference, predicted, 0), Distances(), 9, ml, ())


def by_name(*scores: VolumeScore) -> dict[str, tuple[float, float | None]]:
    return {pair.measure: (pair.reference, pair.predicted) for pair in paired_measures(scores)}


def test_a_subject_with_both_phases() -> None:
    found = by_name(
        volume("a", "ed", LV, 1000, 1200), volume("a", "es", LV, 400, 600), volume("a", "ed", MYO, 1000, 900)
    )
    assert found["lv_edv_ml"] == pytest.approx((100, 120))
    assert found["lv_esv_ml"] == pytest.approx((40, 60))
    assert found["lv_sv_ml"] == pytest.approx((60, 60))
    assert found["lv_ef_percent"] == pytest.approx((60, 50))
    assert found["lv_mass_g"] == pytest.approx((105, 94.5))
    assert set(found) == {"lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef_percent", "lv_mass_g"}


def test_what_is_not_known_is_left_out() -> None:
    assert set(by_name(volume("a", "ed", RV, 1000, 900))) == {"rv_edv_ml"}
    assert by_name(volume("a", "phase07", RV, 1000, 900)) == {}
    assert by_name(volume("a", "ed", RV, 1000, 900, ml=None)) == {}


def test_an_empty_prediction_has_a_volume_but_no_ejection_fraction() -> None:
    found = by_name(volume("a", "ed", LV, 1000, 0), volume("a", "es", LV, 400, 0))
    assert found["lv_edv_ml"] == pytest.approx((100, 0))
    assert found["lv_esv_ml"] == pytest.approx((40, 0))
    assert found["lv_sv_ml"] == (pytest.approx(60), None)
    assert found["lv_ef_percent"] == (pytest.approx(60), None)


@pytest.mark.parametrize(("ed", "es"), [(0, 400), (1000, 0)])
def test_a_cavity_that_is_missed_at_one_phase_has_no_ejection_fraction(ed: int, es: int) -> None:
    """Neither 100 % nor minus infinity; the missed volume itself is wrong by all of it."""
    found = by_name(volume("a", "ed", LV, 1000, ed), volume("a", "es", LV, 400, es))
    assert [found["lv_edv_ml"], found["lv_esv_ml"]] == [pytest.approx((100, ed / 10)), pytest.approx((40, es / 10))]
    assert [found["lv_sv_ml"][1], found["lv_ef_percent"][1]] == [None, None]


def test_subjects_are_apart() -> None:
    pairs = paired_measures([volume("a", "ed", LV, 10, 20), volume("b", "ed", LV, 30, 40)])
    assert pairs == (MeasurePair("a", "lv_edv_ml", 1, 2), MeasurePair("b", "lv_edv_ml", 3, 4))
