"""Units: parts of a tree that are surveyed together, so that the first case can start before the whole tree is read.

A unit is a child of the folder that the user gives: a patient, or a visit. Children that share a study are one unit,
since cines may be joined from several series, and many exports have one folder per series. The files beside the
children are one unit. To see which children share a study, only the first and the last DICOM header of each are read. A
volume file in a child without DICOM is one unit. Names of cases depend only on their unit and on the names of the
children; if children of several sources have the same name, the folders that contain them are added. Masks beside
scans do not change the scans' names.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from cardioseg.archive.member_paths import exists, is_archive, is_file, is_folder, plain_name
from cardioseg.errors import NoInputError, UnusableError
from cardioseg.files import safe_name, unique_names
from cardioseg.image.ed_es_pair import is_card
from cardioseg.image.nnunet_names import case_stem
from cardioseg.image.volume_files import REFERENCE, SEGMENTATION, is_volume_file, stem
from cardioseg.ingest.cine.series import Series
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.finding.distinct_names import names_beside_masks
from cardioseg.ingest.finding.scan_files import NOTHING, LeftOut, entries_of, files_backwards, regular_files
from cardioseg.ingest.finding.survey import case_ids, own_folder, touching
from cardioseg.skipped import Skipped

_LAST = 16  # files to try from the end, as they may not be images


@dataclass(frozen=True)
class Unit:
    """A part of a source.

    Attributes:
        name: safe, and unique among the units of all sources.
        source: as the user gave it.
        base: the folder whose children are the units.
        paths: folders with everything in them, and files.
        is_all: whether no other unit has DICOM.
        is_rest: whether its volume files are separate units.
        child_names: the names of its children, safe and unique among all.
    """

    name: str
    source: Path
    base: Path
    paths: tuple[Path, ...]
    is_all: bool = True
    is_rest: bool = False
    child_names: Mapping[Path, str] = field(default_factory=dict)

    @property
    def volume_file(self) -> Path | None:
        """The file, if the unit is one volume file, or the card of ED and ES that the user gave."""
        path = self.paths[0]
        is_given_card = path == self.source and is_card(path)
        return path if len(self.paths) == 1 and (is_volume_file(path) or is_given_card) else None

    def volume_files(self, left: LeftOut) -> list[Path]:
        """The volume files of the unit that are scans."""
        if self.is_rest:
            return []
        files = regular_files(self.source, self.paths, left)
        return [path for file in files if is_scan(path := _path(file))]

    def case_names(self, cases: Sequence[Series]) -> list[str]:
        """The names of the unit's cines, safe and unique.

        A case is named after the child that contains only this case. If the child contains several, the topmost folder
        in it that contains only this case is added: `patient1_visit2`.
        """
        if self.is_all and len(cases) == 1:
            root = self.source.parent if is_archive(self.source) else self.source
            return case_ids(root, cases)
        near = touching(cases)
        return unique_names(self._case_name(case.folder, near) for case in cases)

    def _case_name(self, folder: Path, near: Mapping[Path, set[Path]]) -> str:
        if folder == self.base or not folder.is_relative_to(self.base):
            return plain_name(own_folder(self.source, folder, near).resolve().name) if self.is_all else self.name
        child = self.base / folder.relative_to(self.base).parts[0]
        name = self.name if len(self.paths) == 1 else self.child_names.get(child, child.name)
        if near[child] == {folder} or (own_path := own_folder(child, folder, near)) == child:
            return name
        return f"{name}_{plain_name(own_path.name)}"


@dataclass
class _Child:
    """One child of the base, after a look at its files.

    Attributes:
        paths: the folder, or the files beside the folders.
        has_dicom: whether it contains DICOM files.
        studies: the studies of its first and its last image.
        volume_files: its scans, if it has no DICOM.
        has_rest: whether it has other files, if it has no DICOM.
    """

    paths: tuple[Path, ...]
    has_dicom: bool = False
    studies: set[str] = field(default_factory=set)
    volume_files: list[Path] = field(default_factory=list)
    has_rest: bool = False


def find_units(sources: Sequence[Path], left: LeftOut = NOTHING) -> list[Unit]:
    """The units to survey, in the order of names within each source.

    Raises:
        NoInputError: there is no such file or folder.
    """
    units = [unit for source in sources for unit in _units(source, left)]
    case_units = [unit for unit in units if not unit.is_rest]
    places = [_places(unit) for unit in case_units]
    are_files = [
        unit.volume_file is not None for unit, unit_places in zip(case_units, places, strict=True) for _ in unit_places
    ]
    names = iter(names_beside_masks([place for unit_places in places for place in unit_places], are_files))
    is_single = sum(unit.volume_file is None for unit in case_units) == 1
    named = {}
    for unit, unit_places in zip(case_units, places, strict=True):
        children = {unit.base / place.name: next(names) for place in unit_places}
        first = next(iter(children.values()))
        named[id(unit)] = replace(unit, name=first, is_all=unit.is_all and is_single, child_names=children)
    return [named.get(id(unit), replace(unit, name=safe_name(unit.name))) for unit in units]


def _places(unit: Unit) -> list[Path]:
    """The paths that give a unit's cases their names: its folders, the folder of its files, or its volume file."""
    if unit.volume_file:
        return [unit.volume_file.absolute().with_name(case_stem(unit.volume_file))]
    folders = [path for path in unit.paths if is_folder(path)]
    return [path.absolute() for path in folders] or [unit.paths[0].parent.resolve()]


def _units(source: Path, left: LeftOut) -> Iterator[Unit]:
    if not exists(source):
        raise NoInputError(f"{source}: no such file or folder")
    base, children = _children(source, left)
    groups = list(_groups_sharing_studies([child for child in children if child.has_dicom]))
    if is_archive(source) and len(groups) == 1:  # its case is named after the archive
        yield Unit(plain_name(source.name), source, source.parent, (source,))
        return
    for group in groups:
        paths = tuple(path for child in group for path in child.paths)
        yield Unit(_name(group[0]), source, base, paths, len(groups) == 1)
    rest = [child for child in children if not child.has_dicom]
    for path in (path for child in rest for path in child.volume_files):
        yield Unit(case_stem(path), source, base, (path,))
    for child in rest:
        if child.has_rest:
            yield Unit(_name(child), source, base, child.paths, is_rest=True)


def _name(child: _Child) -> str:
    """The name of the folder, or of the folder that contains the files."""
    path = child.paths[0]
    return plain_name((path if is_folder(path) else path.parent.resolve()).name)


def _children(source: Path, left: LeftOut) -> tuple[Path, list[_Child]]:
    """The base and its children. The search descends from the source while a single folder contains all images."""
    if is_file(source) and not is_archive(source):
        given = _Child((source,), volume_files=[source]) if is_card(source) else None
        return source.parent, [given or _inspected_child(source, (source,), left)]
    base = source
    passed_by: list[_Child] = []
    while True:
        folders, files = entries_of(base, left)
        inspected = [_inspected_child(source, paths, left) for paths in (*((folder,) for folder in folders), files)]
        with_images = [child for child in inspected if child.has_dicom or child.volume_files]
        if len(with_images) != 1 or with_images[0] is inspected[-1]:
            return base, [child for child in (*inspected, *passed_by) if child.paths]
        passed_by += [child for child in inspected if child is not with_images[0]]
        base = with_images[0].paths[0]


def _inspected_child(source: Path, paths: tuple[Path, ...], left: LeftOut) -> _Child:
    child = _Child(paths)
    for file in regular_files(source, paths, left):
        if is_volume_file(_path(file)):
            child.volume_files += [_path(file)] if is_scan(_path(file)) else []
        elif isinstance(file, Path) and (studies := _studies(file)) is not None:
            child.has_dicom = True
            child.studies = studies | next(
                (last_studies for path in _last_files(paths, left) if (last_studies := _studies(path))), set()
            )
            return child
        else:
            child.has_rest = True
    return child


def _studies(path: Path) -> set[str] | None:
    """The study ids of a file's images; None if it has no images."""
    try:
        return {header.study_uid for header in read_headers(path)} - {""}
    except UnusableError:
        return None


def _last_files(paths: Sequence[Path], left: LeftOut) -> Iterator[Path]:
    """The last few files of the last folders."""
    return islice(files_backwards(paths, left), _LAST)


def _groups_sharing_studies(children: Sequence[_Child]) -> Iterator[list[_Child]]:
    """Groups of children that share a study, directly or through other children, each in order."""
    groups: dict[int, list[_Child]] = {}
    of_study: dict[str, int] = {}
    for number, child in enumerate(children):
        group = [child]
        for earlier in sorted({of_study[study] for study in child.studies if study in of_study}, reverse=True):
            group = groups.pop(earlier) + group
        first = min([number, *(of_study[s] for member in group for s in member.studies if s in of_study)])
        groups[first] = group
        of_study |= {study: first for member in group for study in member.studies}
    for first in sorted(groups):
        yield groups[first]


def is_scan(path: Path) -> bool:
    """Whether it is a volume file, or a link to one, that is not named as a reference mask."""
    return is_volume_file(path) and not stem(path).endswith((REFERENCE, SEGMENTATION)) and is_file(path)


def _path(file: Path | Skipped) -> Path:
    return Path(file.where) if isinstance(file, Skipped) else file
