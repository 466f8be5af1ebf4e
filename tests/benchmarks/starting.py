"""Start-up and memory: `--help`, `predict` of one small NIfTI and of a cine of 30 slices and 30 phases.

    python tests/benchmarks/starting.py -o docs/performance/starting.json

Each is a process of its own: wall and CPU seconds, medians over turns, and its peak memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any


def measure(arguments: list[str], turns: int) -> dict[str, float]:
    """Medians of wall and CPU seconds, and the highest peak memory in MB."""
    runs = [_run([sys.executable, "-m", "cardioseg", *arguments]) for _ in range(turns)]
    walls, cpus, peaks = zip(*runs, strict=True)
    return {"wall_s": median(walls), "cpu_s": median(cpus), "peak_mb": max(peaks)}


def _run(command: list[str]) -> tuple[float, float, float]:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} left with {process.returncode}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--small-only", action="store_true", help="Leave out the large cine, minutes of work.")
    options = parser.parse_args()
    result: dict[str, Any] = {"threads": options.threads, "--help": measure(["--help"], options.turns)}
    # imported only now: a process counts the memory of the one that started it as a peak of its own
    from cardioseg.image.nifti import write_cine, write_volume
    from cardioseg.phantom import Phantom, cine

    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.nii.gz", Path(folder) / "large.nii.gz"
        phantom = Phantom(slices=8, phases=1, rows=128, columns=128, spacing_mm=(10.0, 2.5, 2.5))
        write_volume(small, cine(phantom).phase(0))
        settings = ["-o", f"{folder}/out", "-q", "--overwrite", "-m", options.model, "--threads", str(options.threads)]
        result["small NIfTI"] = measure(["predict", str(small), *settings], options.turns)
        if not options.small_only:
            write_cine(large, cine(Phantom(slices=30, phases=30, spacing_mm=(4.0, 1.37, 1.37))))
            result["30 x 30 cine"] = measure(["predict", str(large), *settings], 1)
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
