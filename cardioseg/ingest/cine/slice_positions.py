"""Positions of slices along their common normal, and slices that do not fit into one regular stack."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from math import acos, atan, degrees
from statistics import median_low

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.phase_order import MISSING_LIMIT, Slices, single_step
from cardioseg.ingest.dicom.slice_header import SliceHeader

STEP_RTOL = 0.01  # highdicom's default for regularly spaced planes; real stacks keep 1e-4
_COSINE_TOLERANCE = 1e-3  # highdicom's default for parallel planes; real series keep 1e-6
_PIXEL_RTOL = 1e-3  # a quarter of a pixel over 256
_SAME_PLACE_MM = 0.1  # above the rounding of printed positions (1e-3 mm), below any slice distance
_SHIFT_PIXELS = 0.5  # slices that are shifted sideways by more would be nearer to the neighbouring pixel
_UNEVEN_SHARE = 0.1  # of the whole shift of an evenly sheared stack; a single displaced slice is off by more


def same_plane_direction(first: SliceHeader, second: SliceHeader) -> bool:
    """Whether two slices have the same orientation, including in-plane rotation."""
    return max(abs(a - b) for a, b in zip(first.orientation, second.orientation, strict=True)) <= _COSINE_TOLERANCE


def same_directions(orientations: NDArray[np.float64], header: SliceHeader) -> NDArray[np.bool_]:
    """For each of many orientations (n, 6), whether a slice has the same."""
    return np.asarray((np.abs(orientations - header.orientation) <= _COSINE_TOLERANCE).all(axis=1))


def same_pixels(first: SliceHeader, second: SliceHeader) -> bool:
    """Whether two slices have the same rows, columns and pixel spacing."""
    same_spacing = all(abs(a - b) <= _PIXEL_RTOL * b for a, b in zip(first.pixel_mm, second.pixel_mm, strict=True))
    return same_spacing and first.shape == second.shape


def in_line(first: SliceHeader, second: SliceHeader) -> bool:
    """Whether two parallel slices lie on one line along their normal, to half a pixel."""
    offsets = _in_plane(normal_of(first), [first.position_mm, second.position_mm])
    return float(np.linalg.norm(offsets[0] - offsets[1])) <= _SHIFT_PIXELS * min(first.pixel_mm)


def normal_of(header: SliceHeader) -> NDArray[np.float64]:
    """LPS unit vector: row direction x column direction."""
    normal = np.cross(header.orientation[:3], header.orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal), np.float64)


def tilt_degrees(first: SliceHeader, second: SliceHeader) -> float:
    """The angle between the planes of two slices, 0 to 90 degrees."""
    return degrees(acos(min(1.0, abs(float(normal_of(first) @ normal_of(second))))))


def along(normal: NDArray[np.float64], header: SliceHeader) -> float:
    """Position of a slice along a normal, in mm."""
    return float(normal @ header.position_mm)


def by_position(headers: Iterable[SliceHeader]) -> list[list[SliceHeader]]:
    """Group slices of one orientation by their position along the normal, in increasing order."""
    ordered = sorted(headers, key=lambda header: (str(header.path), header.frame or 0))
    normal = normal_of(ordered[0])
    groups: list[list[SliceHeader]] = []
    last_mm = -np.inf
    for header in sorted(ordered, key=lambda header: along(normal, header)):
        place_mm = along(normal, header)
        if place_mm - last_mm < _SAME_PLACE_MM:
            groups[-1].append(header)
        else:
            groups.append([header])
        last_mm = place_mm
    return groups


def by_orientation(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Group images of the same orientation, including in-plane rotation."""
    groups: list[list[SliceHeader]] = []
    first_orientations = np.empty((len(headers), 6))  # of each group; a hostile series has one group per image
    for header in headers:
        matching = np.flatnonzero(same_directions(first_orientations[: len(groups)], header))
        if matching.size:
            groups[matching[0]].append(header)
        else:
            first_orientations[len(groups)] = header.orientation
            groups.append([header])
    return groups


def require_same_geometry(headers: Sequence[SliceHeader]) -> None:
    """Raise UnusableError unless all images are parallel, of one size and of one pixel spacing."""
    first = headers[0]
    if not all(same_plane_direction(first, header) for header in headers):
        raise UnusableError("its slices are not parallel")
    if len({header.shape for header in headers}) > 1:
        raise UnusableError("its slices differ in rows or columns")
    if not all(same_pixels(first, header) for header in headers):
        raise UnusableError("its slices differ in pixel spacing")


def regular_places(slices: Slices) -> tuple[list[int], float]:
    """Each slice's index in the regular stack that contains them, and the step in mm.

    Raises:
        UnusableError: there is only one slice; the distances are not multiples of one step; or more than a third of the
            slices are missing.
    """
    if len(slices) < 2:
        raise UnusableError("a single slice position: the distance between slices is unknown")
    normal = normal_of(slices[0][0])
    positions_mm = [along(normal, group[0]) for group in slices]
    gaps_mm = [after - before for before, after in pairwise(positions_mm)]
    step_mm = single_step(gaps_mm)
    steps = [max(1, round(gap / step_mm)) for gap in gaps_mm]
    usual_mm = median_low(gaps_mm)
    if any(abs(gap - count * step_mm) > STEP_RTOL * count * step_mm for gap, count in zip(gaps_mm, steps, strict=True)):
        raise UnusableError(_uneven_reason(gaps_mm, usual_mm))
    places = list(accumulate(steps, initial=0))
    empty = places[-1] + 1 - len(places)
    if empty > MISSING_LIMIT * (places[-1] + 1):
        if step_mm < (1 - STEP_RTOL) * usual_mm:
            raise UnusableError(_uneven_reason(gaps_mm, usual_mm))
        widest = max(range(len(gaps_mm)), key=gaps_mm.__getitem__)
        gap = _gap_text(widest, gaps_mm[widest], step_mm)
        raise UnusableError(f"{empty} of {places[-1] + 1} slices are missing, more than a third: {gap}")
    return places, (positions_mm[-1] - positions_mm[0]) / places[-1]


def _uneven_reason(gaps_mm: Sequence[float], usual_mm: float) -> str:
    """Names the gap that is furthest from a multiple of the usual one."""
    off_mm = [round(abs(gap_mm - max(1, round(gap_mm / usual_mm)) * usual_mm), 3) for gap_mm in gaps_mm]
    number = off_mm.index(max(off_mm))
    return f"the slices are unevenly spaced: {_gap_text(number, gaps_mm[number], usual_mm)}"


def _gap_text(number: int, gap_mm: float, usual_mm: float) -> str:
    return f"slices {number} and {number + 1} are {gap_mm:.1f} mm apart, others {usual_mm:.1f} mm"


def require_in_line(slices: Slices) -> None:
    """Raise UnusableError if a slice is shifted sideways from the median of all by more than half a pixel."""
    first = slices[0][0]
    limit_mm = _SHIFT_PIXELS * min(first.pixel_mm)
    normal = normal_of(first)
    sideways = [_in_plane(normal, [header.position_mm for header in group]) for group in slices]
    middle = np.median(np.concatenate(sideways), axis=0)
    shifts_mm = [float(np.linalg.norm(offsets - middle, axis=1).max()) for offsets in sideways]
    number = next((number for number, shift_mm in enumerate(shifts_mm) if shift_mm > limit_mm), None)
    if number is None:
        return
    heights_mm = np.array([along(normal, group[0]) for group in slices])
    if shear := _even_shear(heights_mm, np.stack([offsets[0] for offsets in sideways])):
        step_mm = float(np.median(np.diff(heights_mm)))
        each = f"each slice is shifted sideways by {shear * step_mm:.1f} mm from the one before"
        off = f"the stack leans by {degrees(atan(shear)):.1f} degrees"
        raise UnusableError(f"{each}: {off}", "resample it to slices that lie straight above each other")
    if jump := _single_jump(sideways, limit_mm):
        before, jump_mm = jump
        raise UnusableError(
            f"slices 0 to {before} are shifted sideways from slices {before + 1} to {len(slices) - 1} "
            f"by {jump_mm:.1f} mm",
            "predict the slices on one side of the jump alone",
        )
    raise UnusableError(f"slice {number} is shifted sideways from the others by {shifts_mm[number]:.1f} mm")


def _single_jump(sideways: Sequence[NDArray[np.float64]], limit_mm: float) -> tuple[int, float] | None:
    """The last slice before the only sideways jump between two parts that are straight, and how far it goes in mm.

    None if there is another disorder, or if one part is a single slice, which is then the one that is off.

    Args:
        sideways: of each slice, the offsets (n, 3) of its images in their plane.
        limit_mm: how far an image of a straight part may lie from the part's median.
    """
    middles = np.stack([np.median(offsets, axis=0) for offsets in sideways])
    jumps_mm = np.linalg.norm(np.diff(middles, axis=0), axis=1)
    first = int(jumps_mm.argmax()) + 1
    parts = sideways[:first], sideways[first:]
    if min(map(len, parts)) < 2:
        return None
    centres = [np.median(np.concatenate(part), axis=0) for part in parts]
    rests_mm = [
        float(np.linalg.norm(np.concatenate(part) - centre, axis=1).max())
        for part, centre in zip(parts, centres, strict=True)
    ]
    return None if max(rests_mm) > limit_mm else (first - 1, float(np.linalg.norm(centres[1] - centres[0])))


def _even_shear(heights_mm: NDArray[np.float64], offsets_mm: NDArray[np.float64]) -> float:
    """The sideways shift per height of a stack whose slices are all shifted evenly; 0 of any other stack.

    Args:
        heights_mm: of the slices (n) along their normal, ascending.
        offsets_mm: of the slices (n, 3) in their plane.
    """
    shares = (heights_mm - heights_mm[0]) / (heights_mm[-1] - heights_mm[0])
    whole = offsets_mm[-1] - offsets_mm[0]
    rest_mm = np.linalg.norm(offsets_mm - offsets_mm[0] - np.outer(shares, whole), axis=1).max()
    whole_mm = float(np.linalg.norm(whole))
    is_even = len(shares) > 2 and rest_mm <= _UNEVEN_SHARE * whole_mm
    return whole_mm / float(heights_mm[-1] - heights_mm[0]) if is_even else 0.0


def out_of_line(group: Sequence[SliceHeader]) -> list[SliceHeader]:
    """The parallel slices that are shifted sideways from the median of all by more than half a pixel."""
    offsets = _in_plane(normal_of(group[0]), [header.position_mm for header in group])
    shifts_mm = np.linalg.norm(offsets - np.median(offsets, axis=0), axis=1).tolist()
    limit_mm = _SHIFT_PIXELS * min(group[0].pixel_mm)
    return [header for header, shift_mm in zip(group, shifts_mm, strict=True) if shift_mm > limit_mm]


def _in_plane(normal: NDArray[np.float64], positions_mm: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
    """The component of positions (n, 3) in the image plane."""
    positions = np.asarray(positions_mm)
    return np.asarray(positions - np.outer(positions @ normal, normal))
