"""Run: all cases one after another, one bad case never stopping the rest, and the tables that sum them up."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.files import write_csv, write_json
from cardioseg.inference.cases import RUN_FILE, Case, Findings
from cardioseg.inference.formats import NIFTI
from cardioseg.inference.predict import DONE, Outcome, case_report, predict_case
from cardioseg.inference.session import Model
from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report.html import CaseReport, write_report

STATUS_COLUMNS = ("case_id", "source", "status", "reason")
_LISTS = ("failures", "seconds_by_case", "other_series", "unused_files")  # too long for the report
_PACKAGES = ("numpy", "SimpleITK", "pydicom", "scikit-image")


def predict_all(
    findings: Findings,
    model: Model,
    out: Path,
    overwrite: bool = False,
    report: Callable[[Case, int, int], None] = lambda *_: None,
    *,
    formats: Collection[str] = (NIFTI,),
) -> Iterator[Outcome]:
    """Predict every case, yielding what became of each; the summary is written when the last is done.

    Args:
        findings: the cases.
        model: what to run.
        out: gets a folder a case, `status.csv`, `measures.csv`, `run.json` and `report.html`.
        overwrite: do again what is done.
        report: called with the case, the number of its slices done and of all.
        formats: what to write of each mask.
    """
    start = time.perf_counter()
    outcomes = []
    for case in findings.cases:
        progress = partial(report, case)
        outcome = predict_case(case, model, out, overwrite, progress, formats=formats)
        outcomes.append(outcome)
        yield outcome
    write_summary(findings, outcomes, model, out, time.perf_counter() - start)


def write_summary(findings: Findings, outcomes: Sequence[Outcome], model: Model, out: Path, seconds: float) -> None:
    """Write `status.csv`, `measures.csv`, `run.json` and `report.html`."""
    reports = [case_report(outcome, out) for outcome in outcomes]
    write_csv(out / "status.csv", STATUS_COLUMNS, map(_status, outcomes))
    write_csv(out / "measures.csv", ("case_id", *VentricleMeasures.columns()), _measures(reports))
    run = _describe(findings, outcomes, model, seconds)
    write_json(out / RUN_FILE, run)
    write_report(out / "report.html", {key: run[key] for key in run if key not in _LISTS}, reports)


def _status(outcome: Outcome) -> dict[str, str]:
    source = str(outcome.case.source)
    return dict(zip(STATUS_COLUMNS, (outcome.case.case_id, source, outcome.status, outcome.reason), strict=True))


def _measures(reports: Sequence[CaseReport]) -> Iterator[dict[str, Any]]:
    return ({"case_id": case.case_id} | case.measures.as_row() for case in reports if case.measures)


def _describe(findings: Findings, outcomes: Sequence[Outcome], model: Model, seconds: float) -> dict[str, Any]:
    return {
        "version": __version__,
        "model": {"name": model.card.name, "sha256": model.card.sha256, "licence": model.card.licence},
        "labels": list(model.card.labels),
        "device": model.device,
        "packages": {name: version(name) for name in _PACKAGES} | {"onnxruntime": model.runtime},
        "cases": {
            "done": sum(outcome.status == DONE for outcome in outcomes),
            "failed": sum(outcome.status != DONE for outcome in outcomes),
        },
        "failures": [_status(outcome) for outcome in outcomes if outcome.status != DONE],
        "seconds": round(seconds, 2),
        "seconds_by_case": {outcome.case.case_id: round(outcome.seconds, 2) for outcome in outcomes},
        "other_series": [asdict(item) for item in findings.others],
        "unused_files": [asdict(item) for item in findings.unused],
    }
