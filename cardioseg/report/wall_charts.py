"""Wall charts: strain and thickness of the LV's wall over time."""

from collections.abc import Mapping, Sequence

from cardioseg.measure.segments import LEVELS, NAMES
from cardioseg.measure.strain import GeometricStrain
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.report.charts import PLOT_HEIGHTS, Axis, Chart, Curve, Times, chart_over_time

_SMALL_GAP = 20.0  # the same of charts that are shown small, with larger words
_UNKNOWN = Times()
_WALLS = {
    "anterior": "ant",
    "anteroseptal": "antsep",
    "inferoseptal": "infsep",
    "septal": "sep",
    "inferior": "inf",
    "inferolateral": "inflat",
    "anterolateral": "antlat",
    "lateral": "lat",
}


def strain_chart(strain: GeometricStrain, times: Times = _UNKNOWN, moments: Sequence[int | None] = ()) -> Chart | None:
    """Lay out the curves of circumferential strain.

    Args:
        strain: the curves.
        times: of the phases; the x axis counts phases if they are unknown or do not increase.
        moments: the 0-based phases of end-diastole and end-systole of the LV.

    Returns:
        The chart, or None with fewer than two phases.
    """
    curves = [
        Curve("lv_cavity", "endo", strain.endo, moments),
        Curve("lv_myocardium", "mid", strain.mid, moments),
        Curve("outer", "epi", strain.epi, moments),
    ]
    values = [value for curve in curves for value in curve.values if value is not None]
    y_axis = Axis(min(1.06 * min(values, default=0.0), -1.0), max([0.0, *values]), *PLOT_HEIGHTS)
    return chart_over_time("Geometric circumferential strain, %", curves, times, y_axis, moments)


def thickness_charts(
    segments: Mapping[int, SegmentMeasures], times: Times = _UNKNOWN, moments: Sequence[int | None] = ()
) -> list[Chart]:
    """Lay out the thickness of the LV's wall by AHA segments: a chart for each level, all of one scale.

    Args:
        segments: by AHA number.
        times: of the phases; the x axis counts phases if they are unknown or do not increase.
        moments: the 0-based phases of end-diastole and end-systole of the LV.

    Returns:
        The charts of the levels that have a curve; none with fewer than two phases.
    """
    highest = max((mm for segment in segments.values() for mm in segment.curve_mm if mm is not None), default=0.0)
    y_axis = Axis(0, 1.06 * highest, *PLOT_HEIGHTS)
    charts = []
    for level in LEVELS:
        walls = {number: name.split()[1] for number, name in NAMES.items() if name.startswith(level)}
        curves = [
            Curve(wall, _WALLS[wall], segments[number].curve_mm, moments)
            for number, wall in walls.items()
            if number in segments and any(segments[number].curve_mm)
        ]
        title = f"Wall thickness, {level}, mm"
        chart = chart_over_time(title, curves, times, y_axis, moments, gap=_SMALL_GAP) if curves else None
        charts += [chart] if chart else []
    return charts
