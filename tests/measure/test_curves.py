"""Volume curves: missing slices, and the moments of a beat."""

import numpy as np
import pytest

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Beat, Moments, beat
from cardioseg.measure.labelled_cine import LabelledCine

GRID = Grid((6, 10, 10), (8.0, 1.0, 1.0))


def stack(*pixels: int) -> Cine:
    """One phase whose slices hold these numbers of LV pixels."""
    voxels = np.zeros((1, *GRID.shape), np.uint8)
    for index, count in enumerate(pixels):
        voxels[0, index].ravel()[:count] = Label.LV_CAVITY
    return Cine(voxels, GRID)


@pytest.mark.parametrize(
    ("pixels", "missing", "filled"),
    [
        ((10, 20, 99, 40, 50, 0), (2,), 30),
        ((10, 20, 0, 40, 50, 0), (2,), 30),
        ((10, 20, 0, 0, 50, 0), (2, 3), 30 + 40),
        ((99, 20, 30, 40, 50, 0), (0,), 20),
    ],
)
def test_a_missing_slice_lies_on_the_line_between_its_neighbours(
    pixels: tuple[int, ...], missing: tuple[int, ...], filled: int
) -> None:
    known = sum(count for index, count in enumerate(pixels) if index not in missing)
    (volume_ml,) = LabelledCine(stack(*pixels), STRUCTURES, Acquisition(missing=missing)).curves_ml[Label.LV_CAVITY]
    assert volume_ml == pytest.approx((known + filled) * GRID.voxel_ml)


def test_without_missing_slices_voxels_are_counted() -> None:
    curves = LabelledCine(stack(10, 20, 0, 40, 50, 0), STRUCTURES).curves_ml
    assert curves[Label.LV_CAVITY] == pytest.approx((120 * GRID.voxel_ml,))
    assert curves[Label.RV_CAVITY] == (0.0,)


def test_a_gap_in_a_heart_costs_little() -> None:
    from cardioseg.phantom import Phantom, reference

    mask = reference(Phantom(slices=10, phases=2, rows=128, columns=128, spacing_mm=(10.0, 2.7, 2.7)))
    holed = mask.voxels.copy()
    holed[:, 5] = 0
    whole, filled, left_out = (
        LabelledCine(Cine(voxels, mask.grid), STRUCTURES, Acquisition(missing=missing)).curves_ml[Label.LV_CAVITY][0]
        for voxels, missing in ((mask.voxels, ()), (holed, (5,)), (holed, ()))
    )
    assert filled == pytest.approx(whole, rel=0.02)
    assert left_out < 0.9 * whole


def test_moments_of_a_beat() -> None:
    curve = (90.0, 60.0, 40.0, 100.0)
    assert beat(curve) == Beat(3, 100.0, 2, 40.0)
    assert beat(curve, Moments(0, 1)) == Beat(0, 90.0, 1, 60.0)
    assert beat(curve, Moments(es_phase=1)).sv_ml == 40.0
    assert beat((50.0,)) == beat(()) == beat((0.0, 0.0)) == Beat()
    assert beat((50.0,), Moments(ed_phase=0)) == Beat(0, 50.0)
    assert beat((50.0, 0.0)) == Beat(0, 50.0)
    assert beat((50.0, 0.0), Moments(1, 0)) == Beat(None, None, 0, 50.0)


@pytest.mark.parametrize("phase", range(4))
def test_a_moment_that_nobody_chose_is_found_among_the_other_phases(phase: int) -> None:
    curve = (90.0, 60.0, 40.0, 100.0)
    assert beat(curve, Moments(ed_phase=phase)).es_phase == (1 if phase == 2 else 2)
    assert beat(curve, Moments(es_phase=phase)).ed_phase == (0 if phase == 3 else 3)
    assert beat((50.0,) * 4, Moments(ed_phase=phase)).es_phase == (1 if phase == 0 else 0)


def test_equal_volumes_have_two_moments() -> None:
    assert beat((50.0, 50.0, 50.0)) == Beat(0, 50.0, 1, 50.0)
