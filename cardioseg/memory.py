"""Memory: whether this process can get any, where a limit is set (`ulimit -v`, a batch system's), and what it keeps."""

import mmap

_LIBRARY_BYTES = 2**29  # to load the largest
_BUFFER_BYTES = 2**26  # of BLAS, and some for what comes with it
_BLAS_SIZE = 128  # smaller products do without a buffer

KEEP_FREED = {"MALLOC_TRIM_THRESHOLD_": str(2**29), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""The environment of a process that keeps what it frees, up to 512 MB, for what it asks for next.

Without it glibc gives large blocks back to the system, which clears them before it hands them out again: at the feature
maps of every training step. Other C libraries do not read it.
"""


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
