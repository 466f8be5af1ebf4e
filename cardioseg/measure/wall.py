"""Wall: the inner and outer border of the LV's wall along rays from the LV's centre, in every slice and phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import in_plane_box
from cardioseg.image.components import component_numbers
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine, Voxels

RAYS = 120
ANGLES = np.arange(RAYS) * 2 * np.pi / RAYS  # in radians from increasing columns towards increasing rows

Lengths = NDArray[np.float64]  # mm, (phase, slice, ray); NaN where a border is missing

_STEP = 0.8  # pixels between samples of a ray
_LEAST_PIXELS = 0.75  # of the larger side; a thinner wall is none: cavity and surroundings touch
_SMOOTHING = 1.5  # rays; standard deviation of the filter for the direction of the wall


@dataclass(frozen=True)
class Wall:
    """The borders of the LV's wall.

    Attributes:
        inner_mm: distance from the centre to the wall's inner border on each ray.
        outer_mm: distance to its outer border.
        centers: (phase, slice, 2): row and column of the centre of the LV's cavity; NaN without a cavity.
    """

    inner_mm: Lengths
    outer_mm: Lengths
    centers: NDArray[np.float64]

    @cached_property
    def thickness_mm(self) -> Lengths:
        """Thickness of the wall along the normal of its midline, on each ray.

        That is the length of the wall on the ray times the cosine of the angle between the ray and the normal.
        """
        middle = (self.inner_mm + self.outer_mm) / 2
        smooth = smoothed(middle)
        slope = (np.roll(smooth, -1, axis=-1) - np.roll(smooth, 1, axis=-1)) / (2 * ANGLES[1])
        return np.asarray((self.outer_mm - self.inner_mm) / np.hypot(1, slope / smooth))

    @property
    def is_present(self) -> NDArray[np.bool_]:
        """(phase, slice): whether the slice has a wall around a cavity on most rays."""
        return np.asarray(np.isfinite(self.outer_mm).mean(-1) > 0.5)


def wall_of(mask: Cine) -> Wall:
    """Find the wall's borders in a mask.

    Args:
        mask: `Label` values (phase, slice, row, column); the LV's cavity and its myocardium are looked at. Specks that
            are not connected to them are left out.
    """
    phases, slices = mask.voxels.shape[:2]
    inner, outer = np.full((2, phases, slices, RAYS), np.nan)
    centers = np.full((phases, slices, 2), np.nan)
    ventricle = np.where(mask.voxels == Label.RV_CAVITY, np.uint8(0), mask.voxels)
    rows, columns = in_plane_box(ventricle)
    corner = np.array([rows.start - 2, columns.start - 2])
    inside = np.pad(ventricle[:, :, rows, columns], ((0, 0), (0, 0), (2, 2), (2, 2)))
    for phase, index in np.argwhere((inside == Label.LV_CAVITY).any((2, 3))).tolist():
        plane = _largest_pieces(inside[phase, index])
        center = np.argwhere(plane == Label.LV_CAVITY).mean(0)
        inner[phase, index], outer[phase, index] = _borders_mm(plane, center, mask.grid.pixel_mm)
        centers[phase, index] = center + corner
    return Wall(inner, outer, centers)


def _largest_pieces(plane: Voxels) -> Voxels:
    """The piece of a slice that holds most of the LV's cavity, and the one that holds most of its wall.

    Both are one piece, unless background separates the wall from the cavity. On the ray of a
    speck elsewhere, the wall would seem to reach as far as the speck. As in the flags, pixels that touch at a corner
    hang together.
    """
    numbers = component_numbers(plane != Label.BACKGROUND, corners=True)
    kept = [
        np.bincount(numbers[plane == label], minlength=1).argmax() for label in (Label.LV_CAVITY, Label.LV_MYOCARDIUM)
    ]
    return np.where(np.isin(numbers, kept), plane, np.uint8(Label.BACKGROUND))


def samples(
    plane: Voxels, center: Sequence[float] | NDArray[np.float64], pixel_mm: tuple[float, float], radii_mm: Lengths
) -> NDArray[np.float64]:
    """Values (ray, radius) of a slice at distances `radii_mm` (radius) or (ray, radius) from a centre, linearly."""
    from scipy.ndimage import map_coordinates  # noqa: PLC0415 - slow to import

    down = center[0] + np.sin(ANGLES)[:, None] * radii_mm / pixel_mm[0]
    right = center[1] + np.cos(ANGLES)[:, None] * radii_mm / pixel_mm[1]
    return np.asarray(map_coordinates(plane, (down, right), np.float32, order=1), np.float64)


def _borders_mm(plane: Voxels, center: NDArray[np.float64], pixel_mm: tuple[float, float]) -> tuple[Lengths, Lengths]:
    """The outermost places on each ray at which the cavity and the wall end."""
    step_mm = _STEP * min(pixel_mm)
    layers = (plane == Label.LV_CAVITY).astype(np.float32) * 2 + (plane == Label.LV_MYOCARDIUM)
    reach_mm = float(np.hypot(*(np.maximum(center, np.array(plane.shape) - center) * pixel_mm)))
    profile = samples(layers, center, pixel_mm, np.arange(0, reach_mm, step_mm))
    inner, outer = (_end(profile, level) * step_mm for level in (1.5, 0.5))
    has_wall = outer - inner >= _LEAST_PIXELS * max(pixel_mm)
    return np.where(np.isfinite(inner), inner, np.nan), np.where(has_wall, outer, np.nan)


def _end(profile: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Per ray, the place in steps at which the profile falls below a level for the last time; NaN if it never does."""
    above = profile >= level
    last = above.shape[1] - 1 - above[:, ::-1].argmax(1)
    rays = np.arange(len(profile))
    before, after = profile[rays, last], profile[rays, np.minimum(last + 1, profile.shape[1] - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        place = last + (before - level) / (before - after)
    return np.where(above.any(1), place, np.nan)


def smoothed(values: Lengths) -> Lengths:
    """A Gaussian mean over neighbouring rays, of those that have a value."""
    reach = round(3 * _SMOOTHING)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * _SMOOTHING**2))
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    shifts = range(-reach, reach + 1)
    total = sum(weight * np.roll(filled, shift, -1) for weight, shift in zip(weights, shifts, strict=True))
    count = sum(weight * np.roll(known, shift, -1) for weight, shift in zip(weights, shifts, strict=True))
    return np.asarray(np.divide(total, count, out=np.full_like(filled, np.nan), where=np.asarray(count) > 0))
