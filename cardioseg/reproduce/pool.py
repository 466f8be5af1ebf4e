"""Pool: runs jobs in parallel, one process each: two jobs on one core each are faster than two in turn on two cores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cardioseg.errors import ResourceError
from cardioseg.execution.executor import Lost
from cardioseg.execution.in_process import Here
from cardioseg.execution.processes import Processes
from cardioseg.memory import KEEP_FREED
from cardioseg.reproduce.job_outcome import Outcome
from cardioseg.reproduce.jobs import run
from cardioseg.reproduce.protocol import Job, Protocol


@dataclass(frozen=True)
class Work:
    """Runs jobs.

    Attributes:
        protocol: what all jobs share.
        threads: number of torch threads in each process; 0 keeps torch's default.
    """

    protocol: Protocol
    threads: int = 0

    def prepare(self) -> None:
        """Set the number of torch threads of this process."""
        import torch  # noqa: PLC0415 - sets its threads

        if self.threads:
            torch.set_num_threads(self.threads)

    def __call__(self, job: Job) -> Outcome:
        """Run one job."""
        return run(self.protocol, job)


def run_all(
    protocol: Protocol, jobs: Sequence[Job], workers: int, threads: int, finished: Callable[[Job], None]
) -> dict[Job, Outcome]:
    """Run every job, or read its outcome if it is finished; the outcomes are in the order of `jobs`.

    Args:
        protocol: what all jobs share.
        jobs: the jobs to run.
        workers: number of jobs at the same time; 1 runs them in this process.
        threads: number of CPU threads of all workers together; 0 for all of the machine.
        finished: called after each job.

    Raises:
        ResourceError: a worker was killed; its job can continue from its checkpoint.
    """
    executor = Here() if workers == 1 else Processes(workers, retries=0, environment=KEEP_FREED)
    work = Work(protocol, 0 if executor.is_here else executor.threads(threads))
    outcomes: dict[Job, Outcome] = {}
    for job, outcome in executor.map(work, jobs):
        if isinstance(outcome, Lost):
            raise ResourceError(
                f"a worker was {outcome.why}", "run the same command again with fewer --workers to continue"
            )
        outcomes[job] = outcome
        finished(job)
    return {job: outcomes[job] for job in jobs}
