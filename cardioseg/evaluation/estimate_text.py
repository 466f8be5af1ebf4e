"""Estimate text: estimates and their intervals as text for the pages and the terminal."""

from cardioseg.measure.significance import Interval
from cardioseg.measure.spread import Spread
from cardioseg.wording import UNKNOWN, decimal


def number(value: float | None, digits: int = 1) -> str:
    """`0.912`, `−3.1`; a value that rounds to zero has no sign."""
    return UNKNOWN if value is None else decimal(value, digits)


def signed(value: float | None, digits: int = 1) -> str:
    """A difference: `+1.2`, `−0.3`; a value that rounds to zero has no sign."""
    return UNKNOWN if value is None else decimal(value, digits, sign=True)


def interval(estimate: Interval | None, digits: int = 1) -> str:
    """A value and its 95 % interval: `2.1 [1.0, 3.2]`."""
    if estimate is None:
        return UNKNOWN
    value, low, high = (number(end, digits) for end in (estimate.mean, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def limits(low: Interval | None, high: Interval | None) -> str:
    """The limits of agreement: `−3.1 to 4.2`."""
    return " to ".join(number(limit.mean if limit else None) for limit in (low, high))


def mean(spread: Spread | None, digits: int) -> str:
    """Mean, standard deviation and size of a sample: `0.912 ± 0.034 (160)`; "" for None."""
    if spread is None or spread.mean is None:
        return UNKNOWN if spread else ""
    deviation = "" if spread.std is None else f" ± {number(spread.std, digits)}"
    return f"{number(spread.mean, digits)}{deviation} ({spread.n})"


def probability(p: float) -> str:
    """`0.034`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
