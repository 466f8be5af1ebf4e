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

Written by `python docs/cohorts/page.py`; the scripts in `tests/cohorts/` measured the numbers.

A case is one unit of work: its files go in, its folder in the results comes out. The record `case.json` is written
last; a case with this record is done. While a process works on a case, other processes wait for it. Therefore it does
not matter which process does the work: a single one, several (`--workers`), a dask cluster (`--cluster`), or jobs that
each do a part (`--part`). Masks, tables and report have the same bytes, except for timings. If a process is killed, the
same command continues with the cases that are not done. All processes need the same files at the same paths, on a file
system with working locks (`flock`).

## One machine

```sh
cardioseg predict scans/ -o results/ --workers 8    # ingest and evaluate take --workers, too
```

The processes share the cores. If a process is killed (for example by the system, because memory is short), its case is
tried once more. If that fails too, the case has failed, and the others continue.

cardioseg searches the scans subfolder by subfolder. It first reads the first and the last DICOM header of each
subfolder of `scans/`, to know which of them share a study. Then it starts each case as soon as it is found. Best is a
folder with many subfolders, one per patient or visit.

## Dask, on SLURM

Run `pip install -c constraints.txt '.[cpu,scale]' dask-jobqueue` in an environment that all nodes can use. Then start
this Python script on a login node:

```python
from dask_jobqueue import SLURMCluster

cluster = SLURMCluster(cores=8, processes=8, memory="32GB", walltime="08:00:00", scheduler_options={"port": 8786})
cluster.scale(jobs=20)  # 160 workers of one core
input("return to end it ")
```

In a second terminal, run:

```sh
cardioseg predict /project/scans -o /project/results --cluster tcp://$(hostname):8786
```

`--cluster` also takes a scheduler file. A worker does one case at a time with its threads, so use many workers with one
core each. The model is sent to each worker once. Before the work starts, cardioseg checks every worker: it must have
the same versions of cardioseg, Python, NumPy and ONNX Runtime, and must be able to read the scans and to write the
results. An error names the host. Workers may be added or removed at any time. If a worker is killed, another one does
its case; a case that has killed four workers has failed. If the scheduler stops, start a new one and run the same
command again. The command itself reads the headers of the scans: if the workers have to wait for this, use parts
instead.

Everyone who can reach the scheduler can run code on the workers: use dask's TLS, or a private network.

## A SLURM array

```sh
#!/bin/bash
#SBATCH --array=1-100 --cpus-per-task=4 --mem=8G --time=08:00:00 --requeue
cardioseg predict /project/scans -o /project/results --part "$SLURM_ARRAY_TASK_ID/100" --workers 4
```

When all jobs have ended, run:

```sh
cardioseg gather /project/results
```

Part I of N contains every N-th subfolder of the scans, starting with the I-th in the order of names. Subfolders that
share a study stay together. The parts have equal numbers of subfolders, and stay the same as long as the subfolders do;
`gather` says if the parts did not find the same ones. Each part writes its tables into `results/parts/I-of-N/`, and its
cases to the same place as a single run. `gather` then writes the tables and the report of all cases, the same as those
of a single run. It names parts that are missing or not finished (exit code 3). A job that is requeued or started twice
does no work twice. There is one difference: if a copy of a series is in another part, both are segmented; a single run
leaves the copy out.

`gather` also writes the tables of a run that was killed, from the cases that are done.

## Docker, on several hosts

If all hosts mount the storage with the scans and the results, each host can do one part:

```sh
docker run --rm --network none --user "$(id -u):$(id -g)" -v /mnt/scans:/scans:ro -v /mnt/results:/out \\
  cardioseg:serve predict /scans -o /out --part 1/3 --workers 8
```

The other hosts do the parts `2/3` and `3/3`. Then run `gather /out` on any of them.
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
        f"including start-up; medians of {len(next(iter(turns.values())))} turns "
        "(`python tests/cohorts/throughput.py`):\n"
    )
    yield "| | wall s | CPU s |\n|---|---|---|"
    for mode, runs in turns.items():
        yield f"| {mode} | {_middle(runs, 'wall_s'):.1f} | {_middle(runs, 'cpu_s'):.1f} |"
    yield (
        f"\nTwo processes do {found['throughput']:.2f} x as many cases in the same time as one process with two "
        f"threads, and use {found['cpu']:.2f} x its CPU time.\n"
    )
    hours = CINES * found["cpu_s_a_case"] / 3600
    yield f"A case takes {found['cpu_s_a_case']:.1f} s of CPU time. {CINES:,} cines take {hours:,.0f} core hours:\n"
    yield "| cores | time |\n|---|---|"
    for cores in CORES:
        yield f"| {cores:,} | {_time(hours / cores)} |"
    yield ""


def memory(found: dict[str, Any]) -> Iterator[str]:
    """Whether memory grows."""
    yield "## Memory\n"
    yield (
        "Memory of the process that finds the cases and distributes them, in MB (`python tests/cohorts/memory.py`):\n"
    )
    yield (
        "| | cases | after a tenth of the cases | at the end | bytes per case | peak, with tables |\n"
        "|---|---|---|---|---|---|"
    )
    names = {"simulated": "simulated cases, no segmentation", "real": "small hearts, segmented in the same process"}
    for kind, name in names.items():
        if one := found.get(kind):
            first, *_, last = one["mb"].values()
            yield (
                f"| {name} | {one['cases']:,} | {first:.0f} | {last:.0f} | {one['bytes_a_case']:,} "
                f"| {one['peak_mb']:.0f} |"
            )
    yield (
        "\nIn memory it keeps only the name and two short hashes of each case. The outcome of each case is in a ledger "
        "on disk, from which the tables are written.\n"
    )


def _middle(runs: list[dict[str, float]], key: str) -> float:
    return sorted(run[key] for run in runs)[len(runs) // 2]


def _time(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours > 48 else f"{hours:.1f} hours"


if __name__ == "__main__":
    PAGE.write_text(page())
