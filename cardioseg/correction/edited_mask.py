"""Edited: a mask that `predict` wrote and somebody may have edited, with what its folder still knows of its scan."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cardioseg.cases.scan import OTHER_HEADER, recorded_scan
from cardioseg.correction.missing_slices import drawn_in_missing
from cardioseg.errors import CardiosegError, UnusableError
from cardioseg.image.alignment import aligned
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label
from cardioseg.image.nifti_grid import geometry_flags
from cardioseg.image.volume import Cine, Grid
from cardioseg.image.volume_files import REFERENCE, format_of, siblings, stem
from cardioseg.ingest.labels.label_geometry import AS_CALLED, EXCHANGED, seen_meaning
from cardioseg.ingest.labels.layouts.acdc import read_body
from cardioseg.ingest.labels.numbered_labels import listed_meaning
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Curves, Moments
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import LABELS, is_predicted, latest_mask, read_labelled
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.review_record import Review

_HOW_NUMBERED = (
    "say what the numbers mean: with --labels, or with a file dataset.json beside the masks, as in "
    '{"labels": {"background": 0, "LV cavity": 1}}'
)
_GONE = "no picture: its scan is gone"


@dataclass(frozen=True)
class EditedMask:
    """A mask and its circumstances.

    Attributes:
        mask: `Label` values (phase, slice, row, column), with the times of the scan.
        acquisition: what is known of the scan.
        is_edited: whether it differs from what `predict` wrote; false where nothing says what that was.
        fold_curves_ml: of the ensemble that predicted it, where it is as predicted.
        image: the scan, where it is still at its place, with the header that it had.
        no_image: why there is no image, where its place is known.
        earlier: what was measured before, where that is known.
        chosen: phases that a person chose when it was predicted.
        remarks: what else to say of it.
        review: what a person who reviewed the case said; None if nobody did.
    """

    mask: Cine
    acquisition: Acquisition
    is_edited: bool = False
    fold_curves_ml: tuple[Curves, ...] = ()
    image: Cine | None = None
    no_image: str = ""
    earlier: Description | None = None
    chosen: Moments = Moments()  # noqa: RUF009 - frozen
    remarks: tuple[str, ...] = ()
    review: Review | None = None


def read_edited(path: Path, with_scan: bool = True, convention: Convention = CONVENTIONS["acdc"]) -> EditedMask:
    """Read a mask and what lies beside it.

    Args:
        path: the mask; `measures.json` and `case.json` beside a `mask.nii.gz` are `predict`'s.
        with_scan: whether to read the scan, too, which takes most of the time. A mask that was edited needs it: only
            the scan says whether an editor turned its axes.
        convention: what the numbers mean in a mask that `predict` did not write.

    Raises:
        UnusableError: it cannot be read, holds other labels, or does not fit its scan.
    """
    image, no_image = _scan(path) if with_scan else (None, "")
    if not is_predicted(path):
        grid = image.grid if image else None
        mask = _laid_out(read_labelled(path, convention, _HOW_NUMBERED), grid)
        _require_fit(path, mask, None, image, grid)
        _require_lv_in_myocardium(path, mask, convention, _HOW_NUMBERED)
        acquisition = Acquisition(*read_body(path), flags=geometry_flags(mask.grid))
        return EditedMask(mask, acquisition, image=image, no_image=no_image)
    folder = CaseFolder(path.parent)
    description, record = read_description(folder), read_case_record(folder)
    latest = latest_mask(path)
    grid = image.grid if image else _written_grid(folder, record)
    mask = _laid_out(latest.mask, grid)
    _require_fit(path, mask, description, image, grid)
    if latest.is_edited:
        _require_own_numbers(path, mask)
    timed = replace(mask, times_ms=description.times_ms)
    folds = () if latest.is_edited or latest.is_corrected else description.fold_curves_ml
    chosen = Moments(**record.chosen_phases) if record else Moments()
    remarks = latest.remarks if latest.file == path.name else (f"from {latest.file}", *latest.remarks)
    if latest.is_corrected and record and record.review:
        remarks = (record.review.remark(description.measures), *remarks)
    interrupted = record.interrupted if record else ""
    remarks = tuple(filter(None, (*remarks, interrupted, drawn_in_missing(mask, description.acquisition.missing))))
    edited = EditedMask(timed, description.acquisition, latest.is_edited, folds, image, no_image, description)
    return replace(edited, chosen=chosen, remarks=remarks, review=record.review if record else None)


def present(mask: Cine) -> frozenset[Label]:
    """The structures that are in a mask."""
    return frozenset(Label(value) for value in np.unique(mask.voxels).tolist() if value in STRUCTURES)


def source_of(path: Path) -> Path | None:
    """Where the scan of a mask lay when it was predicted, or the one beside `<scan>_gt.nii.gz`; None if unknown."""
    record = read_case_record(CaseFolder(path.parent)) if is_predicted(path) else None
    if record:
        return None if record.source is None else Path(record.source)
    name = stem(path)
    scans = siblings(path, name.removesuffix(REFERENCE)) if name.endswith(REFERENCE) else []
    return scans[0] if scans else None


def _scan(path: Path) -> tuple[Cine | None, str]:
    """The scan that a mask was made of, or why there is none: it is gone, or is another one by now."""
    source = source_of(path)
    if source is None:
        return None, ""
    with suppress(CardiosegError, OSError):
        if not is_predicted(path):
            return format_of(source).read_cine(source), ""
        record = read_case_record(CaseFolder(path.parent))
        scan = recorded_scan(record) if record else None
        if record and scan:
            return (None, OTHER_HEADER) if scan.has_other_header(record) else (scan.cine, "")
    return None, _GONE


def _written_grid(folder: CaseFolder, record: CaseRecord | None) -> Grid | None:
    """The grid on which a mask was written, before somebody edited it; None if nothing says it."""
    if record and record.grid:
        return record.grid.grid()
    return read_mask(folder.predicted_mask).grid if folder.predicted_mask.is_file() else None


def _laid_out(mask: Cine, grid: Grid | None) -> Cine:
    """The mask with its axes in the order and direction of its scan's, where only these differ."""
    if grid is None or mask.grid.matches(grid, grid.rounding_mm):
        return mask
    return aligned(mask, grid, grid.rounding_mm) or mask


def _require_lv_in_myocardium(path: Path, mask: Cine, convention: Convention, hint: str) -> None:
    """Refuse a mask whose structures are exchanged: the volumes of one would be given for the other."""
    seen = seen_meaning(mask.voxels.astype(np.uint8, copy=False))
    if seen == EXCHANGED:
        number = next(number for number, label in convention.items() if label == Label.RV_CAVITY)
        as_elsewhere = " (as in M&Ms and UK Biobank)" if convention == CONVENTIONS["acdc"] else ""
        what = f"{path}: the myocardium lies around label {number}, so that this is the LV cavity{as_elsewhere}"
        raise UnusableError(what, hint)
    if seen is not None and seen != AS_CALLED:
        drawn = present(mask)
        meant = listed_meaning({number: seen[label] for number, label in convention.items() if label in drawn})
        raise UnusableError(f"{path}: its numbers seem to mean {meant}, by how its structures lie", hint)


def _require_own_numbers(path: Path, mask: Cine) -> None:
    """Refuse an edit whose structures are exchanged."""
    rv, lv = Label.RV_CAVITY.value, Label.LV_CAVITY.value
    is_exchanged = seen_meaning(mask.voxels.astype(np.uint8, copy=False)) == EXCHANGED
    hint = f"exchange the numbers {rv} and {lv} in the mask" if is_exchanged else "change the numbers in the mask"
    _require_lv_in_myocardium(path, mask, CONVENTIONS["acdc"], f"{hint}: {LABELS}")


def _require_fit(
    path: Path, mask: Cine, description: Description | None, image: Cine | None, grid: Grid | None
) -> None:
    expected = image.phases if image else max(map(len, description.curves_ml.values()), default=0) if description else 0
    if expected and mask.phases != expected:
        has = f"{mask.phases} phase{'s' if mask.phases > 1 else ''} but its scan has {expected}"
        raise UnusableError(f"{path} has {has}", "save the mask of all phases as one 4D image")
    slices = mask.grid.shape[0]
    if description and any(index >= slices for index in description.acquisition.missing):
        raise UnusableError(f"{path} has fewer slices than its scan", "save it on the grid of the scan")
    if grid and not grid.matches(mask.grid, grid.rounding_mm):
        raise UnusableError(f"{path} does not lie on its scan's grid", "save it on the grid of the scan")
