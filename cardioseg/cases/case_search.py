"""Search: cases are found unit by unit, so that the first is begun before the whole tree was walked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cardioseg.archive.member_paths import archive_of, files_below
from cardioseg.cases.case import Case, Findings, other_names
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.files import unique_names
from cardioseg.image.ed_es_pair import CARD
from cardioseg.image.nnunet_names import case_stem, other_channel
from cardioseg.image.volume_files import REFERENCE, format_of, is_part, is_volume_file, stem
from cardioseg.ingest.cine.shared_ids import fits, same_image
from cardioseg.ingest.cine.volume_suitability import judge_volume
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.finding.scan_files import LeftOut, place_of
from cardioseg.ingest.finding.survey import Kind, Series, survey_paths
from cardioseg.ingest.finding.survey_units import Unit, find_units
from cardioseg.results.folder import MARKS, ResultsFolder
from cardioseg.skipped import Skipped

_PART = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_COPY = "a copy of a series in another folder"
_SPLIT = "the series continues in another folder; both are separate cases"


@dataclass(frozen=True)
class Part:
    """One of several parts that a run is split into: every `of`-th unit, in the order of their names.

    Attributes:
        number: of this part, from 1.
        of: how many there are.
    """

    number: int
    of: int

    def folder(self, out: Path) -> ResultsFolder:
        """Where its tables lie."""
        return ResultsFolder(out).part(self.number, self.of)


def parse_part(text: str) -> Part:
    """The part in `3/20`.

    Raises:
        UsageError: there is none such.
    """
    match = _PART.fullmatch(text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"no part {text!r}", "parts are K/N, with K from 1 to N: 1/20 to 20/20")
    return Part(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class _Sample:
    """What is kept in mind of a series, to know it again.

    Attributes:
        images: a short hash of the ids of its images.
        path: of one of its images.
        frame: of the same in a multi-frame file.
    """

    images: int
    path: Path
    frame: int | None

    @classmethod
    def of(cls, series: Series) -> "_Sample":
        middle = series.headers[len(series.headers) // 2]
        return cls(_short(f"{header.sop_uid} {header.frame}" for header in series.headers), middle.path, middle.frame)

    def why(self, series: Series, sample: "_Sample") -> str:
        """What is to be said of another series of the same ids. Ids alone say nothing: the images must agree."""
        try:
            header = next(header for header in read_headers(self.path) if header.frame == self.frame)
        except (UnusableError, StopIteration):
            return ""
        twin = next(
            (other for other in series.headers if (other.sop_uid, other.frame) == (header.sop_uid, header.frame)), None
        )
        if twin and header.sop_uid:
            return "" if not same_image(header, twin) else _COPY if self.images == sample.images else _SPLIT
        goes_on = header.instance_number not in {other.instance_number for other in series.headers}
        return _SPLIT if goes_on and fits(header, series.headers[0]) else ""


class Search:
    """The units of some sources, or of one part of them, and what is in each when its turn comes.

    Args:
        sources: files and folders.
        out: where results are written: it holds no scans.
        part: the part of the units.

    Raises:
        NoInputError: a source does not exist; while it goes on, that there was nothing to segment in any.
    """

    def __init__(self, sources: Sequence[Path], out: Path | None = None, part: Part | None = None) -> None:
        self.sources = tuple({source.resolve(): source for source in map(place_of, sources)}.values())
        self._left = LeftOut(out.resolve() if out else None, MARKS)
        self._part = part
        every = find_units(self.sources, self._left)
        self.digest = sha256("\n".join(unit.name for unit in every).encode()).hexdigest()
        self._units = every[part.number - 1 :: part.of] if part else every
        self.expected = len(self._units)  # cases, as far as is known yet
        self._seen: dict[int, list[_Sample]] = {}  # short hash of a series' ids -> what earlier units hold of it

    def __len__(self) -> int:
        """How many units there are."""
        return len(self._units)

    def __iter__(self) -> Iterator[Findings]:
        counts = [0, 0, 0]
        first: list[Skipped] = []
        for number, unit in enumerate(self._units, start=1):
            findings = _judged(self._look_into(unit))
            more = len(findings.cases), len(findings.others), len(findings.unused)
            counts = [before + new for before, new in zip(counts, more, strict=True)]
            first = first or [*findings.others, *findings.unused][:1]
            self.expected = counts[0] + round((len(self) - number) * (counts[0] / number or 1))
            yield findings
        if not counts[0] and not self._part:
            raise NoInputError(
                self._nothing(counts[1], counts[2], first), "`cardioseg inspect` says what each series is"
            )

    def _look_into(self, unit: Unit) -> Findings:
        if unit.volume_file:
            return Findings((_of_file(unit.name, unit.volume_file),), (), (), self.sources)
        survey = survey_paths(unit.source, unit.paths, self._left)
        remarks = self._seen_before(survey.series)
        kept = [series for series in survey.series if remarks.get(id(series)) != _COPY]
        cines = [series for series in kept if series.kind is Kind.SHORT_AXIS_CINE]
        others = [_describe(series) for series in kept if series.kind is not Kind.SHORT_AXIS_CINE]
        unused = [item for item in survey.unused if not _is_used(Path(item.where))]
        unused += [
            Skipped(str(series.folder), remarks[id(series)]) for series in survey.series if id(series) in remarks
        ]
        return Findings(tuple(_cases(unit, cines, self._left)), tuple(others), tuple(unused), self.sources)

    def _seen_before(self, all_series: Sequence[Series]) -> dict[int, str]:
        """What is to be said of series (by their Python ids) that also lie in earlier units; nothing of others."""
        remarks: dict[int, str] = {}
        samples: list[tuple[int, _Sample]] = []
        for series in all_series:
            if not all(header.series_uid for header in series.headers):
                continue
            identity = _short(f"{header.study_uid} {header.series_uid}" for header in series.headers)
            sample = _Sample.of(series)
            why = next(filter(None, (earlier.why(series, sample) for earlier in self._seen.get(identity, ()))), "")
            remarks |= {id(series): why} if why else {}
            samples.append((identity, sample))
        for identity, sample in samples:
            self._seen.setdefault(identity, []).append(sample)
        return remarks

    def _nothing(self, others: int, unused: int, first: Sequence[Skipped]) -> str:
        where = ", ".join(map(str, self.sources))
        counts = {"series of another kind": others, "unusable files": unused}
        counted = [f"{count} {name}" for name, count in counts.items() if count]
        if not counted:
            found = "only reference masks (*_gt)" if any(map(_has_references, self.sources)) else "no image files"
            return f"no short-axis cine in {where}: {found}"
        reasons = "".join(f"; the first: {item.where}: {item.why}" for item in first)
        return f"no short-axis cine in {where}: {' and '.join(counted)}{reasons}"


def _has_references(source: Path) -> bool:
    """Whether volume files that are named as reference masks lie below a folder."""
    paths = files_below(source) if archive_of(source) else source.rglob(f"*{REFERENCE}.*")
    return any(is_volume_file(path) and stem(path).endswith(REFERENCE) for path in paths)


def find_cases(sources: Sequence[Path]) -> Findings:
    """All of it at once: for few cases.

    Raises:
        NoInputError: a source does not exist, or there is nothing to segment in any.
    """
    parts = list(Search(sources))
    cases = sorted((case for part in parts for case in part.cases), key=lambda case: case.series is None)
    others = tuple(item for part in parts for item in part.others)
    unused = tuple(item for part in parts for item in part.unused)
    return Findings(tuple(cases), others, unused, parts[0].sources)


def _cases(unit: Unit, cines: Sequence[Series], left: LeftOut) -> Iterator[Case]:
    own = unit.case_names(cines)
    volume_files = unit.volume_files(left)
    names = unique_names([*own, *map(case_stem, volume_files)])
    for name, series in zip(names, cines, strict=False):
        yield Case(name, series.folder, series.files, series, other_names(name, series.folder))
    for name, path in zip(names[len(own) :], volume_files, strict=True):
        yield _of_file(name, path)


def _of_file(name: str, path: Path) -> Case:
    case = Case(name, path, format_of(path).files(path), None, other_names(name, path))
    with suppress(UnusableError):  # it is said when the case's turn comes
        return replace(case, found=case.fingerprint())
    return case


def _is_used(path: Path) -> bool:
    """Whether a file that is no DICOM image is read all the same: as a volume, for its voxels or for the body."""
    return is_volume_file(path) or is_part(path) or path.name == CARD


def _judged(findings: Findings) -> Findings:
    """The same, with the volume files that show something else among the files of no use."""
    verdicts = [(case, _why_not(case, findings.sources)) for case in findings.cases]
    unused = [Skipped(str(case.source), why) for case, why in verdicts if why]
    return replace(findings, cases=tuple(case for case, why in verdicts if not why), unused=(*findings.unused, *unused))


def _why_not(case: Case, sources: Sequence[Path]) -> str:
    """What a volume file shows that is no short axis; nothing of others, and of what cannot be read."""
    if case.series is not None:
        return ""
    if case.source not in sources and (why := other_channel(case.source)):
        return why
    try:
        verdict = judge_volume(case.source)
    except UnusableError:  # it is said when the case's turn comes
        return ""
    return "" if verdict.is_usable else f"{verdict.kind}: {verdict.reason}"


def _short(texts: Iterable[str]) -> int:
    """A hash of the different texts, in any order; eight bytes do for the series of a cohort."""
    return int.from_bytes(sha256("\n".join(sorted(set(texts))).encode()).digest()[:8])


def _describe(series: Series) -> Skipped:
    return Skipped(str(series.folder), f"{series.kind}: {series.reason}")
