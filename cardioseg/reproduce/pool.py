"""Pool: jobs side by side, one process each. A process is not shared: two jobs on one core each beat one on two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cardioseg.errors import ResourceError
from cardioseg.execution.executor import Lost
from cardioseg.execution.here import Here
from cardioseg.execution.processes import Processes
from cardioseg.reproduce.jobs import Job, Protocol, run
from cardioseg.reproduce.results import Results


@dataclass(frozen=True)
class Training:
    """Runs jobs.

    Attributes:
        protocol: what they share.
        threads: torch's, in each process of its own; 0 to leave them as they are.
    """

    protocol: Protocol
    threads: int = 0

    def prepare(self) -> None:
        """Take the share of the machine."""
        import torch  # noqa: PLC0415 - sets its threads

        if self.threads:
            torch.set_num_threads(self.threads)

    def __call__(self, job: Job) -> dict[str, Any]:
        """The result of one job."""
        return run(self.protocol, job)


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
        ResourceError: a worker was killed; checkpoints let its job go on.
    """
    executor = Here() if workers == 1 else Processes(workers, retries=0)
    training = Training(protocol, 0 if executor.is_here else executor.threads(threads))
    results: dict[Job, dict[str, Any]] = {}
    for job, result in executor.map(training, jobs):
        if isinstance(result, Lost):
            raise ResourceError(f"a worker was {result.why}", "start again to go on, with fewer --workers")
        results[job] = result
        finished(job)
    return {job: results[job] for job in jobs}
