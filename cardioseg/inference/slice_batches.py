"""Batches: slices a few at a time, several batches at once. What comes out does not depend on how many."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cardioseg.image.volume import Voxels

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def in_batches(work: Callable[[Voxels], Result], slices: Voxels, size: int, workers: int) -> Iterator[Result]:
    """The results of `work` for `size` slices [n, ...] at a time, in order."""
    return in_parallel(work, (slices[start : start + size] for start in range(0, len(slices), size)), workers)


def in_parallel(work: Callable[[Batch], Result], batches: Iterable[Batch], workers: int) -> Iterator[Result]:
    """The results of `work` for each batch, in order.

    Threads suffice: NumPy and ONNX Runtime let go of the interpreter while they compute.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(work, batches)
    finally:
        pool.shutdown(cancel_futures=True)
