"""Drawn labels: the labels and phases that an expert drew, and whether the mask follows the stated convention."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError, UsageError
from cardioseg.image.alignment import aligned, turned_to
from cardioseg.image.grid_difference import grid_difference
from cardioseg.image.labels import CONVENTIONS, Convention, Label, relabel, whole
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.image.volume_files import format_of

Mask = NDArray[np.uint8]

STATE_NUMBERS = (
    "say with --labels what the numbers mean; or list images and masks in a CSV file, with the masks in the column "
    "lv_mask, rv_mask or myo_mask"
)
_FEWEST = 30  # pixels of a cavity, below which its neighbours are not compared
_APART = 0.3  # of a cavity's outline; the wall surrounds the LV completely and the RV by a third


def labels_of(mask: Voxels, convention: Convention) -> Mask:
    """The labels of a mask (..., row, column) whose numbers follow a convention.

    Raises:
        UnusableError: a number is not in the convention, or the wall surrounds the label that should be the RV cavity.
    """
    labels = relabel(mask, convention)
    if not looks_exchanged(labels):
        return labels
    swap = {Label.LV_CAVITY: Label.RV_CAVITY, Label.RV_CAVITY: Label.LV_CAVITY}
    meant = {number: swap.get(label, label) for number, label in convention.items()}
    convention_names = [name for name, numbers in CONVENTIONS.items() if numbers == meant]
    lv_number = next(number for number, label in meant.items() if label is Label.LV_CAVITY)
    whose = " and ".join(f"{name}'s" for name in convention_names) or "another convention's"
    remedy = f"use --labels {convention_names[0]}" if convention_names else "change the numbers of its labels"
    raise UnusableError(f"its masks follow {whose} numbers (the myocardium lies around {lv_number}): {remedy}")


def readable_masks(paths: Iterable[Path]) -> Iterator[Voxels]:
    """The masks (phase, slice, row, column) in files, read one after the other, without those that cannot be read."""
    for path in paths:
        try:
            yield format_of(path).read_cine(path).voxels
        except (UnusableError, OSError):  # said when its subject is read
            continue


def require_several_labels(masks: Iterable[Voxels], whose: str, hint: str) -> None:
    """Refuse masks that together hold a single number besides 0: they are probably masks of one structure.

    Args:
        masks: of a whole dataset; read only until a second number is found.
        whose: what the masks are, for the message.
        hint: what to do.

    Raises:
        UsageError: there is only one number.
    """
    numbers: set[float] = set()
    for mask in masks:
        numbers |= set(np.unique(whole(mask)).tolist()) - {0}
        if len(numbers) > 1:
            return
    if numbers:
        raise UsageError(f"{whose} hold only the number {numbers.pop():.7g}: which structure is it?", hint)


def drawn_phases(images: int, mask: Voxels, remedy: str, phase: int | None = None) -> Iterator[int]:
    """The phases of an image that a mask belongs to.

    Args:
        images: number of phases of the image.
        mask: (phase, slice, row, column).
        remedy: how the user can state the phase of a mask of one phase.
        phase: the phase that the data state, from 0, or None.

    Raises:
        UnusableError: the phase of the mask is unknown, there is no such phase, or nothing is drawn at it.
    """
    if phase is not None and images > 1:
        if phase >= images:
            raise UnusableError(f"there is no phase {phase}: the image has phases 0 to {images - 1}")
        if len(mask) > 1:
            _require_phases(images, mask)
            if not mask[phase].any():
                raise UnusableError(f"nothing is drawn at phase {phase}")
        yield phase
        return
    if images == 1 and len(mask) == 1:
        yield 0
        return
    if len(mask) == 1:
        raise UnusableError(
            f"the image has {images} phases (4D), the mask one (3D); to which phase it belongs is unknown", remedy
        )
    _require_phases(images, mask)
    drawn = np.flatnonzero(mask.any(axis=(1, 2, 3))).tolist()
    if not drawn:
        raise UnusableError("nothing is drawn at any phase")
    yield from drawn


def _require_phases(images: int, mask: Voxels) -> None:
    if images != len(mask):
        raise UnusableError(f"the image has {images} phase{'s' if images > 1 else ''}, the mask {len(mask)}")


def on_image(mask: Cine, grid: Grid) -> Cine:
    """A mask with its axes in the order and direction of its image.

    Raises:
        UnusableError: its voxels are not those of the image.
    """
    laid = aligned(mask, grid, grid.rounding_mm)
    if laid is None:
        turned = turned_to(mask, grid).grid
        if turned.shape != grid.shape:
            sizes = f"the mask has {_sides(turned.shape)}, the image {_sides(grid.shape)}"
            raise UnusableError(f"{sizes} (resample the mask to the image, with nearest neighbour)")
        difference = grid_difference(turned, grid)
        raise UnusableError(f"the mask is not on the grid of the image: {difference} (resample it, or mend its header)")
    return laid


def _sides(shape: tuple[int, int, int]) -> str:
    return "{} slices of {} x {} pixels".format(*shape)


def looks_exchanged(labels: Mask) -> bool | None:
    """Whether the cavities look exchanged: the myocardium lies around the RV cavity, not around the LV cavity.

    Args:
        labels: `Label` values (..., row, column).

    Returns:
        None if this cannot be told: there is no myocardium, or one of the cavities is missing or too small.
    """
    around_lv, around_rv = (_wall_fraction(labels, label) for label in (Label.LV_CAVITY, Label.RV_CAVITY))
    if around_lv is None or around_rv is None or abs(around_rv - around_lv) <= _APART:
        return None
    return around_rv > around_lv


def _wall_fraction(labels: Mask, cavity: Label) -> float | None:
    """The fraction of a cavity's outline that borders on the myocardium; None if the cavity is too small."""
    if np.count_nonzero(labels == cavity) < _FEWEST:
        return None
    outline = walled = 0
    for axis in (-2, -1):
        ahead, behind = np.moveaxis(labels, axis, 0)[1:], np.moveaxis(labels, axis, 0)[:-1]
        for inside, outside in ((ahead, behind), (behind, ahead)):
            beyond = outside[inside == cavity]
            outline += int(np.count_nonzero(beyond != cavity))
            walled += int(np.count_nonzero(beyond == Label.LV_MYOCARDIUM))
    return walled / outline if outline else None
