"""Padding: pixels outside the picture that hold a value of their own, which is no intensity (PS3.3 C.7.5.1.1.2)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.ingest.dicom.numerals import number

PADDING_TAGS = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_BITS, _SIGN = ("BitsStored", "PixelRepresentation")
_CELL_BITS, _MOST_BITS = 16, 32


def padding_range(look_up: Callable[[str], Any]) -> tuple[int, int] | None:
    """The lowest and the highest stored number that stand for padding; None if the file declares none.

    A writer may declare the wrong sign, and pixels are cut to their used bits: so are these numbers.

    Args:
        look_up: keyword -> value, or None if it is absent.
    """
    first, last = (_integer(look_up(keyword)) for keyword in PADDING_TAGS)
    bits, is_signed = int(number(look_up(_BITS)) or _CELL_BITS), number(look_up(_SIGN)) == 1
    if first is None or not 0 < bits <= _MOST_BITS:
        return None
    ends = [_as_stored(end, bits, is_signed=is_signed) for end in (first, first if last is None else last)]
    return min(ends), max(ends)


def without_padding(intensities: NDArray[Any], stored: NDArray[Any], padding: tuple[int, int] | None) -> NDArray[Any]:
    """The intensities of an image, in which padding has become the smallest real one; 0 if all is padding.

    Args:
        intensities: (row, column); they may be `stored` itself, which stays as it is.
        stored: the numbers in the file (row, column).
        padding: see `padding_range`.
    """
    if padding is None:
        return intensities
    is_padding = (stored >= padding[0]) & (stored <= padding[1])
    if not is_padding.any():
        return intensities
    smallest = 0 if is_padding.all() else intensities[~is_padding].min()
    return np.where(is_padding, intensities.dtype.type(smallest), intensities)


def _integer(value: Any) -> int | None:  # noqa: ANN401 - whatever a tag holds
    if isinstance(value, bytes):  # of a file that does not name the representation of its values
        return int.from_bytes(value[:2], "little") if value else None
    stated = number(value)
    return None if stated is None else int(stated)


def _as_stored(value: int, bits: int, *, is_signed: bool) -> int:
    value %= 2**bits
    return value - 2**bits if is_signed and value >= 2 ** (bits - 1) else value
