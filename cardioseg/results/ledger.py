"""Ledger: what became of each case, line by line on disk while a run goes on. The tables are made from it.

So nothing that grows with the cohort is kept in memory, and what a killed run knew can still be read. The first line is
the run's description; then comes a line for each outcome, series of another kind, unusable file, and one at the end.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cardioseg.files import append_line, write_text
from cardioseg.image.flag import Flag
from cardioseg.results.outcome import DONE, Outcome, in_one
from cardioseg.results.run_record import RunRecord

RUN, UNITS = "run", "units"
OUTCOME, OTHER, UNUSED, END = "outcome", "other", "unused", "end"


@dataclass(frozen=True)
class Ledger:
    """The ledgers of one run, or of its parts; what is added goes to the last.

    Attributes:
        paths: the files.
    """

    paths: tuple[Path, ...]

    def begin(self, run: RunRecord, units: str) -> None:
        """Start anew; `units` stands for all that was found, of all parts."""
        write_text(self.paths[-1], json.dumps({RUN: run.document()}) + "\n")
        self.add(UNITS, units)

    def add(self, kind: str, what: Any) -> None:  # noqa: ANN401 - whatever json takes
        """Add a line."""
        append_line(self.paths[-1], json.dumps({kind: what}))

    def add_outcome(self, outcome: Outcome) -> None:
        """Add what became of a case."""
        source = None if outcome.source is None else str(outcome.source)
        self.add(OUTCOME, asdict(outcome) | {"source": source})

    def all(self, kind: str) -> Iterator[Any]:
        """What was added of a kind, in order."""
        return (line[kind] for path in self.paths for _, line in _lines(path) if kind in line)

    def runs(self) -> Iterator[RunRecord]:
        """The runs that the ledgers are of."""
        return map(RunRecord.model_validate, self.all(RUN))

    def places(self) -> dict[str, tuple[int, int]]:
        """Case -> where its last line is, in the order of the cases' names."""
        places = {
            line[OUTCOME]["case_id"]: (number, offset)
            for number, path in enumerate(self.paths)
            for offset, line in _lines(path)
            if OUTCOME in line
        }
        return dict(sorted(places.items()))

    def remove(self) -> None:
        """Forget it all: the tables have it."""
        for path in self.paths:
            with suppress(OSError):
                path.unlink()


@dataclass(frozen=True)
class Outcomes(Iterable[Outcome]):
    """What became of each case, in the order of their names, read from disk whenever it is asked for.

    Attributes:
        ledger: that knows it.
        remarks: case -> what else to say of it.
    """

    ledger: Ledger
    remarks: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __iter__(self) -> Iterator[Outcome]:
        places = self.ledger.places()
        files = [path.open("rb") if path.exists() else None for path in self.ledger.paths]
        try:
            for number, offset in places.values():
                if file := files[number]:
                    file.seek(offset)
                    outcome = _outcome(json.loads(file.readline())[OUTCOME])
                    remark = self.remarks.get(outcome.case_id, "") if outcome.status == DONE else ""
                    yield replace(outcome, reason=in_one(outcome.reason, remark))
        finally:
            for file in filter(None, files):
                file.close()


def _outcome(line: Mapping[str, Any]) -> Outcome:
    source = None if line["source"] is None else Path(line["source"])
    flags = tuple(map(Flag.from_document, line["flags"]))
    return Outcome(**(dict(line) | {"source": source, "flags": flags}))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line with its place; the last may have been cut off where the run was killed."""
    try:
        with path.open("rb") as file:
            offset = 0
            for line in file:
                with suppress(ValueError):
                    yield offset, json.loads(line)
                offset += len(line)
    except FileNotFoundError:
        return
