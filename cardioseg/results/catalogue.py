"""Catalogue: which cases lie in a folder of results, and which folder there belongs to which scan.

A case is its content: a folder is never given to another scan because that has the same name, and a scan that was
moved or exported again finds the folder that it had.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Protocol

from cardioseg.files import turn
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.folder import CaseFolder, ResultsFolder


class Identified(Protocol):
    """What a folder of results belongs to: a scan, or a mask that is measured."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name, and others to take where that is another's."""

    @property
    def source(self) -> str:
        """Where it lies, as the user gave it."""

    @property
    def input(self) -> str:
        """While this is the same, so is `content`; cheap."""

    @property
    def content(self) -> str:
        """Which case it is; raises UnusableError where it cannot be read."""

    def is_also_at(self, record: CaseRecord) -> bool:
        """Whether the place that a record of this content names still holds it."""


@dataclass(frozen=True)
class Catalogue:
    """The cases in a folder of results.

    Attributes:
        folder: with a folder for each case.
        sources: where the present run looks for scans. Of copies that are all there, each is a case.
        run: id of the present run, if its records do not say where the scans lie.
    """

    folder: ResultsFolder
    sources: tuple[Path, ...] = ()
    run: str | None = None

    def record(self, name: str) -> CaseRecord | None:
        """The record of a case, or None where there is none."""
        return read_case_record(self.folder.case(name))

    def case_ids(self) -> list[str]:
        """The names of all cases that are committed, in order."""
        return [case.case_id for case in self.folder.cases()]

    @contextmanager
    def folder_of(self, scan: Identified) -> Iterator[CaseFolder]:
        """The folder of a scan, new or known, while no other process writes into it.

        Raises:
            UnusableError: the scan must be read to know whose folder it is, and cannot be.
            ResourceError: the file system refuses.
        """
        while True:
            name = self.name_of(scan)
            with turn(self.folder.lock(name)):
                if self.name_of(scan) == name:  # nobody took it meanwhile
                    yield self.folder.case(name)
                    return

    def name_of(self, scan: Identified) -> str:
        """The name under which a scan is known here, or the first of its names that nobody has.

        Raises:
            UnusableError: as `folder_of`.
        """
        own, *others = scan.names
        if self._has(own, "input", scan.input):
            return own
        by_input = (name for name in self._names_by_hash.get(scan.input, ()) if self._has(name, "input", scan.input))
        by_name = (name for name in (own, *others) if self._is_same(name, scan, if_unknown=True))
        by_content = (name for name in self._names_by_hash.get(scan.content, ()) if self._is_same(name, scan))
        return next(chain(by_input, by_name, by_content, self._free(scan)))

    def free_name(self, scan: Identified) -> str:
        """The first of its names that no other scan has, for one that cannot be read."""
        return next(self._free(scan))

    def naming(self, scan: Identified, name: str) -> str:
        """Why a scan is not called by its own name here; empty where it is."""
        own = scan.names[0]
        if name == own:
            return ""
        record = self.record(name)
        is_moved = record is not None and record.source not in (None, scan.source)
        other = self.record(own)
        if other and other.source == scan.source and not is_moved:
            incomplete = f"if that was an incomplete copy of this scan, delete {own} from the results and run again"
            return f"named {name}, because {own} is a scan that was at the same place before ({incomplete})"
        if other and not is_moved:
            return f"named {name}, because another scan here is named {own}"
        return f"named {name}, because these images had this name before"

    def _has(self, name: str, field: str, value: str) -> bool:
        record = self.record(name)
        return record is not None and getattr(record, field) == value

    def _is_same(self, name: str, scan: Identified, *, if_unknown: bool = False) -> bool:
        """Whether a case of the same content is this scan, maybe at an earlier place, and not a copy of it.

        Of copies in one run each is a case. A copy is there only where the place of the record still holds the same
        images: when patients' folders were renamed, another scan may lie there by now. Where the record does not say
        where the scan lay, nobody knows; but a copy used it if it is of the present run.
        """
        record = self.record(name)
        if record is None or record.content != scan.content:
            return False
        if record.source is None or record.source == scan.source:
            return record.source is not None or (if_unknown and (record.run is None or record.run != self.run))
        place = Path(record.source).absolute()
        is_of_this_run = any(place.is_relative_to(source.absolute()) for source in self.sources)
        return not is_of_this_run or not scan.is_also_at(record)

    def _free(self, scan: Identified) -> Iterator[str]:
        own = scan.names[0]
        names = chain(scan.names, (f"{own}-{number}" for number in count(2)))
        return (name for name in names if self.record(name) is None)

    @cached_property
    def _names_by_hash(self) -> dict[str, tuple[str, ...]]:
        """Input or content -> names of cases, as they lay here when that was first asked for."""
        names_by_hash: dict[str, list[str]] = defaultdict(list)
        for name in self.case_ids():
            if record := self.record(name):
                names_by_hash[record.input].append(name)
                names_by_hash[record.content].append(name)
        return {key: tuple(names) for key, names in names_by_hash.items()}
