"""Bounded file: an open file that limits what a parser may read to what an honest header of its size needs.

pydicom makes an object of every tag and every sequence item, wanted or not, and trusts stated lengths: a file of empty
items costs a hundred times its size in memory and takes minutes, and a sparse file with a single huge value uses all
memory.
"""

from dataclasses import dataclass
from typing import BinaryIO, cast

from cardioseg.archive.member_paths import stamp_of
from cardioseg.errors import UnusableError

_READS, _BYTES_A_READ = 2**16, 128  # a classic image needs 300, a frame of an enhanced one up to 500
VALUE_BYTES, _FILE_TO_VALUE = 2**20, 16  # an enhanced object describes all frames in one value
PIXELS_BYTES = 4096 * 4096 * 8  # of the largest frame


@dataclass
class Allowance:
    """How often a parser may still read from a file, or from sequences of the file that it has in memory."""

    reads: int


def bounded(file: BinaryIO, value_bytes: int = VALUE_BYTES) -> BinaryIO:
    """`file` for reading; a single value may have up to `value_bytes` or a sixteenth of the file's size."""
    size_bytes = stamp_of(file)[0]
    reads = _READS + size_bytes // _BYTES_A_READ
    return cast("BinaryIO", _BoundedFile(file, max(value_bytes, size_bytes // _FILE_TO_VALUE), Allowance(reads)))


def bounded_by(file: BinaryIO, value_bytes: int, allowance: Allowance) -> BinaryIO:
    """`file` for reading up to `value_bytes` at once, as often as the allowance permits."""
    return cast("BinaryIO", _BoundedFile(file, value_bytes, allowance))


class _BoundedFile:
    def __init__(self, file: BinaryIO, value_bytes: int, allowance: Allowance) -> None:
        self._file = file
        self._value_bytes = value_bytes
        self._allowance = allowance
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes; without `size`, to the end of the file or up to the limit.

        Raises:
            UnusableError: the parser asks for too much.
        """
        self._allowance.reads -= 1
        if self._allowance.reads < 0:
            raise UnusableError("its header does not end")
        if size > self._value_bytes:
            raise UnusableError("a value in its header is too long")
        return self._file.read(size if size >= 0 else self._value_bytes)
