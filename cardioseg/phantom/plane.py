"""Plane: the positions of a slice's pixels in millimetres, and the fraction of a pixel that a shape covers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardioseg.phantom.phantom_settings import Phantom

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Plane:
    """Pixel centres of a window of a slice, in mm right of and below the image's middle; arrays (row, column).

    Attributes:
        right_mm: (1, column).
        down_mm: (row, 1).
        pixel_mm: side of a square pixel of the same area.
    """

    right_mm: Pixels
    down_mm: Pixels
    pixel_mm: float

    def polar(self, center_mm: tuple[float, float]) -> tuple[Pixels, Pixels]:
        """Distance in mm and angle (0 is right, pi / 2 down) of each pixel around `center_mm`."""
        right, down = self.right_mm - np.float32(center_mm[0]), self.down_mm - np.float32(center_mm[1])
        return np.hypot(right, down), np.arctan2(down, right)

    def around(self, center_mm: tuple[float, float], reach_mm: float) -> tuple[slice, slice]:
        """The rows and columns of a square window around `center_mm`; empty if it lies outside the image."""
        right, down = self.right_mm[0] - center_mm[0], self.down_mm[:, 0] - center_mm[1]
        rows, columns = (np.flatnonzero(np.abs(axis) <= reach_mm) for axis in (down, right))
        return _span(rows), _span(columns)

    def window(self, window: tuple[slice, slice]) -> "Plane":
        """The part of the plane that `image[window]` shows."""
        rows, columns = window
        return Plane(self.right_mm[:, columns], self.down_mm[rows], self.pixel_mm)


def plane(phantom: Phantom) -> Plane:
    """The whole image."""
    (dy, dx), rows, columns = phantom.spacing_mm[1:], phantom.rows, phantom.columns
    right = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * dx
    down = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2) * dy
    return Plane(right[None].astype(np.float32), down[:, None].astype(np.float32), float(np.sqrt(dx * dy)))


def cover(inside_mm: NDArray[np.floating], pixel_mm: float) -> Pixels:
    """Fraction of each pixel covered by a shape whose border is `inside_mm` outward of the pixel's centre."""
    return np.asarray(np.clip(0.5 + inside_mm / pixel_mm, 0, 1), np.float32)


def paint(image: Pixels, share: Pixels, signal: Pixels | float) -> None:
    """Blend `signal` into `image`, in place."""
    image += share * (signal - image)


def texture(rng: np.random.Generator, phantom: Phantom, scale_mm: float, across: float = 0.7) -> Pixels:
    """A smooth random field of zero mean and unit variance, (slice, row, column).

    Args:
        rng: source of the noise, which is white on a coarse grid and then smoothed by a Gaussian.
        phantom: the size of the image.
        scale_mm: size of the grains in the plane.
        across: size of the grains across slices, in slices.
    """
    _, dy, dx = phantom.spacing_mm
    down, along = (_weights(n * step / scale_mm, n) for n, step in ((phantom.rows, dy), (phantom.columns, dx)))
    noise = rng.standard_normal((phantom.slices, down.shape[1], along.shape[1]), np.float32)
    fine = down @ ndimage.gaussian_filter1d(noise, across, axis=0) @ along.T
    return np.asarray((fine - fine.mean()) / fine.std(), np.float32)


def _weights(grains: float, pixels: int) -> Pixels:
    """Gaussian weights (pixel, grain) of grains at unit distance."""
    places = np.linspace(0, grains, pixels)[:, None]
    return np.asarray(np.exp(-((places - np.arange(-1, np.ceil(grains) + 2)) ** 2)), np.float32)


def _span(indices: NDArray[np.intp]) -> slice:
    return slice(int(indices[0]), int(indices[-1]) + 1) if indices.size else slice(0, 0)
