"""Chosen phases: the phases of end-diastole and end-systole that a person chose, for all cases and for single ones."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from cardioseg.errors import UsageError
from cardioseg.measure.curves import Moments

COLUMNS = ("case_id", "ed_phase", "es_phase")
_HINT = f"its columns are {','.join(COLUMNS)}; phases count from 0; for an empty cell, cardioseg finds the phase itself"
_IN_FILE = "for this case in the --phases file"
_LIMIT_BYTES = 64_000_000


@dataclass(frozen=True)
class Choices:
    """Phases that a person chose.

    Attributes:
        every: for every case.
        by_case: for single cases, by their names in the results; what they say comes first.
    """

    every: Moments = Moments()  # noqa: RUF009 - frozen
    by_case: Mapping[str, Moments] = field(default_factory=dict, repr=False)

    def of(self, case_id: str) -> Moments:
        """The phases that are chosen for one case."""
        own = self.by_case.get(case_id, Moments())
        return own.filled(self.every)

    def require_within(self, case_id: str, phases: int) -> None:
        """Raise UnusableError where a phase that is chosen for a case is none of its `phases`."""
        own = self.by_case.get(case_id, Moments())
        ed = "--ed" if own.ed_phase is None else f"ed_phase {_IN_FILE}"
        es = "--es" if own.es_phase is None else f"es_phase {_IN_FILE}"
        self.of(case_id).require_within(phases, (ed, es))

    def document(self) -> dict[str, Any]:
        """For `run.json`."""
        single = {name: asdict(moments) for name, moments in sorted(self.by_case.items())}
        return asdict(self.every) | ({"by_case": single} if single else {})


def read_choices(path: Path) -> dict[str, Moments]:
    """The phases of single cases from a CSV with the columns `case_id`, `ed_phase` and `es_phase`; others may follow.

    Raises:
        UsageError: it cannot be read, lacks a column, names a case twice, or a phase is no whole number.
    """
    chosen: dict[str, Moments] = {}
    for number, row in _rows(path):
        name = (row["case_id"] or "").strip()
        if name in chosen:
            raise UsageError(f"{path}, line {number}: {name} appears twice", "give each case one line")
        chosen[name] = _moments(row, f"{path}, line {number}")
    return chosen


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line with its number; semicolons, which spreadsheets of many countries write, do too."""
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise UsageError(f"{path} is too large for a table of phases", _HINT)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        raise UsageError(f"{path} cannot be read as a CSV", _HINT) from None
    first = text.split("\n", 1)[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    try:
        titles = [title.strip().lower() for title in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in titles]:
            raise UsageError(f"{path} has no column {missing[0]}", _HINT)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(titles, [*cells, "", "", ""], strict=False))
    except csv.Error:
        raise UsageError(f"{path} cannot be read as a CSV", _HINT) from None


def _moments(row: Mapping[str, str], where: str) -> Moments:
    phases = {}
    for name in COLUMNS[1:]:
        text = row.get(name, "").strip()
        if text and not (text.isascii() and text.isdecimal()):
            raise UsageError(f"{where}: {name} is not a whole number from 0 on", _HINT)
        phases[name] = int(text) if text else None
    if phases["ed_phase"] is not None and phases["ed_phase"] == phases["es_phase"]:
        raise UsageError(
            f"{where}: both phases are {phases['ed_phase']}", "end-diastole and end-systole are different phases"
        )
    return Moments(**phases)
