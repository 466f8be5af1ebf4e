"""Preprocessing: turn slices of any scanner into a network's input, and its output back to the scanner's grid.

Uses NumPy only, so that training needs nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import extent
from cardioseg.image.intensity import Intensity, scale_intensity
from cardioseg.image.inverse_resampling import Floats, Undo, apply
from cardioseg.image.window import Window

__all__ = ["Floats", "Preprocessing", "Undo", "prepare", "scale_intensity"]

_SAME = 1.0, 1.0
_SAME_SIZE = 0.01  # relative change of spacing below which resampling would only blur


@dataclass(frozen=True)
class Preprocessing:
    """How slices are prepared for a model; stored in its card.

    Attributes:
        intensity: how intensities are scaled to 0 to 1. `minmax` uses the minimum and maximum of each slice.
            `percentile` uses the 1st and 99th percentile and clips, so that single bright pixels have no effect.
        spacing_mm: in-plane pixel spacing to which slices are resampled. Without it, they keep the pixels of the
            scanner.
        multiple: height and width are padded with zeros to a multiple of this number of pixels.
        window: height and width in pixels of the part of the slice that the network sees. Without it, the network sees
            the whole slice.
        locate_mm: in-plane pixel spacing at which the same network first finds the heart on whole slices. The window is
            centred on the heart. Without it, the window is centred on the slice.
        margin_mm: margin in mm around the heart that a window must show. Each slice then has the smallest window that
            shows this much, up to `window`. Without it, every slice has a window of `window` pixels.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # recipes and cards hold one

    intensity: Intensity = "minmax"
    spacing_mm: float | None = None
    multiple: int = 16
    window: int | None = None
    locate_mm: float | None = None
    margin_mm: float | None = None

    def __post_init__(self) -> None:
        if self.locate_mm is not None and not (self.window and self.spacing_mm):
            raise ValueError("locate_mm needs a window and spacing_mm")
        if self.window is not None and (self.window < self.multiple or self.window % self.multiple):
            raise ValueError(f"window {self.window} is not a multiple of {self.multiple}")
        if self.locate_mm is not None and not 0 < self.locate_mm < np.inf:
            raise ValueError(f"locate_mm {self.locate_mm} is not positive")
        if self.margin_mm is not None and self.locate_mm is None:
            raise ValueError("margin_mm needs locate_mm")
        if self.margin_mm is not None and not 0 <= self.margin_mm < np.inf:
            raise ValueError(f"margin_mm {self.margin_mm} is negative or not finite")
        if self.spacing_mm is not None and not 0 < self.spacing_mm < np.inf:
            raise ValueError(f"spacing_mm {self.spacing_mm} is not positive")
        if self.multiple < 1:
            raise ValueError(f"multiple {self.multiple} is not positive")

    @property
    def whole(self) -> "Preprocessing":
        """The settings without the window: whole slices."""
        return replace(self, window=None, locate_mm=None, margin_mm=None)

    @property
    def coarse(self) -> "Preprocessing":
        """The settings to find the heart: whole slices at `locate_mm`."""
        return replace(self.whole, spacing_mm=self.locate_mm)

    @property
    def largest_window(self) -> int:
        """Height and width in pixels of the largest window; 0 if the network sees whole slices."""
        return self.window or 0

    def pixels(self, shape: Sequence[int], pixel_mm: tuple[float, float] | None) -> int:
        """The approximate number of input pixels for a slice of this shape; with a window, at most."""
        if self.window:
            return self.window**2
        return round(prod(shape) * (prod(pixel_mm) / self.spacing_mm**2 if pixel_mm and self.spacing_mm else 1)) or 1


def prepare(
    slices: NDArray[np.generic],
    pixel_mm: tuple[float, float] | None,
    settings: Preprocessing,
    window: Window | None = None,
) -> tuple[Floats, Undo]:
    """Slices [n, h, w] to float32 images [n, H, W], and the undo from logits [n, c, H, W] to slices of h x w pixels.

    Args:
        slices: intensities of any real type.
        pixel_mm: (row, column) spacing, or None if unknown: then the pixels are not resampled.
        settings: the model's preprocessing.
        window: the window of these slices, for settings with a window; None: the largest one at their middle. Outside
            the window, the undo gives logits of zero, which is background.
    """
    if settings.window:
        return _prepare_window(slices, pixel_mm, settings, window or Window(settings.window))
    images = resample(scale_intensity(slices, settings.intensity), pixel_mm, settings.spacing_mm)
    images = pad(images, settings.multiple)
    h, w = slices.shape[-2:]
    steps = _steps(pixel_mm, settings.spacing_mm)
    rows, columns = (_inverse_matrix(n, *to) for n, *to in zip((h, w), images.shape[-2:], steps, strict=True))
    return images, Undo(rows, columns, (slice(0, h), slice(0, w)), (h, w))


def resample(images: Floats, pixel_mm: tuple[float, float] | None, spacing_mm: float | None) -> Floats:
    """Resample [..., h, w] linearly to square pixels of `spacing_mm`, centred on the same field of view."""
    steps = _steps(pixel_mm, spacing_mm)
    if steps == _SAME:
        return images
    sizes = zip(images.shape[-2:], steps, strict=True)
    rows, columns = (interpolation(n, _resampled_size(n, step), step) for n, step in sizes)
    return apply(rows, columns, images)


def pad(images: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Pad [..., h, w] with zeros at the end to a multiple in height and width."""
    h, w = images.shape[-2:]
    return np.pad(images, [(0, 0)] * (images.ndim - 2) + [(0, -h % multiple), (0, -w % multiple)])


def center(images: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Crop or pad [..., h, w] with zeros about its centre to [..., size, size]."""
    for axis in (-2, -1):
        excess = images.shape[axis] - size
        if excess > 0:
            images = np.take(images, range(excess // 2, excess // 2 + size), axis)
    margins = [(-excess // 2, -excess - -excess // 2) for excess in (n - size for n in images.shape[-2:])]
    return np.pad(images, [(0, 0)] * (images.ndim - 2) + margins)


def interpolation(n: int, m: int, step: float, middle: float | None = None) -> Floats:
    """The matrix [m, n] that samples n pixels at m points `step` pixels apart, centred on `middle` or on the pixels.

    Linear; if it reduces, the kernel is widened to the step (as in Pillow's bilinear filter) to avoid aliasing. Points
    outside the border get the border's value.
    """
    points = (np.arange(m) - (m - 1) / 2) * step + ((n - 1) / 2 if middle is None else middle)
    distance = np.abs(np.clip(points, 0, n - 1)[:, None] - np.arange(n))
    weights = np.clip(1 - distance / max(1.0, step), 0, None)
    normalized: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return normalized


def _steps(pixel_mm: tuple[float, float] | None, spacing_mm: float | None) -> tuple[float, float]:
    """The height and width of a resampled pixel, in pixels."""
    if pixel_mm is None or spacing_mm is None:
        return _SAME
    row, column = (spacing_mm / mm for mm in pixel_mm)
    return _SAME if all(abs(step - 1) < _SAME_SIZE for step in (row, column)) else (row, column)


def _resampled_size(n: int, step: float) -> int:
    return max(1, round(n / step))


@lru_cache(maxsize=8)  # the same for all slices of a case
def _inverse_matrix(n: int, size: int, step: float) -> Floats:
    """The matrix [n, size] from resampled and padded pixels to the original ones."""
    back = interpolation(_resampled_size(n, step), n, 1 / step)
    return np.pad(back, ((0, 0), (0, size - back.shape[1])))


def _prepare_window(
    slices: NDArray[np.generic],
    pixel_mm: tuple[float, float] | None,
    settings: Preprocessing,
    window: Window,
) -> tuple[Floats, Undo]:
    """Resample a window of [n, h, w] to [n, size, size]; zero outside the border, in both directions."""
    spacing_mm = settings.spacing_mm
    steps = [spacing_mm / mm if spacing_mm and pixel_mm else 1.0 for mm in pixel_mm or (1.0, 1.0)]
    h, w = slices.shape[-2:]
    middles = window.middle or ((h - 1) / 2, (w - 1) / 2)
    rows, columns = (_axis(n, window.size, *place) for n, *place in zip((h, w), steps, middles, strict=True))
    undo = Undo(rows.backward, columns.backward, (rows.outputs, columns.outputs), (h, w))
    visible = scale_intensity(slices, settings.intensity, (rows.inputs, columns.inputs))
    return apply(rows.forward, columns.forward, visible), undo


@dataclass(frozen=True)
class _Axis:
    """A window along one axis: the matrices to the window and back, and the pixels that they read and write."""

    forward: Floats
    backward: Floats
    inputs: slice
    outputs: slice


@lru_cache(maxsize=128)  # the same for all phases of a slice, rarely for another case
def _axis(n: int, window: int, step: float, middle: float) -> _Axis:
    forward = _zero_outside(interpolation(n, window, step, middle), n, step, middle)
    place = ((n - 1) / 2 - middle) / step + (window - 1) / 2
    backward = _zero_outside(interpolation(window, n, 1 / step, place), window, 1 / step, place)
    inputs, outputs = extent(np.asarray(forward.any(0))), extent(np.asarray(backward.any(1)))
    return _Axis(forward[:, inputs], backward[outputs], inputs, outputs)


def _zero_outside(matrix: Floats, n: int, step: float, middle: float) -> Floats:
    """An interpolation [m, n] whose rows are zero for points outside the n pixels."""
    points = (np.arange(len(matrix)) - (len(matrix) - 1) / 2) * step + middle
    inside = (points >= -0.5) & (points <= n - 0.5)
    return matrix * np.asarray(inside, np.float32)[:, None]
