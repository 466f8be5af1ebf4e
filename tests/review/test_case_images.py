"""Images as numbers for the page: whole numbers stay as they are, all others keep 16 bits, NaN is the darkest."""

import numpy as np
import pytest

from cardioseg.image.volume import Cine, Grid
from cardioseg.report.crop import Crop
from cardioseg.review.case_images import CaseImages

GRID = Grid((2, 3, 4), (8.0, 1.0, 1.0))
WHOLE = Crop(0, 3, 0, 4)


def images_of(voxels: np.ndarray) -> CaseImages:
    return CaseImages.of_cine(Cine(voxels, GRID), 0, WHOLE)


def intensities(images: CaseImages, phase: int = 0) -> np.ndarray:
    numbers = np.frombuffer(images.phase(phase), "<u2").reshape(GRID.shape)
    return np.asarray(images.lowest + images.step * numbers.astype(float))


@pytest.mark.parametrize("kind", ["u1", "i1", "<u2", "<i2", ">i2", ">u2"])
def test_short_integers_are_exact(kind: str) -> None:
    limits = np.iinfo(kind)
    rng = np.random.default_rng(0)
    voxels = rng.integers(limits.min, limits.max, (2, *GRID.shape), endpoint=True).astype(kind)
    voxels[1, 0, 0, :2] = limits.min, limits.max
    images = images_of(voxels)
    assert images.step == 1
    for phase in range(2):
        np.testing.assert_array_equal(intensities(images, phase), voxels[phase])


@pytest.mark.parametrize("kind", ["f4", "f8", "i4"])
def test_other_numbers_keep_sixteen_bits(kind: str) -> None:
    rng = np.random.default_rng(1)
    voxels = (1e5 * rng.random((1, *GRID.shape))).astype(kind)
    np.testing.assert_allclose(intensities(images_of(voxels)), voxels[0], atol=1e5 / 2**16)


def test_what_is_no_number_is_dark_and_one_grey_is_one_grey() -> None:
    voxels = np.linspace(0, 1, 24).reshape(1, *GRID.shape)
    voxels[0, 1, 2, 3] = np.nan
    images = images_of(voxels)
    assert intensities(images)[1, 2, 3] == images.lowest == 0
    flat = images_of(np.full((1, *GRID.shape), 0.5))
    assert (intensities(flat) == 0.5).all()
    assert flat.window[0] < flat.window[1]
