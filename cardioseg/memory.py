"""Memory: whether this process can still get any, where a limit is set (`ulimit -v`, a batch system's)."""

import mmap

_LIBRARY_BYTES = 2**29  # to load the largest
_BUFFER_BYTES = 2**26  # of BLAS, and some for what comes with it
_BLAS_SIZE = 128  # smaller products do without a buffer


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
