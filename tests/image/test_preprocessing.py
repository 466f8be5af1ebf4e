"""Every transform does what it says and its undo leads back to the very same grid."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter, ValidationError

from cardioseg.image.preprocessing import (
    Floats,
    Intensity,
    Preprocessing,
    center,
    interpolation,
    pad,
    prepare,
    resample,
    scale_intensity,
)

few = settings(max_examples=20, deadline=None, database=None)
methods = st.sampled_from(["minmax", "percentile"])
sides = st.integers(1, 40)
spacings_mm = st.floats(0.3, 3)
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(["u1", "i2", ">u2", "i4", "f4", "f8", "?"])


def noise(*shape: int, seed: int = 0, kind: str = "f4") -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 200, shape).astype(kind)


def blob(pixel_mm: tuple[float, float], centre_mm: tuple[float, float] = (0.0, 0.0), size_mm: float = 80.0) -> Floats:
    """A smooth spot of 6 mm, its centre given from the middle of the image; [1, h, w]."""
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in ((round(size_mm / mm), mm) for mm in pixel_mm)]
    rows, columns = (np.exp(-(((axis - at) / 6) ** 2) / 2) for axis, at in zip(axes, centre_mm, strict=True))
    return np.asarray(np.outer(rows, columns)[None], np.float32)


def centre_of_mass_mm(image: Floats, pixel_mm: tuple[float, float]) -> tuple[float, ...]:
    middle = (np.array(image.shape) - 1) / 2
    offsets = (np.indices(image.shape) - middle[:, None, None]) * np.array(pixel_mm)[:, None, None]
    return tuple((offsets * image).sum((1, 2)) / image.sum())


@few
@given(arrays(np.float64, (2, 5, 7), elements=st.floats(width=64)), methods)
def test_intensities_end_between_0_and_1_whatever_they_were(slices: np.ndarray, method: Intensity) -> None:
    before = slices.copy()
    scaled = scale_intensity(slices, method)
    assert scaled.dtype == np.float32
    assert scaled.shape == slices.shape
    assert ((scaled >= 0) & (scaled <= 1)).all()
    np.testing.assert_array_equal(slices, before)


@few
@given(seeds, kinds.filter(lambda kind: kind != "?"), methods)
def test_each_slice_is_scaled_alone_and_fills_the_range(seed: int, kind: str, method: Intensity) -> None:
    slices = noise(3, 12, 15, seed=seed, kind=kind)
    scaled = scale_intensity(slices, method)
    np.testing.assert_array_equal(scaled.min((1, 2)), 0)
    np.testing.assert_array_equal(scaled.max((1, 2)), 1)
    np.testing.assert_array_equal(scaled[1:2], scale_intensity(slices[1:2], method))


@few
@given(seeds, methods, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_gain_and_offset_of_the_scanner_do_not_matter(seed: int, method: Intensity, gain: float, offset: float) -> None:
    slices = noise(2, 12, 15, seed=seed, kind="f8")
    other = scale_intensity(slices * gain + offset, method)
    np.testing.assert_allclose(other, scale_intensity(slices, method), atol=2e-3)


def test_minmax_is_linear() -> None:
    scaled = scale_intensity(np.array([[[-10, 0, 30]]], np.int16))
    np.testing.assert_allclose(scaled, [[[0, 0.25, 1]]])


@pytest.mark.parametrize("value", [0, 7, -3.5, np.nan, np.inf, 1e300])
@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_a_constant_slice_is_zero(value: float, method: Intensity) -> None:
    assert not scale_intensity(np.full((1, 4, 4), value), method).any()


def test_not_a_number_is_zero_and_spares_the_others() -> None:
    slices = noise(1, 6, 6) + 1
    slices[0, 0, :3] = np.nan, np.inf, -np.inf
    known = np.nan_to_num(slices, posinf=0, neginf=0)
    np.testing.assert_array_equal(scale_intensity(slices), scale_intensity(known))


def test_percentiles_shrug_at_one_hot_pixel() -> None:
    slices = noise(1, 30, 30)
    hot = slices.copy()
    hot[0, 3, 4] = 1e6
    change = np.abs(scale_intensity(hot, "percentile") - scale_intensity(slices, "percentile"))
    change[0, 3, 4] = 0
    assert change.max() < 0.01
    assert scale_intensity(hot, "minmax").mean() < 0.01


@few
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.05, 20))
def test_interpolation_is_a_weighted_mean_about_the_same_centre(n: int, m: int, step: float) -> None:
    matrix = interpolation(n, m, step)
    assert matrix.shape == (m, n)
    assert matrix.dtype == np.float32
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-6)


@few
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.05, 1))
def test_interpolation_between_pixels_is_linear(n: int, m: int, step: float) -> None:
    points = (np.arange(m) - (m - 1) / 2) * step + (n - 1) / 2
    np.testing.assert_allclose(interpolation(n, m, step) @ np.arange(n), np.clip(points, 0, n - 1), atol=1e-4)


@few
@given(st.integers(1, 30))
def test_interpolation_at_the_pixels_is_identity(n: int) -> None:
    np.testing.assert_array_equal(interpolation(n, n, 1), np.eye(n))


@few
@given(sides, sides, spacings_mm, st.floats(0.9905, 1.0095))
def test_resampling_to_the_same_pixels_changes_nothing(h: int, w: int, pixel_mm: float, nearly: float) -> None:
    images = noise(2, h, w)
    for spacing_mm, pixels in ((pixel_mm * nearly, (pixel_mm, pixel_mm)), (None, (pixel_mm, 1.0)), (pixel_mm, None)):
        assert resample(images, pixels, spacing_mm) is images


@few
@given(spacings_mm, spacings_mm, spacings_mm, st.tuples(*[st.floats(-12, 12)] * 2))
def test_resampling_leaves_things_where_they_are(
    row_mm: float, column_mm: float, spacing_mm: float, centre_mm: tuple[float, float]
) -> None:
    image = blob((row_mm, column_mm), centre_mm)
    resampled = resample(image, (row_mm, column_mm), spacing_mm)
    expected = centre_of_mass_mm(image[0], (row_mm, column_mm))
    same = all(abs(spacing_mm / mm - 1) < 0.01 for mm in (row_mm, column_mm))
    after = centre_of_mass_mm(resampled[0], (row_mm, column_mm) if same else (spacing_mm, spacing_mm))
    assert after == pytest.approx(expected, abs=0.1)
    wanted = [max(1, round(n * mm / spacing_mm)) for n, mm in zip(image.shape[1:], (row_mm, column_mm), strict=True)]
    assert same or list(resampled.shape[1:]) == wanted


@few
@given(st.floats(0.5, 2), st.floats(0.5, 2), st.floats(0.7, 2), st.tuples(*[st.floats(-12, 12)] * 2))
def test_resampling_there_and_back_keeps_what_is_smooth(
    row_mm: float, column_mm: float, spacing_mm: float, centre_mm: tuple[float, float]
) -> None:
    image = blob((row_mm, column_mm), centre_mm)
    resampled, undo = prepare(image, (row_mm, column_mm), Preprocessing(spacing_mm=spacing_mm))
    back = undo(resampled[:, None])[:, 0]
    np.testing.assert_allclose(back, image, atol=0.08)
    there = centre_of_mass_mm(image[0], (row_mm, column_mm))
    assert centre_of_mass_mm(back[0], (row_mm, column_mm)) == pytest.approx(there, abs=0.05)


@pytest.mark.parametrize("step", [3, 5, 9])
def test_fine_stripes_turn_grey_and_not_to_coarse_stripes(step: int) -> None:
    stripes = np.arange(step * 9) % 2
    np.testing.assert_allclose(interpolation(len(stripes), 9, step) @ stripes, 0.5, atol=0.1)


@few
@given(sides, sides, st.integers(1, 33))
def test_padding_and_its_undo(h: int, w: int, multiple: int) -> None:
    images = noise(2, 3, h, w) + 1
    padded = pad(images, multiple)
    assert all(size % multiple == 0 for size in padded.shape[-2:])
    assert all(size - n < multiple for size, n in zip(padded.shape[-2:], (h, w), strict=True))
    assert padded.sum(dtype=np.float64) == images.sum(dtype=np.float64)
    _, undo = prepare(images[:, 0], None, Preprocessing(multiple=multiple))
    np.testing.assert_array_equal(undo(padded), images)


@few
@given(sides, sides, st.integers(1, 60), kinds)
def test_centring_cuts_or_pads_about_the_middle(h: int, w: int, size: int, kind: str) -> None:
    images = noise(2, h, w, kind=kind)
    centred = center(images, size)
    assert centred.shape == (2, size, size)
    assert centred.dtype == images.dtype
    for axis, n in ((1, h), (2, w)):  # the middle stays the middle, to half a pixel
        positions = center(np.broadcast_to(np.arange(1, n + 1).reshape((n, 1) if axis == 1 else n), (1, h, w)), size)
        kept = positions.max((0, 3 - axis))
        middle = (np.flatnonzero(kept).mean() - (size - 1) / 2) - (kept[kept > 0].mean() - (n + 1) / 2)
        assert abs(middle) <= 0.5


@few
@given(st.integers(1, 40), st.integers(0, 30))
def test_centring_is_undone_by_centring(n: int, more: int) -> None:
    images = noise(2, n, n)
    np.testing.assert_array_equal(center(center(images, n + more), n), images)
    assert center(images, n + more).sum(dtype=np.float64) == images.sum(dtype=np.float64)


@few
@given(
    st.tuples(sides, sides),
    st.tuples(spacings_mm, spacings_mm),
    st.builds(Preprocessing, methods, st.none() | spacings_mm, st.integers(1, 33)),
)
def test_prepared_slices_fit_the_network_and_the_undo_fits_the_scanner(
    size: tuple[int, int], pixel_mm: tuple[float, float], settings: Preprocessing
) -> None:
    slices = noise(2, *size, kind="i2")
    images, undo = prepare(slices, pixel_mm, settings)
    assert images.dtype == np.float32
    assert len(images) == 2
    assert all(n % settings.multiple == 0 for n in images.shape[1:])
    assert images.min() >= 0
    assert images.max() <= 1 + 1e-6
    logits = np.stack([images, 1 - images, images], 1)
    assert undo(logits).shape == (2, 3, *size)
    np.testing.assert_allclose(undo(np.ones_like(logits)), 1, atol=1e-5)


@few
@given(st.integers(30, 70), st.integers(30, 70), st.floats(0.7, 2), st.floats(0.7, 2), st.none() | st.floats(0.7, 1.5))
def test_a_disc_comes_back_to_its_place(h: int, w: int, row_mm: float, column_mm: float, spacing_mm: float) -> None:
    rows, columns = np.ogrid[:h, :w]
    disc = ((rows - h * 0.4) * row_mm) ** 2 + ((columns - w * 0.6) * column_mm) ** 2 < 9**2
    images, undo = prepare(disc[None], (row_mm, column_mm), Preprocessing(spacing_mm=spacing_mm))
    back = undo(images[:, None])[0, 0] > 0.5
    assert 2 * (back & disc).sum() / (back.sum() + disc.sum()) > 0.9


def test_unknown_pixels_are_taken_as_they_are() -> None:
    slices = noise(1, 32, 48)
    images, undo = prepare(slices, None, Preprocessing(spacing_mm=1.5))
    np.testing.assert_array_equal(images, scale_intensity(slices))
    np.testing.assert_array_equal(undo(images), images)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"intensity": "zscore"}, {"unknown": 1}, {"multiple": 1.5}, {"multiple": None}, {"multiple": 0}),
        *({"spacing_mm": value} for value in ("wide", 0, -1, np.nan, np.inf)),
    ],
)
def test_a_card_that_asks_for_something_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Preprocessing).validate_python(wrong)


def test_settings_come_back_from_a_card() -> None:
    settings = Preprocessing("percentile", 1.25, 32)
    cards = TypeAdapter(Preprocessing)
    assert cards.validate_json(cards.dump_json(settings)) == settings
