"""Run tables: `status.csv`, `measures.csv`, `segments.csv`, `review.csv`, `run.json` and `report.html` of all cases."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cardioseg.files import write_csv, write_json
from cardioseg.measure.quantities import CASE_COLUMNS, QUANTITIES
from cardioseg.measure.wall_measures import SEGMENT_COLUMNS
from cardioseg.report.case_report import CaseReport
from cardioseg.report.charts import Times
from cardioseg.report.run_report import write_report
from cardioseg.results.case_record import read_case_record
from cardioseg.results.description import read_description
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.outcome import DONE, STATUS_COLUMNS, Outcome, Tally
from cardioseg.results.review_record import REVIEW_COLUMNS
from cardioseg.results.run_record import Failure, RunRecord

MEASURE_COLUMNS = (*CASE_COLUMNS, *QUANTITIES)
_LISTS = {"failures", "seconds_by_case", "other_series", "unused_files"}  # too long for the report
_TEXTS = ("case_id", "flags", "review")


def write_summary(
    folder: ResultsFolder, outcomes: Iterable[Outcome], run: RunRecord, tables: ResultsFolder | None = None
) -> None:
    """Write `status.csv`, `measures.csv`, `segments.csv`, `run.json` and, beside the cases, `report.html`.

    Args:
        folder: with the folder of each case.
        outcomes: of every case; they are gone through several times.
        run: what else to say about the run.
        tables: the folder for all that, if it is another one.
    """
    tally, failures = Tally(), []
    for outcome in outcomes:
        tally.count(outcome)
        if outcome.status != DONE:
            failures.append(Failure(**outcome.row()))
    document = run.model_copy(update={"cases": tally, "failures": failures}).document()
    place, reports = tables or folder, CaseReports(outcomes, folder)
    write_csv(place.status, STATUS_COLUMNS, (outcome.row() for outcome in outcomes))
    write_csv(place.measures, MEASURE_COLUMNS, _measures(reports))
    write_csv(place.segments, SEGMENT_COLUMNS, _segments(reports))
    _write_reviews(place, outcomes, folder)
    write_json(place.run, document)
    if place == folder:
        write_report(folder.report, {key: document[key] for key in document if key not in _LISTS}, reports)


def read_status(folder: ResultsFolder) -> Iterator[dict[str, str]]:
    """The rows of `status.csv`."""
    with folder.status.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def read_reviews(folder: ResultsFolder) -> Iterator[dict[str, str]]:
    """The rows of `review.csv`; none where nobody reviewed a case."""
    if folder.reviews.is_file():
        with folder.reviews.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def read_measures(folder: ResultsFolder) -> Iterator[dict[str, Any]]:
    """The rows of `measures.csv`, with numbers as numbers and None for what is not known."""
    with folder.measures.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: text if name in _TEXTS else _number(text) for name, text in row.items()}


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


@dataclass(frozen=True)
class CaseReports(Iterable[CaseReport]):
    """What the report shows of each case, read from its files whenever it is asked for."""

    outcomes: Iterable[Outcome]
    folder: ResultsFolder

    def __iter__(self) -> Iterator[CaseReport]:
        return (_report(outcome, self.folder) for outcome in self.outcomes)


def _report(outcome: Outcome, folder: ResultsFolder) -> CaseReport:
    """What the report shows of a case, from its files."""
    if outcome.status != DONE:
        return CaseReport(outcome.case_id, outcome.status, outcome.reason)
    case = folder.case(outcome.case_id)
    description, record = read_description(case), read_case_record(case)
    return CaseReport(
        outcome.case_id,
        DONE,
        outcome.reason,
        description.measures,
        description.curves_ml,
        Times(description.times_ms, description.acquisition.is_of_dicom),
        (case.overlay, case.loop),
        description.flags,
        description.wall,
        description.references,
        description.acquisition,
        record.decided if record else "",
    )


def _measures(reports: Iterable[CaseReport]) -> Iterator[dict[str, Any]]:
    """A row a case: `flag_count` counts the flags, `flags` names their kinds."""
    for case in reports:
        if case.measures:
            kinds = "; ".join(dict.fromkeys(flag.kind for flag in case.flags))
            of_case = {"case_id": case.case_id, "flag_count": len(case.flags), "flags": kinds}
            yield of_case | {"review": case.decision} | case.measures.as_row()


def _write_reviews(place: ResultsFolder, outcomes: Iterable[Outcome], folder: ResultsFolder) -> None:
    """Write a row for each case that a person reviewed; without any, there is no file."""
    rows = list(_reviews(outcomes, folder))
    if rows:
        write_csv(place.reviews, REVIEW_COLUMNS, rows)
    else:
        place.reviews.unlink(missing_ok=True)


def _reviews(outcomes: Iterable[Outcome], folder: ResultsFolder) -> Iterator[Mapping[str, Any]]:
    for case in (folder.case(outcome.case_id) for outcome in outcomes if outcome.status == DONE):
        record = read_case_record(case)
        if record and record.review:
            yield record.review.row(case.case_id, read_description(case).measures)


def _segments(reports: Iterable[CaseReport]) -> Iterator[dict[str, Any]]:
    """A row for each AHA segment of each case whose model segments the LV's cavity and its wall."""
    for case in reports:
        yield from ({"case_id": case.case_id} | row for row in case.wall.rows())
