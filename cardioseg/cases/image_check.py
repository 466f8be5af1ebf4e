"""Image check: whether a cine holds an image, with pixels that a scanner can have."""

from cardioseg.errors import UnusableError
from cardioseg.image.volume import Cine

_PIXEL_MM = (0.1, 10.0)  # in-plane; as the DICOM reader accepts
_OBLONG = 3.0  # no pixel is this many times as long as it is wide
_ORDER = "are its axes, or their spacings, in another order?"


def require_image(cine: Cine) -> None:
    """Make sure that a cine can be segmented.

    Raises:
        UnusableError: there is no image in it, or its pixels cannot be a scanner's.
    """
    if cine.voxels.min() == cine.voxels.max():
        raise UnusableError("every pixel has the same value: there is no image in it")
    pixel_mm = cine.grid.pixel_mm
    shown = " x ".join(f"{mm:.3g}" for mm in pixel_mm)
    if not all(_PIXEL_MM[0] <= mm <= _PIXEL_MM[1] for mm in pixel_mm):
        raise UnusableError(
            f"its pixels are {shown} mm; pixels of a heart scan are 0.1 to 10 mm", "is another unit used?"
        )
    if max(pixel_mm) > _OBLONG * min(pixel_mm):
        raise UnusableError(f"its pixels are {shown} mm; pixels of a scanner are nearly square", _ORDER)
