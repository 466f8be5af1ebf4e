"""The wall's borders: of the ring around the cavity, whatever small pieces lie elsewhere in the slice."""

import numpy as np
import pytest

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.wall import Wall, wall_of

PIXEL_MM = 1.4
INNER_MM, OUTER_MM = 24.0, 32.0


def ring(gap_mm: float = 0.0) -> Cine:
    """A slice with a cavity, `gap_mm` of background around it, and a wall."""
    radius_mm = np.hypot(*np.indices((100, 100)) - np.array([50.2, 44.1])[:, None, None]) * PIXEL_MM
    voxels = np.zeros((1, 1, 100, 100), np.uint8)
    voxels[0, 0][(radius_mm < OUTER_MM) & (radius_mm >= INNER_MM + gap_mm)] = Label.LV_MYOCARDIUM
    voxels[0, 0][radius_mm < INNER_MM] = Label.LV_CAVITY
    return Cine(voxels, Grid((1, 100, 100), (10.0, PIXEL_MM, PIXEL_MM)))


def assert_same(found: Wall, expected: Wall) -> None:
    for name in ("inner_mm", "outer_mm", "centers"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9)


@pytest.mark.parametrize("label", [Label.LV_MYOCARDIUM, Label.LV_CAVITY])
@pytest.mark.parametrize("opening", [0, 12])
def test_specks_beyond_the_wall_are_none_of_it(label: Label, opening: int) -> None:
    mask = ring()
    mask.voxels[0, 0, 50 - opening : 50 + opening, 66:] = Label.BACKGROUND  # an open ring, if any
    expected = wall_of(mask)
    mask.voxels[0, 0, 48:52, 84:86] = label  # 8 pixels, 16 mm²
    mask.voxels[0, 0, 2, 3] = label
    assert_same(wall_of(mask), expected)


def test_thickness_of_a_ring_with_a_speck_behind_it() -> None:
    mask = ring()
    mask.voxels[0, 0, 48:52, 70:72] = Label.LV_MYOCARDIUM
    assert wall_of(mask).thickness_mm == pytest.approx(OUTER_MM - INNER_MM, abs=PIXEL_MM)


def test_a_wall_with_background_between_it_and_the_cavity_stays() -> None:
    wall = wall_of(ring(gap_mm=4.0))
    assert wall.is_present.all()
    assert wall.outer_mm == pytest.approx(OUTER_MM, abs=0.8)


def test_parts_of_the_cavity_inside_the_wall_count() -> None:
    mask = ring()
    expected = wall_of(mask)
    mask.voxels[0, 0, :, 50][mask.voxels[0, 0, :, 50] == Label.LV_CAVITY] = Label.LV_MYOCARDIUM  # a papillary muscle
    found = wall_of(mask)
    is_beside = np.abs(np.cos(np.arange(120) * np.pi / 60)) > 0.5
    assert found.outer_mm[0, 0, is_beside] == pytest.approx(expected.outer_mm[0, 0, is_beside], abs=0.5)
    assert found.inner_mm[0, 0, is_beside] == pytest.approx(expected.inner_mm[0, 0, is_beside], abs=0.5)
