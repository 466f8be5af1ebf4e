"""Plots: parts that the plots of the page share: a frame, points with a title, the ends of an axis.

The page's template draws them as SVG, not matplotlib: each point has a title that names its case, and evaluating needs
no library that draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_MARGIN = 0.06  # of the values' span, so that no point lies on the frame


@dataclass(frozen=True)
class Frame:
    """The plot area, `left` to `right` and `top` to `bottom`, in the units of the view box."""

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
        x: horizontal place.
        y: vertical place.
        title: the value as a sentence.
        kind: `inside` or `beyond` the limits or whiskers; `above` or `below` if the value is outside the frame and the
            point is drawn on its edge.
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
