"""Memory: whether this process can get any, where a limit is set (`ulimit -v`, a batch system's), and keeps it."""

import ctypes
import mmap
from contextlib import suppress

_LIBRARY_BYTES = 2**29  # to load the largest
_BUFFER_BYTES = 2**26  # of BLAS, and some for what comes with it
_BLAS_SIZE = 128  # smaller products do without a buffer
_KEPT_BYTES, _MAPPED_BYTES = 2**29, 2**25  # glibc takes no more for the second
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def is_short(size: int = _LIBRARY_BYTES) -> bool:
    """Whether so many more bytes would be refused: then libraries fail each in a way of its own."""
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return True
    return False


def reserve_for_products() -> None:
    """Let BLAS take its buffer while there is memory: where NumPy's finds none later, it ends the process.

    Raises:
        MemoryError: there is none now.
    """
    import numpy as np  # noqa: PLC0415 - whoever asks for help does not wait for it

    if is_short(_BUFFER_BYTES):
        raise MemoryError
    square = np.ones((_BLAS_SIZE, _BLAS_SIZE), np.float32)
    np.matmul(square, square)


def keep_freed() -> None:
    """Let the C library keep what is freed, up to 512 MB, for what is asked for next.

    glibc gives large blocks back to the system at once, and the system clears them before it hands them out again: at
    every feature map of every training step. Other C libraries are left as they are.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
