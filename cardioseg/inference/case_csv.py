"""Case CSV: the rows of a table with a line for each case, as spreadsheets write it."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from cardioseg.errors import UsageError

_LIMIT_BYTES = 64_000_000


def case_rows(path: Path, required: Sequence[str], hint: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each case with its place in the file and its cells by column; semicolons may stand for commas.

    Args:
        path: the file; its columns may have capitals, spaces around them and any order.
        required: the columns that must be there, beside `case_id`.
        hint: what to do where the file is of no use.

    Raises:
        UsageError: it cannot be read, lacks a column or names a case twice.
    """
    names: set[str] = set()
    for number, row in _rows(path, ("case_id", *required), hint):
        name, where = row["case_id"].strip(), f"{path}, line {number}"
        if name in names:
            raise UsageError(f"{where}: {name} appears twice", "give each case one line")
        names.add(name)
        yield name, where, row


def _rows(path: Path, required: Sequence[str], hint: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise UsageError(f"{path} is too large for a table of cases", hint)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        raise UsageError(f"{path} cannot be read as a CSV", hint) from None
    first = text.split("\n", 1)[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first and "," not in first else ",")
    try:
        titles = [title.strip().lower() for title in next(reader, [])]
        if missing := [name for name in required if name not in titles]:
            raise UsageError(f"{path} has no column {missing[0]}", hint)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(titles, [*cells, *[""] * len(titles)], strict=False))
    except csv.Error:
        raise UsageError(f"{path} cannot be read as a CSV", hint) from None
