"""Augmentation: the random variations of a training slice, drawn from an explicit generator."""

from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
_POINTS = 4  # control points of the bending in each direction


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
        """The grid of angles, including both ends."""
        return tuple(self.start + i * self.step for i in range(int((self.stop - self.start) / self.step + 1e-9) + 1))


class Augmentation(BaseModel):
    """How training images are varied.

    Attributes:
        angles: rotations in degrees: from start to stop in steps. In an epoch, every image is rotated by every angle,
            in random order.
        grid_fraction: fraction of this epoch that is run, chosen at random.
        scale: zoom by a random factor from 1 / (1 + scale) to 1 + scale (log-uniform).
        shift: move the image by up to this fraction of its size in each direction.
        flip: mirror half of the images.
        contrast: raise intensities to a random power from 1 / (1 + contrast) to 1 + contrast (log-uniform).
        shading: brighten the image from one side to the other by up to this fraction, as a receiver coil does.
        noise: add normal noise with a standard deviation of up to this fraction of the intensity range.
        bend: deform the image smoothly: each of 4 x 4 points moves by up to this fraction of the image's size in each
            direction.
        sharpness: blur or sharpen the image with a Gaussian filter; its standard deviation is up to this many pixels.
        ghosting: add a copy of the image with up to this fraction of its intensity, shifted along one axis by a half to
            a sixth of the image's size, as breathing does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    angles: Angles = Angles()
    grid_fraction: Annotated[float, Field(gt=0, le=1)] = 1
    scale: Fraction = 0
    shift: Fraction = 0
    flip: bool = False
    contrast: Fraction = 0
    shading: Fraction = 0
    noise: Fraction = 0
    bend: Fraction = 0
    sharpness: Annotated[float, Field(ge=0, le=4)] = 0
    ghosting: Fraction = 0


@dataclass(frozen=True)
class Variation:
    """One random variation.

    Attributes:
        matrix: [2, 3] affine map from output to input coordinates, both in [-1, 1].
        power: exponent of the intensities.
        slope: (column, row) change of brightness from the middle to the border.
        noise: standard deviation of the noise.
        noise_seed: seed of the noise.
        bend: [2, 4, 4] displacements (column, row) of points of the output, before `matrix`.
        sharpness: standard deviation in pixels of the filter that sharpens the image; below 0, of one that blurs it.
        ghost: intensity of the added copy.
        ghost_shift: (column, row) shift of the copy, as a fraction of the image's size.
    """

    matrix: NDArray[np.float64]
    power: float
    slope: tuple[float, float]
    noise: float
    noise_seed: int
    bend: NDArray[np.float64]
    sharpness: float
    ghost: float
    ghost_shift: tuple[float, float]

    def zoomed(self, fraction: float, middle: NDArray[np.floating]) -> "Variation":
        """The variation for a window of this fraction of the image about `middle` (column, row), in [-1, 1]."""
        linear, shift = self.matrix[:, :2], self.matrix[:, 2]
        return replace(self, matrix=np.column_stack([fraction * linear, middle + fraction * shift]))


def draw(augmentation: Augmentation, angle_deg: float, rng: np.random.Generator) -> Variation:
    """Draw a variation with the given angle, which comes from the epoch's grid."""
    zoom = _around_one(augmentation.scale, rng)
    mirror = -1.0 if augmentation.flip and rng.random() < 0.5 else 1.0
    shift = 2 * augmentation.shift * rng.uniform(-1, 1, 2)  # coordinates run over 2
    power = _around_one(augmentation.contrast, rng)
    angle = np.deg2rad(angle_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slope = augmentation.shading * rng.uniform(-1, 1, 2)
    noise, seed = augmentation.noise * rng.random(), int(rng.integers(2**32))
    matrix = np.column_stack([rotation @ np.diag([mirror, 1.0]) / zoom, shift])
    bend = 2 * augmentation.bend * rng.uniform(-1, 1, (2, _POINTS, _POINTS))
    sharpness = augmentation.sharpness * rng.uniform(-1, 1)
    ghost, shift_of_ghost, along_columns = (
        augmentation.ghosting * rng.random(),
        1 / rng.integers(2, 7),
        rng.random() < 0.5,
    )
    ghost_shift = (shift_of_ghost, 0.0) if along_columns else (0.0, shift_of_ghost)
    return Variation(matrix, power, (slope[0], slope[1]), noise, seed, bend, sharpness, ghost, ghost_shift)


def _around_one(spread: float, rng: np.random.Generator) -> float:
    return float((1 + spread) ** rng.uniform(-1, 1))
