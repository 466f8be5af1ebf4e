"""The wall by segments: against the phantom's outlines, whatever way the heart lies, and on masks with gaps."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.curves import Moments
from cardioseg.measure.segments import NAMES, segmented
from cardioseg.measure.wall import RAYS, wall_of
from cardioseg.measure.wall_measures import WallMeasures, measure_wall
from cardioseg.phantom import Phantom, WallChange, reference, segment_truth

EVEN = Phantom(phases=8, ed_phase=0, rows=128, columns=128)
INFARCT = WallChange(angle_deg=60, half_width_deg=35, ed_mm=-3, es_mm=-7)  # thin, and it does not thicken
HYPERTROPHY = WallChange(angle_deg=0, half_width_deg=50, ed_mm=6, es_mm=8)  # of the septum
few = settings(max_examples=15, deadline=None, database=None)


def by_segments(mask: Cine, ed_phase: int, es_phase: int | None) -> WallMeasures:
    return measure_wall(mask, wall_of(mask), Moments(ed_phase, es_phase))


def measured(phantom: Phantom, mask: Cine | None = None) -> WallMeasures:
    return by_segments(mask or reference(phantom), *phantom.ed_es_phases)


@pytest.mark.parametrize("changes", [(), (INFARCT,), (HYPERTROPHY,), (INFARCT, WallChange(180, 30, 4, 4))])
@pytest.mark.parametrize("seed", range(4))
def test_thickness_and_thickening_are_those_of_the_outlines(changes: tuple[WallChange, ...], seed: int) -> None:
    phantom = replace(EVEN, seed=seed, wall_changes=changes)
    found, truth = measured(phantom), segment_truth(phantom)
    assert found.segments.keys() == truth.keys() == NAMES.keys() == {*range(1, 17)}
    for number, segment in found.segments.items():
        assert segment.reason == ""
        assert segment.ed_mm == pytest.approx(truth[number].ed_mm, abs=0.5)
        assert segment.es_mm == pytest.approx(truth[number].es_mm, abs=0.5)
        assert segment.thickening_percent == pytest.approx(truth[number].thickening_percent, abs=8)
        assert segment.curve_mm[0] == segment.ed_mm
        assert len(segment.curve_mm) == phantom.phases


def test_an_infarct_and_a_thick_septum_are_found() -> None:
    infarct = measured(replace(EVEN, wall_changes=(INFARCT,))).segments
    thickening = {number: segment.thickening_percent or 0 for number, segment in infarct.items()}
    assert {*sorted(thickening, key=lambda number: thickening[number])[:4]} == {1, 2, 7, 8}  # anteroseptal and anterior
    assert thickening[2] < 25
    assert thickening[5] > 40
    septum = measured(replace(EVEN, wall_changes=(HYPERTROPHY,)))
    thickness = {number: segment.ed_mm for number, segment in septum.segments.items()}
    assert {*sorted(thickness, key=lambda number: -(thickness[number] or 0))[:4]} <= {2, 3, 8, 9, 14}
    assert septum.thickest is not None
    assert septum.thickest.segment in {2, 3, 8, 9}
    assert septum.thickest.mm > 14 > (infarct[5].ed_mm or 0)


def turned(mask: Cine, flips: tuple[bool, bool, bool], swaps: bool) -> Cine:
    """The same heart at the same place, its voxels stored in another order."""
    order = (0, 2, 1) if swaps else (0, 1, 2)
    voxels = mask.voxels.transpose(0, *(axis + 1 for axis in order))
    voxels = np.flip(voxels, [axis + 1 for axis, flip in enumerate(flips) if flip])
    return Cine(voxels, mask.grid.turned(order, flips), mask.times_ms)


def test_the_order_of_voxels_changes_nothing() -> None:
    phantom = replace(EVEN, wall_changes=(INFARCT,), slices=9)
    mask = reference(phantom)
    expected = measured(phantom, mask)
    assert expected.is_placed
    for *flips, swaps in product((False, True), repeat=4):
        found = measured(phantom, turned(mask, (flips[0], flips[1], flips[2]), swaps))
        for number in NAMES:
            assert found.segments[number].ed_mm == pytest.approx(expected.segments[number].ed_mm, abs=0.15)
            assert found.segments[number].es_mm == pytest.approx(expected.segments[number].es_mm, abs=0.25)
        assert found.thickest is not None
        assert expected.thickest is not None
        assert found.thickest.segment == expected.thickest.segment


def rotated(degrees: float, mirrored: bool) -> Cine:
    """Rings in front of a crescent at ED and ES, turned as a whole, in a grid that has no real orientation."""
    rows, columns = np.mgrid[:96, :96] - 47.5
    angle = np.arctan2(rows, columns) * (-1 if mirrored else 1) - np.deg2rad(degrees)
    radius = np.hypot(rows, columns)
    away = np.abs((angle + np.pi) % (2 * np.pi) - np.pi)
    signed = (angle + np.pi) % (2 * np.pi) - np.pi
    thick = 6 + 4 * np.exp(-((signed - 1.2) ** 2) / 0.3)  # thicker on the side that follows the septum
    voxels = np.zeros((2, 6, 96, 96), np.uint8)
    for phase, (slices, grown) in enumerate(((range(6), 0), (range(6), 3))):
        for index in slices:
            inner = 20 - index - 2 * phase
            labels = np.zeros((96, 96), np.uint8)
            labels[(radius < inner + thick + grown + 12 * np.cos(away)) & (away < 1.2)] = Label.RV_CAVITY
            labels[radius < inner + thick + grown] = Label.LV_MYOCARDIUM
            labels[radius < inner] = Label.LV_CAVITY
            voxels[phase, index] = labels
    return Cine(voxels, Grid((6, 96, 96), (10.0, 1.2, 1.2)))


@few
@given(st.floats(0, 360))
def test_rotation_of_the_heart_changes_nothing_and_a_mirror_image_counts_the_other_way(degrees: float) -> None:
    upright = by_segments(rotated(180, mirrored=False), 0, 1)
    assert not upright.is_placed
    thickest = max(NAMES, key=lambda number: upright.segments[number].ed_mm or 0)
    assert NAMES[thickest].endswith(" anterior")
    found = by_segments(rotated(degrees, mirrored=False), 0, 1)
    mirror = by_segments(rotated(degrees, mirrored=True), 0, 1)
    other_way = {1: 4, 2: 3, 3: 2, 4: 1, 5: 6, 6: 5} | {7: 10, 8: 9, 9: 8, 10: 7, 11: 12, 12: 11}
    other_way |= {13: 15, 14: 14, 15: 13, 16: 16}
    for number in NAMES:
        assert found.segments[number].ed_mm == pytest.approx(upright.segments[number].ed_mm, abs=0.5)
        assert mirror.segments[other_way[number]].ed_mm == pytest.approx(upright.segments[number].ed_mm, abs=0.5)


def test_slices_without_rv_take_the_insertion_points_of_the_slice_above() -> None:
    mask = reference(EVEN)
    wall = wall_of(mask)
    found = segmented(mask, wall, 0)
    assert not isinstance(found, str)
    voxels = mask.voxels.copy()
    apical = found.slices[-4:]
    voxels[:, list(apical)] = np.where(voxels[:, list(apical)] == Label.RV_CAVITY, 0, voxels[:, list(apical)])
    without = segmented(replace(mask, voxels=voxels), wall, 0)
    assert not isinstance(without, str)
    assert without.borrowed == apical
    assert {without.septa[index].source for index in apical} == {found.slices[-5]}
    difference = np.rad2deg(without.septa[apical[0]].middle - found.septa[apical[0]].middle)
    assert abs(difference) < 8
    assert measured(EVEN, replace(mask, voxels=voxels)).borrowed == apical


def lacking(label: Label, slices: slice = slice(None), phases: slice = slice(None)) -> Cine:
    mask = reference(EVEN)
    voxels = mask.voxels.copy()
    part = voxels[phases, slices]
    part[part == label] = Label.BACKGROUND
    return replace(mask, voxels=voxels)


@pytest.mark.parametrize(
    ("mask", "moments", "reason"),
    [
        (lacking(Label.RV_CAVITY), Moments(0, 3), "the right ventricle does not touch the wall in any slice"),
        (lacking(Label.LV_MYOCARDIUM), Moments(0, 3), "slices with a wall around the cavity at end-diastole: 0; three"),
        (
            lacking(Label.LV_MYOCARDIUM, slice(2, None)),
            Moments(0, 3),
            "slices with a wall around the cavity at end-diastole: 1;",
        ),
        (lacking(Label.LV_CAVITY), Moments(0, 3), "slices with a wall around the cavity at end-diastole: 0;"),
        (reference(EVEN), Moments(None, 3), "the phase of end-diastole is unknown"),
    ],
)
def test_without_segments_the_reason_is_said(mask: Cine, moments: Moments, reason: str) -> None:
    found = measure_wall(mask, wall_of(mask), moments)
    assert found.thickest is None
    assert found.segments.keys() == NAMES.keys()
    for segment in found.segments.values():
        assert segment.reason.startswith(reason)
        assert segment.ed_mm is segment.es_mm is segment.thickening_percent is segment.ed_area_mm2 is None


def test_without_end_systole_there_is_no_thickening() -> None:
    for segment in by_segments(reference(EVEN), 0, None).segments.values():
        assert segment.ed_mm is not None
        assert (segment.es_mm, segment.thickening_percent, segment.reason) == (None, None, "")


def test_an_open_wall_has_no_thickness_there_and_says_so() -> None:
    mask = reference(EVEN)
    found = segmented(mask, wall_of(mask), 0)
    assert not isinstance(found, str)
    es = EVEN.ed_es_phases[1]
    voxels = mask.voxels.copy()
    rows, columns = np.mgrid[:128, :128]
    for index in found.slices:
        row, column = wall_of(mask).centers[es, index]
        if np.isfinite(row):
            behind = (columns > column + 5) & (np.abs(rows - row) < columns - column)  # opposite the septum
            voxels[es, index][behind & (voxels[es, index] == Label.LV_MYOCARDIUM)] = Label.BACKGROUND
    opened = measured(EVEN, replace(mask, voxels=voxels)).segments
    assert opened[16].reason == "the wall is open here at end-systole"
    assert opened[16].ed_mm is not None
    assert (opened[16].es_mm, opened[16].thickening_percent, opened[16].curve_mm[es]) == (None, None, None)
    assert opened[14].reason == ""


def test_the_cap_of_the_apex_is_not_the_thickest_place() -> None:
    mask = reference(EVEN)
    expected, voxels = measured(EVEN), mask.voxels.copy()
    apex = int((voxels[0] == Label.LV_CAVITY).any((1, 2)).argmax()) - 1
    rows, columns = np.mgrid[:128, :128]
    row, column = wall_of(mask).centers[0, apex + 1]
    distance = np.hypot(rows - row, columns - column)
    voxels[:, apex][:, distance < 14] = Label.LV_MYOCARDIUM
    voxels[:, apex][:, distance < 2] = Label.LV_CAVITY
    capped = replace(mask, voxels=voxels)
    assert np.nanmean(wall_of(capped).thickness_mm[0, apex]) > 15  # the wall is 9 mm thick
    assert measured(EVEN, capped).thickest == expected.thickest


def test_a_wall_of_spokes_has_no_thickest_place() -> None:
    mask = reference(EVEN)
    wall = wall_of(mask)
    outer = wall.outer_mm.copy()
    outer[..., ::4] = np.nan  # three rays in a row at most
    found = measure_wall(mask, replace(wall, outer_mm=outer), Moments(*EVEN.ed_es_phases))
    assert found.thickest is None
    assert all(segment.ed_mm is not None for segment in found.segments.values())


def test_every_ray_of_a_slice_has_a_segment_of_its_level() -> None:
    mask = reference(EVEN)
    found = segmented(mask, wall_of(mask), 0)
    assert not isinstance(found, str)
    levels = [{*found.numbers[index].tolist()} for index in found.slices]
    assert levels[0] == {*range(1, 7)}
    assert levels[-1] == {*range(13, 17)}
    assert {number for level in levels for number in level} == {*NAMES}
    for index in found.slices:
        numbers = found.numbers[index]
        assert (numbers != np.roll(numbers, 1)).sum() == len({*numbers.tolist()})  # each is one arc
    assert found.numbers.shape == (10, RAYS)
