"""Charts: volume over time as the points of an SVG, which the report's template draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from cardioseg.image.labels import STRUCTURES, Label

_WIDTH, _HEIGHT = 560.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 12.0, 18.0, 38.0
_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in the chart's units, and what to write there."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """The curve of one structure; `points` is what an SVG polyline wants."""

    label: Label
    points: str


@dataclass(frozen=True)
class Chart:
    """A volume-time chart, everything in the units of its view box.

    Attributes:
        width: of the view box.
        height: of the view box.
        left: of the plot; `right`, `top` and `bottom` likewise.
        x_title: what the x axis is.
        x_ticks: on the x axis.
        y_ticks: on the y axis, in mL.
        marks: ED and ES.
        lines: one a structure that was found.
    """

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
class _Axis:
    """The scale from values `low` to `high` onto places `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 2)

    def ticks(self) -> tuple[Tick, ...]:
        step = tick_step(self.high - self.low)
        values = [step * i for i in range(ceil(self.low / step), floor(self.high / step + 1e-9) + 1)]
        return tuple(Tick(self.place(value), f"{value:g}") for value in values)


def volume_chart(
    curves_ml: Mapping[Label, Sequence[float]],
    times_ms: Sequence[float] = (),
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
) -> Chart | None:
    """Lay out volume-time curves.

    Args:
        curves_ml: one volume a phase for each structure; structures that were never found are left out.
        times_ms: time of each phase; the x axis counts phases where they are unknown or do not increase.
        ed_phase: 0-based phase to mark.
        es_phase: 0-based phase to mark.

    Returns:
        The chart, or None where there is nothing to draw: fewer than two phases or no structure.
    """
    found = {label: curves_ml[label] for label in STRUCTURES if any(curves_ml.get(label, ()))}
    phases = len(next(iter(found.values()), ()))
    if phases < 2:
        return None
    timed = len(times_ms) == phases and all(b > a for a, b in pairwise(times_ms))
    x_values = [float(value) for value in (times_ms if timed else range(phases))]
    x_axis = _Axis(x_values[0], x_values[-1], _LEFT, _WIDTH - _RIGHT)
    y_axis = _Axis(0, 1.06 * max(map(max, found.values())), _HEIGHT - _BOTTOM, _TOP)
    marks = [(ed_phase, "ED"), (es_phase, "ES")]
    return Chart(
        x_title="Time after the R wave [ms]" if timed else "Phase",
        x_ticks=x_axis.ticks(),
        y_ticks=y_axis.ticks(),
        marks=tuple(Tick(x_axis.place(x_values[phase]), name) for phase, name in marks if phase is not None),
        lines=tuple(Line(label, _points(x_values, curve, x_axis, y_axis)) for label, curve in found.items()),
    )


def tick_step(span: float) -> float:
    """The smallest of 1, 2, 5, 10, ... (times a power of ten) that needs no more than five steps for `span`."""
    power: float = 10.0 ** floor(log10(span / _TICKS))
    return next(step * power for step in (1, 2, 5, 10) if step * power * _TICKS >= span * (1 - 1e-9))


def _points(x_values: Sequence[float], curve_ml: Sequence[float], x_axis: _Axis, y_axis: _Axis) -> str:
    places = zip(map(x_axis.place, x_values), map(y_axis.place, curve_ml), strict=True)
    return " ".join(f"{x:g},{y:g}" for x, y in places)
