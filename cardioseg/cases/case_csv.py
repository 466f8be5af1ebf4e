"""Case CSV: the rows of a table with a line for each case, as spreadsheets write it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cardioseg.errors import UnusableError, UsageError
from cardioseg.files import safe_name
from cardioseg.text_table import Cells, Table, read_table

_CASE = "case_id"


def case_rows(path: Path, required: Sequence[str], hint: str) -> Iterator[tuple[str, str, Cells]]:
    """Each case, as `predict` writes its name, with its place in the file and its other cells by column.

    Args:
        path: a table; see `text_table.py`. Its columns may come in any order.
        required: the columns that must be there, beside `case_id`.
        hint: what to do where the file is of no use.

    Raises:
        UsageError: it cannot be read, lacks a column, has one twice, or names a case twice or not at all.
    """
    names: set[str] = set()
    for row in _table(path, (_CASE, *required), hint).rows:
        given, where = row.cells[_CASE], f"{path}, line {row.line}"
        name = safe_name(given)
        if not given:
            raise UsageError(f"{where}: it names no case", hint)
        if name in names:
            raise UsageError(f"{where}: {given} appears twice", "give each case one line")
        names.add(name)
        yield name, where, {column: value for column, value in row.cells.items() if column != _CASE}


def _table(path: Path, columns: Sequence[str], hint: str) -> Table:
    try:
        table = read_table(path, columns[0])
    except UnusableError as error:
        raise UsageError(error.message, error.hint or hint) from None
    if missing := [name for name in columns if name not in table.columns]:
        raise UsageError(f"{path} has no column {missing[0]}", hint)
    return table
