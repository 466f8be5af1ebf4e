"""What two processes gain or lose against one with two threads, and what a case costs.

    python tests/cohorts/throughput.py [--cases 6] [--turns 3] [-m sax] -o docs/cohorts/throughput.json

Cines of 12 slices and 20 phases, each its own DICOM folder; the command line is run as a user would, the two modes in
turns. CPU time is that of the command and all of its processes. Wall times mean something on a quiet machine only.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

MODES = {"one process, two threads": ["--threads", "2"], "two processes": ["--threads", "2", "--workers", "2"]}


def once(scans: Path, out: Path, model: str, options: list[str]) -> dict[str, float]:
    """Wall and CPU seconds of one run of the command."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "cardioseg", "predict", str(scans), "-o", str(out), "-m", model, "-q", *options]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2)}


def measure(cases: int, turns: int, model: str, folder: Path) -> dict[str, Any]:
    """All turns, and the ratios of their medians."""
    from cardioseg.phantom import Phantom, write_dicom

    for seed in range(1, cases + 1):
        write_dicom(Phantom(slices=12, seed=seed), folder / "scans")
    found: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
    for _ in range(turns):
        for mode, options in MODES.items():
            found[mode].append(once(folder / "scans", folder / "out", model, options))
            print(f"{mode}: {found[mode][-1]}", flush=True)
    one, two = ({key: median(turn[key] for turn in found[mode]) for key in ("wall_s", "cpu_s")} for mode in MODES)
    return {
        "cases": cases, "slices": 12 * 20, "model": model, "cores": os.cpu_count(), "turns": found,
        "throughput": round(one["wall_s"] / two["wall_s"], 3), "cpu": round(two["cpu_s"] / one["cpu_s"], 3),
        "cpu_s_a_case": round(two["cpu_s"] / cases, 2), "wall_s_a_case": round(two["wall_s"] / cases, 2),
    }  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("-o", "--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(asked.cases, asked.turns, asked.model, Path(folder))
    print(json.dumps({key: found[key] for key in found if key != "turns"}, indent=2))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
