"""Executor options: where the work is done."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.errors import UsageError

if TYPE_CHECKING:
    from cardioseg.execution.executor import Executor

Workers = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Number of processes; they share the CPU threads.")
]
Scheduler = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Use a dask cluster: the address of its scheduler (tcp://HOST:8786), or its scheduler file.",
    ),
]


def executor_of(workers: int, cluster: str = "") -> "AbstractContextManager[Executor]":
    """This process, several of this machine, or those of a cluster."""
    from cardioseg.execution.in_process import Here
    from cardioseg.execution.processes import Processes

    if not cluster:
        return nullcontext(Here() if workers == 1 else Processes(workers))
    if workers > 1:
        raise UsageError(
            "--workers and --cluster cannot be combined: a cluster has its own workers", "give one of them"
        )
    try:
        from cardioseg.execution.cluster import connected
    except ImportError:
        raise UsageError("dask.distributed is not installed", "pip install 'cardioseg[scale]'") from None
    return connected(cluster)
