"""Where the time of `predict` goes: a cine of DICOM files to masks, measures, pictures and a report, in one process.

    python tests/benchmarks/predicting.py [SCANS] [-m MODEL] [--threads 2] -o docs/performance/predicting.json

Without SCANS the cine is a phantom of 12 slices and 20 phases. Times are of the stages named below, which do not
contain one another; with one thread, CPU time is not blurred by what else the machine does.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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

        from cardioseg.inference import cases, outcome, predict, search, segment, session
        from cardioseg.inference.run import predict_all
    if threads == 1:
        stages.wrap(segment, "prepare", "preprocessing")
        stages.wrap(session.Model, "_run", "network")
    else:
        stages.wrap(segment, "in_batches", "network")
    for owner, attribute, name in (
        (segment, "_heart", "heart: rest"), (segment, "_label", "labels from logits"), (segment, "clean", "clean"),
        (predict, "segment", "segment: rest"), (predict, "describe", "measures"), (predict, "write_cine", "mask file"),
        (predict, "write_pictures", "pictures"), (outcome, "write_report", "report"), (search, "survey_paths", "headers"),
    ):  # fmt: skip
        stages.wrap(owner, attribute, name)
    stages.wrap(cases.Case, "read", "pixels")
    with stages.stage("model"):
        opened = session.open_model(session.find_model(model), "cpu", threads)
    findings = search.find_cases([scans])
    for done in predict_all(findings, opened, out):
        print(done.case_id, done.status, file=sys.stderr)
    slices = [case.series.slices * case.series.phases for case in findings.cases if case.series]
    result = {"model": opened.card.name, "networks": opened.card.training.folds, "threads": threads}
    return result | {"slices": sum(slices), "stages": stages.result()}


def phantom(folder: Path) -> Path:
    """A cine of 12 slices and 20 phases of 256 x 256 pixels."""
    from cardioseg.phantom import Phantom, write_dicom

    write_dicom(Phantom(slices=12), folder)
    return folder


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=Path, nargs="?")
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scans = options.scans or phantom(Path(folder) / "scans")
        result = measure(scans, options.model, options.threads, Path(folder) / "out")
    for name, figures in result["stages"].items():
        print(f"{figures['cpu_s']:8.2f} s CPU {figures['wall_s']:8.2f} s wall  {name}")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
