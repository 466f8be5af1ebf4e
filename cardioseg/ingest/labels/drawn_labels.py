"""Drawn labels: the masks that an expert drew, the phases that they belong to, and their place on the image."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError, UsageError
from cardioseg.image.alignment import aligned, turned_to
from cardioseg.image.grid_difference import grid_difference
from cardioseg.image.labels import whole
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.image.volume_files import format_of

STATE_NUMBERS = (
    "say with --labels what the numbers mean; or list images and masks in a CSV file, with the masks in the column "
    "lv_mask, rv_mask or myo_mask"
)


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
