"""Strain: how the contours and the thickness of the LV's wall change over the beat, from masks.

It is called geometric, because no piece of tissue is tracked: contours are compared as a whole. Circumferential strain
is the change of a contour's length, radial strain the change of the wall's thickness, both in percent of
end-diastole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioseg.measure.wall import ANGLES, Wall, smoothed

StrainCurve = tuple[float | None, ...]  # percent at each phase; None where it is unknown


@dataclass(frozen=True)
class GeometricStrain:
    """Global strain of the LV at each phase.

    Attributes:
        endo: circumferential, of the wall's inner contour.
        mid: of its middle contour.
        epi: of its outer contour.
        radial: of its thickness.
    """

    endo: StrainCurve
    mid: StrainCurve
    epi: StrainCurve
    radial: StrainCurve


def geometric_strain(wall: Wall, ed_phase: int) -> GeometricStrain:
    """The strain curves of a wall.

    The slices that have a wall at every phase are added up. Phases at which no slice has a wall do not count. A slice
    that is left at some phases, as at the base in systole, is left out at all: otherwise the curve would jump there.

    Args:
        wall: the wall.
        ed_phase: 0-based phase of end-diastole.
    """
    middle = (wall.inner_mm + wall.outer_mm) / 2
    endo, mid, epi = (_strain(_lengths_mm(radii), wall, ed_phase) for radii in (wall.inner_mm, middle, wall.outer_mm))
    thickness = np.where(wall.is_present, _mean(wall.thickness_mm), np.nan)
    return GeometricStrain(endo, mid, epi, _strain(thickness, wall, ed_phase))


def peak(curve: StrainCurve, *, is_shortening: bool) -> float | None:
    """The largest shortening (a negative number) or lengthening of a curve, in percent; None without any value."""
    known = [value for value in curve if value is not None]
    return (min(known) if is_shortening else max(known)) if known else None


def _lengths_mm(radii_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The length (phase, slice) of contours given by their distance (phase, slice, ray) from the centre."""
    smooth = smoothed(radii_mm)
    slope = (np.roll(smooth, -1, axis=-1) - np.roll(smooth, 1, axis=-1)) / (2 * ANGLES[1])
    return _mean(np.hypot(smooth, slope)) * 2 * np.pi


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the rays that have a value; NaN without any."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(-1), known.sum(-1)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def _strain(values: NDArray[np.float64], wall: Wall, ed_phase: int) -> StrainCurve:
    is_seen = np.asarray(wall.is_present.any(axis=1))
    has_wall = np.asarray(wall.is_present[is_seen].all(axis=0))
    if not is_seen[ed_phase] or not has_wall.any():
        return (None,) * len(values)
    totals = values[:, has_wall].sum(axis=1)
    percent = 100 * (totals / totals[ed_phase] - 1)
    return tuple(value if seen else None for value, seen in zip(percent.tolist(), is_seen.tolist(), strict=True))
