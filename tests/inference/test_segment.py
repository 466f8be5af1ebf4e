"""Segmentation on the scan's own grid, independent of batches; what the postprocessing keeps."""

from pathlib import Path

import numpy as np
import pytest
from untrained import write_model

from cardioseg.image.labels import Label
from cardioseg.image.preprocess import Preprocessing
from cardioseg.image.volume import Cine, Grid
from cardioseg.inference.postprocess import clean
from cardioseg.inference.segment import segment
from cardioseg.inference.session import open_model


@pytest.mark.parametrize(("rows", "columns", "mm"), [(37, 50, 1.4), (64, 64, 2.0), (90, 81, 0.7)])
def test_mask_has_the_scans_grid(network_folder: Path, rows: int, columns: int, mm: float) -> None:
    grid = Grid((3, rows, columns), (8.0, mm, mm))
    voxels = np.random.default_rng(0).integers(0, 900, (2, *grid.shape)).astype(np.int16)
    steps: list[tuple[int, int]] = []
    model = open_model(network_folder)
    found = segment(Cine(voxels, grid, (0.0, 40.0)), model, lambda done, of: steps.append((done, of)))
    mask = found.mask
    assert found.fold_curves_ml == ()
    assert mask.grid == grid
    assert mask.times_ms == (0.0, 40.0)
    assert mask.voxels.dtype == np.uint8
    assert set(np.unique(mask.voxels)) <= {Label.BACKGROUND, Label.LV_CAVITY}
    assert steps == [(6, 6)]


def test_a_slice_does_not_depend_on_its_batch(network_folder: Path) -> None:
    """By logits before ties: the labels of each slice alone are those it has among others."""
    model = open_model(network_folder)
    images = np.random.default_rng(1).random((9, 1, 32, 32), np.float32)
    together = model.logits(images)
    alone = np.concatenate([model.logits(image[None]) for image in images])
    assert np.abs(together - alone).max() < 1e-4
    assert (together.argmax(1) == alone.argmax(1)).all()


def test_a_model_with_a_window_labels_nothing_beyond_it(tmp_path: Path) -> None:
    window = Preprocessing("percentile", 2.0, window=32, locate_mm=4.0)
    grid = Grid((3, 90, 70), (8.0, 2.0, 2.0))
    voxels = np.random.default_rng(0).integers(0, 900, (5, *grid.shape)).astype(np.int16)
    mask = segment(Cine(voxels, grid), open_model(write_model(tmp_path, preprocessing=window, seeds=(0, 1)))).mask
    marked = np.argwhere(mask.voxels.any((0, 1)))
    assert len(marked)
    assert (np.ptp(marked, axis=0) <= 32).all()


def test_each_network_of_an_ensemble_has_its_volumes(tmp_path: Path) -> None:
    """Two networks that agree have the mask's own volumes; another seed has others."""
    grid = Grid((3, 64, 64), (8.0, 2.0, 2.0))
    voxels = np.random.default_rng(0).integers(0, 900, (2, *grid.shape)).astype(np.int16)
    alike = segment(Cine(voxels, grid), open_model(write_model(tmp_path / "alike", seeds=(0, 0))))
    other = segment(Cine(voxels, grid), open_model(write_model(tmp_path / "other", seeds=(0, 1))))
    assert alike.fold_curves_ml[0] == alike.fold_curves_ml[1]
    whole = np.count_nonzero(alike.mask.voxels, axis=(1, 2, 3)) * grid.voxel_ml
    assert (np.array(alike.fold_curves_ml[0][Label.LV_CAVITY]) >= whole - 1e-9).all()
    assert other.fold_curves_ml[0] != other.fold_curves_ml[1]


def test_the_largest_component_is_kept_through_slices_and_time() -> None:
    mask = np.zeros((2, 3, 20, 20), np.uint8)
    mask[1, 2, 0:19, 0] = Label.RV_CAVITY
    mask[1, 2, 2, 5] = Label.RV_CAVITY
    mask[:, :, 8:12, 8:12] = Label.LV_MYOCARDIUM
    mask[0, 0, 0:3, 0:3] = Label.LV_MYOCARDIUM
    kept = clean(mask, (Label.RV_CAVITY, Label.LV_MYOCARDIUM))
    assert (kept == Label.LV_MYOCARDIUM).sum() == 2 * 3 * 16
    assert (kept == Label.RV_CAVITY).sum() == 19
    assert not kept[0, 0, :3, :3].any()


def test_the_left_ventricle_lies_on_its_axis() -> None:
    """A tapering, moving ventricle stays whole; a larger blob beside it and one beyond the apex go."""
    rows, columns = np.mgrid[:40, :40]
    ventricle = np.stack([
        np.stack([(rows - 20 - phase) ** 2 + (columns - 18 - index) ** 2 < (9 - index) ** 2 for index in range(5)])
        for phase in range(3)
    ])  # fmt: skip
    blobs = np.zeros_like(ventricle)
    blobs[0, :3, :, 32:] = True
    blobs[:, 4, :6, :6] = True
    kept = clean(np.where(ventricle | blobs, Label.LV_CAVITY, 0).astype(np.uint8), (Label.LV_CAVITY,))
    assert np.array_equal(kept == Label.LV_CAVITY, ventricle)


def test_a_tilted_ventricle_stays_whole_where_the_network_knows_its_wall() -> None:
    """Its ends lie off the axis, as in one of ACDC's patients whose slices are oblique to the ventricle."""
    rows, columns = np.mgrid[:40, :60]
    centers = [10 + 6 * index for index in range(7)]
    cavity = np.stack([(rows - 20) ** 2 + (columns - center) ** 2 < 25 for center in centers])[None]
    mask = np.where(cavity, Label.LV_CAVITY, 0).astype(np.uint8)
    kept = clean(mask, (Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY))
    assert np.array_equal(kept, mask)
    assert not np.array_equal(clean(mask, (Label.LV_CAVITY,)), mask)


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((1, 2, 4, 4), np.uint8)
    assert not clean(empty, (Label.LV_CAVITY, Label.RV_CAVITY)).any()


def test_the_left_ventricle_ends_where_slices_stop_overlapping() -> None:
    mask = np.zeros((1, 6, 30, 30), np.uint8)
    mask[0, 1:5, 10:20, 10:20] = Label.LV_CAVITY
    mask[0, 5, 18:28, 10:20] = Label.LV_CAVITY  # touches the axis, but steps aside
    mask[0, 0, 14:16, 14:16] = Label.LV_CAVITY  # a small apex within its neighbour
    kept = clean(mask, (Label.LV_CAVITY,))
    assert not kept[0, 5].any()
    assert np.array_equal(kept[0, :5], mask[0, :5])
