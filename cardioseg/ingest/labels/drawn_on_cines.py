"""Drawn on cines: which files of a folder hold regions that were drawn on which of its DICOM cines.

Contours and segments refer to the images they were drawn on by SOP instance UIDs. Layouts of such files need only say
which images a file names, and what it draws on a cine; the rest is here. Each cine on which somebody drew is a subject,
named as `predict` names the case. Nothing that two files draw differently is merged.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError, reason_of
from cardioseg.image.volume_files import is_volume_file
from cardioseg.ingest.dicom.patient_key import patient_key
from cardioseg.ingest.finding.first_image import first_image
from cardioseg.ingest.finding.scan_files import regular_files
from cardioseg.ingest.finding.survey import Series, survey_paths
from cardioseg.ingest.finding.survey_units import find_units
from cardioseg.ingest.labels.drawn_images import DrawnCine, Place, Region, with_cavity
from cardioseg.ingest.labels.ed_es_names import unknown_moments
from cardioseg.ingest.labels.structures import Meaning, Structure, listed_names
from cardioseg.ingest.labels.subject import Source, Subject
from cardioseg.skipped import Skipped

_HEAD_BYTES = 4096  # the class of a DICOM object lies in its first lines
_COUNTED = (Structure.LV_CAVITY, Structure.LV_EPICARDIUM, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)  # in this order
_STORAGE = b"1.2.840.10008.5.1.4.1.1."
_OF_UIDS = bytes(byte if byte in b"0123456789." else 0x20 for byte in range(256))  # all else becomes a blank
ImagesOf = Callable[[Path], Collection[str]]
Draw = Callable[[DrawnCine, Sequence[Path], Meaning, list[Skipped]], Iterable[Region]]


@dataclass(frozen=True)
class DrawnFormat:
    """A format of files with regions that were drawn on DICOM images. Its functions can be pickled.

    Attributes:
        images_of: SOP instance UIDs of the images that a file names; empty if it names none. Raises UnusableError.
        draw: the regions that some files draw on a cine, each file and name at most once on an image; what cannot be
            used is added to the list.
        noun: what the regions are called in counts, in the plural.
    """

    images_of: ImagesOf
    draw: Draw
    noun: str = "contours"


def objects_of(root: Path, *class_uids: str) -> Iterator[Path]:
    """The files below a folder that are probably DICOM objects of a SOP class: the first class in their first bytes.

    A file that cannot be opened is passed by.
    """
    wanted = {uid.encode() for uid in class_uids}
    for path in regular_files(root, (root,)):
        if isinstance(path, Path) and not is_volume_file(path) and _class_of(path) in wanted:
            yield path


def has_images(root: Path) -> bool:
    """Whether an MR image lies below a folder. Without one, drawings are results, such as those of `predict`."""
    return first_image(root) is not None


def _class_of(path: Path) -> bytes:
    """The first UID of a storage class in the head of a file; UIDs end with a zero, a blank or the next tag."""
    try:
        with open_file(path) as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, UnusableError):
        return b""
    words = head.translate(_OF_UIDS).split()
    return next((word for word in words if word.startswith(_STORAGE)), b"")


def sources(root: Path, files: Iterable[Path], form: DrawnFormat, meaning: Meaning) -> Iterator[Source | Skipped]:
    """Yield a subject for each cine below `root` on which one of the files draws; and the files that draw on none."""
    cines, others = _cines_below(root)
    drawings: dict[int, list[Path]] = defaultdict(list)
    for path in _without_copies(files):
        if isinstance(path, Skipped):
            yield path
            continue
        try:
            for number in _drawn_cines(root, path, form.images_of(path), cines, others):
                drawings[number].append(path)
        except UnusableError as error:
            yield Skipped.of(path, error)
    for number in sorted(drawings):
        cine = cines[number]
        reader = partial(_subject, cine, tuple(drawings[number]), form, meaning)
        first = next(iter(cine.images.values())).path
        yield Source(cine.case_ids[0], str(first.parent), reader, patient_key(first))


def remark_on_names(path: Path, names: Iterable[str]) -> Iterator[Skipped]:
    """A remark on the names in a file that no table gives a structure, if there are any."""
    if unknown := list(dict.fromkeys(names)):
        them = "it" if len(unknown) == 1 else "them"
        remedy = f"list {them} in a table for --structures, as `other` where nothing is to be read"
        yield Skipped(str(path), f"left out, as no table has the name: {listed_names(unknown)} ({remedy})")


def _cines_below(root: Path) -> tuple[list[DrawnCine], Mapping[str, str]]:
    """The cines, and for the other images by SOP instance UID what their series is."""
    named: list[tuple[str, Series]] = []
    others: dict[str, str] = {}
    for unit in find_units([root]):
        if unit.volume_file or unit.is_rest:
            continue
        survey = survey_paths(root, unit.paths)
        named += zip(unit.case_names(survey.cines), survey.cines, strict=True)
        for series in survey.series:
            others |= {header.sop_uid: f"{series.kind}: {series.reason}" for header in series.headers}
    names = [list(dict.fromkeys([name, *_folder_names(root, series)])) for name, series in named]
    times = Counter(name for several in names for name in several)
    cines = []
    for (name, series), several in zip(named, names, strict=True):
        if series.stack is not None:
            own = (name, *(other for other in several[1:] if times[other] == 1))
            cines.append(DrawnCine(root, own, series.stack))
    return cines, others


def _folder_names(root: Path, series: Series) -> Iterator[str]:
    """The folders from that of a cine up to the source: a prediction of one of them may have its name."""
    for folder in (series.folder, *series.folder.parents):
        yield folder.resolve().name
        if folder == root or not folder.is_relative_to(root):
            return


def _without_copies(files: Iterable[Path]) -> Iterator[Path | Skipped]:
    originals: dict[str, Path] = {}
    for path in files:
        try:
            with open_file(path) as file:
                original = originals.setdefault(hashlib.file_digest(file, "sha256").hexdigest(), path)
        except OSError as error:
            yield Skipped(str(path), f"cannot be read: {reason_of(error)}")
        except UnusableError as error:
            yield Skipped.of(path, error)
        else:
            yield path if original is path else Skipped(str(path), f"a copy of {original}")


def _drawn_cines(
    root: Path, path: Path, images: Collection[str], cines: Sequence[DrawnCine], others: Mapping[str, str]
) -> list[int]:
    """The numbers of the cines on which a file draws: those with images that it names, else the nearest one."""
    if not cines:
        raise UnusableError(f"there is no short-axis cine below {root}" + _first_of(others.values()))
    if not images:
        return [_nearest(path, cines)]
    wanted = set(images)
    drawn = [number for number, cine in enumerate(cines) if not wanted.isdisjoint(cine.ids)]
    if drawn:
        return drawn
    kinds = [others[uid] for uid in images if uid in others]
    if kinds:
        raise UnusableError(f"it was drawn on images of another kind: {kinds[0]}")
    raise UnusableError(f"the images on which it was drawn do not lie below {root}")


def _first_of(reasons: Iterable[str]) -> str:
    return next((f"; the first series is a {reason}" for reason in reasons), "")


def _nearest(path: Path, cines: Sequence[DrawnCine]) -> int:
    """The cine whose files share the most folders with a file."""
    shared = [max(_depth(path, header.path) for header in cine.images.values()) for cine in cines]
    if shared.count(max(shared)) > 1:
        raise UnusableError("it names no images, and there are several short-axis cines on which it may be drawn")
    return int(np.argmax(shared))


def _depth(path: Path, other: Path) -> int:
    return len(Path(os.path.commonpath([path.parent, other.parent])).parts)


def _subject(cine: DrawnCine, files: Sequence[Path], form: DrawnFormat, meaning: Meaning) -> Subject:
    skipped: list[Skipped] = []
    regions = with_cavity(_drawn_once(list(form.draw(cine, files, meaning, skipped)), skipped), skipped)
    counted = tuple(_counted(skipped))
    if not regions:
        reasons = "; ".join(f"{item.where}: {item.why}" for item in counted[:3])
        raise UnusableError(f"none of its {form.noun} can be used" + f": {reasons}" * bool(reasons))
    counts = Counter(region.structure for region in regions)
    listed = tuple((f"{structure.title} {form.noun}", counts[structure]) for structure in _COUNTED if counts[structure])
    volumes = cine.volumes(regions)
    unknown = unknown_moments(volumes)
    return Subject(cine.case_ids[0], volumes, skipped=counted, counts=listed, unknown_moments=unknown)


def _drawn_once(regions: Sequence[Region], skipped: list[Skipped]) -> list[Region]:
    """The regions without those of one structure that are drawn on one image twice, and not in the same way."""
    by_image: dict[tuple[Structure, Place], list[Region]] = defaultdict(list)
    for region in regions:
        by_image[region.structure, (region.phase, region.slice)].append(region)
    kept: list[Region] = []
    for (structure, _), same in by_image.items():
        if all(np.array_equal(same[0].inside, other.inside) for other in same[1:]):
            kept.append(same[0])
        else:
            drawn_by = " and by ".join(dict.fromkeys(region.source for region in same))
            skipped.append(Skipped(drawn_by, f"both draw the {structure.title} on one image, in different ways"))
    return kept


def _counted(skipped: Iterable[Skipped]) -> Iterator[Skipped]:
    """Equal entries said once, with their number."""
    for item, times in Counter(skipped).items():
        yield Skipped(item.where, item.why if times == 1 else f"{times} times: {item.why}")
