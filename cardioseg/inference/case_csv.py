"""Case CSV: the rows of a table with a line for each case, as spreadsheets write it."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from cardioseg.errors import UsageError
from cardioseg.files import safe_name

_LIMIT_BYTES = 64_000_000
_MARKS = ",;\t"


def case_rows(path: Path, required: Sequence[str], hint: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each case, as `predict` writes its name, with its place in the file and its other cells by column.

    Commas, semicolons or tabs divide the cells.

    Args:
        path: the file; its columns may have capitals, spaces around them and any order.
        required: the columns that must be there, beside `case_id`.
        hint: what to do where the file is of no use.

    Raises:
        UsageError: it cannot be read, lacks a column, has one twice, or names a case twice or not at all.
    """
    names: set[str] = set()
    for number, row in _rows(path, ("case_id", *required), hint):
        given, where = row.pop("case_id").strip(), f"{path}, line {number}"
        name = safe_name(given)
        if not given:
            raise UsageError(f"{where}: it names no case", hint)
        if name in names:
            raise UsageError(f"{where}: {given} appears twice", "give each case one line")
        names.add(name)
        yield name, where, row


def _rows(path: Path, required: Sequence[str], hint: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = _text(path, hint).splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=_delimiter(lines, required[0]))
    titles: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or (not titles and cells[0].startswith("sep=")):
                continue
            if not titles:
                titles = _titles(path, cells, required, hint)
                continue
            if any(cell.strip() for cell in cells[len(titles) :]):
                more = "put numbers with a comma in quotes, or divide the columns by semicolons"
                raise UsageError(f"{path}, line {reader.line_num}: it has more cells than the header", more)
            yield reader.line_num, dict(zip(titles, [*cells, *[""] * len(titles)], strict=False))
    except csv.Error:
        raise UsageError(f"{path} cannot be read as a CSV", hint) from None
    if not titles:
        raise UsageError(f"{path} has no column {required[0]}", hint)


def _delimiter(lines: Sequence[str], column: str) -> str:
    """The mark that divides the cells: the one that makes `column` a title among others."""
    for line in (line for line in lines if column in line.lower()):
        for mark in _MARKS:
            titles = [title.strip().lower() for title in next(csv.reader([line], delimiter=mark))]
            if column in titles and len(titles) > 1:
                return mark
    return _MARKS[0]


def _titles(path: Path, cells: Sequence[str], required: Sequence[str], hint: str) -> list[str]:
    titles = [title.strip().lower() for title in cells]
    if missing := [name for name in required if name not in titles]:
        raise UsageError(f"{path} has no column {missing[0]}", hint)
    if twice := [title for index, title in enumerate(titles) if title and title in titles[:index]]:
        raise UsageError(f"{path} has the column {twice[0]} twice", hint)
    return titles


def _text(path: Path, hint: str) -> str:
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise UsageError(f"{path} is too large for a table of cases", hint)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not in UTF-8", "save it as CSV in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "it cannot be read").lower()
        raise UsageError(f"{path} cannot be read as a CSV: {reason}", hint) from None
