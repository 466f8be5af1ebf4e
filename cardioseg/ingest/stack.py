"""Stack: slices in any order become a position × phase grid. What does not fit is named, never guessed.

Position comes from geometry alone: p_k = n · position_k with n = row direction × column direction. The slice distance
is the step between positions, never the slice thickness; file names and instance numbers say nothing about place.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest.dicom import SliceHeader, read_pixels

_STEP_RTOL = 0.01  # highdicom's default for regularly spaced planes; real stacks keep 1e-4
_COSINE_TOLERANCE = 1e-3  # highdicom's default for parallel planes; real series keep 1e-6
_PIXEL_RTOL = 1e-3  # a quarter of a pixel over 256
_SAME_PLACE_MM = 0.1  # above the rounding of printed positions (1e-3 mm), below any slice distance
_SHIFT_PIXELS = 0.5  # slices further out of line than this would land on the neighbouring pixel
_VOXELS_LIMIT_BYTES = 4 * 1024**3

# What orders the phases, best first. The heart's clocks may not repeat within a slice: that is a second acquisition or
# another image of the same moment (magnitude and phase). The last two are used only where they tell all phases apart.
# Content time is not among them: on GE scanners it is the order of reconstruction.
Clock = Callable[[SliceHeader], Any]
_HEART_CLOCKS: tuple[Clock, ...] = (attrgetter("trigger_ms"), attrgetter("temporal_position"))
_OTHER_CLOCKS: tuple[Clock, ...] = (attrgetter("acquisition_s"), attrgetter("instance_number"))

Slices = Sequence[Sequence[SliceHeader]]


@dataclass(frozen=True)
class Stack:
    """A planned cine: which file is which slice of which phase. Pixels are read when asked.

    Attributes:
        grid: geometry of every phase; slices run along the normal of the image plane.
        headers: [phase][slice].
        times_ms: trigger time of each phase, the mean over slices; empty where unknown.
    """

    grid: Grid
    headers: tuple[tuple[SliceHeader, ...], ...]
    times_ms: tuple[float, ...]

    def places(self) -> dict[int, tuple[int, int]]:
        """Instance number -> (phase, slice), for the slices that have one."""
        return {
            header.instance_number: (phase, index)
            for phase, row in enumerate(self.headers)
            for index, header in enumerate(row)
            if header.instance_number is not None
        }

    def volume(self, phase: int) -> Volume:
        """Read one phase.

        Raises:
            UnusableError: a file's pixels cannot be read.
        """
        return Volume(np.stack([read_pixels(header) for header in self.headers[phase]]), self.grid)

    def read(self) -> Cine:
        """Read all phases.

        Raises:
            UnusableError: a file's pixels cannot be read, or they are too many for memory.
        """
        if len(self.headers) * int(np.prod(self.grid.shape)) * 4 > _VOXELS_LIMIT_BYTES:
            raise UnusableError(f"the cine is larger than {_VOXELS_LIMIT_BYTES // 1024**3} GiB")
        voxels: Voxels = np.stack([self.volume(phase).voxels for phase in range(len(self.headers))])
        return Cine(voxels, self.grid, self.times_ms)


def stack(headers: Sequence[SliceHeader]) -> Stack:
    """Arrange slices of one series, given in any order.

    Raises:
        UnusableError: mixed orientation, size or spacing; a missing, repeated or displaced slice; a missing phase.
    """
    _require_alike(headers)
    slices = by_position(headers)
    step_mm = _step_mm(slices)
    _require_in_line(slices)
    ordered = _in_time(slices)
    _require_complete(ordered)
    by_phase = tuple(zip(*ordered, strict=True))
    return Stack(_grid(ordered, step_mm), by_phase, _times_ms(by_phase))


def same_plane_direction(one: SliceHeader, other: SliceHeader) -> bool:
    """Whether two slices are oriented alike, in-plane rotation included."""
    return bool(np.allclose(one.orientation, other.orientation, rtol=0, atol=_COSINE_TOLERANCE))


def by_position(headers: Iterable[SliceHeader]) -> list[list[SliceHeader]]:
    """Group slices that are oriented alike by their position along the normal, in increasing order."""
    ordered = sorted(headers, key=lambda header: str(header.path))
    normal = _normal(ordered[0])
    groups: list[list[SliceHeader]] = []
    for header in sorted(ordered, key=lambda header: _along(normal, header)):
        if groups and _along(normal, header) - _along(normal, groups[-1][-1]) < _SAME_PLACE_MM:
            groups[-1].append(header)
        else:
            groups.append([header])
    return groups


def _normal(header: SliceHeader) -> NDArray[np.float64]:
    normal = np.cross(header.orientation[:3], header.orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal), np.float64)


def _along(normal: NDArray[np.float64], header: SliceHeader) -> float:
    return float(normal @ header.position_mm)


def _require_alike(headers: Sequence[SliceHeader]) -> None:
    first = headers[0]
    if not all(same_plane_direction(first, header) for header in headers):
        raise UnusableError("its slices are not parallel")
    if len({header.shape for header in headers}) > 1:
        raise UnusableError("its slices differ in rows or columns")
    if not all(np.allclose(first.pixel_mm, header.pixel_mm, rtol=_PIXEL_RTOL, atol=0) for header in headers):
        raise UnusableError("its slices differ in pixel spacing")


def _step_mm(slices: Slices) -> float:
    """The distance between slices, if it is the same everywhere."""
    if len(slices) < 2:
        raise UnusableError("a single slice position: the distance between slices is unknown")
    normal = _normal(slices[0][0])
    positions_mm = [_along(normal, group[0]) for group in slices]
    gaps_mm = [after - before for before, after in pairwise(positions_mm)]
    usual_mm = median_low(gaps_mm)
    for number, gap_mm in enumerate(gaps_mm, start=1):
        if abs(gap_mm - usual_mm) > _STEP_RTOL * usual_mm:
            raise UnusableError(_uneven(number, gap_mm, usual_mm))
    return (positions_mm[-1] - positions_mm[0]) / len(gaps_mm)


def _uneven(number: int, gap_mm: float, usual_mm: float) -> str:
    missing = round(gap_mm / usual_mm) - 1
    between = f"slices {number} and {number + 1}"
    apart = f"{gap_mm:.1f} mm apart where the others are {usual_mm:.1f} mm"
    if missing < 1 or abs(gap_mm / usual_mm - missing - 1) > _STEP_RTOL * (missing + 1):
        return f"the slices are unevenly spaced: {between} are {apart}"
    return f"{'a slice is' if missing == 1 else f'{missing} slices are'} missing between {between}: {apart}"


def _require_in_line(slices: Slices) -> None:
    """Slices lie above one another: none is off the median of all by more than half a pixel."""
    first = slices[0][0]
    limit_mm = _SHIFT_PIXELS * min(first.pixel_mm)
    normal = _normal(first)
    sideways = [_rejected(normal, [header.position_mm for header in group]) for group in slices]
    middle = np.median(np.concatenate(sideways), axis=0)
    for number, offsets in enumerate(sideways, start=1):
        shift_mm = np.linalg.norm(offsets - middle, axis=1).max()
        if shift_mm > limit_mm:
            raise UnusableError(f"slice {number} is shifted sideways against the others by {shift_mm:.1f} mm")


def _rejected(normal: NDArray[np.float64], positions_mm: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
    """The part of positions (n, 3) that lies in the image plane."""
    positions = np.asarray(positions_mm)
    return np.asarray(positions - np.outer(positions @ normal, normal))


def _in_time(slices: Slices) -> list[list[SliceHeader]]:
    """Each slice's files in the order of the heart beat, by the first clock that tells them apart."""
    if all(len(group) == 1 for group in slices):
        return [list(group) for group in slices]
    for clock in (*_HEART_CLOCKS, *_OTHER_CLOCKS):
        times = [[clock(header) for header in group] for group in slices]
        if any(time is None for group in times for time in group):
            continue
        if all(len(set(group)) == len(group) for group in times):
            return [sorted(group, key=clock) for group in slices]
        if clock in _HEART_CLOCKS and any(len(set(group)) > 1 for group in times):
            raise UnusableError(_repeat(slices, clock))
    raise UnusableError("nothing tells its phases apart: no time and no instance number that differs")


def _repeat(slices: Slices, clock: Clock) -> str:
    number, one, other = next(
        (number, one, other)
        for number, group in enumerate(slices, start=1)
        for one, other in pairwise(sorted(group, key=lambda header: (clock(header), str(header.path))))
        if clock(one) == clock(other)
    )
    return f"slice {number} has the same phase twice: {one.path} and {other.path}"


def _require_complete(slices: Slices) -> None:
    counts = [len(group) for group in slices]
    usual = Counter(counts).most_common(1)[0][0]
    for number, count in enumerate(counts, start=1):
        if count != usual:
            raise UnusableError(f"slice {number} of {len(counts)} has {count} phases where the others have {usual}")


def _grid(slices: Slices, step_mm: float) -> Grid:
    first = slices[0][0]
    normal, row = _normal(first), np.asarray(first.orientation[:3])
    slice_axis, row_axis, column_axis = (_unit(axis) for axis in (normal, np.cross(normal, row), row))
    return Grid(
        shape=(len(slices), *first.shape),
        spacing_mm=(step_mm, *first.pixel_mm),
        origin_mm=first.position_mm,
        directions=(slice_axis, row_axis, column_axis),
    )


def _unit(axis: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (axis / np.linalg.norm(axis)).tolist()
    return x, y, z


def _times_ms(by_phase: Slices) -> tuple[float, ...]:
    times = np.array([[header.trigger_ms for header in row] for row in by_phase], np.float64).mean(axis=1)
    return tuple(times.tolist()) if np.isfinite(times).all() else ()
