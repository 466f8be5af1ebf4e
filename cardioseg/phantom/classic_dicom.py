"""Classic DICOM: the phantom as classic MR images, one file per slice and phase."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from cardioseg.image.volume import Grid
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.scouts import scouts
from cardioseg.phantom.study import DAY, decimal, object_of

_SEQUENCE: Mapping[str, Any] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"], "ScanningSequence": "GR", "SequenceVariant": "SS", "ScanOptions": "",
    "MRAcquisitionType": "2D", "RepetitionTime": "3.8", "EchoTime": "1.6", "EchoTrainLength": "1", "FlipAngle": "45",
    "MagneticFieldStrength": "1.5", "ImagedNucleus": "1H", "NumberOfAverages": "1", "WindowCenter": "300",
    "WindowWidth": "600",
}  # fmt: skip
_BREATH_HOLD_S = 12


def instance(phantom: Phantom, slice_index: int, phase: int, number: int, pixels: NDArray[np.int16]) -> Dataset:
    """One short-axis image, ready to be written.

    Args:
        phantom: gives geometry, timing and ids.
        slice_index: 0-based, from the apex.
        phase: 0-based.
        number: the instance number.
        pixels: (row, column), such as `cine(phantom).voxels[phase, slice_index]`.
    """
    return _short_axis(phantom, "short axis", (slice_index, phase), number, pixels)


def instance_of_own_series(phantom: Phantom, slice_index: int, phase: int, pixels: NDArray[np.int16]) -> Dataset:
    """As `instance`, but each slice is a separate series, numbered as acquired; instance numbers count phases."""
    series = f"short axis, slice {slice_index}"
    dataset = _short_axis(phantom, series, (slice_index, phase), phase + 1, pixels)
    dataset.SeriesNumber = 10 + _order(phantom, slice_index)
    return dataset


def localizer(phantom: Phantom) -> list[Dataset]:
    """Three scouts, axial, coronal and sagittal: a series of the study that is not a short axis."""
    return [_scout(phantom, number, *scout) for number, scout in enumerate(scouts(phantom), start=1)]


def _short_axis(
    phantom: Phantom, series: str, place: tuple[int, int], number: int, pixels: NDArray[np.int16]
) -> Dataset:
    slice_index, phase = place
    dataset = _image(phantom, series, number, pixels)
    _place(dataset, phantom.grid, slice_index)
    dataset.SeriesNumber, dataset.SeriesDescription, dataset.ScanOptions = 3, "cine short axis", "CG"
    minutes, seconds = divmod(_BREATH_HOLD_S * _order(phantom, slice_index), 60)
    dataset.AcquisitionDate, dataset.AcquisitionTime = DAY, f"12{minutes % 60:02d}{seconds:02d}"
    dataset.TriggerTime = decimal(phantom.times_ms[phase])
    dataset.NominalInterval = round(phantom.rr_interval_ms)
    dataset.HeartRate = round(60000 / phantom.rr_interval_ms)
    dataset.CardiacNumberOfImages = phantom.phases
    return dataset


def _order(phantom: Phantom, slice_index: int) -> int:
    """Slices are acquired from the base to the apex."""
    return phantom.slices - 1 - slice_index


def _scout(phantom: Phantom, number: int, grid: Grid, pixels: NDArray[np.int16]) -> Dataset:
    dataset = _image(phantom, "localizer", number, pixels)
    _place(dataset, grid, 0)
    dataset.SeriesNumber, dataset.SeriesDescription = 1, "localizer"
    return dataset


def _image(phantom: Phantom, series: str, number: int, pixels: NDArray[np.int16]) -> Dataset:
    dataset = object_of(phantom, MRImageStorage, series, number, pixels)
    for name, value in _SEQUENCE.items():
        setattr(dataset, name, value)
    return dataset


def _place(dataset: Dataset, grid: Grid, slice_index: int) -> None:
    normal, down, across = grid.directions
    position = grid.position_mm((slice_index, 0, 0))
    dataset.ImagePositionPatient = [decimal(mm) for mm in position.tolist()]
    dataset.ImageOrientationPatient = [decimal(cosine) for cosine in (*across, *down)]
    dataset.SliceLocation = decimal(float(position @ np.asarray(normal)))
    dataset.PixelSpacing = [decimal(mm) for mm in grid.pixel_mm]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = decimal(grid.spacing_mm[0])
