"""Bland-Altman plot: the differences of one measure over its means, with bias and limits of agreement."""

from collections.abc import Sequence
from dataclasses import dataclass

from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.plots import Frame, Point, span
from cardioseg.evaluation.wording import signed
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


def bland_altman(measure: str, pairs: Sequence[MeasurePair], found: Agreement, kind: str = "") -> BlandAltman:
    """Lay out one measure; `pairs` are those of `measure`, `found` is their agreement, `kind` is as in the plot."""
    title = measure_title(measure)
    means = [(pair.reference + pair.predicted) / 2 for pair in pairs]
    differences = [pair.predicted - pair.reference for pair in pairs]
    known = [(kind, one) for kind, one in _intervals(found) if one is not None]
    ends = [end for _, one in known for end in (one.low, one.high)]
    x_axis = Axis(*span(means), _FRAME.left, _FRAME.right)
    y_axis = Axis(*span([0.0, *differences, *ends]), _FRAME.bottom, _FRAME.top)
    return BlandAltman(
        title=title,
        summary=_in_words(f"{title} {kind}".strip(), found),
        label=QUANTITIES[measure].structure or Label.LV_CAVITY,
        x_ticks=x_axis.ticks(),
        y_ticks=y_axis.ticks(),
        zero=y_axis.place(0.0),
        levels=_levels(known, y_axis),
        points=tuple(
            Point(x_axis.place(mean), y_axis.place(difference), _title(pair), _kind(difference, found))
            for pair, mean, difference in zip(pairs, means, differences, strict=True)
        ),
        kind=kind,
    )


def _intervals(found: Agreement) -> tuple[tuple[str, Interval | None], ...]:
    """From top to bottom."""
    return ("limit", found.loa_high), ("bias", found.bias), ("limit", found.loa_low)


def _levels(known: Sequence[tuple[str, Interval]], axis: Axis) -> tuple[Level, ...]:
    places = [axis.place(one.mean) for _, one in known]
    levels = []
    for (kind, one), y, text_y in zip(known, places, spread(places, _WORDS_APART), strict=True):
        top, bottom = axis.place(one.high), axis.place(one.low)
        levels.append(Level(kind, y, signed(one.mean), text_y, (top, round(bottom - top, 2))))
    return tuple(levels)


def _in_words(title: str, found: Agreement) -> str:
    high, bias, low = (signed(one.mean if one else None) for _, one in _intervals(found))
    return f"Bland-Altman plot of {title}, {found.n} subjects: bias {bias}, limits of agreement {low} to {high}"


def _title(pair: MeasurePair) -> str:
    difference = signed(pair.predicted - pair.reference)
    return f"{pair.subject_id}: predicted {pair.predicted:.1f}, reference {pair.reference:.1f}, difference {difference}"


def _kind(difference: float, found: Agreement) -> str:
    if found.loa_low is None or found.loa_high is None:
        return "inside"
    return "inside" if found.loa_low.mean <= difference <= found.loa_high.mean else "beyond"
