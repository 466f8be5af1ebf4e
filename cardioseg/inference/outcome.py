"""Outcome: what became of each case, and the tables and the report that sum all of them up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cardioseg.files import write_csv, write_json
from cardioseg.image.flag import Flag
from cardioseg.inference.cases import RUN_FILE
from cardioseg.inference.description import read_description
from cardioseg.measure.quantities import CASE_COLUMNS, QUANTITIES
from cardioseg.report.case_pictures import LOOP_FILE, OVERLAY_FILE
from cardioseg.report.run_report import CaseReport, write_report

DONE, FAILED = "done", "failed"

_STATUS_COLUMNS = ("case_id", "source", "status", "reason")
MEASURE_COLUMNS = (*CASE_COLUMNS, *QUANTITIES)
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


def in_one(*remarks: str) -> str:
    """Several remarks as one; empty ones are left out."""
    return "; ".join(filter(None, remarks))


@dataclass
class Tally:
    """How many cases are done, failed, and flagged among those that are done."""

    done: int = 0
    failed: int = 0
    flagged: int = 0

    def count(self, outcome: Outcome) -> None:
        """One more."""
        self.done += outcome.status == DONE
        self.failed += outcome.status != DONE
        self.flagged += bool(outcome.flags)


def write_summary(out: Path, outcomes: Iterable[Outcome], run: Mapping[str, Any], tables: Path | None = None) -> None:
    """Write `status.csv`, `measures.csv`, `run.json` and, where they stand beside the cases, `report.html`.

    Args:
        out: the folder of all cases, each with its `measures.json`.
        outcomes: of every case; they are gone through several times.
        run: what else to say about the run.
        tables: the folder for all that, if it is not `out`.
    """
    tally, failures = Tally(), []
    for outcome in outcomes:
        tally.count(outcome)
        failures += [outcome.row()] * (outcome.status != DONE)
    document = dict(run) | {"cases": asdict(tally), "failures": failures}
    folder, reports = tables or out, Reports(outcomes, out)
    write_csv(folder / "status.csv", _STATUS_COLUMNS, (outcome.row() for outcome in outcomes))
    write_csv(folder / "measures.csv", MEASURE_COLUMNS, _measures(reports))
    write_json(folder / RUN_FILE, document)
    if folder == out:
        write_report(out / "report.html", {key: document[key] for key in document if key not in _LISTS}, reports)


@dataclass(frozen=True)
class Reports(Iterable[CaseReport]):
    """What the report shows of each case, read from its files whenever it is asked for."""

    outcomes: Iterable[Outcome]
    out: Path

    def __iter__(self) -> Iterator[CaseReport]:
        return (_report(outcome, self.out) for outcome in self.outcomes)


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


def _measures(reports: Iterable[CaseReport]) -> Iterator[dict[str, Any]]:
    """A row a case: `flag_count` counts the flags, `flags` names their kinds."""
    for case in reports:
        if case.measures:
            kinds = "; ".join(dict.fromkeys(flag.kind for flag in case.flags))
            yield {"case_id": case.case_id, "flag_count": len(case.flags), "flags": kinds} | case.measures.as_row()
