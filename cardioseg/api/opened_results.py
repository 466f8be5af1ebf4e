"""Opened results: what `predict` and `measure` wrote, to be read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardioseg.api.arguments import AnyPath, path_of
from cardioseg.api.case_result import AGAIN, CaseResult, edited, record_hash
from cardioseg.api.raised_errors import as_keywords, in_words_of_python
from cardioseg.errors import NoInputError
from cardioseg.results.all_cases import recorded
from cardioseg.results.edits import edit_kept
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.outcome import DONE, FAILED, Outcome, in_one
from cardioseg.results.run_record import RunRecord, UsedModel, known_run_record
from cardioseg.results.run_tables import read_status

_GIVE = "give the folder that `predict` or `measure` wrote"


@dataclass(frozen=True)
class Results:
    """A folder of results as it was when it was opened. Nothing here writes into it.

    Attributes:
        path: the folder.
        cases: every case in it, by name, those of earlier runs and those that failed too.
    """

    path: Path
    cases: tuple[CaseResult, ...] = field(repr=False)
    _run: RunRecord = field(repr=False)

    def __repr__(self) -> str:
        failed = len(self.failed)
        return f"<Results in {self.path}: {len(self.cases) - failed} done, {failed} failed>"

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The cases that failed."""
        return tuple(case for case in self.cases if case.status != DONE)

    @property
    @in_words_of_python()
    def measures(self) -> list[dict[str, Any]]:
        """A row for each case that is done, with the columns of `measures.csv`: `pandas.DataFrame` takes them.

        A last column, `is_edited`, says that the numbers are those from before the mask was edited.

        Raises:
            UnusableError: the files of a case are damaged.
        """
        return [_row(case) for case in self.cases if case.status == DONE]

    @property
    def model(self) -> str:
        """The name of the model of the last run; empty where the masks were measured only."""
        return self._run.model.name if isinstance(self._run.model, UsedModel) else self._run.model or ""

    @property
    def left_out(self) -> list[dict[str, str]]:
        """Series and files that the last run did not use: rows of `where` and `why`."""
        return [*self._run.other_series, *self._run.unused_files]

    def case(self, name: str) -> CaseResult:
        """A case by its name.

        Raises:
            NoInputError: there is none of that name.
        """
        case_result = next((case for case in self.cases if case.name == name), None)
        if case_result is None:
            names = [case.name for case in self.cases]
            more = f" and {len(names) - 5} more" * (len(names) > 5)
            raise NoInputError(f"{self.path} holds no case {name}", f"its cases are {', '.join(names[:5])}{more}")
        return case_result


@in_words_of_python()
def open_results(out: AnyPath) -> Results:
    """Open what `predict` or `measure` wrote.

    Args:
        out: the folder.

    Raises:
        NoInputError: it does not exist, or holds no results.

    Example:
        >>> results = cardioseg.open_results("results")
        >>> table = pandas.DataFrame(results.measures)
        >>> mask = results.case("patient1").read_mask()
    """
    folder = ResultsFolder(path_of(out))
    if not folder.path.is_dir():
        raise NoInputError(f"{folder.path}: no such folder", _GIVE)
    outcomes = sorted(_outcomes(folder), key=lambda outcome: outcome.case_id)
    if not outcomes:
        raise NoInputError(f"{folder.path} holds no results", _GIVE)
    cases = (
        CaseResult(outcome.case_id, outcome.status, as_keywords(outcome.text), outcome.source, case, record_hash(case))
        for outcome, case in ((outcome, folder.case(outcome.case_id)) for outcome in outcomes)
    )
    return Results(folder.path, tuple(cases), known_run_record(folder))


def _outcomes(folder: ResultsFolder) -> Iterator[Outcome]:
    """What became of each case: the table says it; of cases that a run finished since, their own records do."""
    rows = {row["case_id"]: row for row in read_status(folder)} if folder.status.is_file() else {}
    committed = {case.case_id: case for case in folder.cases()}
    for name, row in rows.items():
        listed = Outcome(name, Path(row["source"]) if row["source"] else None, row["status"], row["reason"])
        if listed.status != DONE:
            yield listed
        elif name in committed:
            yield _with_edit(listed, committed[name])
        else:
            yield replace(listed, status=FAILED, reason=f"its folder is gone ({AGAIN})")
    for name in committed.keys() - rows.keys():
        unread = Outcome(name, None, FAILED, f"its measures cannot be read ({AGAIN})")
        yield recorded(committed[name]) or unread


def _with_edit(outcome: Outcome, folder: CaseFolder) -> Outcome:
    """The same, with what is to be said of an edit that was made after the table was written."""
    file = edited(folder)
    kept = edit_kept(file) if file else ""
    return outcome if kept in outcome.reason else replace(outcome, reason=in_one(outcome.reason, kept))


def _row(case: CaseResult) -> dict[str, Any]:
    kinds = "; ".join(dict.fromkeys(flag.kind for flag in case.flags))
    review = case.review.decision if case.review else ""
    counted = {"case_id": case.name, "flag_count": len(case.flags), "flags": kinds, "review": review}
    return counted | case.measures | {"is_edited": case.is_edited}
