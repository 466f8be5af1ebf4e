"""Kept review: what a person decided about a case counts as long as its mask and numbers are those the person saw."""

from cardioseg.correction.edited_mask import EditedMask
from cardioseg.errors import UnusableError
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.report.dicom_object import Author, Touch
from cardioseg.results.case_record import CaseRecord
from cardioseg.results.description import read_description
from cardioseg.results.edits import is_edited
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.outcome import in_one
from cardioseg.results.review_record import Decision, Review, is_changed

_LOST = "its earlier review no longer counts, because it was of"
_OTHER_MASK, _OTHER_NUMBERS = f"{_LOST} another mask", f"{_LOST} other phases or main measures"


def kept_review(folder: CaseFolder, earlier: CaseRecord, mask: Cine, now: Measures) -> tuple[Review | None, str]:
    """What a person decided about a case that is predicted again, before anything of it is written.

    Args:
        folder: of the case, with the mask and the measures that the person saw.
        earlier: the record of the case.
        mask: `Label` values (phase, slice, row, column), as they are predicted now.
        now: the measures of that mask.

    Returns:
        The review, or None if it no longer counts; and why it does not. A correction is undone, so it never counts.
    """
    if earlier.review is None:
        return None, ""
    try:
        seen, measures = read_mask(folder.mask), read_description(folder).measures
    except UnusableError:
        return None, _OTHER_MASK
    if earlier.is_corrected or is_edited(folder.mask, earlier) or not _is_same(seen, mask):
        return None, _OTHER_MASK
    return (None, _OTHER_NUMBERS) if is_changed(measures, now) else (earlier.review, "")


def _is_same(seen: Cine, mask: Cine) -> bool:
    has_same_shape = seen.voxels.shape == mask.voxels.shape and seen.grid.matches(mask.grid, mask.grid.rounding_mm)
    return has_same_shape and bool((seen.voxels == mask.voxels).all())


def kept_decision(edited: EditedMask, now: Measures) -> tuple[str, str]:
    """What a person decided about a case that is measured again, and what else to say of it; empty without a review.

    Args:
        edited: its mask, and what was known of it.
        now: the measures of that mask.
    """
    review, earlier = edited.review, edited.earlier
    if review is None or earlier is None:
        return "", ""
    said = review.remark(earlier.measures)
    said = "" if said in edited.remarks else said
    if edited.is_edited or is_changed(earlier.measures, now):
        return f"{review.decision}, changed since", in_one(said, "its mask or main measures changed since the review")
    return review.decision, said


def signed_by(name: str, model_sha256: str, review: Review | None) -> Author:
    """The model of a case with this name and hash, and the person who reviewed the case."""
    if review is None:
        return Author(name, model_sha256)
    is_excluded = review.decision is Decision.EXCLUDED
    unchanged = Touch.NONE if is_excluded else Touch.ACCEPTED
    touch = Touch.CORRECTED if review.is_corrected else unchanged
    return Author(name, model_sha256, touch, review.initials, is_excluded)
