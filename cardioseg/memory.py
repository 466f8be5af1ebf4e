"""Memory: whether this process can allocate more under a limit (`ulimit -v`, a batch system's), and what it keeps."""

import mmap

_LIBRARY_BYTES = 2**29  # to load the largest library
_BUFFER_BYTES = 2**26  # for the buffer of BLAS, with some reserve
_BLAS_SIZE = 128  # smaller products need no buffer

KEEP_FREED = {"MALLOC_TRIM_THRESHOLD_": str(2**29), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""Environment variables with which a process keeps up to 512 MB of freed memory for its next allocations.

Without them, glibc returns large blocks to the system, which clears them before it gives them out again: for the
feature maps of every training step. Other C libraries ignore them.
"""


def is_short(size: int = _LIBRARY_BYTES) -> bool:
    """Whether `size` more bytes cannot be allocated; libraries fail in different ways then."""
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return True
    return False


def reserve_for_products() -> None:
    """Let BLAS allocate its buffer while there is memory: if NumPy's BLAS finds none later, it ends the process.

    Raises:
        MemoryError: there is not enough memory now.
    """
    import numpy as np  # noqa: PLC0415 - `--help` does not wait for it

    if is_short(_BUFFER_BYTES):
        raise MemoryError
    square = np.ones((_BLAS_SIZE, _BLAS_SIZE), np.float32)
    np.matmul(square, square)
