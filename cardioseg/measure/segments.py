"""Segments: the 16 AHA segments of the LV's wall that a short-axis stack shows, between the RV's insertion points.

The slices that have a wall at end-diastole are divided into basal, mid and apical thirds. In basal and mid slices, the
septum between the two insertion points is halved, and the rest of the wall is divided into four equal parts. In apical
slices, there are four quarters, one of which has the septum's middle in its middle. The 17th segment, the apical cap,
is not in a short-axis stack. Cerqueira et al., Circulation 2002;105:539.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.labels import Label
from cardioseg.image.orientation import is_base_first, is_placed
from cardioseg.image.volume import Cine, Voxels
from cardioseg.measure.wall import ANGLES, RAYS, Wall, samples

_BASE, _MID, _APEX = "basal", "mid", "apical"
LEVELS = (_BASE, _MID, _APEX)
_SIX = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_FOUR = ("anterior", "septal", "inferior", "lateral")
NAMES: Mapping[int, str] = dict(
    enumerate((*(f"{level} {name}" for level in (_BASE, _MID) for name in _SIX), *(f"{_APEX} {n}" for n in _FOUR)), 1)
)
"""The names of the segments by their AHA numbers."""

_CONTACT_MM = 4.0  # beyond the wall, in which the RV touches it; drawn masks leave up to two pixels between the two
_GAP_RAYS = 4  # of a septum, that are bridged
_LEAST_RAYS = 8  # of a septum: 24 degrees


@dataclass(frozen=True)
class Septum:
    """The part of a slice's wall between the RV's insertion points.

    Attributes:
        middle: angle of its middle in radians.
        half_width: from there to either insertion point, in radians.
        source: the slice in which the insertion points were found.
    """

    middle: float
    half_width: float
    source: int


@dataclass(frozen=True)
class Segmented:
    """The rays of each slice by segment.

    Attributes:
        numbers: (slice, ray): the segment's AHA number; 0 outside the ventricle.
        septa: the septum of each slice with segments.
        slices: the slices with segments, from base to apex.
    """

    numbers: NDArray[np.uint8]
    septa: Mapping[int, Septum]
    slices: tuple[int, ...]

    @property
    def borrowed(self) -> tuple[int, ...]:
        """The slices whose insertion points are those of another slice, since the RV does not reach them."""
        return tuple(index for index in self.slices if self.septa[index].source != index)


def segmented(mask: Cine, wall: Wall, ed_phase: int) -> Segmented | str:
    """Assign a segment to each ray of each slice, or say why that cannot be done.

    Args:
        mask: `Label` values (phase, slice, row, column).
        wall: the wall of this mask.
        ed_phase: 0-based phase of end-diastole.
    """
    base_first = is_base_first(mask)
    with_wall = np.flatnonzero(wall.is_present[ed_phase])
    slices = tuple(int(index) for index in (with_wall if base_first else with_wall[::-1]))
    if len(slices) < len(LEVELS):
        return f"slices with a wall around the cavity at end-diastole: {len(slices)}; three levels need three"
    found = {index: septum for index in slices if (septum := _septum(mask, wall, ed_phase, index))}
    if not found:
        return "the right ventricle does not touch the wall in any slice, so that its insertion points are unknown"
    septa = {index: found.get(index) or _nearest(found, index, slices) for index in slices}
    numbers = np.zeros((mask.voxels.shape[1], RAYS), np.uint8)
    turn = _turn_to_anterior(mask, base_first)
    for level, group in zip(LEVELS, np.array_split(np.array(slices), len(LEVELS)), strict=True):
        for index in group.tolist():
            numbers[index] = _numbers(level, septa[index], turn)
    return Segmented(numbers, septa, slices)


def _septum(mask: Cine, wall: Wall, phase: int, index: int) -> Septum | None:
    """The longest run of rays beyond whose wall the RV lies, in one slice; None if it is short."""
    outer, center = wall.outer_mm[phase, index], wall.centers[phase, index]
    touches = _touches_rv(mask.voxels[phase, index], center, outer, mask.grid.pixel_mm)
    first, length = _longest_run(_bridged(touches))
    if length < _LEAST_RAYS:
        return None
    step = ANGLES[1]
    return Septum(float((first + (length - 1) / 2) * step % (2 * np.pi)), length * step / 2, index)


def _touches_rv(
    plane: Voxels, center: NDArray[np.float64], outer_mm: NDArray[np.float64], pixel_mm: tuple[float, float]
) -> NDArray[np.bool_]:
    beyond = np.arange(min(pixel_mm) / 2, _CONTACT_MM, min(pixel_mm) / 2)
    radii = np.where(np.isfinite(outer_mm), outer_mm, 0.0)[:, None] + beyond
    rv = samples((plane == Label.RV_CAVITY).astype(np.float32), center, pixel_mm, radii)
    return np.asarray((rv > 0.5).any(1) & np.isfinite(outer_mm))


def _bridged(marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With short gaps between marked rays filled."""
    bridged = marked.copy()
    for gap in range(1, _GAP_RAYS + 1):
        is_gap = np.roll(marked, 1) & np.roll(marked, -gap)
        for offset in range(gap):
            bridged |= np.roll(is_gap, offset)
    return bridged


def _longest_run(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """The first ray and the length of the longest run of marked rays around the circle."""
    if marked.all() or not marked.any():
        return 0, len(marked) * int(marked.all())
    starts = np.flatnonzero(marked & ~np.roll(marked, 1))
    ends = np.flatnonzero(~marked & np.roll(marked, 1))
    lengths = [
        (int((ends - start).min(where=ends > start, initial=len(marked) + ends.min() - start)), int(start))
        for start in starts
    ]
    length, first = max(lengths)
    return first, length


def _nearest(found: Mapping[int, Septum], index: int, slices: tuple[int, ...]) -> Septum:
    """The septum of the nearest slice that has one; of two, that nearer to the base."""
    return found[min(found, key=lambda other: (abs(other - index), slices.index(other)))]


def _turn_to_anterior(mask: Cine, base_first: bool) -> int:
    """1 if the anterior wall follows the septum with increasing angles, else -1.

    Seen from the apex, the anterior wall follows the septum clockwise. A stack of which nobody says how it lies in the
    patient is taken to be shown as usual, seen from the apex.
    """
    if not is_placed(mask.grid):
        return 1
    slices, rows, columns = np.asarray(mask.grid.directions)
    to_apex = slices if base_first else -slices
    return 1 if np.dot(np.cross(columns, to_apex), rows) > 0 else -1


def _numbers(level: str, septum: Septum, turn: int) -> NDArray[np.uint8]:
    """The AHA number of each ray of a slice."""
    from_septum = turn * ((ANGLES - septum.middle + np.pi) % (2 * np.pi) - np.pi)  # positive towards the anterior wall
    away, is_anterior = np.abs(from_septum), from_septum >= 0
    if level == _APEX:
        quarter = np.pi / 4
        around = np.where(is_anterior, 13, 15)
        return np.select([away < quarter, away < 3 * quarter], [14, around], 16).astype(np.uint8)
    free = (np.pi - septum.half_width) / 2  # of one of the two parts of the free wall on either side
    anterior = np.select([away < septum.half_width, away < septum.half_width + free], [2, 1], 6)
    inferior = np.select([away < septum.half_width, away < septum.half_width + free], [3, 4], 5)
    return (np.where(is_anterior, anterior, inferior) + (6 if level == _MID else 0)).astype(np.uint8)
