"""Edits: what somebody changed of a predicted mask: in its own file, or in one that an editor wrote beside it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.files import sha256
from cardioseg.image.alignment import aligned, on_grid
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label, relabel
from cardioseg.image.nrrd import read_stored
from cardioseg.image.volume import Cine
from cardioseg.image.volume_files import format_of, is_volume_file
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import files_beside, is_newer, newer_files_below, read_mask

_ACDC = CONVENTIONS["acdc"]
LABELS = "labels are " + ", ".join(f"{label.value} {label.title}" for label in Label)
_MASK = CaseFolder(Path()).mask.name
_SAVE = f"if it holds an edit, save the edit as {_MASK}, all phases in one image; {LABELS}"


@dataclass(frozen=True)
class LatestMask:
    """A predicted mask as it was last edited.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        is_edited: whether it differs from what `predict` wrote.
        file: the name of the file that it is from.
        remarks: which other files were not used, and why.
        is_corrected: whether it is as a person left it in `review`; the numbers beside it are its own.
    """

    mask: Cine
    is_edited: bool
    file: str = _MASK
    remarks: tuple[str, ...] = ()
    is_corrected: bool = False


def is_predicted(path: Path) -> bool:
    """Whether a mask is `predict`'s, edited or not: what that knew of its scan lies beside it."""
    folder = CaseFolder(path.parent)
    return path == folder.mask and folder.is_measured


def is_edited(path: Path, record: CaseRecord | None = None) -> bool:
    """Whether somebody changed a mask since `predict` wrote it: an image, but not with the recorded bytes.

    Args:
        path: the mask.
        record: of its case, where it has been read already.
    """
    record = record or read_case_record(CaseFolder(path.parent))
    try:
        return record is not None and record.sha256[path.name] != sha256(path) and bool(format_of(path).read_cine(path))
    except (UnusableError, OSError, LookupError):
        return False


def edited_file(path: Path, record: CaseRecord | None = None) -> str:
    """The name of the file that holds an edit of a predicted mask; empty where there is none.

    A file of an editor beside the mask counts if it is newer, whatever is in it.
    """
    if is_edited(path, record):
        return path.name
    return next((file.name for file in _of_editors(path, record) if is_newer(file, path)), "")


def _of_editors(path: Path, record: CaseRecord | None = None) -> list[Path]:
    """The files beside a predicted mask that may hold an edit: all but those that `predict` itself wrote."""
    record = record or read_case_record(CaseFolder(path.parent))
    written = record.sha256 if record else {}
    return [file for file in files_beside(path) if file.name not in written or sha256(file) != written[file.name]]


def edit_kept(name: str) -> str:
    """What to say of a case that is not predicted again because the file of that name holds an edit."""
    where = "" if name == _MASK else f", in {name}"
    new = "`cardioseg measure` gives the new numbers; --discard-edits predicts the case again"
    return f"its mask was edited and is kept{where}: the numbers are those before the edit; {new}"


def correction_kept(record: CaseRecord, description: Description) -> str:
    """What to say of a case that is not predicted again because a person corrected it in `review`."""
    return f"{record.reviewed(description.measures)}; the correction is kept, --discard-edits predicts the case again"


def latest_mask(path: Path, convention: Convention = _ACDC) -> LatestMask:
    """Read a predicted mask, or the file beside it that is clearly its edit: newer, on its grid, with its labels.

    Args:
        path: the mask.
        convention: the meaning of the numbers in all of these files.

    Raises:
        UnusableError: it cannot be read, or holds other labels; or several files hold different edits.
    """
    record = read_case_record(CaseFolder(path.parent))
    written, changed = read_labelled(path, convention), is_edited(path, record)
    edits: dict[str, Cine] = {}
    remarks = []
    for file in _of_editors(path):
        try:
            edits[file.name] = _edit(file, path, written, convention)
        except UnusableError as error:
            why = error.message.removeprefix(f"{file}: ")
            remarks.append(f"{file.name} in the same folder is not used: {why} ({error.hint or _SAVE})")
    for file in newer_files_below(path):
        name = file.relative_to(path.parent).as_posix()
        remarks.append(f"{name} is not used: it lies in a subfolder (if it holds an edit, save it beside {_MASK})")
    changed_edits = {name: edit for name, edit in edits.items() if not np.array_equal(edit.voxels, written.voxels)}
    if len(changed_edits) + changed > 1:
        names = " and ".join([*([path.name] if changed else []), *changed_edits])
        raise UnusableError(
            f"{path.parent}: {names} hold different edits", f"keep the right one and name it {path.name}"
        )
    for name, edit in changed_edits.items():
        return LatestMask(edit, True, name, tuple(remarks))
    is_corrected = record is not None and record.is_corrected and not changed
    return LatestMask(written, changed, path.name, tuple(remarks), is_corrected)


def read_labelled(path: Path, convention: Convention = _ACDC, hint: str = LABELS) -> Cine:
    """Read a mask whose numbers have the meaning that `convention` gives them.

    Raises:
        UnusableError: it cannot be read, or holds other labels; the message names it, and `hint` says what to do.
    """
    try:
        return read_mask(path, convention)
    except UnusableError as error:
        if str(path) in error.message:
            raise
        raise UnusableError(f"{path}: {error.message}", hint) from None


def _edit(file: Path, path: Path, written: Cine, convention: Convention) -> Cine:
    """What a file beside the mask holds, on the grid of the mask."""
    if not is_newer(file, path):
        raise UnusableError(f"{file}: it is not newer than {path.name}")
    edit = _read(file, written, convention)
    _require_phases(file, edit, written)
    placed = aligned(edit, written.grid, written.grid.rounding_mm)
    if placed is None:
        raise UnusableError(f"{file}: it does not lie on the grid of the mask")
    if not _is_numbered_alike(placed, written):
        raise UnusableError(f"{file}: its labels are numbered differently from those of the mask")
    return Cine(placed.voxels, written.grid, written.times_ms)


def _read(file: Path, written: Cine, convention: Convention) -> Cine:
    if file.suffix.lower() == ".nrrd":  # editors crop it to the segments
        return _read_nrrd(file, written, convention)
    if is_volume_file(file):
        return read_labelled(file, convention)
    raise UnusableError(f"{file}: cardioseg does not read this format here")


def _read_nrrd(file: Path, written: Cine, convention: Convention) -> Cine:
    part = read_stored(file)
    _require_phases(file, part, written)  # before it is laid on the grid of the mask, which takes memory for each
    edit = on_grid(part, written.grid, written.grid.rounding_mm)
    if edit is None:
        raise UnusableError(f"{file}: it does not lie on the grid of the mask")
    return Cine(relabel(edit.voxels, convention), written.grid)


def _require_phases(file: Path, edit: Cine, written: Cine) -> None:
    if edit.phases != written.phases:
        raise UnusableError(f"{file}: it has {edit.phases} phase{'s' * (edit.phases > 1)}, the mask {written.phases}")


def _is_numbered_alike(edit: Cine, written: Cine) -> bool:
    """Whether most of what an edit gives a label had that label, of what had one: editors may number segments anew."""
    for label in STRUCTURES:
        before = written.voxels[edit.voxels == label]
        counts = np.bincount(before[before > 0].ravel(), minlength=len(Label))
        if counts.any() and counts.argmax() != label and (written.voxels == label).any():
            return False
    return True
