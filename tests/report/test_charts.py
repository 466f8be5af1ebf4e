"""Volume-time charts as numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.image.labels import Label
from cardioseg.measure.segments import NAMES
from cardioseg.measure.strain import GeometricStrain
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.report.charts import Times, spread, tick_step, volume_chart
from cardioseg.report.wall_charts import strain_chart, thickness_charts

CURVES = {Label.LV_CAVITY: (120.0, 60.0, 90.0), Label.RV_CAVITY: (0.0, 0.0, 0.0)}


def test_points_follow_the_curve() -> None:
    chart = volume_chart(CURVES, Times((10.0, 300.0, 700.0)), moments={Label.LV_CAVITY: (0, 1)})
    assert chart is not None
    [line] = chart.lines
    points = [tuple(map(float, point.split(","))) for point in line.points.split()]
    assert points[0][0] == chart.left
    assert points[-1][0] == chart.right
    heights = [chart.bottom - y for _, y in points]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 0.5, 0.75], abs=0.01)
    assert all(chart.top <= y <= chart.bottom for _, y in points)
    assert [(mark.text, mark.at) for mark in chart.marks] == [("ED", points[0][0]), ("ES", points[1][0])]
    assert line.dots == (points[0], points[1])


def test_each_ventricle_has_its_own_moments_and_the_first_is_marked() -> None:
    curves = {Label.LV_CAVITY: (120.0, 60.0, 90.0), Label.RV_CAVITY: (90.0, 130.0, 70.0)}
    chart = volume_chart(curves, moments={Label.LV_CAVITY: (0, None), Label.RV_CAVITY: (1, 2)})
    assert chart is not None
    assert [mark.text for mark in chart.marks] == ["ED"]
    assert {line.key: len(line.dots) for line in chart.lines} == {"lv_cavity": 1, "rv_cavity": 2}


def test_the_words_of_two_phases_side_by_side_do_not_touch() -> None:
    curve = {Label.LV_CAVITY: tuple(100.0 + phase for phase in range(60))}
    close = volume_chart(curve, moments={Label.LV_CAVITY: (31, 30)})
    apart = volume_chart(curve, moments={Label.LV_CAVITY: (59, 30)})
    assert close is not None
    assert apart is not None
    assert [(mark.text, mark.anchor) for mark in close.marks] == [("ES", "end"), ("ED", "start")]
    assert [(mark.text, mark.anchor) for mark in apart.marks] == [("ES", "middle"), ("ED", "middle")]


def test_phases_are_counted_in_whole_numbers() -> None:
    chart = volume_chart({Label.LV_CAVITY: (120.0, 60.0)})
    assert chart is not None
    assert [tick.text for tick in chart.x_ticks] == ["0", "1"]


@given(st.lists(st.floats(0, 200), max_size=5))
def test_names_are_spread_in_order(places: list[float]) -> None:
    moved = spread(places, gap=14)
    in_order = [value for _, value in sorted(zip(places, moved, strict=True))]
    assert all(b - a >= 14 - 1e-9 for a, b in pairwise(in_order))
    assert all(value >= place for place, value in zip(places, moved, strict=True))


@pytest.mark.parametrize("times", [(), (0.0, 30.0), (0.0, 0.0, 30.0), (0.0, 60.0, 30.0)])
def test_without_usable_times_the_axis_counts_phases(times: tuple[float, ...]) -> None:
    chart = volume_chart(CURVES, Times(times))
    assert chart is not None
    assert chart.x_title == "phase"
    assert chart.marks == ()


@pytest.mark.parametrize(
    ("are_triggers", "title", "ticks"),
    [
        (True, "ms after the R wave", ["200", "400", "600"]),
        (False, "ms after the first phase", ["0", "200", "400"]),
    ],
)
def test_only_trigger_times_count_from_the_r_wave(are_triggers: bool, title: str, ticks: list[str]) -> None:
    chart = volume_chart(CURVES, Times((110.0, 300.0, 700.0), are_triggers))
    assert chart is not None
    assert chart.x_title == title
    assert [tick.text for tick in chart.x_ticks] == ticks


@pytest.mark.parametrize("curves", [{}, {Label.LV_CAVITY: (120.0,)}, {Label.RV_CAVITY: (0.0, 0.0)}])
def test_nothing_to_draw(curves: dict[Label, tuple[float, ...]]) -> None:
    assert volume_chart(curves) is None


@given(st.floats(1e-3, 1e6))
def test_ticks_are_few_and_round(span: float) -> None:
    step = tick_step(span)
    assert 2 <= span / step <= 5 * (1 + 1e-6)
    assert f"{step:.0e}"[0] in "125"
    assert float(f"{step:.0e}") == pytest.approx(step)


@given(st.lists(st.floats(0.01, 5000), min_size=2, max_size=60))
def test_every_point_and_tick_lies_in_the_plot(curve: list[float]) -> None:
    chart = volume_chart({Label.LV_CAVITY: curve})
    assert chart is not None
    assert all(chart.top <= tick.at <= chart.bottom for tick in chart.y_ticks)
    assert all(chart.left <= tick.at <= chart.right for tick in chart.x_ticks)
    assert len(chart.lines[0].points.split()) == len(curve)


def test_strain_hangs_from_zero_and_gaps_are_left_out() -> None:
    strain = GeometricStrain((0.0, -30.0, None, -10.0), (0.0, -20.0, None, -5.0), (0.0, -10.0, None, 0.5), (0.0,) * 4)
    chart = strain_chart(strain, Times((0.0, 100.0, 200.0, 300.0)), (0, 1))
    assert chart is not None
    assert [(line.key, line.name) for line in chart.lines] == [
        ("lv_cavity", "endo"),
        ("lv_myocardium", "mid"),
        ("outer", "epi"),
    ]
    inner, middle, outer = ([tuple(map(float, p.split(","))) for p in line.points.split()] for line in chart.lines)
    assert [len(points) for points in (inner, middle, outer)] == [3, 3, 3]  # one phase has no wall
    assert inner[1][1] > middle[1][1] > outer[1][1] > outer[0][1]  # further down is shorter
    assert chart.lines[0].dots == (inner[0], inner[1])
    assert {"0", "\N{MINUS SIGN}20"} <= {tick.text for tick in chart.y_ticks}
    assert [mark.text for mark in chart.marks] == ["ED", "ES"]
    assert all(chart.top <= y <= chart.bottom for _, y in (*inner, *middle, *outer))


def test_strain_of_a_single_phase_or_without_a_wall_is_no_curve() -> None:
    assert strain_chart(GeometricStrain((0.0,), (0.0,), (0.0,), (0.0,))) is None
    nothing = strain_chart(GeometricStrain((None,) * 3, (None,) * 3, (None,) * 3, (None,) * 3))
    assert nothing is not None
    assert [line.points for line in nothing.lines] == ["", "", ""]


def test_thickness_has_a_chart_for_each_level_of_one_scale() -> None:
    curves = {number: SegmentMeasures(curve_mm=(8.0, None, 8.0 + number)) for number in NAMES if number != 5}
    basal, mid, apical = thickness_charts(curves, Times((0, 400, 800)), (0, 2))
    assert [chart.title for chart in (basal, mid, apical)] == [
        f"Wall thickness, {level}, mm" for level in ("basal", "mid", "apical")
    ]
    assert [line.name for line in basal.lines] == ["ant", "antsep", "infsep", "inf", "antlat"]
    assert [line.key for line in apical.lines] == ["anterior", "septal", "inferior", "lateral"]
    assert basal.y_ticks == mid.y_ticks == apical.y_ticks
    highest = apical.lines[3].points.split()[-1].split(",")[1]
    assert float(highest) == pytest.approx(apical.top + (1 - 1 / 1.06) * (apical.bottom - apical.top), abs=0.1)
    assert all(len(line.points.split()) == 2 for line in basal.lines)
    assert all(b - a >= 20 for a, b in pairwise(sorted(line.name_y for line in basal.lines)))


def test_thickness_needs_curves_of_two_phases() -> None:
    assert thickness_charts({}) == []
    assert thickness_charts({1: SegmentMeasures(curve_mm=(8.0,))}) == []
    assert thickness_charts({1: SegmentMeasures(reason="no RV")}) == []
