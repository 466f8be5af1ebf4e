"""DICOM: the phantom as a scanner would export it, one classic MR image a slice and phase, all ids synthetic."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import DSfloat

from cardioseg.files import write_bytes
from cardioseg.image.volume import Grid
from cardioseg.phantom.image import cine
from cardioseg.phantom.scouts import scouts
from cardioseg.phantom.settings import Phantom

_DAY, _TIME = "20000101", "120000"
_STUDY: Mapping[str, str] = {
    "StudyDate": _DAY, "StudyTime": _TIME, "SeriesDate": _DAY, "SeriesTime": _TIME, "ContentDate": _DAY,
    "ContentTime": _TIME, "AccessionNumber": "", "ReferringPhysicianName": "", "StudyID": "1",
    "StudyDescription": "synthetic cardiac MR", "PatientBirthDate": "", "PatientSex": "O",
    "PositionReferenceIndicator": "", "PatientPosition": "HFS", "BodyPartExamined": "HEART",
    "Manufacturer": "cardioseg", "ManufacturerModelName": "phantom", "DeviceSerialNumber": "0", "SoftwareVersions": "1",
}  # fmt: skip
_SEQUENCE: Mapping[str, Any] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"], "ScanningSequence": "GR", "SequenceVariant": "SS", "ScanOptions": "",
    "MRAcquisitionType": "2D", "RepetitionTime": "3.8", "EchoTime": "1.6", "EchoTrainLength": "1", "FlipAngle": "45",
    "MagneticFieldStrength": "1.5", "ImagedNucleus": "1H", "NumberOfAverages": "1",
}  # fmt: skip


def write_dicom(phantom: Phantom, folder: Path) -> Path:
    """Write `folder`/<patient>/study with a short-axis cine, its files named in random order, and a localizer.

    Returns:
        The folder of the short-axis series.

    Raises:
        ResourceError: the file system refuses.
    """
    study = folder / phantom.patient_id / "study"
    places = [(index, phase) for index in range(phantom.slices) for phase in range(phantom.phases)]
    order = np.random.default_rng([phantom.seed, 4]).permutation(len(places))
    names = [f"IM-{number + 1:04d}.dcm" for number in order.tolist()]
    write_series(phantom, study / "sax_cine", dict(zip(places, names, strict=True)))
    for number, dataset in enumerate(localizer(phantom), start=1):
        write_instance(study / "localizer" / f"IM-{number:04d}.dcm", dataset)
    return study / "sax_cine"


def write_series(phantom: Phantom, folder: Path, names: Mapping[tuple[int, int], str]) -> None:
    """Write the short-axis images of `names`, (slice, phase) -> file name, into `folder`."""
    voxels = cine(phantom).voxels
    for (index, phase), name in names.items():
        number = phantom.instance_number(index, phase)
        write_instance(folder / name, instance(phantom, index, phase, number, voxels[phase, index]))


def write_instance(path: Path, dataset: Dataset) -> None:
    """Write one DICOM file atomically; equal datasets give equal bytes."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    write_bytes(path, buffer.getvalue())


def instance(phantom: Phantom, slice_index: int, phase: int, number: int, pixels: NDArray[np.int16]) -> Dataset:
    """One short-axis image, ready to be written in explicit little endian.

    Args:
        phantom: whose geometry, timing and ids.
        slice_index: 0-based, from the apex.
        phase: 0-based.
        number: the instance number.
        pixels: (row, column), such as `cine(phantom).voxels[phase, slice_index]`.
    """
    dataset = _image(phantom, "short axis", number, pixels)
    _place(dataset, phantom.grid, slice_index)
    dataset.SeriesNumber, dataset.SeriesDescription, dataset.ScanOptions = 3, "cine short axis", "CG"
    dataset.TriggerTime = _decimal(phantom.times_ms[phase])
    dataset.NominalInterval = round(phantom.rr_interval_ms)
    dataset.HeartRate = round(60000 / phantom.rr_interval_ms)
    dataset.CardiacNumberOfImages = phantom.phases
    return dataset


def localizer(phantom: Phantom) -> list[Dataset]:
    """Three scouts, one axial, one coronal and one sagittal: a series of the study that is no short axis."""
    return [_scout(phantom, number, *scout) for number, scout in enumerate(scouts(phantom), start=1)]


def _scout(phantom: Phantom, number: int, grid: Grid, pixels: NDArray[np.int16]) -> Dataset:
    dataset = _image(phantom, "localizer", number, pixels)
    _place(dataset, grid, 0)
    dataset.SeriesNumber, dataset.SeriesDescription = 1, "localizer"
    return dataset


def _image(phantom: Phantom, series: str, number: int, pixels: NDArray[np.int16]) -> Dataset:
    """An MR image without its place in space; `series` tells the study's series apart."""
    dataset = Dataset()
    for name, value in {**_STUDY, **_SEQUENCE}.items():
        setattr(dataset, name, value)
    dataset.Modality, dataset.InstanceNumber = "MR", number
    dataset.PatientID, dataset.PatientName = phantom.patient_id, phantom.patient_id.replace("-", "^")
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = _uid(phantom, "study"), _uid(phantom, "frame of reference")
    dataset.SeriesInstanceUID = _uid(phantom, series)
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, _uid(phantom, series, str(number))
    _fill(dataset, pixels)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _place(dataset: Dataset, grid: Grid, slice_index: int) -> None:
    normal, down, across = grid.directions
    position = grid.position_mm((slice_index, 0, 0))
    dataset.ImagePositionPatient = [_decimal(mm) for mm in position.tolist()]
    dataset.ImageOrientationPatient = [_decimal(cosine) for cosine in (*across, *down)]
    dataset.SliceLocation = _decimal(float(position @ np.asarray(normal)))
    dataset.PixelSpacing = [_decimal(mm) for mm in grid.pixel_mm]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = _decimal(grid.spacing_mm[0])


def _fill(dataset: Dataset, pixels: NDArray[np.int16]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.WindowCenter, dataset.WindowWidth = "300", "600"
    dataset.PixelData = pixels.astype("<i2").tobytes()


def _decimal(value: float) -> DSfloat:
    """A decimal string of at most 16 characters."""
    return DSfloat(value, auto_format=True)


def _uid(phantom: Phantom, *parts: str) -> UID:
    """A UID that belongs to these settings and this part of the study."""
    return generate_uid(entropy_srcs=[repr(phantom), *parts])
