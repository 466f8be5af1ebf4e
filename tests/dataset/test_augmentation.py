"""One draw varies within what was asked for, and depends on its generator alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cardioseg.dataset.augmentation import Angles, Augmentation, draw

few = settings(max_examples=40, deadline=None, database=None)
fractions = st.floats(0, 1)
augmentations = st.builds(Augmentation, scale=fractions, shift=fractions, flip=st.booleans(), contrast=fractions)
degrees = st.floats(-360, 360)
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("start", "stop", "step", "count"), [(-60, 60, 2, 61), (-30, 30, 10, 7), (-180, 175, 5, 72)])
def test_the_recipes_grids(start: float, stop: float, step: float, count: int) -> None:
    grid = Angles(start=start, stop=stop, step=step).degrees
    assert grid == tuple(np.arange(count) * step + start)
    assert (grid[0], grid[-1]) == (start, stop)


@few
@given(st.floats(-180, 180), st.integers(0, 400), st.floats(0.01, 30))
def test_both_ends_are_in_the_grid_though_steps_are_not_exact(start: float, count: int, step: float) -> None:
    grid = Angles(start=start, stop=start + count * step, step=step).degrees
    assert len(grid) == count + 1
    np.testing.assert_allclose(np.diff(grid), step, rtol=1e-6)
    beyond = Angles(start=start, stop=start + (count + 0.5) * step, step=step).degrees
    assert beyond == grid


def test_no_rotation_is_one_angle() -> None:
    assert Augmentation().angles.degrees == (0,)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"angles": angles} for angles in ({"stop": -1}, {"step": 0}, {"step": -1}, {"stop": np.inf}, {"turns": 2})),
        *({"angles": {"start": np.nan}}, {"angles": {"step": np.nan}}, {"grid_fraction": 0}, {"grid_fraction": 1.1}),
        *({key: value} for key in ("scale", "shift", "contrast") for value in (-0.1, 1.1, np.nan)),
        *({"flip": "perhaps"}, {"hue": 1}, {"sharpness": -1}, {"sharpness": 5}, {"ghosting": 1.1}),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Augmentation.model_validate(wrong)


@few
@given(augmentations)
def test_settings_survive_a_file(augmentation: Augmentation) -> None:
    assert Augmentation.model_validate_json(augmentation.model_dump_json()) == augmentation


@few
@given(degrees, seeds)
def test_without_settings_only_the_angle_turns(angle_deg: float, seed: int) -> None:
    variation = draw(Augmentation(), angle_deg, np.random.default_rng(seed))
    turn = np.deg2rad(angle_deg)
    expected = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]]
    np.testing.assert_allclose(variation.matrix, expected, atol=1e-12)
    assert variation.power == 1


@few
@given(augmentations, degrees, seeds)
def test_a_draw_stays_within_its_bounds(augmentation: Augmentation, angle_deg: float, seed: int) -> None:
    variation = draw(augmentation, angle_deg, np.random.default_rng(seed))
    linear, shift = variation.matrix[:, :2], variation.matrix[:, 2]
    zoom = 1 / np.sqrt(abs(np.linalg.det(linear)))
    np.testing.assert_allclose(linear.T @ linear, np.eye(2) / zoom**2, atol=1e-12)  # nothing is sheared
    assert np.linalg.det(linear) > 0 or augmentation.flip
    assert abs(np.log(zoom)) <= np.log(1 + augmentation.scale) + 1e-9
    assert abs(np.log(variation.power)) <= np.log(1 + augmentation.contrast) + 1e-9
    assert (np.abs(shift) <= 2 * augmentation.shift).all()


@few
@given(augmentations, degrees, seeds)
def test_a_draw_is_a_function_of_its_generator(augmentation: Augmentation, angle_deg: float, seed: int) -> None:
    one, other = (draw(augmentation, angle_deg, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, other.matrix)
    assert one.power == other.power


def test_draws_fill_their_ranges_evenly() -> None:
    wide = Augmentation(scale=0.5, shift=0.1, flip=True, contrast=1)
    rng = np.random.default_rng(0)
    drawn = [draw(wide, 30, rng) for _ in range(2000)]
    zooms = np.array([-0.5 * np.log(abs(np.linalg.det(variation.matrix[:, :2]))) for variation in drawn])
    shifts = np.array([variation.matrix[:, 2] for variation in drawn])
    powers = np.log([variation.power for variation in drawn])
    flips = np.array([np.linalg.det(variation.matrix[:, :2]) < 0 for variation in drawn])
    for values, limit in ((zooms, np.log(1.5)), (shifts, 0.2), (powers, np.log(2))):
        assert np.abs(values).max() == pytest.approx(limit, rel=0.02)
        assert np.abs(values.mean(0)).max() < 0.05 * limit
    assert flips.mean() == pytest.approx(0.5, abs=0.05)
    assert abs(np.corrcoef(zooms, powers)[0, 1]) < 0.1
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.1
