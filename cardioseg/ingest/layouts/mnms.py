"""M&Ms: a folder a patient with its cine and masks as 4D NIfTI, and a CSV that says which phases are ED and ES.

Campello et al., "Multi-Centre, Multi-Vendor and Multi-Disease Cardiac Segmentation: The M&Ms Challenge", IEEE TMI 2021.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, Label, relabel
from cardioseg.image.nifti import is_nifti, read_cine, stem
from cardioseg.image.volume import Cine
from cardioseg.ingest.subject import LabelledVolume, Skipped, Source, Subject

NAME = "mnms"
LOOKS_FOR = "a .csv with columns External code, ED and ES beside folders <code>/ with <code>_sa_gt.nii.gz"
_CODE = "External code"
_MOMENTS = {"ed": "ED", "es": "ES"}  # the volume's name and its column, whose phases are 0-based
_MASK = "_sa_gt"
_BELOW = ("", "*/", "*/*/", "*/*/*/")  # a patient, Testing/, Training/Labeled/, the release as it is unpacked

Row = Mapping[str, str]


def recognises(root: Path) -> bool:
    """Whether masks of patients lie below `root`, and in `root` or up to two folders above it the CSV."""
    return bool(_masks(root)) and any(map(_is_table, _tables(root)))


def find(root: Path) -> Iterator[Source]:
    """Yield the patients that have a mask, also those that the CSV does not list."""
    rows = {row[_CODE]: row for path in _tables(root) if _is_table(path) for row in _rows(path)}
    for path in _masks(root):
        code = stem(path).removesuffix(_MASK)
        yield Source(code, str(path), partial(_subject, root, path, code, rows.get(code, {})))


def _masks(root: Path) -> list[Path]:
    found = (path for below in _BELOW for path in root.glob(f"{below}*{_MASK}.nii*"))
    return sorted(path for path in found if is_nifti(path) and path.absolute().parent.name + _MASK == stem(path))


def _tables(root: Path) -> list[Path]:
    here = root.absolute()
    return [path for folder in (here, *here.parents[:2]) for path in sorted(folder.glob("*.csv"))]


def _is_table(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return {_CODE, *_MOMENTS.values()} <= set(next(csv.reader(file), []))
    except (OSError, csv.Error):
        return False


def _rows(table: Path) -> Iterator[Row]:
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            yield {key: (value or "").strip() for key, value in row.items() if key}


def _subject(root: Path, path: Path, code: str, row: Row) -> Subject:
    image, reference = read_cine(path.with_name(path.name.replace(_MASK, "_sa"))), read_cine(path)
    if not reference.grid.matches(image.grid) or reference.phases != image.phases:
        raise UnusableError("the mask is on another grid than the image")
    source = str(path.relative_to(root))
    volumes: list[LabelledVolume] = []
    skipped: list[Skipped] = []
    for name, column in _MOMENTS.items():
        try:
            phase = _phase(row, column)
            volumes.append(_volume(source, code, name, phase, image=image, reference=reference))
        except UnusableError as error:
            skipped.append(Skipped(f"{code} {column}", error.message))
    if not volumes:
        raise UnusableError("; ".join(dict.fromkeys(one.why for one in skipped)))
    return Subject(code, tuple(volumes), row.get("Pathology", ""), tuple(skipped))


def _phase(row: Row, column: str) -> int:
    if not row.get(column, "").isdecimal():
        raise UnusableError(f"the CSV gives no phase for {column}" if row else "the CSV does not list it")
    return int(row[column])


def _volume(source: str, code: str, name: str, phase: int, *, image: Cine, reference: Cine) -> LabelledVolume:
    if phase >= reference.phases:
        raise UnusableError(f"the CSV says phase {phase}, the mask ends at phase {reference.phases - 1}")
    if not reference.voxels[phase].any():
        raise UnusableError(f"nothing is drawn at phase {phase}")
    return LabelledVolume(
        name=name,
        image=image.voxels[phase],
        mask=relabel(reference.voxels[phase], CONVENTIONS["mnms"]),
        annotated=np.ones((image.grid.shape[0], len(Label)), np.bool_),
        spacing_mm=image.grid.spacing_mm,
        case_ids=(f"{code}_sa", code),
        phase=phase,
        sources=(source,) * image.grid.shape[0],
        grid=image.grid,
    )
