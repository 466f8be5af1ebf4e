"""A structure that appears or vanishes for a moment is mended; the beat itself is left as it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_phantoms import FINE

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Voxels
from cardioseg.inference.flicker import without_flicker
from cardioseg.phantom import reference

BEAT = reference(replace(FINE, phases=20))
BASAL, MIDDLE = 3, 2  # slices
SHORT = reference(replace(FINE, phases=9))


def mended(voxels: Voxels) -> Voxels:
    return without_flicker(Cine(voxels, BEAT.grid)).voxels


def areas(voxels: Voxels, label: Label, index: int) -> list[int]:
    return np.count_nonzero(voxels[:, index] == label, axis=(1, 2)).tolist()


def without(label: Label, phases: range | list[int], index: int = BASAL) -> Voxels:
    voxels = BEAT.voxels.copy()
    planes = voxels[list(phases), index]
    planes[planes == label] = Label.BACKGROUND
    voxels[list(phases), index] = planes
    return voxels


def test_a_true_beat_is_not_changed() -> None:
    np.testing.assert_array_equal(mended(BEAT.voxels), BEAT.voxels)


@pytest.mark.parametrize("label", STRUCTURES)
@pytest.mark.parametrize("phases", [[5], [5, 6], [0], [19], [19, 0]])
def test_what_is_missing_for_a_moment_is_interpolated(label: Label, phases: list[int]) -> None:
    """Within 15 % of the area that is known, even where the beat begins and ends."""
    voxels = mended(without(label, phases))
    expected = areas(BEAT.voxels, label, BASAL)
    for phase, area in enumerate(areas(voxels, label, BASAL)):
        if phase in phases:
            assert area == pytest.approx(expected[phase], rel=0.15)
        else:
            assert area == expected[phase]
    same = np.delete(voxels, BASAL, axis=1) == np.delete(BEAT.voxels, BASAL, axis=1)
    assert same.all()


@pytest.mark.parametrize("label", STRUCTURES)
@pytest.mark.parametrize("phases", [[7], [7, 8], [19], [0, 19]])
def test_what_appears_for_a_moment_is_removed(label: Label, phases: list[int]) -> None:
    others = [phase for phase in range(20) if phase not in phases]
    assert not any(areas(mended(without(label, others)), label, BASAL))


@pytest.mark.parametrize("phases", [range(6, 9), range(6, 13)])
def test_systole_is_not_blurred(phases: range) -> None:
    """The base moves out of a slice and back: three phases of 20 or more."""
    voxels = without(Label.LV_CAVITY, phases)
    np.testing.assert_array_equal(mended(voxels), voxels)


def test_a_cine_that_ends_in_systole_keeps_its_first_phases() -> None:
    """Its first and its last phase are not neighbours."""
    systole = np.concatenate([BEAT.voxels[-3:], BEAT.voxels[:8]])  # from end-diastole on
    basal = systole[2:, BASAL]
    basal[basal == Label.LV_CAVITY] = Label.BACKGROUND
    np.testing.assert_array_equal(mended(systole), systole)


def test_no_other_structure_loses_pixels() -> None:
    voxels = without(Label.LV_CAVITY, [5])
    plane = voxels[5, BASAL]
    plane[BEAT.voxels[5, BASAL] == Label.LV_CAVITY] = Label.LV_MYOCARDIUM
    np.testing.assert_array_equal(mended(voxels), voxels)


@pytest.mark.parametrize("voxels", [SHORT.voxels, BEAT.voxels[:1], np.zeros_like(BEAT.voxels)])
def test_few_phases_and_empty_masks_stay(voxels: Voxels) -> None:
    broken = voxels.copy()
    broken[0, BASAL] = 0
    np.testing.assert_array_equal(mended(broken), broken)


@given(st.lists(st.booleans(), min_size=20, max_size=20), st.integers(0, 19))
def test_where_the_beat_begins_does_not_matter(present: list[bool], start: int) -> None:
    """The left ventricle changes as much between any two phases, so every beat closes."""
    voxels = np.zeros_like(BEAT.voxels)
    voxels[:, MIDDLE, :4, :4] = Label.LV_CAVITY
    voxels[::2, MIDDLE, :6, :6] = Label.LV_CAVITY
    voxels[np.array(present), 0, 10:20, 10:20] = Label.RV_CAVITY
    expected = np.roll(mended(voxels), start, axis=0)
    np.testing.assert_array_equal(mended(np.roll(voxels, start, axis=0)), expected)
