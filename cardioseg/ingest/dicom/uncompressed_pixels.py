"""Uncompressed pixels: they are read directly from their place in the file, without parsing the file again."""

from dataclasses import dataclass
from io import BufferedReader
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.archive.member_paths import MemberFile
from cardioseg.errors import UnusableError

BIT = "bit"


@dataclass(frozen=True)
class PlainPixels:
    """The location of a file's uncompressed pixels.

    Attributes:
        offset_bytes: offset of the first pixel of the first frame.
        kind: NumPy's name of a stored number's type, with its byte order; `BIT` if eight pixels share a byte.
        bits: number of bits used in a stored number.
        is_inverted: whether smaller is brighter (MONOCHROME1).
    """

    offset_bytes: int
    kind: str
    bits: int
    is_inverted: bool

    def read(self, file: BufferedReader | MemberFile, shape: tuple[int, int], frame: int) -> NDArray[Any]:
        """The stored numbers (row, column) of one frame.

        The unused high bits of a cell may contain anything: an old overlay, or not the sign (PS3.5 8.1.1). Two shifts
        clear them, or fill them with the sign.

        Raises:
            UnusableError: the file ends too early.
        """
        if self.kind == BIT:
            return self._read_bits(file, shape, frame * prod(shape))
        pixels = np.empty(shape, self.kind)
        file.seek(self.offset_bytes + frame * prod(shape) * pixels.itemsize)
        if file.readinto(pixels.data) != pixels.nbytes:
            raise UnusableError("its pixel data is truncated")
        if unused_bits := 8 * pixels.itemsize - self.bits:
            pixels <<= unused_bits
            pixels >>= unused_bits
        return pixels

    def _read_bits(self, file: BufferedReader | MemberFile, shape: tuple[int, int], start: int) -> NDArray[Any]:
        """Pixels from the bit `start` on. Frames may begin and end within a byte, lowest bit first (PS3.5 8.1.1)."""
        first, skipped = divmod(start, 8)
        file.seek(self.offset_bytes + first)
        packed = np.frombuffer(file.read((skipped + prod(shape) + 7) // 8), np.uint8)
        pixels = np.unpackbits(packed, bitorder="little")[skipped : skipped + prod(shape)]
        if pixels.size != prod(shape):
            raise UnusableError("its pixel data is truncated")
        return pixels.reshape(shape)
