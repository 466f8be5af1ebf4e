"""Pairing: finds the predicted mask of each reference volume, and checks whether the two can be compared."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.evaluation.compared_edits import ComparedMask, read_compared_mask
from cardioseg.evaluation.named_phase import (
    cine_names,
    is_one_phase_of,
    of_two_phases,
    only_phase,
    unknown_phase,
    with_named_phase,
)
from cardioseg.files import safe_name
from cardioseg.image.alignment import aligned, on_grid
from cardioseg.image.ed_es_pair import MOMENTS
from cardioseg.image.grid_difference import grid_difference
from cardioseg.image.labels import CONVENTIONS, Convention
from cardioseg.image.volume import Cine, Grid
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.results.mask_files import MaskFolder, case_id
from cardioseg.skipped import Skipped

NO_PREDICTION = "no prediction"
_RESAMPLE = "resample the mask that is not on the grid of the scan to this grid (nearest neighbour)"
_BEFORE = "; measures.csv has the numbers from before, `cardioseg measure` gives the new ones"


@dataclass(frozen=True)
class Pair:
    """A reference volume and its prediction on the same grid.

    Attributes:
        subject_id: the person.
        case_id: the name under which the prediction was found.
        reference: the labelled volume.
        predicted: `Label` values (slice, row, column).
        is_edited: whether somebody edited the prediction.
        is_corrected: whether a person changed the prediction, as an edit or in `review`.
        remarks: remarks on the prediction's file and the files next to it.
    """

    subject_id: str
    case_id: str
    reference: LabelledVolume
    predicted: NDArray[np.uint8]
    is_edited: bool = False
    is_corrected: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Match:
    """A reference volume and the prediction that its names lead to.

    Attributes:
        volume: the reference, with the phase that its name says.
        case_id: the name under which the prediction was found.
        file: the name of the prediction's file, another one if two files are compared that have no name in common.
        is_only_volume: whether no other volume of the subject leads to this prediction.
    """

    volume: LabelledVolume
    case_id: str
    file: str
    is_only_volume: bool


def find_pairs(
    subject: Subject, predictions: MaskFolder, convention: Convention = CONVENTIONS["acdc"]
) -> Iterator[Pair | Skipped]:
    """Find and check the prediction of each volume of a subject; `convention` is that of the predictions."""
    masks: dict[str, ComparedMask | Skipped] = {}
    for match in _matches(subject, predictions):
        if isinstance(match, Skipped):
            yield match
            continue
        if match.case_id not in masks:
            masks[match.case_id] = _read_mask(predictions, match.case_id, convention)
        yield _compare(subject, match, masks[match.case_id])


def _matches(subject: Subject, predictions: MaskFolder) -> Iterator[_Match | Skipped]:
    ids = [matching_id(volume, predictions) for volume in subject.volumes]
    files = [case and case_id(predictions.paths[case]) for case in ids]
    volumes = [with_named_phase(volume, file) for volume, file in zip(subject.volumes, files, strict=True)]
    by_case, by_phase = Counter(ids), Counter((case, volume.phase) for case, volume in zip(ids, volumes, strict=True))
    for volume, case, file in zip(volumes, ids, files, strict=True):
        if case is None or file is None:
            yield Skipped(_name(volume), NO_PREDICTION)
        elif not volume.has_scan and volume.phase is not None and (times := by_phase[case, volume.phase]) > 1:
            yield Skipped(_name(volume), f"{times} references are phase {volume.phase} of {file}: keep one of them")
        else:
            yield _Match(volume, case, file, is_only_volume=by_case[case] == 1)


def matching_id(volume: LabelledVolume, predictions: MaskFolder) -> str | None:
    """The first of the volume's case ids that has a prediction."""
    names = (*volume.case_ids, *cine_names(volume))
    return next((case for name in names if (case := safe_name(name)) in predictions.paths), None)


def _name(volume: LabelledVolume) -> str:
    return f"{volume.case_ids[0]} {volume.name}".strip()


def _read_mask(predictions: MaskFolder, case: str, convention: Convention) -> ComparedMask | Skipped:
    path = predictions.paths[case]
    try:
        return read_compared_mask(path, convention, _BEFORE)
    except UnusableError as error:
        return predictions.skipped(path, error, "prediction")


def _compare(subject: Subject, match: _Match, prediction: ComparedMask | Skipped) -> Pair | Skipped:
    if isinstance(prediction, Skipped):
        return prediction
    volume, mask = match.volume, prediction.mask
    if volume.is_box:
        volume = _unboxed(volume, mask.grid)
    if volume.grid is not None:
        mask = aligned(mask, volume.grid, volume.grid.rounding_mm) or mask
    if mask.phases == len(MOMENTS):
        volume = of_two_phases(volume, match.case_id)
    if mask.phases == 1 and is_one_phase_of(volume, match.case_id):
        return Skipped(_name(volume), only_phase(volume, match.case_id))
    if mask.phases == 1 and not match.is_only_volume:
        why = "the prediction has one phase, the reference several; which of these it belongs to is unknown"
        return Skipped(volume.case_ids[0], why)
    mismatch = _phase_mismatch(volume, mask, match.file) or _grid_mismatch(volume, mask)
    if mismatch:
        return Skipped(_name(volume), mismatch)
    return Pair(
        subject.subject_id,
        match.case_id,
        volume,
        mask.voxels[_phase(volume, mask)],
        prediction.is_edited,
        prediction.is_corrected,
        prediction.remarks,
    )


def _unboxed(volume: LabelledVolume, grid: Grid) -> LabelledVolume:
    """A reference that is a box, on the grid of its prediction; unchanged if it does not lie there."""
    if volume.grid is None or (laid := on_grid(Cine(volume.mask[None], volume.grid), grid, grid.rounding_mm)) is None:
        return volume
    [drawn] = laid.voxels
    return replace(
        volume,
        image=drawn,
        mask=drawn,
        annotated=np.repeat(volume.annotated[:1], grid.shape[0], axis=0),
        spacing_mm=grid.spacing_mm,
        sources=volume.sources[:1] * grid.shape[0],
        grid=grid,
    )


def _phase(volume: LabelledVolume, mask: Cine) -> int:
    return 0 if mask.phases == 1 or volume.phase is None else volume.phase


def _phase_mismatch(volume: LabelledVolume, mask: Cine, file: str) -> str:
    if mask.phases == 1:
        return ""
    if volume.phase is None:
        return unknown_phase(volume, file, mask.phases)
    if volume.phase >= mask.phases:
        return f"the prediction has the phases 0 to {mask.phases - 1}; the reference is phase {volume.phase}"
    return ""


def _grid_mismatch(volume: LabelledVolume, mask: Cine) -> str:
    if volume.mask.shape != mask.grid.shape:
        return f"the prediction has the shape {mask.grid.shape}, the reference {volume.mask.shape}: {_RESAMPLE}"
    if volume.grid is not None and not volume.grid.matches(mask.grid, volume.grid.rounding_mm):
        difference = grid_difference(mask.grid, volume.grid)
        return f"the prediction has the reference's shape, but {difference}: {_RESAMPLE}, or correct a wrong header"
    return ""
