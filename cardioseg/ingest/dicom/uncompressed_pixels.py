"""Plain: pixels that a file keeps as they are are read straight from their place, without parsing the file again."""

import os
from dataclasses import dataclass
from io import BufferedReader
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError

Stamp = tuple[int, int]  # of a file: its size in bytes and its time of change in ns


@dataclass(frozen=True)
class PlainPixels:
    """Where a file keeps its pixels.

    Attributes:
        offset_bytes: of the first pixel of the first frame.
        kind: NumPy's name of a stored number, with its byte order.
        bits: of a number, those that are used.
        is_inverted: whether brighter is less (MONOCHROME1).
        stamp: of the file, when its header was read.
    """

    offset_bytes: int
    kind: str
    bits: int
    is_inverted: bool
    stamp: Stamp

    def read(self, file: BufferedReader, shape: tuple[int, int], frame: int) -> NDArray[Any]:
        """The stored numbers (row, column) of one frame.

        The unused high bits of a cell hold anything: an old overlay, or no copy of the sign (PS3.5 8.1.1). Two shifts
        clear them, or fill them with the sign.

        Raises:
            UnusableError: the file ends before them.
        """
        pixels = np.empty(shape, self.kind)
        file.seek(self.offset_bytes + frame * prod(shape) * pixels.itemsize)
        if file.readinto(pixels.data) != pixels.nbytes:
            raise UnusableError("its pixel data is truncated")
        if unused_bits := 8 * pixels.itemsize - self.bits:
            pixels <<= unused_bits
            pixels >>= unused_bits
        return pixels


def stamp(file: BinaryIO) -> Stamp:
    """What changes when somebody writes into an open file."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns
