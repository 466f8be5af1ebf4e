"""Gather: the parts of a run, or what a killed run left, become the tables and the report of one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cardioseg.cases.case_search import Part
from cardioseg.cases.scan import is_at_place
from cardioseg.errors import NoInputError, UsageError
from cardioseg.files import is_being_written
from cardioseg.prediction.cohort_prediction import earlier_seconds, run_record
from cardioseg.results.all_cases import every_outcome
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.ledger import END, UNITS, Ledger
from cardioseg.results.outcome import Tally
from cardioseg.results.run_tables import write_summary

_WHOLE = "the run"
_FINISH = "run it again; finished cases are kept"


@dataclass(frozen=True)
class Gathered:
    """What came of it.

    Attributes:
        tally: of all cases.
        problems: parts that are missing or not finished, a line each.
    """

    tally: Tally
    problems: tuple[str, ...]


def gather(out: Path) -> Gathered:
    """Write the tables and the report of a run from its parts, or from what it left when it was killed.

    Args:
        out: the folder of all cases.

    Raises:
        NoInputError: there are no parts, and no run was cut off.
        UsageError: the parts are not of one run.
    """
    whole = ResultsFolder(out)
    folders = {f"part {part.number} of {part.of}": part.folder(out) for part in _parts(whole)} or {_WHOLE: whole}
    ledgers = tuple(folder.ledger for folder in folders.values() if folder.ledger.is_file())
    if not ledgers:
        raise NoInputError(f"{out} holds no parts and no unfinished run", "nothing to gather: the tables are complete")
    ledger = Ledger(ledgers)
    problems = [problem for name, folder in folders.items() if (problem := _problem(name, folder))]
    problems += _disagreements(ledger)
    run = run_record(ledger, earlier_seconds(whole, whole, ledger))
    tally = Tally()
    with every_outcome(whole, ledger, is_at_place, run.model_sha256) as outcomes:
        write_summary(whole, outcomes, run)
        for outcome in outcomes:
            tally.count(outcome)
    return Gathered(tally, tuple(problems))


def _parts(whole: ResultsFolder) -> list[Part]:
    totals = sorted({of for _, of in whole.parts()})
    if len(totals) > 1:
        counts = " and of ".join(map(str, totals))
        raise UsageError(
            f"{whole.parts_path} holds parts of {counts}", "remove the parts of the run that you do not need"
        )
    return [Part(number, totals[0]) for number in range(1, totals[0] + 1)] if totals else []


def _problem(name: str, folder: ResultsFolder) -> str:
    if not folder.ledger.is_file():
        return f"{name} is missing: {_FINISH}"
    if is_being_written(folder.path) and name != _WHOLE:
        return f"{name} is still running"
    return "" if any(Ledger((folder.ledger,)).all(END)) else f"{name} is not finished: {_FINISH}"


def _disagreements(ledger: Ledger) -> Iterator[str]:
    """What keeps the parts from being of one run.

    Raises:
        UsageError: other models, versions or settings than the first part's.
    """
    first, *others = ledger.runs()
    for key in ("version", "model", "labels", "chosen_phases"):
        if any(getattr(other, key) != getattr(first, key) for other in others):
            raise UsageError(
                f"the parts differ in their {key.replace('_', ' ')}", "run them all again with --overwrite"
            )
    if len(set(ledger.all(UNITS))) > 1:
        yield f"the parts did not find the same scans, so some scans may be in no part: {_FINISH}"
