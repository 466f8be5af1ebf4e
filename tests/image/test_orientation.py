"""Which end is the base: geometry where it speaks, the heart's shape where it does not."""

from pathlib import Path

import numpy as np
import pytest

from cardioseg.image.nifti import read_cine
from cardioseg.image.orientation import is_base_first, is_placed
from cardioseg.image.volume import Cine, Grid

TO_APEX = (0.68, -0.62, -0.39)  # a common short-axis normal, LPS
ROW, COLUMN = (0.0, 0.53, -0.85), (0.73, 0.58, 0.36)


def heart(*widths: int, normal: tuple[float, ...] = (0.0, 0.0, 1.0)) -> Cine:
    voxels = np.zeros((1, len(widths), 20, 20), np.uint8)
    for index, width in enumerate(widths):
        voxels[0, index, :width, :width] = 3
    return Cine(voxels, Grid(voxels.shape[1:], (8.0, 1.5, 1.5), directions=(normal, ROW, COLUMN)))  # type: ignore[arg-type]


@pytest.mark.parametrize("widths", [(9, 6, 3), (3, 6, 9), (0, 0, 0)])
def test_the_geometry_decides_where_it_is_sure(widths: tuple[int, ...]) -> None:
    assert is_base_first(heart(*widths, normal=TO_APEX))
    assert not is_base_first(heart(*widths, normal=tuple(-component for component in TO_APEX)))


@pytest.mark.parametrize(("widths", "expected"), [((9, 6, 3, 0), True), ((0, 3, 6, 9), False), ((0, 5, 0), True)])
def test_without_an_orientation_the_narrowing_heart_decides(widths: tuple[int, ...], expected: bool) -> None:
    assert is_base_first(heart(*widths)) is expected


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("drawn", [0.25, 0.6, 1.0])
def test_a_base_that_is_drawn_in_part_and_an_apex_outside_the_stack_do_not_turn_the_heart(
    drawn: float, missing: int
) -> None:
    """The slice above the full ones is small because it is at the valve, and the smallest ones may not be imaged."""
    areas = [round(drawn * 12), 12, 12, 11, 10, 8, 5][: 7 - missing]
    assert is_base_first(heart(*areas))
    assert not is_base_first(heart(*areas[::-1]))


@pytest.mark.parametrize("sign", [1, -1])
def test_an_orientation_far_from_the_usual_one_still_decides(sign: int) -> None:
    """46 degrees off the usual normal, which `predict` accepts; a small basal slice must not outweigh it."""
    normal = tuple(sign * component for component in (0.97, -0.24, 0.0))
    assert is_base_first(heart(2, 12, 12, 12, 11, normal=normal)) is (sign > 0)


def test_only_a_grid_along_the_axes_of_the_body_is_taken_for_one_without_an_orientation() -> None:
    def is_known(*directions: tuple[float, float, float]) -> bool:
        return is_placed(Grid((6, 20, 20), (8.0, 1.5, 1.5), directions=directions))  # type: ignore[arg-type]

    assert not is_known((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    assert not is_known((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
    steep = np.array([-0.99, 0.1, 0.1]) / np.linalg.norm([-0.99, 0.1, 0.1])
    row = np.cross(steep, [0.0, 1.0, 0.3])
    row /= np.linalg.norm(row)
    assert is_known(*(tuple(axis.tolist()) for axis in (steep, row, np.cross(steep, row))))


def test_experts_masks_without_an_orientation_begin_at_the_base(shared_data: Path) -> None:
    """ACDC's files say no orientation; all of them begin at the base, at end-diastole as at end-systole."""
    masks = sorted((shared_data / "acdc").rglob("*_gt.nii.gz"))
    assert masks
    assert [path.name for path in masks if not is_base_first(read_cine(path))] == []
