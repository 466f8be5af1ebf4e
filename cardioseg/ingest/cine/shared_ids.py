"""Shared ids: different scans that have the same ids but lie in different folders.

Some anonymisers give all patients the same study and series id, and even images of two patients the same instance id.
So images in different folders are combined by their ids only if the images do not contradict this.
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

_COMPARED = 3  # pairs of images to compare; two scans differ in each
_SHARED_SLICES = 2  # of a whole stack and single slices: if they share only one, it was acquired again
_T = TypeVar("_T")
_ImageKey = tuple[object, ...]


def same_image(first: SliceHeader, second: SliceHeader) -> bool:
    """Whether two images have the same pixels; True as well if they cannot be read."""
    try:
        return bool(np.array_equal(read_pixels(first), read_pixels(second)))
    except UnusableError:
        return True


def scans_of(headers: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """The images of one series as one group; by folders if these contain different scans with the same ids."""
    return _by_separate_folders(headers, lambda header: header.path, _are_different_scans)


def stacks_of(headers: Sequence[Sequence[SliceHeader]]) -> list[list[Sequence[SliceHeader]]]:
    """Single slices of one study as one group; by folders if one contains a whole stack and others the same slices."""
    return _by_separate_folders(headers, lambda part: part[0].path, _are_different_stacks)


def fits(first: SliceHeader, second: SliceHeader) -> bool:
    """Whether two images can be slices of one stack."""
    return same_plane_direction(first, second) and same_pixels(first, second) and in_line(first, second)


def is_stack_of_films(headers: Sequence[SliceHeader]) -> bool:
    """Whether images of one orientation are films of enough slices for a short-axis cine."""
    return sum(len(group) >= CINE_PHASES for group in by_position(headers)) >= CINE_SLICES


def _by_separate_folders(
    items: Sequence[_T], path_of: Callable[[_T], Path], are_apart: Callable[[Sequence[Sequence[_T]]], bool]
) -> list[list[_T]]:
    """The items as one group, or by folders if folders at any depth must stay separate."""
    branches = _branches(items, path_of)
    if len(branches) < 2:
        return [list(items)]
    below = [_by_separate_folders(branch, path_of, are_apart) for branch in branches]
    if are_apart(branches) or any(len(groups) > 1 for groups in below):
        return [group for groups in below for group in groups]
    return [list(items)]


def _branches(items: Sequence[_T], path_of: Callable[[_T], Path]) -> list[list[_T]]:
    """The items by the subfolder of their common folder; items directly in the common folder are a group too."""
    folders = [path_of(item).parent for item in items]
    depth = len(Path(os.path.commonpath(folders)).parts) if folders else 0
    branches: dict[tuple[str, ...], list[_T]] = {}
    for item, folder in zip(items, folders, strict=True):
        branches.setdefault(folder.parts[depth : depth + 1], []).append(item)
    return list(branches.values())


def _are_different_scans(branches: Sequence[Sequence[SliceHeader]]) -> bool:
    pairs = islice(_pairs_of_one_slot(branches), _COMPARED)
    if any(not same_image(first, second) for first, second in pairs):
        return True
    stacks = [next(filter(is_stack_of_films, by_orientation(branch)), None) for branch in branches]
    return any(_are_two_scans(first, second) for first, second in combinations(filter(None, stacks), 2))


def _pairs_of_one_slot(branches: Sequence[Sequence[SliceHeader]]) -> Iterator[tuple[SliceHeader, SliceHeader]]:
    """Pairs of images from two branches whose headers name the same image of the series."""
    first_images: dict[_ImageKey, tuple[int, SliceHeader]] = {}
    for number, branch in enumerate(branches):
        for header in branch:
            if header.instance_number is None:
                continue
            first_number, image = first_images.setdefault(_image_key(header), (number, header))
            if first_number != number:
                yield image, header


def _image_key(header: SliceHeader) -> _ImageKey:
    place = tuple(round(mm, 1) for mm in header.position_mm)
    time = None if header.frame is None else (header.trigger_ms, header.temporal_position)
    return place, header.instance_number, time, header.image_type


def _are_two_scans(first: Sequence[SliceHeader], second: Sequence[SliceHeader]) -> bool:
    """Whether two whole stacks are two scans: differently planned, or of the same slices with the same numbers.

    If one scan was only split in two, the second part has other slices or other numbers.
    """
    if not fits(first[0], second[0]):
        return True
    shared = shared_slices(first, second)
    if shared < min(len(by_position(first)), len(by_position(second))) / 2:
        return False
    numbers = [
        {header.instance_number for header in stack if header.instance_number is not None} for stack in (first, second)
    ]
    return bool(numbers[0] & numbers[1]) or not any(numbers)


def _are_different_stacks(branches: Sequence[Sequence[Sequence[SliceHeader]]]) -> bool:
    by_branch = [[header for part in branch for header in part] for branch in branches]
    stacks = [headers for headers in by_branch if is_stack_of_films(headers)]
    return any(
        stack is not images and shared_slices(stack, images) >= _SHARED_SLICES and not _hold_same_images(stack, images)
        for stack in stacks
        for images in by_branch
    )


def _hold_same_images(first: Iterable[SliceHeader], second: Iterable[SliceHeader]) -> bool:
    pairs = list(islice(_pairs_of_one_slot([list(first), list(second)]), _COMPARED))
    return bool(pairs) and all(same_image(*pair) for pair in pairs)


def shared_slices(first: Sequence[SliceHeader], second: Sequence[SliceHeader]) -> int:
    """Number of slice positions with images of both series; 0 if they cannot be slices of one stack."""
    if not fits(first[0], second[0]):
        return 0
    ids_of_first = {id(header) for header in first}
    positions = by_position([*first, *second])
    return sum(len({id(header) in ids_of_first for header in group}) == 2 for group in positions)
