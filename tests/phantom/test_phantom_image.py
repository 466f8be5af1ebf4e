"""The rendered images and the labels that belong to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage.io import imread

from cardioseg.image.labels import Label
from cardioseg.ingest.labels.contours import polygon_mask
from cardioseg.phantom import Phantom, cine, reference, truth
from cardioseg.phantom.expert_contours import contours

SMALL = Phantom(slices=6, phases=4, rows=128, columns=144, spacing_mm=(16.0, 1.9, 1.7), seed=5)


@pytest.mark.parametrize("seed", range(6))
def test_voxel_counts_are_within_one_percent_of_the_analytic_volumes(seed: int) -> None:
    phantom = Phantom(seed=seed, phases=4, rows=144, columns=144)
    expected, labels = truth(phantom), reference(phantom)
    ml = {label: (labels.voxels == label).sum(axis=(1, 2, 3)) * labels.grid.voxel_ml for label in Label}
    np.testing.assert_allclose(ml[Label.LV_CAVITY], expected.lv_ml, rtol=0.01)
    np.testing.assert_allclose(ml[Label.RV_CAVITY], expected.rv_ml, rtol=0.01)
    np.testing.assert_allclose(1.05 * ml[Label.LV_MYOCARDIUM], expected.measures["lv_mass_g"], rtol=0.01)


def test_labels_follow_the_pixel_centre_rule() -> None:
    labels = reference(SMALL).voxels
    places = {SMALL.instance_number(k, t): (t, k) for k in range(SMALL.slices) for t in range(SMALL.phases)}
    outlines = [(name, points) for name, points in contours(SMALL) if "icontour" in name]
    assert outlines
    for name, points in outlines:
        inside = polygon_mask(points[:, ::-1] - 1, labels.shape[2:])
        differing = inside != (labels[places[int(name.split("-")[2])]] == Label.LV_CAVITY)
        assert differing.sum() <= 2  # a polygon of 240 points lies 1e-4 inside its outline


def test_muscle_begins_inside_the_cavity_that_readers_draw() -> None:
    images, labels = cine(SMALL).voxels[0], reference(SMALL).voxels[0]
    cavity, wall = (labels == label for label in (Label.LV_CAVITY, Label.LV_MYOCARDIUM))
    depth = np.stack([ndimage.distance_transform_edt(plane, sampling=SMALL.spacing_mm[1:]) for plane in cavity]) - 0.85
    blood, muscle = np.median(images[depth > 6]), np.median(images[wall])
    signal = (images - muscle) / (blood - muscle)
    assert signal[cavity & (depth < 0.9)].mean() < 0.4  # half way at the border itself, if the edge were sharp there
    assert signal[(depth > 1.6) & (depth < 3)].mean() > 0.5


def test_the_cavity_touches_nothing_but_its_wall() -> None:
    for volume in reference(SMALL).voxels:
        for plane in volume:
            around = ndimage.binary_dilation(plane == Label.LV_CAVITY)
            assert set(np.unique(plane[around])) <= {Label.LV_CAVITY, Label.LV_MYOCARDIUM}


def test_images_and_labels_share_grid_and_times() -> None:
    image, labels = cine(SMALL), reference(SMALL)
    assert image.grid == labels.grid == SMALL.grid
    assert image.times_ms == labels.times_ms == (0.0, 230.0, 460.0, 690.0)
    assert image.voxels.shape == labels.voxels.shape == (4, 6, 128, 144)
    assert (image.voxels.dtype, labels.voxels.dtype) == (np.int16, np.uint8)


def test_equal_settings_give_equal_images_and_another_seed_another_one() -> None:
    image = cine(SMALL).voxels
    np.testing.assert_array_equal(image, cine(replace(SMALL)).voxels)
    assert (image != cine(replace(SMALL, seed=6)).voxels).mean() > 0.3


def test_the_heart_beats_and_the_chest_does_not() -> None:
    image, labels = cine(SMALL).voxels.astype(float), reference(SMALL).voxels
    motion = np.abs(image[SMALL.ed_es_phases[0]] - image[SMALL.ed_es_phases[1]])
    heart = (labels > 0).any(axis=0)
    far = ~ndimage.binary_dilation(heart.any(axis=0), iterations=25) & np.ones_like(heart)
    far[-1] = False  # the vessels above the base beat outside the labels
    assert motion[heart].mean() > 3 * motion[far].mean()


def test_planes_past_the_apex_and_above_the_base_show_a_chest_without_ventricles() -> None:
    phantom = replace(SMALL, slices=9, phases=1)
    image, labels = cine(phantom).voxels[0], reference(phantom).voxels[0]
    empty = [k for k in range(phantom.slices) if not labels[k].any()]
    assert empty == [0, 1, 8]
    assert all(image[k].max() > 300 for k in empty)


def test_a_single_phase_is_possible() -> None:
    assert cine(replace(SMALL, phases=1)).voxels.shape[0] == 1


def test_contrast_lies_in_the_range_of_sunnybrook(shared_data: Path) -> None:
    folder = shared_data / "sunnybrook_slices"
    masks = sorted(folder.glob("*/*_lv.png"))[::25]
    real = [_contrast(imread(str(path).replace("_lv", "")), imread(path) > 0) for path in masks]
    phantom = Phantom(phases=2)
    image, labels = cine(phantom).voxels[-1], reference(phantom).voxels[-1]
    for plane, label in zip(image[2:-1], labels[2:-1], strict=True):
        mine = _contrast(plane, label == Label.LV_CAVITY)
        for value, (low, high) in zip(mine, np.percentile(real, [3, 97], axis=0).T, strict=True):
            assert low <= value <= high


def _contrast(image: np.ndarray, cavity: np.ndarray) -> tuple[float, float, float]:
    """Of the min-max scaled slice: the cavity, the ring around it relative to that, and the whole slice's median."""
    scaled = (image - float(image.min())) / (float(image.max()) - float(image.min()))
    away = ndimage.distance_transform_edt(~cavity)
    blood = float(np.median(scaled[cavity]))
    return blood, float(np.percentile(scaled[(away > 2) & (away < 5)], 40)) / blood, float(np.median(scaled))
