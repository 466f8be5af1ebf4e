"""Slices a few at a time, several batches at once: in order, to the same bits, and no longer than wanted."""

from dataclasses import replace
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest

from cardioseg.image.preprocessing import Preprocessing
from cardioseg.image.volume import Cine, Grid
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import open_model
from cardioseg.inference.slice_batches import in_batches


def test_results_come_in_order_and_hold_every_slice() -> None:
    slices = np.arange(11)
    parts = list(in_batches(lambda some: 10 * some, slices, 3, workers=4))
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    np.testing.assert_array_equal(np.concatenate(parts), 10 * slices)


def test_what_goes_wrong_comes_out_and_ends_the_rest() -> None:
    begun: list[int] = []

    def work(some: np.ndarray) -> int:
        begun.append(get_ident())
        if len(begun) > 1:
            raise MemoryError
        return len(some)

    with pytest.raises(MemoryError):
        list(in_batches(work, np.zeros(5000), 1, workers=1))
    assert len(begun) < 5000
    assert get_ident() not in begun


def test_masks_are_the_same_bits_with_any_number_of_workers(model_folder: Path) -> None:
    model = open_model(model_folder, "cpu", 1)
    assert model.workers == 1
    grid = Grid((5, 64, 64), (8.0, 2.0, 2.0))
    cine = Cine(np.random.default_rng(0).integers(0, 900, (8, *grid.shape)).astype(np.int16), grid)
    alone = segment(cine, model)
    for workers in (2, 3):
        together = segment(cine, replace(model, workers=workers))
        np.testing.assert_array_equal(alone.mask.voxels, together.mask.voxels)


def test_a_batch_fits_the_caches_of_a_cpu(model_folder: Path) -> None:
    model = open_model(model_folder, "cpu", 3)
    assert model.workers == 3
    assert [model.batch_slices(side**2) for side in (32, 128, 512)] == [32, 2, 1]
    assert replace(model, device="cuda:0").batch_slices(128**2) == 64


def test_what_the_network_sees_of_a_slice() -> None:
    assert Preprocessing().pixels((100, 50), None) == 5000
    assert Preprocessing(spacing_mm=2.0).pixels((100, 50), (1.0, 1.0)) == 1250
    window = Preprocessing("percentile", 2.0, window=32, locate_mm=4.0)
    assert window.pixels((100, 50), (1.0, 1.0)) == 1024
    assert window.coarse.pixels((100, 50), (1.0, 1.0)) == 312
