"""Wall change: a part of the LV's wall that is thicker or thinner, as in hypertrophy or after infarction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TAPER_DEG = 30.0  # over which a change fades out


@dataclass(frozen=True)
class WallChange:
    """A change of the wall's thickness around an angle, in all slices; towards the apex it becomes smaller.

    Attributes:
        angle_deg: its middle, from the middle of the septum; positive towards the anterior wall.
        half_width_deg: from there to where half of it is left.
        ed_mm: what it adds to the wall at end-diastole; negative values thin the wall.
        es_mm: the same at end-systole.
    """

    angle_deg: float
    half_width_deg: float
    ed_mm: float
    es_mm: float


def added_mm(changes: Sequence[WallChange], from_septum: ArrayLike, contraction: float) -> NDArray[np.float64]:
    """What the changes add to the wall.

    Args:
        changes: the changes.
        from_septum: angles in radians from the middle of the septum, of any shape.
        contraction: 0 at end-diastole, 1 at end-systole.
    """
    angles = np.rad2deg(np.asarray(from_septum, np.float64))
    total = np.zeros_like(angles)
    for change in changes:
        away = np.abs((angles - change.angle_deg + 180) % 360 - 180)
        fading = np.clip((away - change.half_width_deg) / _TAPER_DEG + 0.5, 0, 1)
        share = (1 + np.cos(np.pi * fading)) / 2
        total += share * (change.ed_mm + (change.es_mm - change.ed_mm) * contraction)
    return total
