"""Unjoined series: flags for series of a study that continue a stack, or show a slice of it again, and are not used."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.imaging_differences import difference, have_same_ids, other_sequence
from cardioseg.ingest.cine.series import Series, judge, with_flags
from cardioseg.ingest.cine.slice_positions import (
    along,
    by_position,
    normal_of,
    same_plane_direction,
    tilt_degrees,
)
from cardioseg.ingest.cine.split_series import ANOTHER_STACK, PARTS
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.slice_header import SliceHeader

SLICES_NOT_JOINED, UNUSED_REPEAT = "slices not joined", "unused repeat"
_NEW = 0.75  # of the thickness: a slice that is further from all others shows another part of the heart
_SAME = 0.25  # of the step: a slice that is nearer to another shows the same part of the heart
_TILT_DEGREES = 10.0  # a plane that is tilted by more shows another view
_NEAR = 3.1  # steps from the stack: planes further away do not continue it


def with_unjoined(series: Series, others: Sequence[Series]) -> Series:
    """A cine with flags for other series of its study that belong to it by their planes."""
    if series.stack is None:
        return series
    continuing: dict[str, list[int]] = defaultdict(list)  # why -> new slices of each series
    flags: dict[Flag, None] = {}  # of single slices; each flag once
    for other in others:
        is_parallel = same_plane_direction(series.headers[0], other.headers[0])
        if not is_parallel and not _shows_same_view(series, other):
            continue
        distances_mm = _distances_mm(series.stack, other)
        new_slices = _new_slices(series.stack, distances_mm.min(axis=1))
        if not is_parallel and (gaps := _filled_gaps(series.stack, other)):
            reason = f"another series of the study shows this slice and is not used: {_why_not(series, other)}"
            flags |= {Flag(SLICES_NOT_JOINED, reason, slice=place): None for place in gaps}
        elif new_slices:
            continuing[_why_not(series, other)].append(new_slices)
        elif is_parallel and _is_repeat(series, other):
            places = _repeated_places(series.stack, other, distances_mm)
            flags |= {Flag(UNUSED_REPEAT, _repeat_reason(series, other), slice=place): None for place in places}
    return with_flags(series, [*_not_joined(continuing), *flags])


def _shows_same_view(series: Series, other: Series) -> bool:
    """Whether a series shows the same part of the body by the same sequence, in planes that are turned or tilted."""
    first, second = series.headers[0], other.headers[0]
    aside = _centre_mm(second) - _centre_mm(first)
    aside -= (aside @ normal_of(first)) * normal_of(first)
    sides_mm = [side * mm for header in (first, second) for side, mm in zip(header.shape, header.pixel_mm, strict=True)]
    is_near = float(np.linalg.norm(aside)) <= min(sides_mm) / 2 and tilt_degrees(first, second) <= _TILT_DEGREES
    return is_near and not other_sequence(first, second)


def _filled_gaps(arranged: Stack, other: Series) -> list[int]:
    """The missing slices of a stack that another series shows."""
    reference = next(header for header in arranged.headers[0] if header is not None)
    first_mm, step_mm = along(normal_of(reference), reference), arranged.grid.spacing_mm[0]
    heights = [float(normal_of(reference) @ _centre_mm(group[0])) for group in by_position(other.film)]
    nearest = {round((height_mm - first_mm) / step_mm) for height_mm in heights}
    return [place for place in arranged.missing if place in nearest]


def _is_repeat(series: Series, other: Series) -> bool:
    """Whether a series may show some slices again; not a whole stack, another sequence, or another scan."""
    is_whole = other.kind not in PARTS and other.slices >= ANOTHER_STACK * series.slices
    return not (is_whole or have_same_ids(series, other) or other_sequence(series.headers[0], other.headers[0]))


def _not_joined(continuing: Mapping[str, Sequence[int]]) -> Iterator[Flag]:
    """One flag per reason. It names no file: flags may be shared where paths may not."""
    for why, slices in continuing.items():
        count = f"{sum(slices)} slice{'s' if sum(slices) > 1 else ''}"
        others, continue_, are = (
            ("another series", "continues", "is")
            if len(slices) == 1
            else (f"{len(slices)} other series", "continue", "are")
        )
        reason = f"{others} of the study {continue_} this stack (by {count}) and {are} not part of it: {why}"
        yield Flag(SLICES_NOT_JOINED, reason)


def _repeat_reason(series: Series, other: Series) -> str:
    return f"a later series shows this slice again and is not used: {_why_not(series, other)}"


def _why_not(series: Series, other: Series) -> str:
    return difference(series, other) or _why_unarranged(series, other)


def _why_unarranged(series: Series, other: Series) -> str:
    joined = judge([*series.headers, *other.headers])
    if joined.stack is None:
        return joined.reason.partition(": ")[0]  # paths may follow
    return "slices would be missing between them, overlap or be left out"


def _distances_mm(arranged: Stack, other: Series) -> NDArray[np.float64]:
    """Distances along the stack's normal of the centres: [slice of the other series, acquired slice of the stack]."""
    own_planes = [header for header in arranged.headers[0] if header is not None]
    normal = normal_of(own_planes[0])
    own_mm = [along(normal, header) for header in own_planes]
    other_mm = [normal @ _centre_mm(group[0]) for group in by_position(other.film)]
    return np.abs(np.subtract.outer(other_mm, own_mm))


def _new_slices(arranged: Stack, nearest_mm: NDArray[np.float64]) -> int:
    """Number of slices that the stack does not have; 0 if most of them are no new slices, or if they lie far away."""
    step_mm = arranged.grid.spacing_mm[0]
    new_mm = nearest_mm[nearest_mm > _NEW * min(step_mm, arranged.thickness_mm or step_mm)]
    return len(new_mm) if 2 * len(new_mm) > len(nearest_mm) and new_mm.min() <= _NEAR * step_mm else 0


def _repeated_places(arranged: Stack, other: Series, distances_mm: NDArray[np.float64]) -> Iterator[int]:
    """The slices of the stack that the other series shows again, later."""
    acquired = [place for place, header in enumerate(arranged.headers[0]) if header is not None]
    for images, distances in zip(by_position(other.film), distances_mm, strict=True):
        place = acquired[distances.argmin()]
        own_images = [header for row in arranged.headers if (header := row[place]) is not None]
        if distances.min() < _SAME * arranged.grid.spacing_mm[0] and _may_be_later(images, own_images):
            yield place


def _may_be_later(images: Sequence[SliceHeader], own_images: Sequence[SliceHeader]) -> bool:
    """Whether images may have been acquired after others; other kinds of image of the same time were not."""
    first, last = min(header.age for header in images), max(header.age for header in own_images)
    if min(first[0], last[0]) >= 0 and first[0] != last[0]:
        return first[0] > last[0]
    return images[0].image_type == own_images[0].image_type and first[1:3] >= last[1:3]


def _centre_mm(header: SliceHeader) -> NDArray[np.float64]:
    """The position of the centre of an image."""
    along_row, along_column = np.asarray(header.orientation[:3]), np.asarray(header.orientation[3:])
    (rows, columns), (row_mm, column_mm) = header.shape, header.pixel_mm
    offset = along_column * (rows - 1) / 2 * row_mm + along_row * (columns - 1) / 2 * column_mm
    return np.asarray(header.position_mm + offset, np.float64)
