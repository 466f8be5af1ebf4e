"""Pixel contours: the border of a region along the edges of its pixels, so that both have exactly the same area.

A part with holes is one contour: a channel without width joins the contour of each hole to the contour around it
(the "keyhole technique" of DICOM PS3.3 C.8.8.6.3). Pixels that share only a corner have contours of their own.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cardioseg.report.outlines import Points

_RIGHT, _DOWN, _LEFT, _UP = range(4)
_STEPS = {_RIGHT: (0, 1), _DOWN: (1, 0), _LEFT: (0, -1), _UP: (-1, 0)}  # (row, column)
_OUTSIDE = {_RIGHT: (-1, 0), _DOWN: (0, 1), _LEFT: (1, 0), _UP: (0, -1)}  # from a pixel to the other side of its edge
_FIRST = {_RIGHT: (0, 0), _DOWN: (0, 1), _LEFT: (1, 1), _UP: (1, 0)}  # the corner of a pixel where its edge begins
_TURNS = (1, 0, 3)  # to the right first
Corner = tuple[int, int]  # (row, column), half a pixel above and to the left of the centre of that pixel
Edges = dict[Corner, set[int]]  # corner -> the directions of the edges that begin there


def pixel_contours(region: NDArray[np.bool_]) -> Iterator[Points]:
    """The closed contours of a region, one around each part.

    Args:
        region: the pixels inside (row, column).

    Yields:
        The corners (point, (row, column)) of a contour, without a second copy of the first; row and column 0 are the
        centre of the first pixel.
    """
    padded = np.pad(region, 1)
    edges = _edges(padded)
    contours: list[list[Corner]] = []
    for start in sorted(edges):  # a hole comes after the contour around it, and after the holes above it
        while edges[start]:
            is_hole = min(edges[start]) == _DOWN
            corners = _walk(edges, start)
            if is_hole:
                _join(contours, corners, _above(padded, start))
            else:
                contours.append(corners)
    return (np.array(_turning_points(contour), np.float64) - 1.5 for contour in contours)


def _edges(padded: NDArray[np.bool_]) -> Edges:
    """The edges between a pixel inside and one outside, clockwise around the one inside."""
    edges: Edges = {}
    for direction, outside in _OUTSIDE.items():
        neighbours = np.roll(padded, (-outside[0], -outside[1]), (0, 1))
        for row, column in np.argwhere(padded & ~neighbours).tolist():
            first = _FIRST[direction]
            edges.setdefault((row + first[0], column + first[1]), set()).add(direction)
    return edges


def _walk(edges: Edges, start: Corner) -> list[Corner]:
    """The corners of all pixels along the contour from `start`; its edges are taken out of `edges`."""
    corners, corner, direction = [start], start, min(edges[start])
    while True:
        edges[corner].remove(direction)
        corner = corner[0] + _STEPS[direction][0], corner[1] + _STEPS[direction][1]
        if corner == start:
            return corners
        corners.append(corner)
        direction = next(turned for turn in _TURNS if (turned := (direction + turn) % 4) in edges[corner])


def _above(padded: NDArray[np.bool_], start: Corner) -> Corner:
    """The first corner straight above the uppermost corner of a hole that is not within the region."""
    row, column = start[0] - 1, start[1]
    while padded[row - 1 : row + 1, column - 1 : column + 1].all():
        row -= 1
    return row, column


def _join(contours: list[list[Corner]], hole: list[Corner], place: Corner) -> None:
    """Join the contour of a hole to the contour that goes through `place`."""
    contour = next(contour for contour in contours if place in contour)
    index = contour.index(place)
    contour[index + 1 : index + 1] = [*hole, hole[0], place]


def _turning_points(contour: list[Corner]) -> list[Corner]:
    """The corners where the contour turns, or turns back."""
    before, after = (np.sign(np.subtract(contour, np.roll(contour, shift, axis=0))) for shift in (1, -1))
    return [corner for corner, turns in zip(contour, (before + after).any(axis=1).tolist(), strict=True) if turns]
