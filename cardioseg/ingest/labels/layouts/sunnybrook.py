"""Sunnybrook Cardiac Data: DICOM cines and an expert's LV contours as text files (MICCAI 2009 challenge).

The name of a contour file contains the instance number of its image, so the short-axis series is found by geometry and
by the instance numbers that it covers. Endocardium is drawn at ED and ES, epicardium at ED, on fewer slices than were
acquired.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.finding.survey import Series, survey
from cardioseg.ingest.labels.contours import polygon_area, polygon_mask, read_sunnybrook_contour
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject
from cardioseg.skipped import Skipped

NAME = "sunnybrook"
HAS_NUMBERS = False
LOOKS_FOR = "scd_patientdata.csv beside SCD_IMAGES_*/<id>/ and SCD_ManualContours*/<id>/contours-manual/"
_CONTOURS = "SCD_ManualContours*/*/contours-manual/IRCCI-expert"
_IMAGES = "SCD_IMAGES_*/*"
_PATIENTS = "scd_patientdata.csv"
_FILE = re.compile(r"IM-\d+-(?P<instance>\d+)-(?P<side>[io])contour-manual\.txt")
_PADDING = re.compile(r"(?<!\d)0+(?=\d)")


@dataclass(frozen=True, eq=False)
class _Contour:
    """One outline and its place in the stack; `label` is the structure inside it: the cavity, or the wall."""

    label: Label
    phase: int
    index: int
    points: NDArray[np.float64]
    path: Path


def recognises(root: Path) -> bool:
    """Whether the release's contours, images and patient list lie in `root`."""
    return (root / _PATIENTS).is_file() and all(any(root.glob(pattern)) for pattern in (_CONTOURS, _IMAGES))


def misses(root: Path) -> Iterator[str]:
    """Which parts of the release the folder lacks."""
    parts = {_PATIENTS: (root / _PATIENTS).is_file()} | {part: any(root.glob(part)) for part in (_CONTOURS, _IMAGES)}
    present, lacking = (
        [part for part, is_present in parts.items() if is_present == wanted] for wanted in (True, False)
    )
    if present:
        yield f"{root} has {' and '.join(present)}, but no {' and no '.join(lacking)}"


def find(root: Path, _convention: object = None) -> Iterator[Source]:
    """Yield a subject for every folder of contours."""
    patients = _patients(root / _PATIENTS)
    for folder in sorted(root.glob(_CONTOURS)):
        case = folder.parents[1]
        study, group = patients.get(_without_padding(case.name), ("", ""))
        yield Source(case.name, str(case), partial(_subject, root, folder, (case.name, study), group))


def _patients(path: Path) -> dict[str, tuple[str, str]]:
    """From a contour folder's id without zero padding to the image folder's id and the diagnosis."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        _without_padding(row.get("OriginalID") or ""): (row.get("PatientID") or "", row.get("Pathology") or "")
        for row in rows
    }


def _without_padding(original_id: str) -> str:
    """`SC-HF-I-01` and `SC-HF-I-1` are the same person."""
    return _PADDING.sub("", original_id.strip())


def _subject(root: Path, folder: Path, ids: tuple[str, str], group: str) -> Subject:
    files = {path: match for path in sorted(folder.iterdir()) if (match := _FILE.fullmatch(path.name))}
    wanted = {int(match["instance"]) for match in files.values()}
    arranged = _short_axis([path for path in root.glob(_IMAGES) if path.name == ids[1]], wanted)
    skipped: list[Skipped] = []
    contours = _with_cavity(list(_contours(files, arranged.places(), skipped)), skipped)
    if not contours:
        raise UnusableError(
            "none of its contours can be used" + "".join(f"; the first: {first.why}" for first in skipped[:1])
        )
    names = _names(contours)
    count = Counter(contour.label for contour in contours)
    return Subject(
        subject_id=ids[0],
        volumes=tuple(
            _volume(root, arranged, names[phase], ids, [contour for contour in contours if contour.phase == phase])
            for phase in sorted(names)
        ),
        group=group,
        skipped=tuple(skipped),
        counts=(
            ("endocardial contours", count[Label.LV_CAVITY]),
            ("epicardial contours", count[Label.LV_MYOCARDIUM]),
        ),
    )


def _short_axis(folders: Sequence[Path], wanted: set[int]) -> Stack:
    """The short-axis cine that covers most of the wanted instance numbers."""
    if not folders:
        raise UnusableError(f"{_PATIENTS} gives no folder of images for it")
    cines = [series for folder in sorted(folders) for series in survey(folder).cines]
    if not cines:
        raise UnusableError(f"{folders[0]}: no short-axis cine")

    def covers(series: Series) -> tuple[int, bool]:
        return len(wanted & {header.instance_number for header in series.headers}), series.stack is not None

    best = max(cines, key=covers)
    if best.stack is None:
        raise UnusableError(f"{best.folder}: {best.reason}")
    return best.stack


def _contours(
    files: Mapping[Path, re.Match[str]], places: Mapping[int, tuple[int, int]], skipped: list[Skipped]
) -> Iterator[_Contour]:
    for path, match in files.items():
        label = Label.LV_CAVITY if match["side"] == "i" else Label.LV_MYOCARDIUM
        try:
            yield _Contour(label, *places[int(match["instance"])], read_sunnybrook_contour(path), path)
        except KeyError:
            skipped.append(Skipped(str(path), "the short-axis cine has no image for it"))
        except UnusableError as error:
            skipped.append(Skipped(str(path), error.message.removeprefix(f"{path}: ")))


def _with_cavity(contours: Sequence[_Contour], skipped: list[Skipped]) -> list[_Contour]:
    """The cavities and the walls around them; an epicardium alone does not say where the wall ends."""
    cavities = {(contour.phase, contour.index) for contour in contours if contour.label is Label.LV_CAVITY}
    alone = [contour for contour in contours if (contour.phase, contour.index) not in cavities]
    skipped.extend(Skipped(str(contour.path), "its image has no endocardial contour") for contour in alone)
    return [contour for contour in contours if contour not in alone]


def _names(contours: Iterable[_Contour]) -> dict[int, str]:
    """A name for every contoured phase: of the two drawn on most slices, ED is the one with epicardium or more area."""
    cavity = [contour for contour in contours if contour.label is Label.LV_CAVITY]
    slices = Counter(contour.phase for contour in cavity)
    walls = Counter(contour.phase for contour in contours if contour.label is Label.LV_MYOCARDIUM)
    area: Counter[int] = Counter()
    for contour in cavity:
        area[contour.phase] += round(polygon_area(contour.points))
    names = {phase: f"phase-{phase:02d}" for phase in slices}
    main = sorted(slices, key=lambda phase: (-slices[phase], phase))[:2]
    by_moment = sorted(main, key=lambda phase: (walls[phase], area[phase]), reverse=True)
    if len(main) == 2 or any(walls[phase] for phase in main):
        names.update(zip(by_moment, ("ed", "es"), strict=False))
    return names


def _volume(
    root: Path, arranged: Stack, name: str, case_ids: tuple[str, ...], contours: Sequence[_Contour]
) -> LabelledVolume:
    """The stack at the phase of these contours, and their mask."""
    phase = contours[0].phase
    volume = arranged.volume(phase)
    mask = np.zeros(volume.grid.shape, np.uint8)
    annotated = np.zeros((len(mask), len(Label)), np.bool_)
    for contour in sorted(contours, key=lambda contour: contour.label):  # the wall is filled first, the cavity over it
        mask[contour.index][polygon_mask(contour.points, volume.grid.shape[1:])] = contour.label
        annotated[contour.index, [Label.BACKGROUND, contour.label]] = True
    return LabelledVolume(
        name=name,
        image=volume.voxels,
        mask=mask,
        annotated=annotated,
        spacing_mm=volume.grid.spacing_mm,
        case_ids=case_ids,
        phase=phase,
        sources=tuple(str(header.path.relative_to(root)) if header else "" for header in arranged.headers[phase]),
        grid=volume.grid,
    )
