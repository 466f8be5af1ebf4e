"""Contours: a drawn outline becomes a mask. A pixel is inside when its centre is."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.files import require_size_below

_FILE_LIMIT_BYTES = 1024**2  # a drawn outline has some hundred points

# Outlines drawn on half pixels run exactly through pixel centres, and scikit-image counts those as inside: +2.0 % area
# on Sunnybrook's contours. If an outline is moved by a millionth of a pixel, each such centre is on one definite side,
# the same for both neighbours of a shared edge, and the bias vanishes. The direction is not that of a drawn edge.
_TIE_BREAK = np.array([1.0, 0.9142]) * 1e-6

_OUTLINES_LIMIT = 100  # of one structure on one image
_ROUNDING = 0.1  # of the smaller of two outlines: by so much they may overlap where they only touch


def polygon_mask(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill a polygon by the pixel-centre rule.

    Args:
        points: (n, 2) vertices (row, column), 0-based: (0, 0) is the centre of the first pixel. The last is joined to
            the first; parts outside the image are cut off.
        shape: (rows, columns).
    """
    from skimage.draw import polygon2mask  # noqa: PLC0415 - slow to import, and `predict` has no contours

    return np.asarray(polygon2mask(shape, points - _TIE_BREAK), np.bool_)


def filled(outlines: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill several outlines of one structure by the even-odd rule: an outline within another one is a hole.

    An outline that is there twice counts once.

    Args:
        outlines: (n, 2) vertices of each, as for `polygon_mask`.
        shape: (rows, columns).

    Raises:
        UnusableError: two outlines cross, so that it is unknown whether their common area is a hole; nothing lies in
            the image; or there are too many outlines.
    """
    if len(outlines) > _OUTLINES_LIMIT:
        raise UnusableError(f"more than {_OUTLINES_LIMIT} contours on one image")
    masks = list({mask.tobytes(): mask for mask in (polygon_mask(points, shape) for points in outlines)}.values())
    for first, second in combinations(masks, 2):
        common, smaller = np.count_nonzero(first & second), min(np.count_nonzero(first), np.count_nonzero(second))
        if _ROUNDING * smaller < common < (1 - _ROUNDING) * smaller:
            raise UnusableError("two of its contours on one image cross each other")
    mask = np.asarray(np.logical_xor.reduce(masks), np.bool_)
    if not mask.any():
        raise UnusableError("no centre of a pixel lies inside")
    return mask


def read_sunnybrook_contour(path: Path) -> NDArray[np.float64]:
    """Read one `x y` pair per line, 1-based, as (n, 2) points (row, column), 0-based.

    Raises:
        UnusableError: unreadable, or not at least three pairs of finite numbers.
    """
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        pairs = [[float(number) for number in line.split()] for line in path.read_text("ascii").splitlines() if line]
        points = np.array(pairs, np.float64)
    except (OSError, ValueError):
        raise UnusableError(f"{path}: not a contour file") from None
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3 or not np.isfinite(points).all():
        raise UnusableError(f"{path}: not at least three pairs of finite numbers")
    return points[:, ::-1] - 1
