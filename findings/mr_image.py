"""A classic MR image as a scanner writes it: the input of the scripts in this folder."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

STUDY, SERIES, FRAME_OF_REFERENCE = generate_uid(), generate_uid(), generate_uid()


def write_image(path: Path, pixels: np.ndarray, number: int, z_mm: float, **values: Any) -> None:  # noqa: ANN401
    """Write one axial slice.

    Args:
        path: of the file; its folder is made.
        pixels: (row, column), below 4096.
        number: the instance number.
        z_mm: where the slice lies.
        values: of further attributes, by keyword.
    """
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = STUDY, SERIES
    image.FrameOfReferenceUID = FRAME_OF_REFERENCE
    image.PatientName = image.PatientID = "Phantom"
    image.PatientBirthDate = image.PatientSex = image.AccessionNumber = image.ReferringPhysicianName = ""
    image.StudyDate, image.StudyTime, image.StudyID = "20200101", "120000", "1"
    image.Modality, image.Manufacturer, image.SeriesDescription = "MR", "Synthetic", "cine"
    image.SeriesNumber, image.AcquisitionNumber, image.InstanceNumber = 1, 1, number
    image.ImageType, image.ScanningSequence, image.SequenceVariant = ["ORIGINAL", "PRIMARY", "OTHER"], "GR", "SS"
    image.ScanOptions, image.MRAcquisitionType, image.EchoTrainLength = "CG", "2D", 1
    image.EchoTime, image.RepetitionTime = "1.5", "30"
    image.SliceThickness, image.SpacingBetweenSlices, image.PixelSpacing = 8, 10, [1.5, 1.5]
    image.ImageOrientationPatient, image.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, z_mm]
    image.PatientPosition, image.PositionReferenceIndicator = "HFS", ""
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = pixels.astype(np.uint16).tobytes()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    for keyword, value in values.items():
        setattr(image, keyword, value)
    path.parent.mkdir(exist_ok=True)
    image.save_as(path, enforce_file_format=True)


def write_cine(folder: Path, slices: int, phases: int, *, slice_by_slice: bool, **values: Any) -> None:  # noqa: ANN401
    """Write a cine of 32 x 32 pixels, 40 ms from phase to phase; every pixel is 100 x slice + phase.

    Args:
        folder: for the files.
        slices: of the stack, 10 mm apart.
        phases: of the beat.
        slice_by_slice: whether instance numbers go through all phases of a slice first, or through all slices.
        values: of further attributes, by keyword.
    """
    for slice_ in range(slices):
        for phase in range(phases):
            number = slice_ * phases + phase if slice_by_slice else phase * slices + slice_
            timing = {"TriggerTime": 40 * phase, "NominalInterval": 800, "HeartRate": 75}
            pixels = np.full((32, 32), 100 * slice_ + phase)
            path = folder / f"{number + 1:03}.dcm"
            timing["CardiacNumberOfImages"] = phases
            write_image(path, pixels, number + 1, 10.0 * slice_, **timing, **values)
