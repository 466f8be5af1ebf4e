"""Box plot of one metric over all volumes: one box per label and phase, one point per volume."""

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
_GOLDEN = 0.618034  # the fractional parts of its multiples are spread evenly, however many there are
_LABELS_APART, _OUTSIDE, _HALF, _WIDEST = 1.6, 0.8, 0.3, 40.0  # phases are 1 apart
_HEADROOM, _BEYOND = 0.02, 0.6  # shares of the whiskers' range: room at the top; how far points beyond them are shown

_Key = tuple[Label, str]  # a label and a phase; the phase is "" if the volume is neither ED nor ES
_Values = Sequence[tuple[float, str]]  # a value and its title


@dataclass(frozen=True)
class Quartiles:
    """The quartiles `low`, `median`, `high` of a sample (linear interpolation); `whiskers` and `ends` are (low, high).

    Whiskers are the outermost values within 1.5 interquartile ranges of the quartiles, after Tukey.
    """

    low: float
    median: float
    high: float
    whiskers: tuple[float, float]
    ends: tuple[float, float]

    @classmethod
    def of(cls, sample: Sequence[float]) -> "Quartiles":
        """The quartiles of at least one value."""
        values = np.asarray(sample, np.float64)
        low, median, high = np.percentile(values, (25, 50, 75)).tolist()
        reach = _WHISKER * (high - low)
        within = values[(values >= low - reach) & (values <= high + reach)]
        whiskers, ends = ((float(part.min()), float(part.max())) for part in (within, values))
        return cls(low, median, high, whiskers, ends)


@dataclass(frozen=True)
class Box:
    """The box of one label in one phase; `x` is its middle, all other coordinates are heights in the plot.

    Attributes:
        label: the structure.
        name: the phase, or "".
        title: the box as a sentence.
        top: third quartile.
        median: second quartile.
        bottom: first quartile.
        whiskers: the upper one and the lower one.
        points: one per volume, side by side.
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
    """Boxes side by side; the names of the labels are below the names of their phases.

    Attributes:
        title: the metric with its unit.
        summary: the plot as a sentence.
        y_ticks: ticks of the metric.
        boxes: from left to right.
        names: each label with the place of its name.
        half_width: half the width of a box.
    """

    title: str
    summary: str
    y_ticks: tuple[Tick, ...]
    boxes: tuple[Box, ...]
    names: tuple[tuple[Label, Tick], ...]
    half_width: float
    frame: Frame = _FRAME


def box_plot(title: str, metric: str, scores: Iterable[VolumeScore], least: tuple[float, float]) -> BoxPlot | None:
    """Lay out one metric of volumes; None if no volume has it.

    Args:
        title: the metric with its unit.
        metric: one of `METRICS`.
        scores: the scores of all labels and volumes.
        least: (low, high) that the axis covers in any case.
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
    groups: dict[_Key, list[tuple[float, str]]] = {}
    for score in scores:
        value = METRICS[metric](score)
        if value is not None:
            title = f"{score.case_id} {score.volume}".strip() + f", {score.label.title}: {value:.3g}"
            groups.setdefault((score.label, score.volume if score.volume in PHASES else ""), []).append((value, title))
    return {key: groups[key] for key in sorted(groups, key=lambda key: (STRUCTURES.index(key[0]), key[1]))}


def _y_axis(samples: Sequence[Quartiles], least: tuple[float, float]) -> Axis:
    """From the lowest to the highest whisker and a little beyond, so that a failed case does not flatten the boxes."""
    low = min(least[0], *(quartiles.whiskers[0] for quartiles in samples))
    high = max(least[1], *(quartiles.whiskers[1] for quartiles in samples))
    margin = _BEYOND * (high - low)
    bottom = max(low - margin, min(low, *(quartiles.ends[0] for quartiles in samples)))
    top = min(high + margin, max(high, *(quartiles.ends[1] for quartiles in samples)))
    return Axis(bottom, top + _HEADROOM * (high - low), _FRAME.bottom, _FRAME.top)


def _side_by_side(keys: Sequence[_Key]) -> tuple[Axis, list[float]]:
    """The x axis and the place of each box on it: the distance between phases is 1, between labels more."""
    steps = [0.0]
    for (before, _), (label, _) in pairwise(keys):
        steps.append(steps[-1] + (1 if label == before else _LABELS_APART))
    return Axis(-_OUTSIDE, steps[-1] + _OUTSIDE, _FRAME.left, _FRAME.right), steps


def _names(boxes: Sequence[Box]) -> tuple[tuple[Label, Tick], ...]:
    middles = {box.label: fmean(neighbour.x for neighbour in boxes if neighbour.label == box.label) for box in boxes}
    return tuple((label, Tick(round(x, 2), label.title)) for label, x in middles.items())


def _box(key: _Key, x: float, half_width: float, axis: Axis, group: _Values) -> Box:
    label, phase = key
    quartiles = Quartiles.of([value for value, _ in group])
    name = f"{label.title} {phase.upper()}".strip()
    return Box(
        label=label,
        name=phase.upper(),
        title=(
            f"{name}: median {quartiles.median:.3g}, quartiles {quartiles.low:.3g} and {quartiles.high:.3g}, "
            f"n {len(group)}"
        ),
        x=x,
        top=axis.place(quartiles.high),
        median=axis.place(quartiles.median),
        bottom=axis.place(quartiles.low),
        whiskers=(axis.place(quartiles.whiskers[1]), axis.place(quartiles.whiskers[0])),
        points=tuple(
            _point(x + 1.6 * half_width * (rank * _GOLDEN % 1 - 0.5), value, title, quartiles, axis)
            for rank, (value, title) in enumerate(group)
        ),
    )


def _point(x: float, value: float, title: str, quartiles: Quartiles, axis: Axis) -> Point:
    kind = "inside" if quartiles.whiskers[0] <= value <= quartiles.whiskers[1] else "beyond"
    if not axis.low <= value <= axis.high:
        kind = "above" if value > axis.high else "below"
    return Point(round(x, 2), axis.place(min(max(value, axis.low), axis.high)), title, kind)
