"""Sunnybrook Cardiac Data: DICOM cines and an expert's LV contours as text files (MICCAI 2009 challenge).

The name of a contour file contains the instance number of its image, so the short-axis series is found by geometry and
by the instance numbers that it covers. Endocardium is drawn at ED and ES, epicardium at ED, on fewer slices than were
acquired.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.finding.first_image import patient_in
from cardioseg.ingest.finding.survey import Series, survey
from cardioseg.ingest.labels.contours import polygon_mask, read_sunnybrook_contour
from cardioseg.ingest.labels.drawn_images import DrawnCine, Region, with_cavity
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure
from cardioseg.ingest.labels.subject import Source, Subject
from cardioseg.skipped import Skipped
from cardioseg.text_table import read_table

NAME = "sunnybrook"
HAS_NUMBERS = False
HAS_NAMES = False
LOOKS_FOR = "scd_patientdata.csv beside SCD_IMAGES_*/<id>/ and SCD_ManualContours*/<id>/contours-manual/"
_CONTOURS = "SCD_ManualContours*/*/contours-manual/IRCCI-expert"
_IMAGES = "SCD_IMAGES_*/*"
_PATIENTS = "scd_patientdata.csv"
_FILE = re.compile(r"IM-\d+-(?P<instance>\d+)-(?P<side>[io])contour-manual\.txt")
_PADDING = re.compile(r"(?<!\d)0+(?=\d)")


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


def find(root: Path, _meaning: Meaning = AS_USUAL) -> Iterator[Source]:
    """Yield a subject for every folder of contours."""
    patients = _patients(root / _PATIENTS)
    for folder in sorted(root.glob(_CONTOURS)):
        case = folder.parents[1]
        study, group = patients.get(_without_padding(case.name), ("", ""))
        patient = patient_in(_image_folders(root, study))
        yield Source(case.name, str(case), partial(_subject, root, folder, (case.name, study), group), patient)


def _patients(path: Path) -> dict[str, tuple[str, str]]:
    """From a contour folder's id without zero padding to the image folder's id and the diagnosis."""
    rows = (row.cells for row in read_table(path).rows)
    return {
        _without_padding(row.get("originalid", "")): (row.get("patientid", ""), row.get("pathology", ""))
        for row in rows
    }


def _without_padding(original_id: str) -> str:
    """`SC-HF-I-01` and `SC-HF-I-1` are the same person."""
    return _PADDING.sub("", original_id.strip())


def _subject(root: Path, folder: Path, ids: tuple[str, str], group: str) -> Subject:
    files = {path: match for path in sorted(folder.iterdir()) if (match := _FILE.fullmatch(path.name))}
    wanted = {int(match["instance"]) for match in files.values()}
    arranged = _short_axis(_image_folders(root, ids[1]), wanted)
    skipped: list[Skipped] = []
    regions = with_cavity(list(_regions(files, arranged, skipped)), skipped)
    if not regions:
        raise UnusableError(
            "none of its contours can be used" + "".join(f"; the first: {first.why}" for first in skipped[:1])
        )
    names, cine = _names(regions), DrawnCine(root, ids, arranged)
    count = Counter(region.structure for region in regions)
    return Subject(
        subject_id=ids[0],
        volumes=tuple(cine.volume(phase, names[phase], regions) for phase in sorted(names)),
        group=group,
        skipped=tuple(skipped),
        counts=(
            ("endocardial contours", count[Structure.LV_CAVITY]),
            ("epicardial contours", count[Structure.LV_EPICARDIUM]),
        ),
    )


def _image_folders(root: Path, study: str) -> list[Path]:
    return sorted(path for path in root.glob(_IMAGES) if path.name == study)


def _short_axis(folders: Sequence[Path], wanted: set[int]) -> Stack:
    """The short-axis cine that covers most of the wanted instance numbers."""
    if not folders:
        raise UnusableError(f"{_PATIENTS} gives no folder of images for it")
    cines = [series for folder in folders for series in survey(folder).cines]
    if not cines:
        raise UnusableError(f"{folders[0]}: no short-axis cine")

    def covers(series: Series) -> tuple[int, bool]:
        return len(wanted & {header.instance_number for header in series.headers}), series.stack is not None

    best = max(cines, key=covers)
    if best.stack is None:
        raise UnusableError(f"{best.folder}: {best.reason}")
    return best.stack


def _regions(files: Mapping[Path, re.Match[str]], arranged: Stack, skipped: list[Skipped]) -> Iterator[Region]:
    places, shape = arranged.places(), arranged.grid.shape[1:]
    for path, match in files.items():
        structure = Structure.LV_CAVITY if match["side"] == "i" else Structure.LV_EPICARDIUM
        try:
            inside = polygon_mask(read_sunnybrook_contour(path), shape)
            yield Region(structure, *places[int(match["instance"])], inside, str(path))
        except KeyError:
            skipped.append(Skipped(str(path), "the short-axis cine has no image for it"))
        except UnusableError as error:
            skipped.append(Skipped(str(path), error.message.removeprefix(f"{path}: ")))


def _names(regions: Sequence[Region]) -> dict[int, str]:
    """A name for every contoured phase: of the two drawn on most slices, ED is the one with epicardium or more area."""
    cavities = [region for region in regions if region.structure is Structure.LV_CAVITY]
    slices = Counter(region.phase for region in cavities)
    walls = Counter(region.phase for region in regions if region.structure is Structure.LV_EPICARDIUM)
    area: Counter[int] = Counter()
    for region in cavities:
        area[region.phase] += int(np.count_nonzero(region.inside))
    names = {phase: f"phase-{phase:02d}" for phase in slices}
    main = sorted(slices, key=lambda phase: (-slices[phase], phase))[:2]
    by_moment = sorted(main, key=lambda phase: (walls[phase], area[phase]), reverse=True)
    if len(main) == 2 or any(walls[phase] for phase in main):
        names.update(zip(by_moment, ("ed", "es"), strict=False))
    return names
