"""Case: what there is to segment where a user points, as units of work that are read when their turn comes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Protocol

from cardioseg.archive.member_paths import plain_name, state_on_disk
from cardioseg.cases.image_check import require_image
from cardioseg.errors import UnusableError, reason_of
from cardioseg.files import safe_name
from cardioseg.image.flag import Flag
from cardioseg.image.volume import Cine
from cardioseg.image.volume_files import format_of
from cardioseg.ingest.cine.volume_suitability import volume_flags
from cardioseg.ingest.finding.survey import Series
from cardioseg.ingest.labels.layouts.acdc import read_body
from cardioseg.measure.acquisition import Acquisition
from cardioseg.skipped import Skipped

_FOLDERS = 2  # of those above a case, that may become part of its name


@dataclass(frozen=True)
class Case:
    """One short-axis cine or volume as a unit of work.

    Attributes:
        case_id: the user's own name for it, one safe path component.
        source: the file or folder it lies in, as the user gave it.
        files: every file it is read from.
        series: the DICOM series, or None for a volume file.
        found: fingerprint of a volume file when it was found; in DICOM each header has a stamp of its file.
        others: names to take where another scan has that one already; the first that is free.
    """

    case_id: str
    source: Path
    files: tuple[Path, ...] = field(repr=False)
    series: Series | None = field(default=None, repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    found: str = field(default="", repr=False)

    def read(self) -> Cine:
        """Read the pixels.

        Raises:
            UnusableError: they cannot be read or have changed since the case was found, the slices do not make a cine,
                or there is no image in it.
        """
        if self.series is not None and self.series.stack is None:
            raise UnusableError(self.series.reason, self.series.remedy)
        stack = self.series.stack if self.series else None
        cine = stack.read() if stack else format_of(self.source).read_cine(self.source)
        if self.found:
            self.require_unchanged(self.found)
        require_image(cine)
        return cine

    @property
    def acquisition(self) -> Acquisition:
        """What is known of the scan: from its DICOM headers, or from the ACDC Info.cfg beside a NIfTI."""
        stack = self.series.stack if self.series else None
        if stack is None:
            return Acquisition(*read_body(self.source), flags=self.flags)
        body = stack.height_m, stack.weight_kg, stack.heart_rate_bpm
        return Acquisition(*body, stack.missing, stack.flags, stack.thickness_mm, rr_interval_ms=stack.rr_interval_ms)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What the reading found: in DICOM what is missing or was repeated, in a volume file what is doubtful."""
        if self.series is None:
            return volume_flags(self.source)
        return self.series.stack.flags if self.series.stack else ()

    @property
    def missing(self) -> tuple[int, ...]:
        """0-based slices that were not acquired; their voxels are 0."""
        return self.series.stack.missing if self.series and self.series.stack else ()

    @property
    def is_4d(self) -> bool:
        """Whether its mask is written with a time axis."""
        return self.series is not None or format_of(self.source).is_4d(self.source)

    def without_paths(self, text: str) -> str:
        """`text` with the files of the case as their numbers, from 1, and the place where they lie as SCAN."""
        replacements = {str(path): f"file {number}" for number, path in enumerate(self.files, start=1)}
        replacements |= dict.fromkeys((str(self.source), quote(str(self.source))), "SCAN")
        for path in sorted(replacements, key=len, reverse=True):
            text = text.replace(path, replacements[path])
        return text

    def fingerprint(self) -> str:
        """Changes when a file of the case is changed, moved, added or removed.

        The time of the last change of a file's state counts too: it cannot be set, as all other times can. So does the
        file's number in its file system: clocks tick slowly, and files of two patients, written in one tick, may change
        places with their folders.

        Raises:
            UnusableError: a file is gone.
        """
        try:
            stats = [(path.absolute(), state_on_disk(path)) for path in self.files]
        except OSError as error:
            raise UnusableError(f"{error.filename}: cannot be read: {reason_of(error)}") from None
        lines = (f"{path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}" for path, stat in stats)
        return sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()

    def require_unchanged(self, fingerprint: str) -> None:
        """Make sure that the case still has a fingerprint that was taken before.

        Raises:
            UnusableError: a file of it was changed, moved, added or removed since.
        """
        if self.fingerprint() != fingerprint:
            raise UnusableError(f"{self.source}: the scan has changed since it was found", "run again")


def other_names(case_id: str, source: Path) -> tuple[str, ...]:
    """Names for a case whose own name another scan has: with the folders that it lies in, the nearest first."""
    above = [safe_name(plain_name(folder.name)) for folder in source.absolute().parents if folder.name]
    folders = [name for name in above if f"_{name}_" not in f"_{case_id}_"][:_FOLDERS]
    return tuple(safe_name("_".join([*reversed(folders[:count]), case_id])) for count in range(1, len(folders) + 1))


@dataclass(frozen=True)
class Findings:
    """What was found in a unit or in all: cases, series that are something else, and files that are of no use.

    Attributes:
        cases: what can be segmented.
        others: series that are something else.
        unused: files that are of no use.
        sources: where all that was looked for.
        digest: hash of the names of all units of a search; "" of findings that are no search.
    """

    cases: tuple[Case, ...]
    others: tuple[Skipped, ...]
    unused: tuple[Skipped, ...]
    sources: tuple[Path, ...] = ()
    digest: str = ""

    def __iter__(self) -> Iterator["Findings"]:
        """As a search that yields all at once."""
        yield self

    def without_paths(self) -> "Findings":
        """The same, of what is no case only the reasons, and of these what comes before a path."""
        others, unused = ([Skipped("", self._cut(item.why)) for item in some] for some in (self.others, self.unused))
        return replace(self, others=tuple(others), unused=tuple(unused))

    def _cut(self, why: str) -> str:
        starts = [at for source in self.sources if (at := why.find(str(source))) >= 0]
        return f"{why[: min(starts)]}..." if starts else why


class CaseSource(Protocol):
    """Hands out findings, unit by unit: a search, or a source that renames the cases of another one."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """Where all that was looked for."""

    @property
    def digest(self) -> str:
        """Hash of the names of all units of a search; "" of findings that are no search."""

    def __iter__(self) -> Iterator[Findings]:
        """The findings of each unit."""
