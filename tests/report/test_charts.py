"""Volume-time charts as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.image.labels import Label
from cardioseg.report.charts import tick_step, volume_chart

CURVES = {Label.LV_CAVITY: (120.0, 60.0, 90.0), Label.RV_CAVITY: (0.0, 0.0, 0.0)}


def test_points_follow_the_curve() -> None:
    chart = volume_chart(CURVES, (10.0, 300.0, 700.0), ed_phase=0, es_phase=1)
    assert chart is not None
    [line] = chart.lines
    points = [tuple(map(float, point.split(","))) for point in line.points.split()]
    assert points[0][0] == chart.left
    assert points[-1][0] == chart.right
    heights = [chart.bottom - y for _, y in points]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 0.5, 0.75], abs=0.01)
    assert all(chart.top <= y <= chart.bottom for _, y in points)
    assert [(mark.text, mark.at) for mark in chart.marks] == [("ED", points[0][0]), ("ES", points[1][0])]


@pytest.mark.parametrize("times", [(), (0.0, 30.0), (0.0, 0.0, 30.0), (0.0, 60.0, 30.0)])
def test_without_usable_times_the_axis_counts_phases(times: tuple[float, ...]) -> None:
    chart = volume_chart(CURVES, times)
    assert chart is not None
    assert chart.x_title == "Phase"
    assert chart.marks == ()


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
