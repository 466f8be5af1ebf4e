"""Frame placement: which image of a cine a frame of a segmentation covers, and which of its pixels.

A frame belongs to the image that it names, if it lies in its plane. If it names none, or images of several phases, the
plane tells the slice; the phase must then be known in another way. Its pixels must be pixels of the image: the frame
may be a part of it, or stored in another order of rows and columns, but not resampled.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.labels.drawn_images import DrawnCine, ImageId, Place
from cardioseg.ingest.labels.image_plane import on_image

_PIXELS = 0.1  # how far a pixel may lie from its place on the image
_OF_ONE_PHASE = "make it of the images of one phase; or list a .seg.nrrd with its phase in a table, the layout pairs"
Pixels = NDArray[np.bool_]


def place_of(cine: DrawnCine, plane: SliceHeader, images: Iterable[ImageId]) -> Place:
    """The image of the cine that a frame covers.

    Args:
        cine: the cine.
        plane: of the frame.
        images: on which it may lie; if there are none, on all of the cine.

    Raises:
        UnusableError: none lies there, or several phases do.
    """
    corners, images = _corners_mm(plane), tuple(images)
    try:
        place, _ = cine.locate(corners, images)
    except UnusableError as error:
        raise UnusableError(error.message, _OF_ONE_PHASE if _is_in_plane(cine, corners, images) else "") from None
    distance_mm = on_image(cine.images[place], corners)[1]
    if distance_mm > cine.stack.grid.rounding_mm:
        raise UnusableError(f"it lies between the images, {distance_mm:.1f} mm off the nearest")
    return place


def _is_in_plane(cine: DrawnCine, corners: NDArray[np.float64], images: Sequence[ImageId]) -> bool:
    """Whether a frame lies in the plane of an image."""
    places = cine.places_of(images) if images else cine.images
    return any(on_image(cine.images[place], corners)[1] <= cine.stack.grid.rounding_mm for place in places)


def require_pixels_of(image: SliceHeader, plane: SliceHeader) -> None:
    """Refuse a frame whose pixels are not pixels of its image.

    Raises:
        UnusableError: they are not.
    """
    first, steps = _steps(image, plane)
    whole, size = np.rint(steps), np.array(plane.shape)[:, None] - 1
    is_permuted = (np.abs(whole).sum(axis=0) == 1).all() and (np.abs(whole).sum(axis=1) == 1).all()
    ends = first + np.array([[0, 0], *((steps - whole) * size)])
    if not is_permuted or np.abs(ends - np.rint(first)).max() > _PIXELS:
        raise UnusableError("its pixels are not those of the image: it was resampled, or drawn on another series")


def on_pixels(image: SliceHeader, plane: SliceHeader, drawn: Pixels) -> Pixels:
    """The drawn pixels of a frame, as pixels of its image, of which `require_pixels_of` has judged them.

    Raises:
        UnusableError: some lie beyond the edge of the image.
    """
    first, steps = _steps(image, plane)
    targets = np.rint(first).astype(int) + np.argwhere(drawn) @ np.rint(steps).astype(int)
    if (targets < 0).any() or (targets >= image.shape).any():
        raise UnusableError("it is drawn beyond the edge of its image")
    result = np.zeros(image.shape, np.bool_)
    result[tuple(targets.T)] = True
    return result


def _steps(image: SliceHeader, plane: SliceHeader) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a frame's first pixel lies on its image (row, column), and the steps to the next row and column."""
    first, below, beside = on_image(image, _corners_mm(plane))[0]
    rows, columns = (max(count - 1, 1) for count in plane.shape)
    return first, np.array([(below - first) / rows, (beside - first) / columns])


def _corners_mm(plane: SliceHeader) -> NDArray[np.float64]:
    """Where the first pixel of a frame, the last of its first column and the last of its first row lie: (3, 3), LPS."""
    across, down = np.asarray(plane.orientation[:3]), np.asarray(plane.orientation[3:])
    rows, columns = plane.shape
    offsets = [np.zeros(3), down * plane.pixel_mm[0] * (rows - 1), across * plane.pixel_mm[1] * (columns - 1)]
    return np.asarray(np.asarray(plane.position_mm) + np.array(offsets), np.float64)
