"""A dask cluster on this machine: `python tests/cohorts/local_cluster.py 3` prints its address and who is in it.

It ends with its standard input. The workers are processes with a nanny each, which starts a killed one anew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Started:
    """Where it is, and the numbers of its processes: of the scheduler, and of the workers."""

    address: str
    scheduler: int
    workers: tuple[int, ...]


@contextmanager
def cluster(workers: int, *before: str) -> Iterator[Started]:
    """Start one in a process of its own, by way of the program `before`."""
    command = [*before, sys.executable, __file__, str(workers)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(command, text=True, env=os.environ | {"PYTHONPATH": paths}, **pipes) as process:
        try:
            assert process.stdout is not None
            found = json.loads(process.stdout.readline())
            yield Started(found["address"], found["scheduler"], tuple(found["workers"]))
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


def main() -> None:
    """Start, say so, wait."""
    from distributed import LocalCluster

    options: dict[str, Any] = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(int(sys.argv[1]), processes=True, silence_logs=50, **options) as started:
        pids = [nanny.pid for nanny in started.workers.values()]
        found = {"address": started.scheduler_address, "scheduler": os.getpid(), "workers": pids}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    sys.path = [path for path in sys.path if Path(path) != Path(__file__).parent]
    main()
