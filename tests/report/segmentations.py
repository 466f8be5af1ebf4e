"""What the tests of DICOM SEG share: a mask of the phantom, the object that is made of it, and where its voxels lie."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
from labelled_points import Points
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import Phantom, reference, write_dicom
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_seg import END_DIASTOLE, Drawing, write_segmentation

HEART = Phantom(slices=5, phases=8, rows=48, columns=40, spacing_mm=(16.0, 6.0, 5.0))  # pixels that are not square
AUTHOR = Author("sax", "ab" * 32)
ED, ES = HEART.phases - 1, 3


def stack_of(folder: Path) -> Stack:
    """The only cine in a folder."""
    (series,) = survey(folder).cines
    assert series.stack
    return series.stack


def drawing(phase: int = ED, labels: Sequence[Label] = STRUCTURES) -> Drawing:
    """The phantom's own mask of a phase, with these labels of it."""
    mask = reference(HEART).phase(phase)
    voxels = np.where(np.isin(mask.voxels, labels), mask.voxels, 0).astype(np.uint8)
    return Drawing(replace(mask, voxels=voxels), labels, END_DIASTOLE, AUTHOR)


def write(folder: Path, source: Stack, what: Drawing, phase: int = ED) -> Any:
    """Write `seg.dcm` and read it with highdicom."""
    write_segmentation(folder / "seg.dcm", what, source.headers[phase])
    return highdicom.seg.segread(folder / "seg.dcm")


def points_of(segmentation: Any, labels: Sequence[Label]) -> Points:
    """Where the voxels of each segment lie by the object's own geometry, frame by frame."""
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    cosines = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
    row_mm, column_mm = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    points: dict[Label, list[Any]] = {label: [] for label in labels}
    for frame, pixels in zip(segmentation.PerFrameFunctionalGroupsSequence, segmentation.pixel_array, strict=True):
        label = labels[frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1]
        corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        rows, columns = np.nonzero(pixels)
        points[label].append(corner + np.outer(columns * column_mm, cosines[0]) + np.outer(rows * row_mm, cosines[1]))
    return {label: np.concatenate(parts) for label, parts in points.items()}


def enhanced(folder: Path, phantom: Phantom = HEART) -> Path:
    """The phantom's cine as one enhanced multi-frame object, its frames in the order of their file names."""
    images = [dcmread(path) for path in sorted(write_dicom(phantom, folder / "classic").iterdir())]
    whole = images[0]
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    whole.NumberOfFrames = len(images)
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [Dataset()], [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = whole.PixelSpacing
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = whole.ImageOrientationPatient
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = [_of_frame(image) for image in images]
    whole.PixelData = b"".join(image.PixelData for image in images)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime", "SliceThickness"):
        delattr(whole, keyword)
    (folder / "enhanced").mkdir()
    whole.save_as(folder / "enhanced" / "all.dcm")
    return folder / "enhanced"


def _of_frame(image: Dataset) -> Dataset:
    groups = Dataset()
    groups.PlanePositionSequence, groups.CardiacSynchronizationSequence = [Dataset()], [Dataset()]
    groups.PlanePositionSequence[0].ImagePositionPatient = image.ImagePositionPatient
    groups.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime = float(image.TriggerTime)
    return groups
