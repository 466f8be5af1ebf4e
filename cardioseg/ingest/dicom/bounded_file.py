"""Bounded file: an open file that limits what a parser may read to what an honest header of its size needs.

pydicom makes an object of every tag and every sequence item, wanted or not, and trusts stated lengths: a file of empty
items costs a hundred times its size in memory and takes minutes, and a sparse file with a single huge value uses all
memory.
"""

from typing import BinaryIO, cast

from cardioseg.archive.member_paths import stamp_of
from cardioseg.errors import UnusableError

_READS, _BYTES_A_READ = 2**16, 128  # a classic image needs 300, a frame of an enhanced one up to 500
_VALUE_BYTES, _FILE_TO_VALUE = 2**20, 16  # an enhanced object describes all frames in one value
PIXELS_BYTES = 4096 * 4096 * 8  # of the largest frame


def bounded(file: BinaryIO, value_bytes: int = _VALUE_BYTES) -> BinaryIO:
    """`file` for reading; a single value may have up to `value_bytes` or a sixteenth of the file's size."""
    return cast("BinaryIO", _BoundedFile(file, value_bytes))


class _BoundedFile:
    def __init__(self, file: BinaryIO, value_bytes: int) -> None:
        size_bytes, _ = stamp_of(file)
        self._file = file
        self._value_bytes = max(value_bytes, size_bytes // _FILE_TO_VALUE)
        self._reads_left = _READS + size_bytes // _BYTES_A_READ
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes; without `size`, to the end of the file or up to the limit.

        Raises:
            UnusableError: the parser asks for too much.
        """
        self._reads_left -= 1
        if self._reads_left < 0:
            raise UnusableError("its header does not end")
        if size > self._value_bytes:
            raise UnusableError("a value in its header is too long")
        return self._file.read(size if size >= 0 else self._value_bytes)
