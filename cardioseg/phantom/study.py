"""Study: the attributes of all DICOM objects of a phantom: patient, study, scanner, ids. All of them are synthetic."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from cardioseg.files import write_bytes
from cardioseg.phantom.compression import Encoding, encode
from cardioseg.phantom.phantom_settings import Phantom

DAY, TIME = "20000101", "120000"
HEIGHT_M, WEIGHT_KG = 1.75, 70.0
_STUDY: Mapping[str, str] = {
    "StudyDate": DAY, "StudyTime": TIME, "SeriesDate": DAY, "SeriesTime": TIME, "ContentDate": DAY,
    "ContentTime": TIME, "AccessionNumber": "", "ReferringPhysicianName": "", "StudyID": "1",
    "StudyDescription": "synthetic cardiac MR", "PatientBirthDate": "", "PatientSex": "O",
    "PatientSize": f"{HEIGHT_M}", "PatientWeight": f"{WEIGHT_KG}",
    "PositionReferenceIndicator": "", "PatientPosition": "HFS", "BodyPartExamined": "HEART", "Modality": "MR",
    "Manufacturer": "Synthetic", "ManufacturerModelName": "phantom", "DeviceSerialNumber": "0", "SoftwareVersions": "1",
}  # fmt: skip


def object_of(phantom: Phantom, class_uid: UID, series: str, number: int, pixels: NDArray[np.int16]) -> Dataset:
    """An image object in explicit little endian, without its sequence and its position in space.

    Args:
        phantom: gives the ids.
        class_uid: the SOP class.
        series: name of the series, for its id.
        number: the instance number.
        pixels: (row, column) or (frame, row, column).
    """
    dataset = Dataset()
    for name, value in _STUDY.items():
        setattr(dataset, name, value)
    dataset.InstanceNumber = number
    dataset.PatientID, dataset.PatientName = phantom.patient_id, phantom.patient_id.replace("-", "^")
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = (
        uid_of(phantom, "study"),
        uid_of(phantom, "frame of reference"),
    )
    dataset.SeriesInstanceUID = uid_of(phantom, series)
    dataset.SOPClassUID, dataset.SOPInstanceUID = class_uid, uid_of(phantom, series, str(number))
    _fill(dataset, pixels)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def write_instance(path: Path, dataset: Dataset, encoding: Encoding = Encoding.EXPLICIT) -> None:
    """Write one DICOM file atomically; equal data sets give equal bytes.

    Raises:
        ResourceError: the file system refuses.
    """
    encode(dataset, encoding)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    write_bytes(path, buffer.getvalue())


def decimal(value: float) -> DSfloat:
    """A decimal string of at most 16 characters."""
    return DSfloat(value, auto_format=True)


def _fill(dataset: Dataset, pixels: NDArray[np.int16]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.PixelData = pixels.astype("<i2").tobytes()


def uid_of(phantom: Phantom, *parts: str) -> UID:
    """The UID for these settings and this part of the study."""
    return generate_uid(entropy_srcs=[repr(phantom), *parts])
