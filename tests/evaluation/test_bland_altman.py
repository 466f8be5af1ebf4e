"""Bland-Altman plots as numbers."""

import numpy as np
import pytest

from cardioseg.evaluation.bland_altman import BlandAltman, bland_altman
from cardioseg.evaluation.measures import MeasurePair
from cardioseg.image.labels import Label
from cardioseg.measure.agreement import Agreement, agreement
from cardioseg.measure.significance import Interval
from cardioseg.report.charts import Tick

REFERENCE = [100.0, 120.0, 140.0, 160.0]
PREDICTED = [104.0, 118.0, 150.0, 168.0]


def plot(reference: list[float], predicted: list[float], measure: str = "lv_edv_ml") -> tuple[BlandAltman, Agreement]:
    found = agreement(reference, predicted, np.random.default_rng(0), resamples=200)
    pairs = [
        MeasurePair(f"s{number}", measure, expected, seen)
        for number, (expected, seen) in enumerate(zip(reference, predicted, strict=True))
    ]
    return bland_altman(measure, pairs, found, ""), found


def scale(ticks: tuple[Tick, ...]) -> tuple[float, float]:
    """(place of 0, places per unit) of an axis, from its own ticks."""
    values = [float(tick.text.replace("−", "-")) for tick in ticks]
    per_unit, zero = np.polyfit(values, [tick.at for tick in ticks], 1)
    return float(zero), float(per_unit)


def test_points_are_differences_over_means() -> None:
    drawn, _ = plot(REFERENCE, PREDICTED)
    (x_zero, x_unit), (y_zero, y_unit) = scale(drawn.x_ticks), scale(drawn.y_ticks)
    assert [(point.x - x_zero) / x_unit for point in drawn.points] == pytest.approx([102, 119, 145, 164], abs=0.05)
    assert [(point.y - y_zero) / y_unit for point in drawn.points] == pytest.approx([4, -2, 10, 8], abs=0.05)
    assert drawn.zero == pytest.approx(y_zero, abs=0.02)
    assert y_unit < 0
    frame = drawn.frame
    assert all(frame.left < point.x < frame.right and frame.top < point.y < frame.bottom for point in drawn.points)
    assert drawn.points[2].title == "s2: predicted 150.0, reference 140.0, difference +10.0"


def test_lines_are_bias_and_limits_with_their_intervals() -> None:
    drawn, found = plot(REFERENCE, PREDICTED)
    zero, unit = scale(drawn.y_ticks)
    known = [found.loa_high, found.bias, found.loa_low]
    assert [level.kind for level in drawn.levels] == ["limit", "bias", "limit"]
    for level, interval in zip(drawn.levels, known, strict=True):
        assert interval is not None
        top, height = level.band
        assert (level.y - zero) / unit == pytest.approx(interval.mean, abs=0.05)
        assert (top - zero) / unit == pytest.approx(interval.high, abs=0.05)
        assert (top + height - zero) / unit == pytest.approx(interval.low, abs=0.05)
        assert drawn.frame.top < top <= level.y <= top + height < drawn.frame.bottom
    assert [level.text for level in drawn.levels] == ["+15.4", "+5.0", "−5.4"]
    assert "LV EDV (mL), 4 subjects: bias +5.0, limits of agreement −5.4 to +15.4" in drawn.summary


def test_words_of_close_lines_do_not_touch() -> None:
    drawn, _ = plot([*REFERENCE, 300.0], [*REFERENCE, 300.001])
    places = [level.text_y for level in drawn.levels]
    assert min(np.diff(places)) >= 11


def test_a_point_beyond_the_limits_stands_out() -> None:
    found = Agreement(2, bias=Interval(0, 0, 0, 2), loa_low=Interval(-3, -3, -3, 2), loa_high=Interval(3, 3, 3, 2))
    pairs = [MeasurePair("in", "rv_edv_ml", 10, 13), MeasurePair("out", "rv_edv_ml", 10, 13.1)]
    drawn = bland_altman("rv_edv_ml", pairs, found, "")
    assert [point.kind for point in drawn.points] == ["inside", "beyond"]


def test_one_subject_has_a_point_and_no_lines() -> None:
    drawn, _ = plot([100.0], [100.0])
    assert drawn.levels == ()
    assert [point.kind for point in drawn.points] == ["inside"]
    assert drawn.points[0].y == drawn.zero
    assert "bias –" in drawn.summary


@pytest.mark.parametrize(
    ("measure", "label", "title"),
    [
        ("lv_ef_percent", Label.LV_CAVITY, "LV EF (%)"),
        ("lv_mass_g", Label.LV_MYOCARDIUM, "LV mass (g)"),
        ("rv_sv_ml", Label.RV_CAVITY, "RV SV (mL)"),
    ],
)
def test_each_measure_has_its_colour(measure: str, label: Label, title: str) -> None:
    drawn, _ = plot(REFERENCE, PREDICTED, measure)
    assert (drawn.label, drawn.title) == (label, title)
