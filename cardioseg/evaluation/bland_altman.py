"""Bland-Altman plot: the differences of one measure over its means, with bias and limits of agreement."""

from collections.abc import Sequence
from dataclasses import dataclass

from cardioseg.evaluation.estimate_text import number, signed
from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.plots import Frame, Point, span
from cardioseg.image.labels import Label
from cardioseg.measure.agreement import Agreement
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.significance import Interval
from cardioseg.report.charts import Axis, Tick, spread
from cardioseg.report.measure_columns import measure_title

_FRAME = Frame(350, 240, 46, 304, 10, 202)
_WORDS_APART = 12.0


@dataclass(frozen=True)
class Level:
    """The bias or a limit of agreement: a horizontal line, and the band of its 95 % interval.

    Attributes:
        kind: `bias` or `limit`.
        y: of the line.
        text: its value.
        text_y: where to write that.
        band: top and height of the interval.
    """

    kind: str
    y: float
    text: str
    text_y: float
    band: tuple[float, float]


@dataclass(frozen=True)
class BlandAltman:
    """The plot of one measure.

    Attributes:
        title: the measure with its unit.
        summary: the plot in words.
        label: whose colour the points have.
        x_ticks: on the x axis, the mean of predicted and reference.
        y_ticks: on the y axis, predicted minus reference.
        zero: where both are the same.
        levels: upper limit, bias, lower limit, as far as they are known.
        points: one a subject.
        kind: which number of the prediction it shows, in words.
    """

    title: str
    summary: str
    label: Label
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    zero: float
    levels: tuple[Level, ...]
    points: tuple[Point, ...]
    kind: str = ""
    frame: Frame = _FRAME


def bland_altman(measure: str, pairs: Sequence[MeasurePair], agreement: Agreement, kind: str) -> BlandAltman:
    """Lay out one measure.

    Args:
        measure: its name.
        pairs: those of the measure; at least one has a predicted value.
        agreement: their agreement.
        kind: as in the plot.
    """
    title = measure_title(measure)
    complete = [(pair, pair.difference) for pair in pairs if pair.difference is not None]
    means = [pair.reference + difference / 2 for pair, difference in complete]
    differences = [difference for _, difference in complete]
    intervals = [(kind, interval) for kind, interval in _intervals(agreement) if interval is not None]
    ends = [end for _, interval in intervals for end in (interval.low, interval.high)]
    x_axis = Axis(*span(means), _FRAME.left, _FRAME.right)
    y_axis = Axis(*span([0.0, *differences, *ends]), _FRAME.bottom, _FRAME.top)
    return BlandAltman(
        title=title,
        summary=_in_words(f"{title} {kind}".strip(), agreement),
        label=QUANTITIES[measure].structure or Label.LV_CAVITY,
        x_ticks=x_axis.ticks(),
        y_ticks=y_axis.ticks(),
        zero=y_axis.place(0.0),
        levels=_levels(intervals, y_axis),
        points=tuple(
            Point(x_axis.place(mean), y_axis.place(difference), _title(pair), _kind(difference, agreement))
            for (pair, difference), mean in zip(complete, means, strict=True)
        ),
        kind=kind,
    )


def _intervals(agreement: Agreement) -> tuple[tuple[str, Interval | None], ...]:
    """From top to bottom."""
    return ("limit", agreement.loa_high), ("bias", agreement.bias), ("limit", agreement.loa_low)


def _levels(intervals: Sequence[tuple[str, Interval]], axis: Axis) -> tuple[Level, ...]:
    places = [axis.place(interval.mean) for _, interval in intervals]
    levels = []
    for (kind, interval), y, text_y in zip(intervals, places, spread(places, _WORDS_APART), strict=True):
        top, bottom = axis.place(interval.high), axis.place(interval.low)
        levels.append(Level(kind, y, signed(interval.mean), text_y, (top, round(bottom - top, 2))))
    return tuple(levels)


def _in_words(title: str, agreement: Agreement) -> str:
    high, bias, low = (signed(interval.mean if interval else None) for _, interval in _intervals(agreement))
    return f"Bland-Altman plot of {title}, {_subjects(agreement)}: bias {bias}, limits of agreement {low} to {high}"


def _subjects(agreement: Agreement) -> str:
    return agreement.of if agreement.studies > agreement.n else f"{agreement.of} subjects"


def _title(pair: MeasurePair) -> str:
    predicted, difference = number(pair.predicted), signed(pair.difference)
    return f"{pair.subject_id}: predicted {predicted}, reference {number(pair.reference)}, difference {difference}"


def _kind(difference: float, agreement: Agreement) -> str:
    if agreement.loa_low is None or agreement.loa_high is None:
        return "inside"
    return "inside" if agreement.loa_low.mean <= difference <= agreement.loa_high.mean else "beyond"
