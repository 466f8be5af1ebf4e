"""Bullseye: a value of each AHA segment as rings of a picture, basal outside, apical inside, anterior on top."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians, sin

from cardioseg.measure.segments import NAMES
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.wording import UNKNOWN, decimal

_CENTER, _RADII = 100.0, (95.0, 68.0, 41.0, 15.0)  # of the rings, from outside; the apical cap is empty
_LIGHT, _DARK = (240, 245, 251), (11, 72, 140)  # one hue: it reads the same with every kind of colour vision
_WHITE_TEXT = 0.5  # share of the dark colour from which the text is white
_ARC_STEPS = 24  # of an arc drawn as a polygon
_EMPTY = "#ffffff"  # of a segment without a value

_Value = Callable[[SegmentMeasures], float | None]


@dataclass(frozen=True)
class Cell:
    """One segment, as a part of a ring around (100, 100).

    Attributes:
        middle: direction of its middle in degrees, against the clock from the right.
        half: half of its angle in degrees.
        outer: radius of its outer edge.
        inner: radius of its inner edge.
        text: the value, or a dash.
        fill: its colour.
        is_dark: whether its colour needs white text.
        title: its name, its value or why there is none.
    """

    middle: float
    half: float
    outer: float
    inner: float
    text: str
    fill: str
    is_dark: bool
    title: str

    @property
    def x(self) -> float:
        """Place of the text, from the left."""
        return _point(self.middle, (self.outer + self.inner) / 2)[0]

    @property
    def y(self) -> float:
        """Place of the text, from the top."""
        return _point(self.middle, (self.outer + self.inner) / 2)[1]

    @property
    def path(self) -> str:
        """Its outline, as an SVG path."""
        ends = self.middle - self.half, self.middle + self.half
        (ax, ay), (bx, by) = (_point(end, self.outer) for end in ends)
        (dx, dy), (cx, cy) = (_point(end, self.inner) for end in ends)
        arcs = f"A{self.outer} {self.outer} 0 0 0 {bx} {by}", f"A{self.inner} {self.inner} 0 0 1 {dx} {dy}"
        return f"M{ax} {ay}{arcs[0]}L{cx} {cy}{arcs[1]}Z"

    @property
    def polygon(self) -> list[tuple[float, float]]:
        """Its outline as points, for pictures of pixels."""
        steps = [self.middle + self.half * (2 * step / _ARC_STEPS - 1) for step in range(_ARC_STEPS + 1)]
        outside = [_point(degrees, self.outer) for degrees in steps]
        return outside + [_point(degrees, self.inner) for degrees in reversed(steps)]


@dataclass(frozen=True)
class Bullseye:
    """The segments of one measure.

    Attributes:
        title: what is shown, with its unit.
        cells: the segments.
    """

    title: str
    cells: tuple[Cell, ...]


def bullseyes(segments: Mapping[int, SegmentMeasures]) -> tuple[Bullseye, ...]:
    """Thickness at end-diastole and thickening, as far as any segment has them."""
    thickness = _bullseye("Wall thickness at end-diastole, mm", segments, _ed_mm, 1, (4.0, 16.0))
    thickening = _bullseye("Wall thickening, %", segments, _thickening, 0, (0.0, 80.0))
    return tuple(
        bullseye for bullseye in (thickness, thickening) if any(cell.text != UNKNOWN for cell in bullseye.cells)
    )


def _ed_mm(segment: SegmentMeasures) -> float | None:
    return segment.ed_mm


def _thickening(segment: SegmentMeasures) -> float | None:
    return segment.thickening_percent


def _bullseye(
    title: str, segments: Mapping[int, SegmentMeasures], value_of: _Value, digits: int, ends: tuple[float, float]
) -> Bullseye:
    return Bullseye(title, tuple(_cell(n, segment, value_of, digits, ends) for n, segment in segments.items()))


def _cell(
    number: int,
    segment: SegmentMeasures,
    value_of: _Value,
    digits: int,
    ends: tuple[float, float],
) -> Cell:
    value = value_of(segment)
    ring = (number - 1) // 6
    sectors = 4 if ring == 2 else 6
    middle = 90 + 360 / sectors * ((number - 1) % 6)  # from the anterior wall to the septum, against the clock
    place, name = (middle, 180 / sectors, _RADII[ring], _RADII[ring + 1]), f"{number} {NAMES[number]}"
    if value is None:
        return Cell(*place, UNKNOWN, _EMPTY, False, f"{name}: {segment.reason}")
    share = min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)
    text = decimal(value, digits)
    return Cell(*place, text, _colour(share), share > _WHITE_TEXT, f"{name}: {text}")


def _point(degrees: float, radius: float) -> tuple[float, float]:
    return round(_CENTER + radius * cos(radians(degrees)), 2), round(_CENTER - radius * sin(radians(degrees)), 2)


def _colour(share: float) -> str:
    mixed = (round(light + share * (dark - light)) for light, dark in zip(_LIGHT, _DARK, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
