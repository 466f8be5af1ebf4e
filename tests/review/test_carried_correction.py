"""Carried correction, on circles whose radii are known."""

import numpy as np
import pytest
from scipy.ndimage import shift

from cardioseg.image.labels import Label
from cardioseg.image.volume import Voxels
from cardioseg.review.carried_correction import carried

SIZE, PHASES = 64, 12
RV, WALL, CAVITY = Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY
RADII = 12 + 4 * np.cos(2 * np.pi * np.arange(PHASES) / PHASES)  # of the cavity; ED is phase 0, ES phase 6
THICKNESS = 6


def beat(radii: np.ndarray, thickness: float = THICKNESS, centre: float = 32) -> Voxels:
    """A cavity with a wall around it (phase, row, column)."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distances = np.hypot(rows - 32, columns - centre)
    planes = np.zeros((len(radii), SIZE, SIZE), np.uint8)
    for plane, radius in zip(planes, radii, strict=True):
        plane[distances < radius + thickness] = WALL
        plane[distances < radius] = CAVITY
    return planes


def radii_of(planes: Voxels, *labels: Label) -> np.ndarray:
    """The radius of a circle of the same area, at each phase."""
    return np.sqrt(np.isin(planes, labels).sum(axis=(1, 2)) / np.pi)


def test_without_a_correction_nothing_changes() -> None:
    network = beat(RADII)
    np.testing.assert_array_equal(carried(network, network), network)


@pytest.mark.parametrize("step", [-2.0, 1.0, 3.0])
@pytest.mark.parametrize("phase", [0, 6])
def test_an_outline_moves_by_as_much_but_never_beyond_the_one_that_was_drawn(phase: int, step: float) -> None:
    network, corrected = beat(RADII), beat(RADII)
    corrected[phase] = beat(RADII + step, THICKNESS - step)[phase]
    drawn = RADII[phase] + step
    expected = np.clip(RADII + step, np.minimum(RADII, drawn), np.maximum(RADII, drawn))
    result = carried(network, corrected)
    np.testing.assert_allclose(radii_of(result, CAVITY), expected, atol=0.35)
    np.testing.assert_allclose(radii_of(result, CAVITY, WALL), RADII + THICKNESS, atol=0.35)
    np.testing.assert_array_equal(result[phase], corrected[phase])


def test_a_gap_that_is_closed_at_one_phase_leaves_no_bump_where_there_was_none() -> None:
    network = beat(RADII)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    network[6][(rows > 32) & (abs(columns - 32) < 3) & (network[6] == WALL)] = 0
    corrected = network.copy()
    corrected[6] = beat(RADII)[6]
    np.testing.assert_array_equal(carried(network, corrected), corrected)


def test_a_phase_that_was_seen_and_left_is_right() -> None:
    network, corrected = beat(RADII), beat(RADII)
    corrected[6] = beat(RADII + 2)[6]
    result = carried(network, corrected, seen=(0,))
    np.testing.assert_array_equal(result[0], network[0])
    assert np.all(np.diff((result == CAVITY).sum(axis=(1, 2))[:7] - (network == CAVITY).sum(axis=(1, 2))[:7]) >= 0)
    corrected[6] = 0
    removed = ~carried(network, corrected, seen=(0,)).any(axis=(1, 2))
    assert np.flatnonzero(removed).tolist() == [4, 5, 6, 7, 8]


def test_between_two_corrected_phases_it_changes_gradually() -> None:
    network, corrected = beat(RADII), beat(RADII)
    for phase, step in ((0, 3.0), (6, -1.0)):
        corrected[phase] = beat(RADII + step)[phase]
    steps = np.interp(np.arange(PHASES), [0, 6, 12], [3, -1, 3])
    result = carried(network, corrected)
    np.testing.assert_allclose(radii_of(result, CAVITY) - RADII, steps, atol=0.4)
    for phase in (0, 6):
        np.testing.assert_array_equal(result[phase], corrected[phase])


def test_a_structure_that_was_removed_is_removed_at_all_phases() -> None:
    network, corrected = beat(RADII), beat(RADII)
    corrected[6] = 0
    assert not carried(network, corrected).any()


def test_a_structure_that_was_added_is_added_where_the_network_has_none() -> None:
    network = beat(RADII)
    network[:, 28:36, 56:62] = 0
    network[3, 28:36, 56:62] = RV
    corrected = network.copy()
    corrected[0, 20:44, 55:63] = np.where(corrected[0, 20:44, 55:63], corrected[0, 20:44, 55:63], RV)
    result = carried(network, corrected)
    sizes = (result == RV).sum(axis=(1, 2))
    assert sizes[3] == (network[3] == RV).sum()
    assert (sizes[[1, 2, 4, 11]] == sizes[0]).all()


def test_it_follows_a_heart_that_moves() -> None:
    network = np.stack([shift(plane, (0, phase), order=0) for phase, plane in enumerate(beat(RADII[:6]))])
    corrected = network.copy()
    corrected[0] = beat(RADII + 2)[0]
    result = carried(network, corrected)
    columns = [np.nonzero(plane == CAVITY)[1].mean() for plane in result]
    np.testing.assert_allclose(np.diff(columns), 1, atol=0.3)
