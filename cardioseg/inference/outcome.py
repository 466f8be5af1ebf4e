"""Outcome: what became of each case, and the tables and the report that sum all of them up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardioseg.files import write_csv, write_json
from cardioseg.image.flag import Flag
from cardioseg.inference.cases import RUN_FILE
from cardioseg.inference.description import read_description
from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report.html import CaseReport, write_report
from cardioseg.report.pictures import LOOP_FILE, OVERLAY_FILE

DONE, FAILED = "done", "failed"

_STATUS_COLUMNS = ("case_id", "source", "status", "reason")
_MEASURE_COLUMNS = ("case_id", "qc", "flags", *VentricleMeasures.columns())
_LISTS = ("failures", "seconds_by_case", "other_series", "unused_files")  # too long for the report


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case_id: the case.
        source: where it lies, as the user gave it; None where that is not to be said.
        status: `done` or `failed`.
        reason: why it failed and what to do; or a remark on a case that is done, or empty.
        seconds: time it took; 0 where it had been done before.
        flags: why a human must look at it.
    """

    case_id: str
    source: Path | None
    status: str
    reason: str = ""
    seconds: float = 0.0
    flags: tuple[Flag, ...] = ()

    def row(self) -> dict[str, str]:
        """For `status.csv`."""
        source = "" if self.source is None else str(self.source)
        return dict(zip(_STATUS_COLUMNS, (self.case_id, source, self.status, self.reason), strict=True))


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many cases are done, failed, and flagged among those that are done."""
    return {
        "done": sum(outcome.status == DONE for outcome in outcomes),
        "failed": sum(outcome.status != DONE for outcome in outcomes),
        "flagged": sum(bool(outcome.flags) for outcome in outcomes),
    }


def write_summary(out: Path, outcomes: Sequence[Outcome], run: Mapping[str, Any]) -> None:
    """Write `status.csv`, `measures.csv`, `run.json` and `report.html`.

    Args:
        out: the folder of all cases, each with its `measures.json`.
        outcomes: of every case.
        run: what else to say about the run.
    """
    reports = [_report(outcome, out) for outcome in outcomes]
    document = dict(run) | {
        "cases": counts(outcomes),
        "failures": [outcome.row() for outcome in outcomes if outcome.status != DONE],
    }
    write_csv(out / "status.csv", _STATUS_COLUMNS, (outcome.row() for outcome in outcomes))
    write_csv(out / "measures.csv", _MEASURE_COLUMNS, _measures(reports))
    write_json(out / RUN_FILE, document)
    write_report(out / "report.html", {key: document[key] for key in document if key not in _LISTS}, reports)


def _report(outcome: Outcome, out: Path) -> CaseReport:
    """What the report shows of a case, from its files."""
    if outcome.status != DONE:
        return CaseReport(outcome.case_id, outcome.status, outcome.reason)
    folder = out / outcome.case_id
    known = read_description(folder)
    remarks = (part for part in outcome.reason.split("; ") if part != known.remark)  # the report shows the flags
    return CaseReport(
        outcome.case_id,
        DONE,
        "; ".join(remarks),
        known.measures,
        known.curves_ml,
        known.times_ms,
        (folder / OVERLAY_FILE, folder / LOOP_FILE),
        known.flags,
    )


def _measures(reports: Sequence[CaseReport]) -> Iterator[dict[str, Any]]:
    """A row a case: `qc` counts the flags, `flags` names their kinds."""
    for case in reports:
        if case.measures:
            kinds = "; ".join(dict.fromkeys(flag.kind for flag in case.flags))
            yield {"case_id": case.case_id, "qc": len(case.flags), "flags": kinds} | case.measures.as_row()
