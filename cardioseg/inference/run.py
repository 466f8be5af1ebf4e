"""Run: all cases one after another, one bad case never stopping the rest, and the tables that sum them up."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.inference.cases import RUN_FILE, Case, Findings
from cardioseg.inference.formats import NIFTI
from cardioseg.inference.outcome import Outcome, write_summary
from cardioseg.inference.predict import predict_case
from cardioseg.inference.session import Model
from cardioseg.measure.curves import Moments

_PACKAGES = ("numpy", "SimpleITK", "pydicom", "scikit-image")


def predict_all(
    findings: Findings,
    model: Model,
    out: Path,
    overwrite: bool = False,
    report: Callable[[Case, int, int], None] = lambda *_: None,
    *,
    formats: Collection[str] = (NIFTI,),
    moments: Moments = Moments(),  # noqa: B008 - frozen
    paths: bool = True,
) -> Iterator[Outcome]:
    """Predict every case, yielding what became of each; the summary is written when the last is done.

    Args:
        findings: the cases.
        model: what to run.
        out: gets a folder a case, `status.csv`, `measures.csv`, `run.json` and `report.html`.
        overwrite: do again what is done.
        report: called with the case, the number of its slices done and of all.
        formats: what to write of each mask.
        moments: phases that a person chose, for every case.
        paths: whether `out` says where the scans lie.
    """
    start = time.perf_counter()
    outcomes = []
    for case in findings.cases:
        progress = partial(report, case)
        outcome = predict_case(case, model, out, overwrite, progress, formats=formats, moments=moments)
        hidden = replace(outcome, source=None, reason=case.without_paths(outcome.reason))
        outcomes.append(outcome if paths else hidden)
        yield outcome
    findings = findings if paths else findings.without_paths()
    run = {
        "version": __version__,
        "model": {"name": model.card.name, "sha256": model.card.sha256, "licence": model.card.licence},
        "labels": list(model.card.labels),
        "chosen_phases": asdict(moments),
        "device": model.device,
        "packages": {name: version(name) for name in _PACKAGES} | {"onnxruntime": model.runtime},
        "seconds": round(time.perf_counter() - start, 2),
        "seconds_by_case": _seconds(outcomes, _earlier_seconds(out)),
        "other_series": [asdict(item) for item in findings.others],
        "unused_files": [asdict(item) for item in findings.unused],
    }
    write_summary(out, outcomes, run)


def _seconds(outcomes: Sequence[Outcome], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What each case took, in this run or in the one that did it."""
    taken = {outcome.case_id: round(outcome.seconds, 2) or earlier.get(outcome.case_id) for outcome in outcomes}
    return {case_id: seconds for case_id, seconds in taken.items() if seconds}


def _earlier_seconds(out: Path) -> Mapping[str, Any]:
    try:
        return dict(json.loads((out / RUN_FILE).read_text(encoding="utf-8"))["seconds_by_case"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
