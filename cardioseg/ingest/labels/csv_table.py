"""Tables: CSV files with commas, semicolons or tabs, in UTF-8, UTF-16 or a Western code page.

Column names are compared without regard to case, and blanks, `-` and `_` are equal: `External code` is the column
`external_code`.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from cardioseg.errors import UnusableError

Row = Mapping[str, str]

_SUFFIXES = (".csv", ".tsv")
_SEPARATORS = ",;\t|"
_LINE_END = re.compile(r"\r\n|\r|\n")
_HEAD = 1 << 16  # bytes; a header ends within them
_LIMIT = 1 << 28
_ALIKE = 0.8  # as `difflib` measures; a letter too many, too few or in the wrong place is above it
_WHOLE = re.compile(r"([0-9]+)([.,]0*)?")  # a spreadsheet writes 9 as 9.0 if the column has an empty cell
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # a line that Excel reads


def tables_in(folder: Path) -> list[Path]:
    """The files of a folder with a table's suffix."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def columns_of(path: Path) -> tuple[str, ...]:
    """The plain names of a table's columns; none if it is not text or cannot be read."""
    try:
        text = _head(path)
    except (OSError, UnicodeError):
        return ()
    header = _plain_names(_header(_LINE_END.split(text))[0])
    return () if any("\0" in name for name in header) else header


def misspelt(path: Path, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Columns whose names are nearly that of a known column that the table lacks, each with that column."""
    columns, known = columns_of(path), tuple(known)
    for name in columns:
        nearest = [] if name in known else get_close_matches(name, known, 1, _ALIKE)
        yield from ((name, meant) for meant in nearest if meant not in columns)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a table, their values stripped, by the plain names of its columns."""
    content = path.read_bytes()[:_LIMIT]
    text = content.decode(_encoding(content), errors="replace")
    header, separator, first = _header(_LINE_END.split(text))
    lines = io.StringIO("\n".join(_LINE_END.split(text)[first:]), newline="")
    for cells in csv.reader(lines, delimiter=separator):
        if any(cells):
            yield {name: value.strip() for name, value in zip(_plain_names(header), cells, strict=False) if name}


def whole_number(text: str) -> int | None:
    """The whole number from 0 on that a cell holds, also if it is written as `9.0`; None if it holds anything else."""
    match = _WHOLE.fullmatch(text.strip())
    return int(match[1]) if match else None


def file_named(root: Path, name: str, *, may_be_folder: bool = False) -> Path:
    """The file that a CSV names, which must lie below the folder of the CSV, links resolved.

    Raises:
        UnusableError: an absolute path, one that leads outside, or no file.
    """
    path = root / name
    if not path.exists() and "\\" in name:  # as Windows writes it
        name = name.replace("\\", "/")
        path = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.resolve().is_relative_to(root.resolve()):
        raise UnusableError(f"{name}: leads outside {root}")
    if not (path.is_file() or (may_be_folder and name and path.is_dir())):
        raise UnusableError(f"{path}: no such file")
    return path


def is_blank(path: Path) -> bool:
    """Whether a table contains only blanks; False if it cannot be read."""
    try:
        return not _head(path).strip()
    except (OSError, UnicodeError):
        return False


def _head(path: Path) -> str:
    """The beginning of a table."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return codecs.getincrementaldecoder(_encoding(head))(errors="replace").decode(head)


def _header(lines: list[str]) -> tuple[list[str], str, int]:
    """The cells of the header, their separator, and the number of the next line."""
    separators = _SEPARATORS
    for number, line in enumerate(lines):
        if separator_line := _SEPARATOR_LINE.fullmatch(line.strip()):
            separators = separator_line[1]
        elif line.strip():
            cells = {separator: _cells(line, separator) for separator in separators}
            best = max(cells, key=lambda separator: len(cells[separator]))
            return cells[best], best, number + 1
    return [], ",", len(lines)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _plain_names(names: list[str]) -> tuple[str, ...]:
    return tuple(re.sub(r"[\s_-]+", "_", name.strip()).casefold() for name in names)


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    head = content[:_HEAD]
    if b"\0" in head[:2]:
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
