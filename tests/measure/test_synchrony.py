"""Synchrony: a heart whose slices begin at different moments of the beat is flagged; a sound or weak heart is not."""

from dataclasses import replace

import numpy as np
import pytest

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.synchrony import synchrony_flags
from cardioseg.phantom import Phantom, reference

HEART = Phantom(slices=10, phases=12, rows=96, columns=96, spacing_mm=(10.0, 3.0, 3.0))
BEGINNINGS = (0, 7, 3, 10, 5, 1, 8, 4, 11, 6)  # of the slices, in phases


def flags_of(mask: Cine) -> list[str]:
    return [f"{flag.kind}: {flag.reason}" for flag in synchrony_flags(LabelledCine(mask, STRUCTURES))]


def begun_anywhere(mask: Cine, beats: int = 1) -> Cine:
    film = np.concatenate([mask.voxels] * beats)
    return Cine(np.stack([np.roll(film[:, index], first, 0) for index, first in enumerate(BEGINNINGS)], 1), mask.grid)


@pytest.mark.parametrize("beats", [1, 3])
def test_slices_that_begin_anywhere_are_flagged(beats: int) -> None:
    (flag,) = flags_of(begun_anywhere(reference(HEART), beats))
    assert flag.startswith("slices out of step: LV cavity: its area and that of the others correlate with -")
    assert flag.endswith("the volumes may mix moments of the beat")


@pytest.mark.parametrize("ef_percent", [12.0, 30.0, 60.0, 75.0])
def test_hearts_that_beat_together_are_not(ef_percent: float) -> None:
    assert flags_of(reference(replace(HEART, lv_ef_percent=ef_percent))) == []


def test_a_scar_at_the_apex_is_not() -> None:
    mask = reference(HEART)
    voxels = mask.voxels.copy()
    voxels[:, :3] = np.roll(voxels[:, :3], HEART.phases // 2, 0)  # it bulges while the others contract
    assert flags_of(Cine(voxels, mask.grid)) == []


@pytest.mark.parametrize("beginning", [5, 7])
def test_a_single_slice_that_begins_elsewhere_is_named(beginning: int) -> None:
    mask = reference(HEART)
    voxels = mask.voxels.copy()
    voxels[:, 5] = np.roll(voxels[:, 5], beginning, 0)
    (flag,) = synchrony_flags(LabelledCine(Cine(voxels, mask.grid), STRUCTURES))
    assert flag.slice == 5


def test_without_an_lv_nothing_is_said() -> None:
    mask = begun_anywhere(reference(HEART))
    assert list(synchrony_flags(LabelledCine(mask, (Label.RV_CAVITY,)))) == []
