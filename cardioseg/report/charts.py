"""Charts: curves over time as coordinates of an SVG, which the report's template draws.

Not matplotlib: it would take half a second of each run, and everyone who predicts would have to install it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from cardioseg.image.labels import STRUCTURES, Label

_WIDTH, _HEIGHT = 560.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 54.0, 20.0, 38.0
PLOT_HEIGHTS = _HEIGHT - _BOTTOM, _TOP  # of the lowest and the highest value
_TICKS = 5
_WORD_GAP = 14.0  # least distance between words
_SHORT = {Label.RV_CAVITY: "RV", Label.LV_MYOCARDIUM: "Myo", Label.LV_CAVITY: "LV"}


@dataclass(frozen=True)
class Times:
    """When the phases are.

    Attributes:
        ms: time of each phase; empty if unknown.
        are_triggers: whether they count from the R wave, as DICOM trigger times do; others have an unknown start.
    """

    ms: Sequence[float] = ()
    are_triggers: bool = False

    @property
    def title(self) -> str:
        """What the x axis counts."""
        return "ms after the R wave" if self.are_triggers else "ms after the first phase"

    @property
    def shown_ms(self) -> list[float]:
        """The times as the title says."""
        start = 0.0 if self.are_triggers else self.ms[0]
        return [float(ms - start) for ms in self.ms]

    def are_of(self, phases: int) -> bool:
        """Whether they are known for so many phases, and increase."""
        return len(self.ms) == phases and all(after > before for before, after in pairwise(self.ms))


_UNKNOWN = Times()


@dataclass(frozen=True)
class Tick:
    """A place on an axis in the chart's units, its text, and which part of the text is at the place."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        key: what it shows, as the page's classes name it.
        points: the points of an SVG polyline.
        name: the text at its end.
        name_y: the height of this text.
        dots: the places (x, y) of end-diastole and end-systole.
    """

    key: str
    points: str
    name: str
    name_y: float
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A chart over time, in the units of its view box.

    Attributes:
        title: what it shows, with the unit.
        x_title: the title of the x axis.
        x_ticks: the ticks of the x axis.
        y_ticks: the ticks of the y axis.
        marks: ED and ES.
        lines: the curves.
        width: width of the view box.
        height: height of the view box.
        left: left edge of the plot; `right`, `top` and `bottom` are the other edges.
    """

    title: str
    x_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    width: float = _WIDTH
    height: float = _HEIGHT
    left: float = _LEFT
    right: float = _WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = _HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Axis:
    """The scale that maps values `low` to `high` onto places `start` to `end`, in the chart's units."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """The place of a value."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 2)

    def ticks(self, least_step: float = 0.0) -> tuple[Tick, ...]:
        """At most six ticks at round values."""
        step = max(tick_step(self.high - self.low), least_step)
        values = [step * i for i in range(ceil(self.low / step), floor(self.high / step + 1e-9) + 1)]
        return tuple(Tick(self.place(value), f"{value:g}".replace("-", "\N{MINUS SIGN}")) for value in values)


def volume_chart(
    curves_ml: Mapping[Label, Sequence[float]],
    times: Times = _UNKNOWN,
    *,
    moments: Mapping[Label, Sequence[int | None]] | None = None,
) -> Chart | None:
    """Lay out volume-time curves.

    Args:
        curves_ml: the volume at each phase for each structure; structures that were never found are left out.
        times: of the phases; the x axis counts phases if they are unknown or do not increase.
        moments: the 0-based phases of end-diastole and end-systole of each ventricle. Dots mark them on each curve;
            lines across the chart mark those of the first ventricle.

    Returns:
        The chart, or None if there is nothing to draw: fewer than two phases or no structure.
    """
    found = [label for label in STRUCTURES if any(curves_ml.get(label, ()))]
    if not found:
        return None
    dots = moments or {}
    curves = [Curve(label.key, _SHORT[label], curves_ml[label], dots.get(label, ())) for label in found]
    y_axis = Axis(0, 1.06 * max(max(curves_ml[label]) for label in found), *PLOT_HEIGHTS)
    return chart_over_time("Volume, mL", curves, times, y_axis, next(iter(dots.values()), ()))


@dataclass(frozen=True)
class Curve:
    """A curve before it is laid out: its key, its name, its value at each phase, and the phases with dots."""

    key: str
    name: str
    values: Sequence[float | None]
    dots: Sequence[int | None]


def chart_over_time(
    title: str,
    curves: Sequence[Curve],
    times: Times,
    y_axis: Axis,
    marked: Sequence[int | None],
    *,
    gap: float = _WORD_GAP,
) -> Chart | None:
    """Lay out curves over the phases.

    Args:
        title: what the chart shows, with the unit.
        curves: the curves.
        times: of the phases; the x axis counts phases if they are unknown or do not increase.
        y_axis: their scale.
        marked: the 0-based phases of end-diastole and end-systole, for lines across the chart.
        gap: least distance between the names of the curves.

    Returns:
        The chart, or None with fewer than two phases.
    """
    phases = len(curves[0].values)
    if phases < 2:
        return None
    timed = times.are_of(phases)
    x_values = times.shown_ms if timed else [float(phase) for phase in range(phases)]
    x_axis = Axis(x_values[0], x_values[-1], _LEFT, _WIDTH - _RIGHT)
    x_places = [x_axis.place(value) for value in x_values]
    return Chart(
        title=title,
        x_title=times.title if timed else "phase",
        x_ticks=x_axis.ticks() if timed else x_axis.ticks(least_step=1),
        y_ticks=y_axis.ticks(),
        marks=_marks(x_places, marked),
        lines=_lines(curves, x_places, y_axis, gap),
    )


def tick_step(span: float) -> float:
    """The smallest of 1, 2, 5, 10, ... (times a power of ten) that needs no more than five steps for `span`."""
    power: float = 10.0 ** floor(log10(span / _TICKS))
    return next(step * power for step in (1, 2, 5, 10) if step * power * _TICKS >= span * (1 - 1e-9))


def spread(places: Sequence[float], gap: float = _WORD_GAP) -> list[float]:
    """The places, each moved down until it is at least `gap` below the one above it."""
    moved = list(places)
    in_order = sorted(range(len(places)), key=places.__getitem__)
    for above, index in pairwise(in_order):
        moved[index] = max(moved[index], moved[above] + gap)
    return moved


def _marks(x_places: Sequence[float], phases: Sequence[int | None]) -> tuple[Tick, ...]:
    """The marks of ED and ES. If their names would touch, they are on the outer sides of the lines."""
    marked = [(x_places[phase], name) for phase, name in zip(phases, ("ED", "ES"), strict=False) if phase is not None]
    marked.sort()
    is_close = len(marked) == 2 and marked[1][0] - marked[0][0] < 2 * _WORD_GAP
    anchors = ("end", "start") if is_close else ("middle", "middle")
    return tuple(Tick(at, name, anchor) for (at, name), anchor in zip(marked, anchors, strict=False))


def _lines(curves: Sequence[Curve], x_places: Sequence[float], y_axis: Axis, gap: float) -> tuple[Line, ...]:
    """The curves; phases without a value are left out."""
    places = [[None if value is None else y_axis.place(value) for value in curve.values] for curve in curves]
    ends = [next((y for y in reversed(heights) if y is not None), 0.0) for heights in places]
    lines = []
    for curve, heights, name_y in zip(curves, places, spread(ends, gap), strict=True):
        known = {phase: (x_places[phase], y) for phase, y in enumerate(heights) if y is not None}
        points = " ".join(f"{x:g},{y:g}" for x, y in known.values())
        dots = tuple(known[phase] for phase in curve.dots if phase in known)
        lines.append(Line(curve.key, points, curve.name, name_y, dots))
    return tuple(lines)
