"""Named cases: cases under the names that a table gives to their folders and files.

The table has the columns `source`, a folder or file, and `case_id`; `status.csv` of an earlier run is such a table. If
a folder of the table contains one case, the case gets its name; if it contains several, this name replaces that of the
folder in their own names.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

from cardioseg.archive.member_paths import exists, plain_name
from cardioseg.cases.case import Case, CaseSource, Findings
from cardioseg.cases.case_csv import case_rows
from cardioseg.cases.hashed_names import HASH, OWN, Hashed
from cardioseg.cases.nearest_name import with_nearest
from cardioseg.errors import UsageError
from cardioseg.files import safe_name

_DIVIDERS = ("", "_", "-")  # after the name of a folder in that of its case
_HINT = "its columns are source,case_id: a folder or file of the scans, and the name of its case"


class NamedCases:
    """Cases with the names of a table; a case that the table does not name keeps its own.

    Args:
        findings: the cases, unit by unit.
        names: the table: resolved path -> name.

    Attributes:
        unmet: the paths of the table in which no case was found so far.
        unnamed: number of cases so far that the table does not name.
        kept: names that cases of the table had in the results before, and keep.
    """

    def __init__(self, findings: CaseSource, names: Mapping[Path, str]) -> None:
        self._findings, self._names = findings, names
        self.sources, self.digest = findings.sources, findings.digest
        self.unmet = dict.fromkeys(names)
        self.unnamed = 0
        self.kept: list[str] = []

    def __iter__(self) -> Iterator[Findings]:
        for findings in self._findings:
            rows = [self._row_of(case) for case in findings.cases]
            counts = Counter(rows)
            cases = [
                case if row is None else self._renamed(case, row, is_only=counts[row] == 1)
                for case, row in zip(findings.cases, rows, strict=True)
            ]
            self.unnamed += counts[None]
            for row in filter(None, counts):
                self.unmet.pop(row, None)
            yield replace(findings, cases=tuple(cases))

    def note(self, case: Case, name: str) -> None:
        """Note the name that a case has in the results."""
        if name not in (case.case_id, *case.others) and self._row_of(case):
            self.kept.append(name)

    def remarks(self) -> Iterator[str]:
        """What there is to say of the table after all cases."""
        if self.unmet:
            more = f" and {len(self.unmet) - 1} more" if len(self.unmet) > 1 else ""
            yield f"no case was found in {next(iter(self.unmet))}{more}: these lines have no effect"
        if self._names and self.unnamed:
            cases = "1 case has" if self.unnamed == 1 else f"{self.unnamed} cases have"
            yield f"{cases} no line in the table: named after folders and files"
        if self.kept:
            more = f" and {len(self.kept) - 1} more" if len(self.kept) > 1 else ""
            yield f"already in the results under an earlier name, which stays: {self.kept[0]}{more}"

    def _row_of(self, case: Case) -> Path | None:
        """The nearest path of the table that contains the case."""
        place = case.source.resolve()
        return next((path for path in (place, *place.parents) if path in self._names), None)

    def _renamed(self, case: Case, row: Path, *, is_only: bool) -> Case:
        """The case under the name of its row; if it is not the only one, its own name without the folder's follows."""
        name, folder = self._names[row], safe_name(plain_name(row.name))
        rest = case.case_id.removeprefix(folder)
        with_own = name + rest if rest != case.case_id and rest[:1] in _DIVIDERS else f"{name}_{case.case_id}"
        first, *others = (name, with_own) if is_only else (with_own,)
        return replace(case, case_id=first, others=tuple(other for other in others if other != first))


def read_naming(text: str, sources: Sequence[Path]) -> Callable[[CaseSource, Path], Hashed | NamedCases]:
    """How cases are named: `own`, `hash` or the path of a table.

    Args:
        text: what the option `--names` says.
        sources: of the scans.

    Returns:
        A function of the cases and of the folder of their results; it returns the cases with their names.

    Raises:
        UsageError: there is no such way, or the table is of no use.
    """
    if text == HASH:
        return Hashed
    if text != OWN and not text.lower().endswith(".csv"):
        raise UsageError(f"--names {text!r} is unknown", f"the choices are {OWN}, {HASH} and a CSV file")
    names = {} if text == OWN else read_names(Path(text), sources)
    return lambda findings, _out: NamedCases(findings, names)


def read_names(table: Path, sources: Sequence[Path]) -> dict[Path, str]:
    """The table: resolved path -> name, safe for a file system.

    Args:
        table: a CSV with the columns `source` and `case_id`; others may follow.
        sources: of the scans. A path in the table is relative to one of them or to the working directory.

    Raises:
        UsageError: it cannot be read, lacks a column, names a case or a path twice, or a path does not exist.
    """
    names: dict[Path, str] = {}
    for name, where, row in case_rows(table, ("source",), _HINT):
        path = _place(row["source"].strip(), where, sources)
        if path in names:
            raise UsageError(f"{where}: {row['source'].strip()} appears twice", "give each folder or file one line")
        if name.lower() in {other.lower() for other in names.values()}:
            raise UsageError(f"{where}: {name} is the name of another line, too", "give each case a name of its own")
        names[path] = name
    return names


def _place(text: str, where: str, sources: Sequence[Path]) -> Path:
    if not text:
        raise UsageError(f"{where}: it names no folder or file", _HINT)
    bases = (Path(), *sources, *(source.parent for source in sources))
    spellings = (
        text,
        normalize("NFC", text),
        normalize("NFD", text),
    )  # the same letters, as another system writes them
    places = next(filter(None, ([*_places(spelling, bases)] for spelling in spellings)), [])
    if not places:
        named = with_nearest(text, _neighbours(text, sources))
        raise UsageError(f"{where}: there is no folder or file {named}", "write it as it stands below SCANS")
    if len(places) > 1:
        raise UsageError(f"{where}: {text} lies in several places: {places[0]} and {places[1]}", "write the whole path")
    return places[0]


def _places(text: str, bases: Sequence[Path]) -> dict[Path, None]:
    """The resolved paths, in order, at which a path lies that is relative to one of `bases`."""
    return dict.fromkeys(path.resolve() for base in bases if exists(path := base / text))


def _neighbours(text: str, sources: Sequence[Path]) -> Iterator[str]:
    """The paths of what lies where `text` should lie, written alike."""
    for folder in ((source / text).parent for source in sources):
        with suppress(OSError, ValueError):
            yield from (str(Path(text).with_name(path.name)) for path in folder.iterdir())
