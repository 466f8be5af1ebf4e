"""Plots: what the plots of the page have in common: a frame, points with a title, the ends of an axis.

The page's template draws them as SVG, not matplotlib: each point has a title that names its case, and evaluating needs
no library that draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_MARGIN = 0.06  # of the values' span, so that no point lies on the frame


@dataclass(frozen=True)
class Frame:
    """Where a plot lies, in the units of its view box: `left` to `right`, `top` to `bottom`."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True)
class Point:
    """One value.

    Attributes:
        x: where it is.
        y: likewise.
        title: what it is, in words.
        kind: `inside` or `beyond` the limits or whiskers; `above` or `below` where it lies outside the frame and the
            point stands on its edge.
    """

    x: float
    y: float
    title: str
    kind: str


def span(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis for these values, with a margin."""
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin
