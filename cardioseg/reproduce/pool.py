"""Pool: jobs side by side, one process each. A process is not shared: two jobs on one core each beat one on two."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any

from cardioseg.errors import ResourceError
from cardioseg.reproduce.jobs import Job, Protocol, run
from cardioseg.reproduce.results import Results


def run_all(
    protocol: Protocol, jobs: Sequence[Job], workers: int, threads: int, finished: Callable[[Job], None]
) -> Results:
    """Run every job or read its result where it is finished; the results in the order of `jobs`.

    Args:
        protocol: what the jobs share.
        jobs: what to run.
        workers: how many run at the same time; 1 runs them in this process.
        threads: CPU threads of all workers together; 0 for all of the machine's.
        finished: called after each job.

    Raises:
        ResourceError: a worker was killed.
    """
    done = _here(protocol, jobs) if workers == 1 else _side_by_side(protocol, jobs, workers, threads)
    results: dict[Job, dict[str, Any]] = {}
    for job, result in done:
        results[job] = result
        finished(job)
    return {job: results[job] for job in jobs}


def _here(protocol: Protocol, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Any]]]:
    return ((job, run(protocol, job)) for job in jobs)


def _side_by_side(
    protocol: Protocol, jobs: Sequence[Job], workers: int, threads: int
) -> Iterator[tuple[Job, dict[str, Any]]]:
    each = max(1, (threads or os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare, (each,)) as pool:
        try:
            futures = {pool.submit(run, protocol, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException as error:  # leave nothing running; checkpoints let it go on
            for child in active_children():
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise ResourceError("a worker was killed", "start again to go on, with fewer --workers") from None
            raise


def _prepare(threads: int) -> None:
    """In a worker: take the given share of the machine, leave Ctrl-C to the parent and do not outlive it."""
    import torch  # noqa: PLC0415 - sets its threads

    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
