"""Gather: the parts of a run, or what a killed run left, become the tables and the report of one run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cardioseg.errors import NoInputError, UsageError
from cardioseg.files import is_being_written
from cardioseg.inference.case_search import PARTS, Part
from cardioseg.inference.cohort_prediction import document, earlier_seconds
from cardioseg.inference.ledger import END, LEDGER_FILE, UNITS, Ledger
from cardioseg.inference.listing import every_outcome
from cardioseg.inference.outcome import Tally, write_summary

_FOLDER = re.compile(r"(\d+)-of-(\d+)")
_FINISH = "run it again: what is done is kept"


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
    parts = _parts(out)
    folders = {f"part {part.number} of {part.of}": part.folder(out) for part in parts} or {"the run": out}
    known = {name: folder / LEDGER_FILE for name, folder in folders.items() if (folder / LEDGER_FILE).is_file()}
    if not known:
        raise NoInputError(f"{out} holds no parts, and no run that was cut off", "its tables are as they should be")
    ledger = Ledger(tuple(known.values()))
    problems = [problem for name, folder in folders.items() if (problem := _problem(name, folder))]
    problems += _disagreements(ledger)
    run = document(ledger, earlier_seconds(out, out, ledger))
    tally = Tally()
    with every_outcome(out, ledger, run["model"]["sha256"]) as outcomes:
        write_summary(out, outcomes, run)
        for outcome in outcomes:
            tally.count(outcome)
    return Gathered(tally, tuple(problems))


def _parts(out: Path) -> list[Part]:
    found = [match for path in sorted((out / PARTS).glob("*")) if (match := _FOLDER.fullmatch(path.name))]
    totals = sorted({int(match[2]) for match in found})
    if len(totals) > 1:
        counts = " and of ".join(map(str, totals))
        raise UsageError(f"{out / PARTS} holds parts of {counts}", "remove those of the run that does not count")
    return [Part(number, totals[0]) for number in range(1, totals[0] + 1)] if totals else []


def _problem(name: str, folder: Path) -> str:
    ledger = Ledger((folder / LEDGER_FILE,))
    if not ledger.paths[0].is_file():
        return f"{name} is missing: {_FINISH}"
    if is_being_written(folder) and name != "the run":
        return f"{name} is still running"
    return "" if any(ledger.all(END)) else f"{name} was cut off: {_FINISH}"


def _disagreements(ledger: Ledger) -> Iterator[str]:
    """What keeps the parts from being of one run.

    Raises:
        UsageError: other models, versions or settings than the first part's.
    """
    first, *others = ledger.descriptions()
    for key in ("version", "model", "labels", "chosen_phases"):
        if any(other[key] != first[key] for other in others):
            raise UsageError(
                f"the parts differ in their {key.replace('_', ' ')}", "run them all again with --overwrite"
            )
    if len(set(ledger.all(UNITS))) > 1:
        yield f"the parts did not find the same scans, so some may be in none: {_FINISH}"
