"""Text table: a CSV file as people and spreadsheets write it; every table that a user gives is read here.

Commas, semicolons, tabs or `|` divide the cells. The text is in UTF-8, UTF-16 or a Western code page. A line `sep=;`,
which Excel reads, may come first. Column names are compared without regard to case, and blanks, `-` and `_` are equal:
`External code` is the column `external_code`.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cardioseg.errors import UnusableError, reason_of

Cells = Mapping[str, str]

_SEPARATORS = ",;\t|"
_LINE_END = re.compile(r"\r\n|\r|\n")
_HEAD = 1 << 16  # bytes; a header ends within them
_LIMIT_BYTES = 1 << 28
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR_LINE = re.compile(r'"?sep=(.?)"?[\s,;|]*', re.IGNORECASE)
_WHOLE = re.compile(r"([0-9]+)([.,]0*)?")  # a spreadsheet writes 9 as 9.0 if the column has an empty cell
_QUOTE = "put values with a comma in quotes, or divide the columns by semicolons"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        line: number of its first line in the file, from 1.
        cells: the values by the plain names of the columns, without blanks around them; empty where the row ends early.
    """

    line: int
    cells: Cells


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        columns: plain names; columns without a name are left out.
        rows: those that hold anything.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def columns_of(path: Path) -> tuple[str, ...]:
    """The plain names of a table's columns, from its beginning; none if it is not text or cannot be read."""
    try:
        return _plain_names(next(_cells_of(_head(path), ""), (0, list[str]()))[1])
    except (OSError, UnicodeError, csv.Error):
        return ()


def is_blank(path: Path) -> bool:
    """Whether a table contains only blanks; False if it cannot be read."""
    try:
        return not _head(path).strip()
    except (OSError, UnicodeError):
        return False


def read_table(path: Path, column: str = "") -> Table:
    """Read a table.

    Args:
        path: the file.
        column: a column that the table should have: the separator that makes it one is preferred.

    Raises:
        UnusableError: it cannot be read, has a column twice, or a row has more cells than the header.
    """
    try:
        (_, header), *below = list(_cells_of(_text(path), column)) or [(0, list[str]())]
    except csv.Error:
        raise UnusableError(f"{path} cannot be read as a CSV") from None
    names = _plain_names(header)
    if twice := [name for index, name in enumerate(names) if name and name in names[:index]]:
        raise UnusableError(f"{path} has the column {twice[0]} twice", "remove one of them, or rename it")
    if longer := [line for line, cells in below if any(cells[len(names) :])]:
        raise UnusableError(f"{path}, line {longer[0]}: it has more cells than the header", _QUOTE)
    filled = ((line, [*cells, *[""] * len(names)]) for line, cells in below)
    rows = (
        Row(line, {name: value for name, value in zip(names, cells, strict=False) if name}) for line, cells in filled
    )
    return Table(tuple(filter(None, names)), tuple(rows))


def whole_number(text: str) -> int | None:
    """The whole number from 0 on that a cell holds, also if it is written as `9.0`; None if it holds anything else."""
    match = _WHOLE.fullmatch(text.strip())
    return int(match[1]) if match else None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path} cannot be read as a CSV: {reason_of(error)}") from None
    if len(content) > _LIMIT_BYTES:
        raise UnusableError(f"{path} is too large for a table")
    return content.decode(_encoding(content), errors="replace")


def _head(path: Path) -> str:
    """The beginning of a table."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return codecs.getincrementaldecoder(_encoding(head, is_whole=False))(errors="replace").decode(head)


def _encoding(content: bytes, *, is_whole: bool = True) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    if b"\0" in content[:2]:
        return "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content, final=is_whole)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _cells_of(text: str, column: str) -> Iterator[tuple[int, list[str]]]:
    """The first line and the values of each row that holds anything, the header first; none if it is not text."""
    lines = _LINE_END.split(text)
    begin, separators = 0, _SEPARATORS
    while begin < len(lines) and not lines[begin].strip(f' "{_SEPARATORS}'):
        begin += 1
    if begin < len(lines) and (separator_line := _SEPARATOR_LINE.fullmatch(lines[begin])):
        begin, separators = begin + 1, separator_line[1] or separators
    header = next((line for line in lines[begin:] if line.strip(f' "{_SEPARATORS}')), "")
    if "\0" in header:
        return
    reader = csv.reader([f"{line}\n" for line in lines[begin:]], delimiter=_separator(header, separators, column))
    end = begin
    for cells in reader:
        first, end = end + 1, begin + reader.line_num
        values = [cell.strip() for cell in cells]
        if any(values):
            yield first, values


def _separator(header: str, separators: str, column: str) -> str:
    """The separator that makes `column` one of several, and gives the most columns."""

    def columns(separator: str) -> tuple[bool, int]:
        names = _plain_names(next(csv.reader([header], delimiter=separator), []))
        return column in names and len(names) > 1, len(names)

    return max(separators, key=columns)


def _plain_names(names: list[str]) -> tuple[str, ...]:
    return tuple(re.sub(r"[\s_-]+", "_", name.strip()).casefold() for name in names)
