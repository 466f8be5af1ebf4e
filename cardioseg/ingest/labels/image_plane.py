"""Image plane: where points in millimetres lie on an image."""

import numpy as np
from numpy.typing import NDArray

from cardioseg.ingest.dicom.slice_header import SliceHeader


def on_image(header: SliceHeader, points_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Project points into the plane of an image (PS3.3 C.7.6.2.1.1, inverted).

    With the position p of the first pixel's centre, the unit vectors r along increasing column index and d along
    increasing row index, and the spacings, a point x lies at

        row = (x - p) . d / row spacing,  column = (x - p) . r / column spacing,  distance = (x - p) . (r x d)

    Args:
        header: the image.
        points_mm: (n, 3), LPS.

    Returns:
        (n, 2) row and column, fractional, 0 at the centre of the first pixel; and the largest distance from the plane
        in mm.
    """
    across, down = np.asarray(header.orientation[:3]), np.asarray(header.orientation[3:])
    offsets = points_mm - np.asarray(header.position_mm)
    indices = np.column_stack([offsets @ down / header.pixel_mm[0], offsets @ across / header.pixel_mm[1]])
    return indices, float(np.abs(offsets @ np.cross(across, down)).max(initial=0))
