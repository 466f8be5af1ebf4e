"""Segmentation on the scan's own grid, independent of batches; what the postprocessing keeps."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from thresholds import LEVELS, write_threshold_model
from untrained import write_model

from cardioseg.image.alignment import aligned
from cardioseg.image.labels import Label
from cardioseg.image.orientation import axes
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.image.volume import Cine, Grid
from cardioseg.inference.postprocessing import clean
from cardioseg.inference.segmentation import segment
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


def test_the_mask_does_not_depend_on_how_the_axes_are_stored(tmp_path: Path) -> None:
    """Programs flip rows, turn the image or count the slices from the other end: one scan, one mask."""
    window = Preprocessing("percentile", 2.0, window=32, locate_mm=4.0)
    grid = Grid((4, 40, 50), (8.0, 2.1, 1.9), directions=axes(base_first=False))
    voxels = np.random.default_rng(0).integers(0, 900, (5, *grid.shape)).astype(np.int16)
    cine, model = Cine(voxels, grid), open_model(write_model(tmp_path, preprocessing=window, seeds=(0, 1)))
    expected = segment(cine, model)
    assert len(np.unique(expected.mask.voxels)) > 1
    for order, flips in product([(0, 1, 2), (0, 2, 1)], product([False, True], repeat=3)):
        turned = cine.voxels.transpose(0, *(axis + 1 for axis in order))
        flipped = np.flip(turned, [axis + 1 for axis, flip in enumerate(flips) if flip])
        stored = segment(Cine(flipped, grid.turned(order, flips)), model)
        assert stored.mask.grid == grid.turned(order, flips)
        placed = aligned(stored.mask, grid, 0.01)
        assert placed is not None
        np.testing.assert_array_equal(placed.voxels, expected.mask.voxels)
        assert stored.fold_curves_ml == expected.fold_curves_ml


def test_a_model_with_a_window_labels_nothing_beyond_it(tmp_path: Path) -> None:
    window = Preprocessing("percentile", 2.0, window=32, locate_mm=4.0)
    grid = Grid((3, 90, 70), (8.0, 2.0, 2.0))
    voxels = np.random.default_rng(0).integers(0, 900, (5, *grid.shape)).astype(np.int16)
    mask = segment(Cine(voxels, grid), open_model(write_model(tmp_path, preprocessing=window, seeds=(0, 1)))).mask
    marked = np.argwhere(mask.voxels.any((0, 1)))
    assert len(marked)
    assert (np.ptp(marked, axis=0) <= 32).all()


def test_windows_fit_the_heart_and_lose_none_of_it(tmp_path: Path) -> None:
    """Slices of several sizes at several places, exact but for the pixels at the edge."""
    rows, columns, index = np.mgrid[:100, :90, :7].astype(np.float32)
    radius = np.array([0, 9, 20, 24, 16, 8, 0], np.float32)
    beyond = np.hypot(rows - 50 - 2 * index, columns - 48 + index) - radius  # pixels from the edge, outwards
    beyond = np.stack([beyond.transpose(2, 0, 1) + phase for phase in range(4)])
    voxels = np.where(beyond < 0, int(1000 * LEVELS["lv_cavity"]), 0).astype(np.int16)
    voxels[..., :3, :] = 1000  # so that intensities are normalized to the same levels
    settings = Preprocessing("percentile", 2.0, window=64, locate_mm=4.0, margin_mm=12.0)
    model = open_model(write_threshold_model(tmp_path, ("lv_cavity",), preprocessing=settings))
    sizes = []

    def run(names: Any, given: Any) -> Any:
        sizes.append(given["image"].shape[-1])
        return model.session.run(names, given)

    mask = segment(Cine(voxels, Grid((7, 100, 90), (8.0, 2.0, 2.0))), replace(model, session=SimpleNamespace(run=run)))
    inside, certain = beyond < 0, np.abs(beyond) > 1.5
    np.testing.assert_array_equal(mask.mask.voxels[certain] > 0, inside[certain])
    assert {*sizes[1:]} == {32, 48, 64}


@pytest.mark.parametrize(
    "settings",
    [Preprocessing("percentile", 2.0), Preprocessing("percentile", 2.0, window=64, locate_mm=4.0, margin_mm=4.0)],
)
def test_each_network_of_an_ensemble_has_its_volumes(settings: Preprocessing, tmp_path: Path) -> None:
    """Two networks that agree have the mask's own volumes; another seed has others."""
    grid = Grid((3, 64, 64), (8.0, 2.0, 2.0))
    voxels = np.random.default_rng(0).integers(0, 900, (2, *grid.shape)).astype(np.int16)
    alike = segment(
        Cine(voxels, grid), open_model(write_model(tmp_path / "alike", seeds=(0, 0), preprocessing=settings))
    )
    other = segment(
        Cine(voxels, grid), open_model(write_model(tmp_path / "other", seeds=(0, 1), preprocessing=settings))
    )
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


def heart_with_a_ring(base: int, apex: int) -> Cine:
    """Two phases of six slices: cavity and wall in four of them, a ring above the base and a cap below the apex."""
    rows, columns = np.mgrid[:40, :40]
    radius = np.hypot(rows - 20, columns - 20)
    voxels = np.zeros((2, 6, 40, 40), np.uint8)
    for step, index in enumerate(range(base, apex, 1 if apex > base else -1)):
        voxels[:, index, radius < 14 - step] = Label.LV_MYOCARDIUM
        voxels[:, index, radius < 10 - step] = Label.LV_CAVITY
        voxels[:, index, 2:6, 15 : 35 - 2 * step] = Label.RV_CAVITY
    ring = (radius > 8) & (radius < 12)
    voxels[:, base][:, (radius < 14) & ~ring] = Label.BACKGROUND
    voxels[:, base][:, ring] = Label.LV_MYOCARDIUM
    voxels[:, apex, radius < 6] = Label.LV_MYOCARDIUM
    return Cine(voxels, Grid((6, 40, 40), (10.0, 1.5, 1.5)))


def without_basal_myocardium(mask: Cine) -> np.ndarray:
    from cardioseg.inference.postprocessing import without_basal_myocardium

    return without_basal_myocardium(mask).voxels


@pytest.mark.parametrize(("base", "apex"), [(0, 5), (5, 0)])
def test_a_ring_above_the_base_is_not_in_the_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: int, apex: int
) -> None:
    """The network sees what the image holds: it is a mask itself."""

    def labels(slices: np.ndarray, *_: object) -> tuple[np.ndarray, np.ndarray]:
        return slices, np.zeros((len(slices), 0, 3))

    monkeypatch.setattr("cardioseg.inference.segmentation._label", labels)
    seen = heart_with_a_ring(base, apex)
    mask = segment(seen, open_model(write_threshold_model(tmp_path))).mask
    assert not (mask.voxels[:, base] == Label.LV_MYOCARDIUM).any()
    assert np.array_equal(mask.voxels[:, 2:4], seen.voxels[:, 2:4])


@pytest.mark.parametrize(("base", "apex"), [(0, 5), (5, 0)])
def test_myocardium_above_the_base_goes_and_the_cap_of_the_apex_stays(base: int, apex: int) -> None:
    mask = heart_with_a_ring(base, apex)
    kept = without_basal_myocardium(mask)
    assert (mask.voxels[:, base] == Label.LV_MYOCARDIUM).any()
    assert not (kept[:, base] == Label.LV_MYOCARDIUM).any()
    assert np.array_equal(np.delete(kept, base, 1), np.delete(mask.voxels, base, 1))
    assert np.array_equal(kept[:, base] == Label.RV_CAVITY, mask.voxels[:, base] == Label.RV_CAVITY)


def test_each_phase_has_its_own_base_and_one_without_a_cavity_has_none() -> None:
    mask = heart_with_a_ring(0, 5)
    mask.voxels[1][mask.voxels[1] == Label.LV_CAVITY] = Label.BACKGROUND
    mask.voxels[0, 1][mask.voxels[0, 1] == Label.LV_CAVITY] = Label.BACKGROUND
    kept = without_basal_myocardium(mask)
    assert np.array_equal(kept[1], mask.voxels[1])
    assert [bool((plane == Label.LV_MYOCARDIUM).any()) for plane in kept[0]] == [False, False, True, True, True, True]


@pytest.mark.parametrize("geometry", [((0.577, -0.577, -0.577), True), ((-0.577, 0.577, 0.577), False)])
def test_the_geometry_says_where_the_base_is_where_it_can(geometry: tuple[tuple[float, float, float], bool]) -> None:
    """Slice 0 holds the larger ventricles; an oblique stack that runs to the base has its apex there all the same."""
    direction, is_first = geometry
    mask = heart_with_a_ring(0, 5)
    oblique = replace(mask, grid=replace(mask.grid, directions=(direction, (0.7, 0.7, 0.0), (0.4, -0.4, 0.8))))
    kept = without_basal_myocardium(oblique)
    assert (kept[:, 0] == Label.LV_MYOCARDIUM).any() == (not is_first)
    assert (kept[:, 5] == Label.LV_MYOCARDIUM).any() == is_first
