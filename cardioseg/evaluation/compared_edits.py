"""Edits: reads the mask to compare, which is the edit if there is one, as for `measure`, with remarks for the user."""

from dataclasses import dataclass
from pathlib import Path

from cardioseg.image.labels import Convention
from cardioseg.image.volume import Cine
from cardioseg.results.case_record import read_case_record
from cardioseg.results.edits import LatestMask, is_predicted, latest_mask
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.review_record import Decision


@dataclass(frozen=True)
class ComparedMask:
    """A mask that is compared.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        is_edited: whether it is an edit of a mask that `predict` wrote.
        is_corrected: whether a person changed it, as an edit or in `review`, so that it is not the model's.
        remarks: which file next to the mask is compared instead, which are ignored and why, what a person decided.
    """

    mask: Cine
    is_edited: bool = False
    is_corrected: bool = False
    remarks: tuple[str, ...] = ()


def read_compared_mask(path: Path, convention: Convention, consequence: str = "") -> ComparedMask:
    """Read a mask, or its edit if `predict` wrote the mask and it was edited.

    Args:
        path: the mask.
        convention: the meaning of its numbers.
        consequence: text added to the remark that an edit is compared.

    Raises:
        UnusableError: it cannot be read or holds other labels, or several files hold different edits of it.
    """
    if not is_predicted(path):
        return ComparedMask(read_mask(path, convention))
    latest = latest_mask(path, convention)
    edit = (_edit_remark(latest, path) + consequence,) if latest.is_edited else ()
    corrected = ("its mask was corrected by a person in `review`",) if latest.is_corrected else ()
    excluded = ("a person excluded this case in `review`; it is compared all the same",) if _is_excluded(path) else ()
    is_corrected = latest.is_edited or latest.is_corrected
    return ComparedMask(latest.mask, latest.is_edited, is_corrected, (*edit, *corrected, *excluded, *latest.remarks))


def _is_excluded(path: Path) -> bool:
    """Whether a person decided that the case of a predicted mask is not to be used."""
    record = read_case_record(CaseFolder(path.parent))
    return record is not None and record.review is not None and record.review.decision is Decision.EXCLUDED


def _edit_remark(latest: LatestMask, path: Path) -> str:
    if latest.file == path.name:
        return "its mask was edited; the edit is compared"
    return f"{latest.file} is an edit of {path.name} and is compared in its place"
