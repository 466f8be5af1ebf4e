"""Scan: the pixels of a case, read once when they are first asked for, and what tells them from other scans.

A case is its content. Names of folders and files, UIDs and sizes can be the same for two patients; pixels are not. And
what was exported again has other files, names and UIDs, but the same pixels.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from json import dumps
from pathlib import Path

import numpy as np

from cardioseg.cases.case import Case
from cardioseg.cases.case_search import find_cases
from cardioseg.errors import CardiosegError
from cardioseg.image.volume import Cine, Volume
from cardioseg.results.case_record import CaseRecord

OTHER_HEADER = (
    "the header of its scan has changed since: mask and measures are those of the old header (run `predict` again to "
    "measure it with the present one; if another program edited the mask, save the case in `review` first)"
)


@dataclass(frozen=True)
class Scan:
    """A case as far as it has been read. Everything here raises UnusableError where the scan cannot be read.

    Attributes:
        case: where it lies.
    """

    case: Case

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name, and others to take where that is another scan's."""
        return self.case.case_id, *self.case.others

    @property
    def source(self) -> str:
        """Where it lies, as the user gave it."""
        return str(self.case.source)

    @cached_property
    def cine(self) -> Cine:
        """The pixels. The input is asked for first: what is recorded of a scan is never newer than its pixels."""
        self.input  # noqa: B018 - it stays
        return self.case.read()

    def phase(self, index: int) -> Volume:
        """The pixels of one phase. Of a DICOM series that was not read whole, only the files of this phase are read."""
        stack = self.case.series.stack if self.case.series else None
        return self.cine.phase(index) if stack is None or self.is_read else stack.volume(index)

    @property
    def is_read(self) -> bool:
        """Whether all its pixels are in memory."""
        return "cine" in vars(self)

    @cached_property
    def input(self) -> str:
        """Changes when a file is changed, moved, added or removed; asks the file system only."""
        return self.case.fingerprint()

    def require_unchanged(self) -> None:
        """Make sure that no file has changed since the input was asked for: some are read more than once."""
        self.case.require_unchanged(self.input)

    @cached_property
    def content(self) -> str:
        """Hash of the shape and the intensities, in whatever type of number they are stored."""
        digest = sha256(repr(self.cine.voxels.shape).encode())
        for phase in self.cine.voxels:
            digest.update(np.ascontiguousarray(phase, "<f4").data)
        return digest.hexdigest()

    def is_also_at(self, record: CaseRecord) -> bool:
        """Whether the place that a record of this content names still holds it."""
        return is_at_place(record)

    @cached_property
    def header(self) -> str:
        """Hash of what measures rest on beside the pixels: geometry, times, and what is known of the body."""
        grid, times_ms = self.cine.grid, self.cine.times_ms
        where = [grid.spacing_mm, grid.origin_mm, grid.directions, times_ms, self.case.acquisition.document()]
        return sha256(dumps(where).encode()).hexdigest()

    def has_other_header(self, record: CaseRecord) -> bool:
        """Whether its geometry, times or body are other ones than those that the measures of a record rest on."""
        return self.input != record.input and record.header not in ("", self.header)


def recorded_scan(record: CaseRecord) -> Scan | None:
    """The scan that a case was made of; None where its place is not known, is empty, or holds another one by now."""
    with suppress(CardiosegError, OSError):
        cases = find_cases([Path(record.source)]).cases if record.source is not None else ()
        return next((scan for scan in map(Scan, cases) if _is_of(scan, record)), None)
    return None


def is_at_place(record: CaseRecord) -> bool:
    """Whether the scan of a case still lies where its record says."""
    return recorded_scan(record) is not None


def _is_of(scan: Scan, record: CaseRecord) -> bool:
    with suppress(CardiosegError, OSError):
        return scan.input == record.input or scan.content == record.content
    return False  # it cannot be read
