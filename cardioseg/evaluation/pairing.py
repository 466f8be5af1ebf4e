"""Pairing: finds the predicted mask of each reference volume, and checks whether the two can be compared."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.evaluation.compared_edits import ComparedMask, read_compared_mask
from cardioseg.files import safe_name
from cardioseg.image.alignment import aligned, on_grid
from cardioseg.image.labels import CONVENTIONS, Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.results.mask_files import MaskFolder
from cardioseg.skipped import Skipped

NO_PREDICTION = "no prediction"
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


def find_pairs(
    subject: Subject, predictions: MaskFolder, convention: Mapping[int, Label] = CONVENTIONS["acdc"]
) -> Iterator[Pair | Skipped]:
    """Find and check the prediction of each volume of a subject; `convention` is that of the predictions."""
    ids = [matching_id(volume, predictions) for volume in subject.volumes]
    volume_counts = Counter(ids)
    masks: dict[str, ComparedMask | Skipped] = {}
    for volume, case in zip(subject.volumes, ids, strict=True):
        if case is None:
            yield Skipped(_name(volume), NO_PREDICTION)
            continue
        if case not in masks:
            masks[case] = _read_mask(predictions, case, convention)
        yield _compare(subject, volume, case, masks[case], is_only_volume=volume_counts[case] == 1)


def matching_id(volume: LabelledVolume, predictions: MaskFolder) -> str | None:
    """The first of the volume's case ids that has a prediction."""
    return next((case for name in volume.case_ids if (case := safe_name(name)) in predictions.paths), None)


def _name(volume: LabelledVolume) -> str:
    return f"{volume.case_ids[0]} {volume.name}".strip()


def _read_mask(predictions: MaskFolder, case: str, convention: Mapping[int, Label]) -> ComparedMask | Skipped:
    path = predictions.paths[case]
    try:
        return read_compared_mask(path, convention, _BEFORE)
    except UnusableError as error:
        return predictions.skipped(path, error, "prediction")


def _compare(
    subject: Subject, volume: LabelledVolume, case: str, prediction: ComparedMask | Skipped, *, is_only_volume: bool
) -> Pair | Skipped:
    if isinstance(prediction, Skipped):
        return prediction
    mask = prediction.mask
    if volume.is_box:
        volume = _unboxed(volume, mask.grid)
    if volume.grid is not None:
        mask = aligned(mask, volume.grid, volume.grid.rounding_mm) or mask
    if mask.phases == 1 and not is_only_volume:
        why = "the prediction has one phase, the reference several; which of these it belongs to is unknown"
        return Skipped(volume.case_ids[0], why)
    mismatch = _phase_mismatch(volume, mask) or _grid_mismatch(volume, mask)
    if mismatch:
        return Skipped(_name(volume), mismatch)
    return Pair(
        subject.subject_id,
        case,
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
    return replace(
        volume,
        image=laid.voxels[0],
        mask=laid.voxels[0],
        annotated=np.repeat(volume.annotated[:1], grid.shape[0], axis=0),
        spacing_mm=grid.spacing_mm,
        sources=volume.sources[:1] * grid.shape[0],
        grid=grid,
    )


def _phase(volume: LabelledVolume, mask: Cine) -> int:
    return 0 if mask.phases == 1 or volume.phase is None else volume.phase


def _phase_mismatch(volume: LabelledVolume, mask: Cine) -> str:
    if mask.phases == 1:
        return ""
    if volume.phase is None:
        return f"the prediction has {mask.phases} phases; the reference does not say to which of them it belongs"
    if volume.phase >= mask.phases:
        return f"the reference is phase {volume.phase}, but the prediction ends at phase {mask.phases - 1}"
    return ""


def _grid_mismatch(volume: LabelledVolume, mask: Cine) -> str:
    if volume.mask.shape != mask.grid.shape:
        return f"the prediction has the shape {mask.grid.shape}, the reference {volume.mask.shape}"
    if volume.grid is not None and not volume.grid.matches(mask.grid, volume.grid.rounding_mm):
        return "the prediction has the reference's shape, but another position, orientation or spacing"
    return ""
