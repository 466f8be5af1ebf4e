"""How fast DICOM is read, and how much memory a large tree takes.

    python tests/benchmarks/reading.py [SCANS] [--files 100000] -o docs/performance/reading.json

The tree to cines beside one loop that reads each file's bytes and decodes it with pydicom; then a survey of so many
small files (a quarter of them DICOM headers without pixels, the rest text). Without SCANS: a phantom of 240 files.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pydicom

from cardioseg.ingest.finding.survey import survey

SURVEY = """
import resource, sys, time
from pathlib import Path
from cardioseg.ingest.finding.survey import survey
before = time.process_time()
seen = survey(Path(sys.argv[1]))
print(len(seen.unused), time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def loop(files: list[Path]) -> None:
    """The floor: bytes, then pixels, one file after another."""
    for path in files:
        path.read_bytes()
        pydicom.dcmread(path).pixel_array  # noqa: B018 - decoding is the point


def cines(root: Path) -> None:
    """The same files as cines."""
    for series in survey(root).cines:
        if series.stack:
            series.stack.read()


def measure(root: Path, turns: int) -> dict[str, Any]:
    """CPU and wall seconds of both, in turns, and the share of the loop's speed."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    works: dict[str, Callable[[], None]] = {"loop": lambda: loop(files), "cines": lambda: cines(root)}
    times = [{name: _seconds(work) for name, work in works.items()} for _ in range(turns)]
    result: dict[str, Any] = {"files": len(files)}
    for index, clock in enumerate(("wall_s", "cpu_s")):
        result |= {f"{name}_{clock}": median(turn[name][index] for turn in times) for name in works}
    return result | {"share": median(turn["loop"][1] / turn["cines"][1] for turn in times)}


def discovery(count: int) -> dict[str, Any]:
    """CPU seconds and peak memory of a survey of many small files, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        _write_small(Path(folder), count)
        done = subprocess.run([sys.executable, "-c", SURVEY, folder], capture_output=True, text=True, check=True)
    unused, seconds, peak_mb = map(float, done.stdout.split())
    return {"files": count, "unused": int(unused), "cpu_s": seconds, "peak_mb": peak_mb}


def _write_small(root: Path, count: int) -> None:
    for number in range(count):
        folder = root / str(number // 1000)
        folder.mkdir(exist_ok=True)
        content = b"\0" * 128 + b"DICM" if number % 4 == 0 else b"some notes"
        (folder / f"{number}.dcm").write_bytes(content + str(number).encode())


def _seconds(work: Callable[[], None]) -> tuple[float, float]:
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - wall, cpu


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=Path, nargs="?")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pydicom's, in the loop
    with tempfile.TemporaryDirectory() as folder:
        scans = options.scans or _phantom(Path(folder))
        result = {"reading": measure(scans, options.turns), "discovery": discovery(options.files)}
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def _phantom(folder: Path) -> Path:
    from cardioseg.phantom import Phantom, write_dicom

    write_dicom(Phantom(slices=12), folder)
    return folder


if __name__ == "__main__":
    main()
