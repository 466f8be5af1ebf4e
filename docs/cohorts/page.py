"""Writes docs/cohorts.md from the JSON files beside this file: `python docs/cohorts/page.py`. No figure is typed.

`throughput.json` and `memory.json` are written by the scripts of these names in tests/cohorts/.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "cohorts.md"
CINES = 50_000
CORES = (16, 128, 1024)

INTRODUCTION = """\
# Cohorts

Written by `python docs/cohorts/page.py`; the figures are those that the scripts in `tests/cohorts/` measured.

A case is one unit of work: its files in, its folder under OUT out. It is done when its record `case.json` stands there,
which is written last, and while a process works on it others that begin it wait. So it does not matter who does it:
this process, several (`--workers`), a dask cluster (`--cluster`), or jobs that each take a part (`--part`). The masks,
tables and report are the same to the byte, timings aside, and whatever is killed, the same command goes on with what is
not done. All of them need the same files at the same paths, on a file system with working locks (`flock`).

## One machine

```sh
cardioseg predict scans/ -o results/ --workers 8    # ingest and evaluate take --workers, too
```

The processes share the cores, so that none waits for another. One that is killed (by the system, where memory is short)
takes its case with it, which is then tried once more; if that fails too the case has failed and the others go on.

Scans are looked for child by child of SCANS: first the first and the last DICOM header of each child are read, to know
which share a study; then cases are begun as they are found. A tree whose top has many children, a patient or a visit
each, is best.

## Dask, on SLURM

`pip install -c constraints.txt '.[cpu,scale]' dask-jobqueue`, in an environment that all nodes see. Then, on a login
node:

```python
from dask_jobqueue import SLURMCluster

cluster = SLURMCluster(cores=8, processes=8, memory="32GB", walltime="08:00:00", scheduler_options={"port": 8786})
cluster.scale(jobs=20)  # 160 workers of one core
input("return to end it ")
```

and beside it

```sh
cardioseg predict /project/scans -o /project/results --cluster tcp://$(hostname):8786
```

`--cluster` also takes a scheduler file. A worker does one case at a time with the threads that it has, so give it one
core and have many. The model goes to each worker once. Before any work is handed out, every worker must have our
versions of cardioseg, Python, NumPy and ONNX Runtime, see the scans, and see and write OUT; what is amiss is named with
its host. Workers may come and go. A killed worker's case is done by another one; one that has killed four workers has
failed. If the scheduler dies, start one and give the same command again. The headers of the scans are read where the
command runs: where that is what the workers wait for, take parts instead.

Whoever reaches the scheduler can run code on the workers: use dask's TLS, or a network that is yours.

## A SLURM array

```sh
#!/bin/bash
#SBATCH --array=1-100 --cpus-per-task=4 --mem=8G --time=08:00:00 --requeue
cardioseg predict /project/scans -o /project/results --part "$SLURM_ARRAY_TASK_ID/100" --workers 4
```

and when all have ended

```sh
cardioseg gather /project/results
```

Part I of N is every N-th child of SCANS from the I-th, in the order of names; children that share a study stay
together. So parts are of equal number, and stay the same as long as the children do; `gather` says if the parts did not
see the same ones. Each part writes its tables into `results/parts/I-of-N/` and its cases where one run would; `gather`
makes the tables and the report of all, the same as those of one run, and names parts that are missing or not finished
(exit code 3). A job that was requeued or started twice does nothing twice. What `gather` cannot know is a copy of a
series that lies in another part: one run leaves it out, two parts each segment theirs.

`gather` also makes the tables of a run that was killed, from what it left.

## Docker, on several hosts

With the scans and the results on storage that all hosts mount, a part a host:

```sh
docker run --rm --network none --user "$(id -u):$(id -g)" -v /mnt/scans:/scans:ro -v /mnt/results:/out \\
  cardioseg:serve predict /scans -o /out --part 1/3 --workers 8
```

with `2/3` and `3/3` on the others; then `gather /out` on any of them.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page, from the files that are there."""
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    parts = [INTRODUCTION]
    for name, section in (("throughput", throughput), ("memory", memory)):
        if name in found:
            parts += section(found[name])
    return "\n".join(parts)


def throughput(found: dict[str, Any]) -> Iterator[str]:
    """What two processes gain, and what a cohort costs."""
    turns = found["turns"]
    yield "## What it costs\n"
    yield (
        f"{found['cases']} cines of {found['slices']} slices each, model `{found['model']}`, {found['cores']} cores, "
        f"start-up included; medians of {len(next(iter(turns.values())))} turns "
        "(`python tests/cohorts/throughput.py`):\n"
    )
    yield "| | wall s | CPU s |\n|---|---|---|"
    for mode, runs in turns.items():
        yield f"| {mode} | {_middle(runs, 'wall_s'):.1f} | {_middle(runs, 'cpu_s'):.1f} |"
    yield (
        f"\nTwo processes do {found['throughput']:.2f} x the cases of one with two threads in the same time, for "
        f"{found['cpu']:.2f} x its CPU time.\n"
    )
    hours = CINES * found["cpu_s_a_case"] / 3600
    yield f"A case takes {found['cpu_s_a_case']:.1f} s of CPU time. {CINES:,} cines are {hours:,.0f} core hours:\n"
    yield "| cores | time |\n|---|---|"
    for cores in CORES:
        yield f"| {cores:,} | {_time(hours / cores)} |"
    yield ""


def memory(found: dict[str, Any]) -> Iterator[str]:
    """Whether memory grows."""
    yield "## Memory\n"
    yield "Of the process that finds cases and hands them out, in MB (`python tests/cohorts/memory.py`):\n"
    yield "| | cases | after a tenth | at the end | a case, bytes | peak, tables included |\n|---|---|---|---|---|---|"
    names = {"simulated": "made-up tree, stubbed work", "real": "small hearts, segmented in it"}
    for kind, name in names.items():
        if one := found.get(kind):
            first, *_, last = one["mb"].values()
            yield (
                f"| {name} | {one['cases']:,} | {first:.0f} | {last:.0f} | {one['bytes_a_case']:,} "
                f"| {one['peak_mb']:.0f} |"
            )
    yield (
        "\nWhat it keeps of a case is its name and two short hashes; what became of it stands in a ledger on disk, "
        "from which the tables are written.\n"
    )


def _middle(runs: list[dict[str, float]], key: str) -> float:
    return sorted(run[key] for run in runs)[len(runs) // 2]


def _time(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours"


if __name__ == "__main__":
    PAGE.write_text(page())
