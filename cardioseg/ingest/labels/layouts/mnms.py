"""M&Ms: one folder per patient with its cine and masks as 4D NIfTI, and a CSV that says which phases are ED and ES.

Campello et al., "Multi-Centre, Multi-Vendor and Multi-Disease Cardiac Segmentation: The M&Ms Challenge", IEEE TMI 2021.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention
from cardioseg.image.nifti import is_nifti, read_cine
from cardioseg.image.volume import Cine, Voxels
from cardioseg.image.volume_files import stem
from cardioseg.ingest.labels.csv_table import tables_in
from cardioseg.ingest.labels.drawn_labels import (
    STATE_NUMBERS,
    on_image,
    readable_masks,
    require_several_labels,
)
from cardioseg.ingest.labels.label_geometry import Mask
from cardioseg.ingest.labels.numbered_labels import labels_of
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.skipped import Skipped, reasons
from cardioseg.text_table import Cells, columns_of, read_table, whole_number

NAME = "mnms"
HAS_NUMBERS = True
HAS_NAMES = False
LOOKS_FOR = "a .csv with columns External code, ED and ES beside folders <code>/ with <code>_sa_gt.nii.gz"
_CODE = "external_code"
_MOMENTS = {"ed": "ED", "es": "ES"}  # the volume's name, also its column (phases from 0), and its title
_MASK = "_sa_gt"
_BELOW = ("", "*/", "*/*/", "*/*/*/")  # a patient, Testing/, Training/Labeled/, the unpacked release


def recognises(root: Path) -> bool:
    """Whether patients' masks lie below `root`, and the CSV lies in `root` or up to two folders above."""
    return bool(_masks(root)) and any(map(_is_table, _tables(root)))


def misses(root: Path) -> Iterator[str]:
    """Masks without the table, a table that lacks a column, or one without masks."""
    masks = _masks(root)
    if any(map(_is_table, _tables(root))):
        yield f"{root} has the CSV, but no folder <code>/ with <code>_sa_gt.nii.gz"
    elif masks:
        yield f"{root} has {len(masks)} masks *_sa_gt, but no CSV with the columns External code, ED and ES"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source]:
    """Yield the patients that have a mask, also those that the CSV does not list.

    Raises:
        UsageError: no convention is given, and the masks hold a single number.
    """
    tables = [path for path in _tables(root) if _is_table(path)]
    rows = {row.cells.get(_CODE, ""): row.cells for path in tables for row in read_table(path).rows}
    if meaning.numbers is None:
        require_several_labels(readable_masks(_masks(root)), f"all masks in {root}", STATE_NUMBERS)
    convention = meaning.numbers or CONVENTIONS["mnms"]
    for path in _masks(root):
        code = stem(path).removesuffix(_MASK)
        yield Source(code, str(path), partial(_subject, root, path, code, rows.get(code, {}), convention))


def _masks(root: Path) -> list[Path]:
    paths = (path for below in _BELOW for path in root.glob(f"{below}*{_MASK}.nii*"))
    return sorted(path for path in paths if is_nifti(path) and path.absolute().parent.name + _MASK == stem(path))


def _tables(root: Path) -> list[Path]:
    folder_of_root = root.absolute()
    return [path for folder in (folder_of_root, *folder_of_root.parents[:2]) for path in tables_in(folder)]


def _is_table(path: Path) -> bool:
    return {_CODE, *_MOMENTS} <= set(columns_of(path))


def _subject(root: Path, path: Path, code: str, row: Cells, meaning: Convention) -> Subject:
    image = read_cine(path.with_name(path.name.replace(_MASK, "_sa")))
    reference = on_image(read_cine(path), image.grid)
    if reference.phases != image.phases:
        raise UnusableError(
            f"the image has {image.phases} phases, the mask {reference.phases}: save the mask with all phases"
        )
    source = str(path.relative_to(root))
    volumes: list[LabelledVolume] = []
    skipped: list[Skipped] = []
    for name, title in _MOMENTS.items():
        try:
            phase = _phase(row, name)
            mask = labels_of(_drawn_phase(reference, phase), meaning)
            volumes.append(_volume(source, code, name, phase, image=image, mask=mask))
        except UnusableError as error:
            skipped.append(Skipped(f"{code} {title}", str(error)))
    if not volumes:
        raise UnusableError(reasons(skipped))
    return Subject(code, tuple(volumes), row.get("pathology", ""), tuple(skipped))


def _phase(row: Cells, column: str) -> int:
    number = whole_number(row.get(column, ""))
    if number is None:
        raise UnusableError(f"the CSV gives no phase for {_MOMENTS[column]}" if row else "the CSV does not list it")
    return number


def _drawn_phase(reference: Cine, phase: int) -> Voxels:
    if phase >= reference.phases:
        raise UnusableError(f"the CSV says phase {phase}, but the mask ends at phase {reference.phases - 1}")
    if not reference.voxels[phase].any():
        raise UnusableError(f"nothing is drawn at phase {phase}")
    return reference.phase(phase).voxels


def _volume(source: str, code: str, name: str, phase: int, *, image: Cine, mask: Mask) -> LabelledVolume:
    return LabelledVolume(
        name=name,
        image=image.voxels[phase],
        mask=mask,
        annotated=annotation(image.grid.shape[0], STRUCTURES),
        spacing_mm=image.grid.spacing_mm,
        case_ids=(f"{code}_sa", code),
        phase=phase,
        sources=(source,) * image.grid.shape[0],
        grid=image.grid,
    )
