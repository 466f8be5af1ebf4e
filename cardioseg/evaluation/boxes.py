"""Box plot: one metric of all volumes, a box a label and phase, every volume a point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np

from cardioseg.evaluation.plots import Frame, Point
from cardioseg.evaluation.scores import METRICS, VolumeScore
from cardioseg.evaluation.summary import PHASES
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.report.charts import Axis, Tick

_FRAME = Frame(520, 300, 38, 516, 8, 252)
_WHISKER = 1.5  # interquartile ranges
_GOLDEN = 0.618034  # the fractions of its multiples are spread evenly, whatever their number
_LABELS_APART, _OUTSIDE, _HALF, _WIDEST = 1.6, 0.8, 0.3, 40.0  # phases are 1 apart
_HEADROOM, _BEYOND = 0.02, 0.6  # of what the whiskers span: above it, and where points end

_Key = tuple[Label, str]  # a label and a phase, or nothing where the volume is neither ED nor ES
_Values = Sequence[tuple[float, str]]  # with the title of each


@dataclass(frozen=True)
class Quartiles:
    """Of a sample: quartiles `low`, `median`, `high` (linear interpolation), `whiskers` and `ends` as (low, high).

    Whiskers are the outermost values within 1.5 interquartile ranges of the quartiles, after Tukey.
    """

    low: float
    median: float
    high: float
    whiskers: tuple[float, float]
    ends: tuple[float, float]

    @classmethod
    def of(cls, sample: Sequence[float]) -> "Quartiles":
        """Of at least one value."""
        values = np.asarray(sample, np.float64)
        low, median, high = np.percentile(values, (25, 50, 75)).tolist()
        reach = _WHISKER * (high - low)
        within = values[(values >= low - reach) & (values <= high + reach)]
        whiskers, ends = ((float(some.min()), float(some.max())) for some in (within, values))
        return cls(low, median, high, whiskers, ends)


@dataclass(frozen=True)
class Box:
    """The values of one label in one phase; `x` is the middle, the rest are heights in the plot.

    Attributes:
        label: the structure.
        name: the phase, or nothing.
        title: the box in words.
        top: third quartile; `median` and `bottom` likewise.
        whiskers: the upper one and the lower one.
        points: one a volume, side by side.
    """

    label: Label
    name: str
    title: str
    x: float
    top: float
    median: float
    bottom: float
    whiskers: tuple[float, float]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class BoxPlot:
    """Boxes side by side; the names of the labels stand below those of their phases.

    Attributes:
        title: the metric with its unit.
        summary: the plot in words.
        y_ticks: of the metric.
        boxes: from left to right.
        names: of the labels.
        half_width: of a box.
    """

    title: str
    summary: str
    y_ticks: tuple[Tick, ...]
    boxes: tuple[Box, ...]
    names: tuple[tuple[Label, Tick], ...]
    half_width: float
    frame: Frame = _FRAME


def box_plot(title: str, metric: str, scores: Iterable[VolumeScore], least: tuple[float, float]) -> BoxPlot | None:
    """Lay out one metric of volumes; None where no volume has it.

    Args:
        title: the metric with its unit.
        metric: one of `METRICS`.
        scores: of all labels and volumes.
        least: what the axis holds at least, whatever the values.
    """
    groups = _groups(metric, scores)
    if not groups:
        return None
    y_axis = _y_axis([Quartiles.of([value for value, _ in group]) for group in groups.values()], least)
    x_axis, steps = _side_by_side(list(groups))
    half_width = min(_WIDEST, x_axis.place(_HALF) - x_axis.place(0))
    boxes = tuple(
        _box(key, x_axis.place(step), half_width, y_axis, group)
        for step, (key, group) in zip(steps, groups.items(), strict=True)
    )
    summary = f"Box plot of {title}: {'; '.join(box.title for box in boxes)}"
    return BoxPlot(title, summary, y_axis.ticks(), boxes, _names(boxes), half_width)


def _groups(metric: str, scores: Iterable[VolumeScore]) -> Mapping[_Key, _Values]:
    found: dict[_Key, list[tuple[float, str]]] = {}
    for score in scores:
        value = METRICS[metric](score)
        if value is not None:
            title = f"{score.case_id} {score.volume}".strip() + f", {score.label.title}: {value:.3g}"
            found.setdefault((score.label, score.volume if score.volume in PHASES else ""), []).append((value, title))
    return {key: found[key] for key in sorted(found, key=lambda key: (STRUCTURES.index(key[0]), key[1]))}


def _y_axis(found: Sequence[Quartiles], least: tuple[float, float]) -> Axis:
    """From the lowest to the highest whisker and a little further; a case gone wrong must not flatten the boxes."""
    low, high = min(least[0], *(one.whiskers[0] for one in found)), max(least[1], *(one.whiskers[1] for one in found))
    further = _BEYOND * (high - low)
    bottom = max(low - further, min(low, *(one.ends[0] for one in found)))
    top = min(high + further, max(high, *(one.ends[1] for one in found)))
    return Axis(bottom, top + _HEADROOM * (high - low), _FRAME.bottom, _FRAME.top)


def _side_by_side(keys: Sequence[_Key]) -> tuple[Axis, list[float]]:
    """Where boxes stand on an axis on which phases are 1 apart, labels more."""
    steps = [0.0]
    for (before, _), (label, _) in pairwise(keys):
        steps.append(steps[-1] + (1 if label == before else _LABELS_APART))
    return Axis(-_OUTSIDE, steps[-1] + _OUTSIDE, _FRAME.left, _FRAME.right), steps


def _names(boxes: Sequence[Box]) -> tuple[tuple[Label, Tick], ...]:
    middles = {box.label: fmean(one.x for one in boxes if one.label == box.label) for box in boxes}
    return tuple((label, Tick(round(x, 2), label.title)) for label, x in middles.items())


def _box(key: _Key, x: float, half_width: float, axis: Axis, group: _Values) -> Box:
    label, phase = key
    found = Quartiles.of([value for value, _ in group])
    name = f"{label.title} {phase.upper()}".strip()
    return Box(
        label=label,
        name=phase.upper(),
        title=f"{name}: median {found.median:.3g}, quartiles {found.low:.3g} and {found.high:.3g}, n {len(group)}",
        x=x,
        top=axis.place(found.high),
        median=axis.place(found.median),
        bottom=axis.place(found.low),
        whiskers=(axis.place(found.whiskers[1]), axis.place(found.whiskers[0])),
        points=tuple(
            _point(x + 1.6 * half_width * (rank * _GOLDEN % 1 - 0.5), value, title, found, axis)
            for rank, (value, title) in enumerate(group)
        ),
    )


def _point(x: float, value: float, title: str, found: Quartiles, axis: Axis) -> Point:
    kind = "inside" if found.whiskers[0] <= value <= found.whiskers[1] else "beyond"
    if not axis.low <= value <= axis.high:
        kind = "above" if value > axis.high else "below"
    return Point(round(x, 2), axis.place(min(max(value, axis.low), axis.high)), title, kind)
