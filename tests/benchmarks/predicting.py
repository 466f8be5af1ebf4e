"""Where the time of `predict` goes: a cine of DICOM files to masks, measures, pictures and a report, in one process.

    python tests/benchmarks/predicting.py [SCANS] [-m MODEL]... -o docs/performance/predicting.json

Without SCANS the cine is a phantom of 12 slices and 20 phases. First the whole command, with two threads and in a
process of its own; then its stages, which do not contain one another, with one thread, so that CPU time is not blurred
by what else the machine does. For each MODEL, a built-in one or a folder.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does


class Stages:
    """Wall and CPU seconds by stage; a stage within a stage counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._open = ["other"]
        self._last = time.process_time(), time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._book(self._open[-1])
        self._open.append(name)
        try:
            yield
        finally:
            self._book(self._open.pop())

    def wrap(self, owner: Any, attribute: str, name: str) -> None:
        """Book what a function takes under a name."""
        inner: Callable[..., Any] = getattr(owner, attribute)

        def timed(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return inner(*arguments, **named)

        setattr(owner, attribute, timed)

    def result(self) -> dict[str, dict[str, float]]:
        self._book(self._open[-1])
        ordered = sorted(self.seconds.items(), key=lambda item: -item[1][0])
        return {name: {"cpu_s": round(cpu, 3), "wall_s": round(wall, 3)} for name, (cpu, wall) in ordered}

    def _book(self, name: str) -> None:
        now = time.process_time(), time.perf_counter()
        for index in (0, 1):
            self.seconds[name][index] += now[index] - self._last[index]
        self._last = now


def measure(scans: Path, model: str, threads: int, out: Path) -> dict[str, Any]:
    """Run `predict` with its parts wrapped; the parts within worker threads are told apart where there is one."""
    stages = Stages()
    with stages.stage("imports"):
        import onnxruntime  # noqa: F401

        import cardioseg.cli.app  # noqa: F401
        from cardioseg.cases import case, written_case
        from cardioseg.cases import case_search as search
        from cardioseg.inference import segmentation, session
        from cardioseg.prediction import case_prediction as predict
        from cardioseg.prediction.cohort_prediction import predict_all
        from cardioseg.results import run_tables
        from cardioseg.results.formats import nifti_format
    if threads == 1:
        stages.wrap(segmentation, "prepare", "preprocessing")
        stages.wrap(session.Model, "_run", "network")
    else:
        stages.wrap(segmentation, "in_batches", "network")
    for owner, attribute, name in (
        (segmentation, "_windows", "heart: rest"), (segmentation, "_label", "labels from logits"),
        (segmentation, "clean", "clean"),
        (predict, "segment", "segment: rest"), (predict, "describe", "measures"), (nifti_format, "write", "mask file"),
        (written_case, "write_pictures", "pictures"), (run_tables, "write_report", "report"),
        (search, "survey_paths", "headers"),
    ):  # fmt: skip
        stages.wrap(owner, attribute, name)
    stages.wrap(case.Case, "read", "pixels")
    with stages.stage("model"):
        opened = session.open_model(session.find_model(model), "cpu", threads)
    findings = search.find_cases([scans])
    for done in predict_all(findings, opened, out):
        print(done.case_id, done.status, file=sys.stderr)
    slices = [found.series.slices * found.series.phases for found in findings.cases if found.series]
    result = {"model": opened.card.name, "networks": len(opened.card.training.weights_sha256), "threads": threads}
    return result | {"slices": sum(slices), "stages": stages.result()}


def command(scans: Path, model: str, threads: int, turns: int) -> dict[str, float]:
    """The whole command in a process of its own: medians of wall and CPU seconds, the highest peak in MB."""
    runs = []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as out:
            start = time.perf_counter()
            arguments = ["predict", str(scans), "-o", out, "-q", "-m", model, "--threads", str(threads)]
            process = subprocess.Popen([sys.executable, "-m", "cardioseg", *arguments], stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"cardioseg {' '.join(arguments)} left with {process.returncode}")
            runs.append((time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
    walls, cpus, peaks = zip(*runs, strict=True)
    return {"threads": threads, "wall_s": median(walls), "cpu_s": median(cpus), "peak_mb": max(peaks)}


def phantom(folder: Path) -> Path:
    """A cine of 12 slices and 20 phases of 256 x 256 pixels."""
    from cardioseg.phantom import Phantom, write_dicom

    write_dicom(Phantom(slices=12), folder)
    return folder


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=Path, nargs="?")
    parser.add_argument("-m", "--model", action="append", help="As often as there are models; without: sax.")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--threads", type=int, default=2, help="Of the whole command.")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--stages", type=Path, metavar="OUT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    models = options.model or ["sax"]
    if options.stages:
        print(json.dumps(measure(options.scans, models[0], 1, options.stages)))
        return
    with tempfile.TemporaryDirectory() as folder:
        scans = options.scans or phantom(Path(folder) / "scans")
        result = {"runs": [both(scans, model, options.threads, options.turns) for model in models]}
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def both(scans: Path, model: str, threads: int, turns: int) -> dict[str, Any]:
    """The whole command and, in a process of its own, its stages."""
    whole = command(scans, model, threads, turns) if turns else None
    with tempfile.TemporaryDirectory() as out:
        arguments = [sys.executable, __file__, str(scans), "-m", model, "--stages", out]
        done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout) | {"command": whole}
    print(f"{result['model']}, {result['networks']} networks: {whole}")
    for name, figures in result["stages"].items():
        print(f"{figures['cpu_s']:8.2f} s CPU {figures['wall_s']:8.2f} s wall  {name}")
    return result


if __name__ == "__main__":
    main()
