"""Memory: what a training step frees stays with the process, for the next step asks for the same again."""

import ctypes
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's <malloc.h>
_LARGEST = 2**31 - 1


def keep_freed() -> None:
    """Let malloc keep blocks of any size that are freed.

    glibc gives large ones back to the system, which clears them anew, page by page, when the next step asks for them:
    with batches of 8 that is a third of a training step on a CPU. Other C libraries are left as they are.
    """
    with suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        for parameter in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            libc.mallopt(parameter, _LARGEST)
