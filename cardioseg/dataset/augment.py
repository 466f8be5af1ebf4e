"""Augmentation: what may vary between two looks at the same slice, and one draw of it from an explicit generator."""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]


class Angles(BaseModel):
    """Rotations start:stop in steps, in degrees: the paper's [-60:2:60]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: FiniteFloat = 0
    stop: FiniteFloat = 0
    step: Annotated[FiniteFloat, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _require_an_angle(self) -> Self:
        if self.stop < self.start:
            raise ValueError(f"stop {self.stop:g} is below start {self.start:g}")
        return self

    @property
    def degrees(self) -> tuple[float, ...]:
        """The grid of angles, both ends included."""
        return tuple(self.start + i * self.step for i in range(int((self.stop - self.start) / self.step + 1e-9) + 1))


class Augmentation(BaseModel):
    """How training images are varied.

    Attributes:
        angles: the grid of rotations; an epoch is every image at every angle, in random order.
        grid_fraction: the part of that epoch which is run, drawn at random.
        scale: zoom by a factor drawn log-uniformly from [1 / (1 + scale), 1 + scale].
        shift: move by up to this fraction of the image's size in each direction.
        flip: mirror half of the images.
        contrast: raise intensities to a power drawn log-uniformly from [1 / (1 + contrast), 1 + contrast].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    angles: Angles = Angles()
    grid_fraction: Annotated[float, Field(gt=0, le=1)] = 1
    scale: Fraction = 0
    shift: Fraction = 0
    flip: bool = False
    contrast: Fraction = 0


@dataclass(frozen=True)
class Variation:
    """One draw.

    Attributes:
        matrix: [2, 3] affine map from output to input coordinates, both in [-1, 1].
        power: exponent of the intensities.
    """

    matrix: NDArray[np.float64]
    power: float


def draw(augmentation: Augmentation, angle_deg: float, rng: np.random.Generator) -> Variation:
    """Draw everything but the angle, which the epoch's grid gives."""
    zoom = _around_one(augmentation.scale, rng)
    mirror = -1.0 if augmentation.flip and rng.random() < 0.5 else 1.0
    shift = 2 * augmentation.shift * rng.uniform(-1, 1, 2)  # coordinates run over 2
    power = _around_one(augmentation.contrast, rng)
    angle = np.deg2rad(angle_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Variation(np.column_stack([rotation @ np.diag([mirror, 1.0]) / zoom, shift]), power)


def _around_one(spread: float, rng: np.random.Generator) -> float:
    return float((1 + spread) ** rng.uniform(-1, 1))
