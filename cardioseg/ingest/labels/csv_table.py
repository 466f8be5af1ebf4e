"""CSV tables of a layout: where they lie, how their columns may be misspelt, and which files they name."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.text_table import columns_of

_SUFFIXES = (".csv", ".tsv")
_ALIKE = 0.8  # as `difflib` measures; a letter too many, too few or in the wrong place is above it


def tables_in(folder: Path) -> list[Path]:
    """The files of a folder with a table's suffix."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def misspelt(path: Path, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Columns whose names are nearly that of a known column that the table lacks, each with that column."""
    columns, known = columns_of(path), tuple(known)
    for name in columns:
        nearest = [] if name in known else get_close_matches(name, known, 1, _ALIKE)
        yield from ((name, meant) for meant in nearest if meant not in columns)


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
