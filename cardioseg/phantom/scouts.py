"""Scouts: three orthogonal overviews of the chest, as acquired before a short axis. Readers must ignore them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.volume import Grid
from cardioseg.phantom.phantom_settings import Phantom

_LEFT, _BACK, _UP = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_DOWN, _FRONT = (0.0, 0.0, -1.0), (0.0, -1.0, 0.0)
_PLANES = ((_UP, _BACK, _LEFT), (_FRONT, _DOWN, _LEFT), (_LEFT, _DOWN, _BACK))  # axial, coronal, sagittal
_SIDE, _STEP_MM = 128, 3.2
_BODY_MM, _LUNG_MM, _HEART_MM = (165.0, 105.0, 400.0), (125.0, 75.0, 120.0), (55.0, 45.0, 50.0)  # half axes, LPS


def scouts(phantom: Phantom) -> Iterator[tuple[Grid, NDArray[np.int16]]]:
    """Yield the grid (one slice) and the pixels (row, column) of each scout."""
    rng = np.random.default_rng([phantom.seed, 6])
    grid = phantom.grid
    middle = grid.position_mm((np.asarray(grid.shape) - 1) / 2)
    for directions in _PLANES:
        plane = _around(middle, directions)
        rows, columns = np.indices((_SIDE, _SIDE))
        points = plane.position_mm(np.stack([np.zeros_like(rows), rows, columns], axis=-1))
        yield plane, _anatomy(points, middle, rng)


def _around(middle: NDArray[np.float64], directions: tuple[tuple[float, float, float], ...]) -> Grid:
    half = (_SIDE - 1) / 2 * _STEP_MM
    x, y, z = (middle - half * (np.asarray(directions[1]) + np.asarray(directions[2]))).tolist()
    return Grid((1, _SIDE, _SIDE), (8.0, _STEP_MM, _STEP_MM), (x, y, z), directions)


def _anatomy(points: NDArray[np.float64], heart: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int16]:
    """Body, lungs and heart as ellipsoids, with noise; values near those of the cine."""
    image = np.full(points.shape[:-1], 5.0)
    for value, center, axes in ((190.0, (0, 0, 0), _BODY_MM), (15.0, (0, 0, 20), _LUNG_MM), (240.0, heart, _HEART_MM)):
        image[(((points - center) / axes) ** 2).sum(axis=-1) < 1] = value
    return np.rint(np.abs(image + 8 * rng.standard_normal(image.shape))).astype(np.int16)
