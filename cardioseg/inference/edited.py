"""Edited: a mask that `predict` wrote and somebody may have edited, with what its folder still knows of its scan."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cardioseg.errors import CardiosegError, UnusableError
from cardioseg.files import sha256
from cardioseg.image.affine import geometry_flags
from cardioseg.image.alignment import aligned
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Cine
from cardioseg.inference.cases import RECORD_FILE
from cardioseg.inference.description import MASK_FILE, MEASURES_FILE, Description, read_description
from cardioseg.inference.search import find_cases
from cardioseg.ingest.layouts.acdc import read_body
from cardioseg.ingest.masks import read_mask
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Curves

_LABELS = "labels are " + ", ".join(f"{label.value} {label.title}" for label in Label)


@dataclass(frozen=True)
class EditedMask:
    """A mask and its circumstances.

    Attributes:
        mask: `Label` values (phase, slice, row, column), with the times of the scan.
        acquisition: what is known of the scan.
        is_edited: whether it differs from what `predict` wrote; false where nothing says what that was.
        fold_curves_ml: of the ensemble that predicted it, where it is as predicted.
        image: the scan, where it is still at its place.
    """

    mask: Cine
    acquisition: Acquisition
    is_edited: bool = False
    fold_curves_ml: tuple[Curves, ...] = ()
    image: Cine | None = None

    @property
    def labels(self) -> frozenset[Label]:
        """The structures that are in it."""
        return present(self.mask)


def read_edited(path: Path, source: Path | None) -> EditedMask:
    """Read a mask and what lies beside it.

    Args:
        path: the mask; `measures.json` and `case.json` beside a `mask.nii.gz` are `predict`'s.
        source: the scan, a file or the folder that it lies in, if it is known.

    Raises:
        UnusableError: it cannot be read, holds other labels, or does not fit its scan.
    """
    mask = _read(path)
    known = read_description(path.parent) if _is_predicted(path) else None
    image = _scan(path, source) if source else None
    if image:
        mask = aligned(mask, image.grid, image.grid.rounding_mm) or mask
    _require_fit(path, mask, known, image)
    if known is None:
        return EditedMask(mask, Acquisition(*read_body(path.parent), flags=geometry_flags(mask.grid)), image=image)
    edited = is_edited(path)
    timed = replace(mask, times_ms=known.times_ms)
    return EditedMask(timed, known.acquisition, edited, () if edited else known.fold_curves_ml, image)


def present(mask: Cine) -> frozenset[Label]:
    """The structures that are in a mask."""
    return frozenset(Label(value) for value in np.unique(mask.voxels).tolist() if value in STRUCTURES)


def is_edited(path: Path) -> bool:
    """Whether somebody changed a mask since `predict` wrote it: it can be read, but has not the recorded bytes."""
    try:
        record = json.loads((path.parent / RECORD_FILE).read_text(encoding="utf-8"))
        changed = bool(record["sha256"][path.name] != sha256(path))
        return changed and bool(read_mask(path))
    except (UnusableError, OSError, ValueError, LookupError, TypeError):
        return False


def sources(masks: Path) -> dict[str, Path]:
    """Where the scan of each case lay, from the `status.csv` of a prediction; empty where there is none."""
    try:
        with (masks / "status.csv").open(newline="", encoding="utf-8") as file:
            return {row["case_id"]: Path(row["source"]) for row in csv.DictReader(file) if row["source"]}
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return {}


def source_beside(path: Path) -> Path | None:
    """The scan that lies beside a reference mask `<scan>_gt.nii.gz`."""
    scan = path.with_name(path.name.replace("_gt.nii", ".nii"))
    return scan if scan != path and scan.is_file() else None


def _read(path: Path) -> Cine:
    try:
        return read_mask(path)
    except UnusableError as error:
        if str(path) in error.message:
            raise
        raise UnusableError(f"{path}: {error.message}", _LABELS) from None


def _is_predicted(path: Path) -> bool:
    return path.name == MASK_FILE and (path.parent / MEASURES_FILE).is_file()


def _scan(path: Path, source: Path) -> Cine | None:
    """The scan that a mask was made of; None where it is gone or another one by now."""
    try:
        if not _is_predicted(path):
            return read_cine(source)
        expected = json.loads((path.parent / RECORD_FILE).read_text(encoding="utf-8"))["input"]
        return next((case.read() for case in find_cases([source]).cases if case.fingerprint() == expected), None)
    except (CardiosegError, OSError, ValueError, LookupError, TypeError):
        return None


def _require_fit(path: Path, mask: Cine, known: Description | None, image: Cine | None) -> None:
    expected = image.phases if image else max(map(len, known.curves_ml.values()), default=0) if known else 0
    if expected and mask.phases != expected:
        has = f"{mask.phases} phase{'s' if mask.phases > 1 else ''} where its scan has {expected}"
        raise UnusableError(f"{path} has {has}", "save the mask of all phases as one 4D image")
    slices = mask.grid.shape[0]
    if known and any(index >= slices for index in known.acquisition.missing):
        raise UnusableError(f"{path} has fewer slices than its scan", "save it on the grid of the scan")
    if image and not image.grid.matches(mask.grid, image.grid.rounding_mm):
        raise UnusableError(f"{path} does not lie on its scan's grid", "save it on the grid of the scan")
