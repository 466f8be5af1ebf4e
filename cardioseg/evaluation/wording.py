"""Wording: numbers as the pages and the terminal show them, a dash where they are not known."""

from cardioseg.measure.significance import Interval
from cardioseg.measure.spread import Spread
from cardioseg.report.measure_columns import UNKNOWN

_HYPHEN, _MINUS = "-", "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 1) -> str:
    """`0.912`, `−3.1`; what rounds to zero has no sign."""
    return UNKNOWN if value is None else f"{value:z.{digits}f}".replace(_HYPHEN, _MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """A difference: `+1.2`, `−0.3`; what rounds to zero has no sign."""
    if value is None:
        return UNKNOWN
    text = f"{value:+z.{digits}f}"
    return (text if float(text) else text[1:]).replace(_HYPHEN, _MINUS)


def interval(known: Interval | None, digits: int = 1) -> str:
    """A value and its 95 % interval: `2.1 [1.0, 3.2]`."""
    if known is None:
        return UNKNOWN
    value, low, high = (number(one, digits) for one in (known.mean, known.low, known.high))
    return f"{value} [{low}, {high}]"


def limits(low: Interval | None, high: Interval | None) -> str:
    """The limits of agreement: `−3.1 to 4.2`."""
    return " to ".join(number(one.mean if one else None) for one in (low, high))


def mean(known: Spread | None, digits: int) -> str:
    """A mean, the standard deviation and the size of the sample: `0.912 ± 0.034 (160)`; nothing where none is asked."""
    if known is None or known.mean is None:
        return UNKNOWN if known else ""
    deviation = "" if known.std is None else f" ± {number(known.std, digits)}"
    return f"{number(known.mean, digits)}{deviation} ({known.n})"


def probability(p: float) -> str:
    """`0.034`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def several(count: int, what: str) -> str:
    """`1 slice`, `1,512 slices`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
