"""Apart: images that share their ids but not their folders, and are of different scans.

There are anonymisers that give all patients the same study and series, and even images of two patients the same
instance. So ids combine what lies in several folders only as long as the images do not contradict them.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.series import CINE_SLICES
from cardioseg.ingest.cine.slice_positions import (
    by_orientation,
    by_position,
    in_line,
    same_pixels,
    same_plane_direction,
)
from cardioseg.ingest.dicom.reader import read_pixels
from cardioseg.ingest.dicom.slice_header import SliceHeader

_COMPARED = 3  # pairs of images; two scans differ in each
_SHARED_SLICES = 2  # of a whole stack and other single slices: one alone was acquired again
_T = TypeVar("_T")
_Slot = tuple[object, ...]


def same_image(one: SliceHeader, other: SliceHeader) -> bool:
    """Whether two images have the same pixels; also where they cannot be read, so that nobody knows better."""
    try:
        return bool(np.array_equal(read_pixels(one), read_pixels(other)))
    except UnusableError:
        return True


def scans_of(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """The images of one series; by folders, where these hold different scans of the same ids."""
    return _apart(headers, lambda header: header.path, _are_scans)


def stacks_of(headers: Sequence[Sequence[SliceHeader]]) -> list[list[Sequence[SliceHeader]]]:
    """Single slices of one study; by folders, where one of these holds a whole stack and others the same slices."""
    return _apart(headers, lambda part: part[0].path, _are_stacks)


def fits(one: SliceHeader, other: SliceHeader) -> bool:
    """Whether two images can be slices of one stack."""
    return same_plane_direction(one, other) and same_pixels(one, other) and in_line(one, other)


def is_stack_of_films(headers: Sequence[SliceHeader]) -> bool:
    """Whether images that are oriented alike are films of enough slices for a short-axis cine."""
    return sum(len(group) >= CINE_PHASES for group in by_position(headers)) >= CINE_SLICES


def _apart(
    items: Sequence[_T], path_of: Callable[[_T], Path], are_apart: Callable[[Sequence[Sequence[_T]]], bool]
) -> list[list[_T]]:
    """The items as one group, or by folders where two of the folders, at any depth, must stay apart."""
    branches = _branches(items, path_of)
    if len(branches) < 2:
        return [list(items)]
    below = [_apart(branch, path_of, are_apart) for branch in branches]
    if are_apart(branches) or any(len(groups) > 1 for groups in below):
        return [group for groups in below for group in groups]
    return [list(items)]


def _branches(items: Sequence[_T], path_of: Callable[[_T], Path]) -> list[list[_T]]:
    """The items by the folders into which the folder of all of them branches; what lies in that itself is a branch."""
    folders = [path_of(item).parent for item in items]
    depth = len(Path(os.path.commonpath(folders)).parts) if folders else 0
    found: dict[tuple[str, ...], list[_T]] = {}
    for item, folder in zip(items, folders, strict=True):
        found.setdefault(folder.parts[depth : depth + 1], []).append(item)
    return list(found.values())


def _are_scans(branches: Sequence[Sequence[SliceHeader]]) -> bool:
    pairs = islice(_of_one_slot(branches), _COMPARED)
    if any(not same_image(one, other) for one, other in pairs):
        return True
    stacks = [next((one for one in by_orientation(branch) if is_stack_of_films(one)), None) for branch in branches]
    return any(_are_two(one, other) for one, other in combinations(filter(None, stacks), 2))


def _of_one_slot(branches: Sequence[Sequence[SliceHeader]]) -> Iterator[tuple[SliceHeader, SliceHeader]]:
    """Images of two branches that claim to be the same one of the series."""
    known: dict[_Slot, tuple[int, SliceHeader]] = {}
    for number, branch in enumerate(branches):
        for header in branch:
            if header.instance_number is None:
                continue
            first, other = known.setdefault(_slot(header), (number, header))
            if first != number:
                yield other, header


def _slot(header: SliceHeader) -> _Slot:
    place = tuple(round(mm, 1) for mm in header.position_mm)
    time = None if header.frame is None else (header.trigger_ms, header.temporal_position)
    return place, header.instance_number, time, header.image_type


def _are_two(one: Sequence[SliceHeader], other: Sequence[SliceHeader]) -> bool:
    """Whether two whole stacks are two scans: planned differently, or of the same slices and numbered anew.

    What was only cut in two goes on with other slices, or with other numbers.
    """
    if not fits(one[0], other[0]):
        return True
    shared = _shared(one, other)
    if shared < min(len(by_position(one)), len(by_position(other))) / 2:
        return False
    numbers = [
        {header.instance_number for header in stack if header.instance_number is not None} for stack in (one, other)
    ]
    return bool(numbers[0] & numbers[1]) or not any(numbers)


def _are_stacks(branches: Sequence[Sequence[Sequence[SliceHeader]]]) -> bool:
    flat = [[header for part in branch for header in part] for branch in branches]
    whole = [headers for headers in flat if is_stack_of_films(headers)]
    return any(
        one is not other and _shared(one, other) >= _SHARED_SLICES and not _same(one, other)
        for one in whole
        for other in flat
    )


def _same(one: Iterable[SliceHeader], other: Iterable[SliceHeader]) -> bool:
    pairs = list(islice(_of_one_slot([list(one), list(other)]), _COMPARED))
    return bool(pairs) and all(same_image(*pair) for pair in pairs)


def _shared(one: Sequence[SliceHeader], other: Sequence[SliceHeader]) -> int:
    """How many slice positions hold images of both, of stacks that fit one another."""
    if not fits(one[0], other[0]):
        return 0
    mine = {id(header) for header in one}
    places = by_position([*one, *other])
    return sum(len({id(header) in mine for header in group}) == 2 for group in places)
