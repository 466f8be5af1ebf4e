"""Small DICOM files, one slice each, as a scanner would write them."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from cardioseg.ingest.dicom.slice_header import SliceHeader

OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)  # row direction, column direction
NORMAL = np.cross(OBLIQUE[:3], OBLIQUE[3:])
STEP_MM = 8.0
BEAT_MS = 40.0

WriteSlice = Callable[..., Path]
WriteCine = Callable[..., Path]
Plane = Callable[..., SliceHeader]


def _dataset(pixels: np.ndarray, changes: Mapping[str, Any]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3"
    dataset.Modality, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "MR", "1.2", "1.2.1"
    dataset.InstanceNumber, dataset.TriggerTime = 1, "0"
    dataset.PixelSpacing, dataset.ImageOrientationPatient = [1.5, 1.25], list(OBLIQUE)
    dataset.ImagePositionPatient = [10.0, 20.0, 30.0]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@pytest.fixture(scope="session")
def slice_dataset() -> Callable[..., Dataset]:
    """slice_dataset(pixels, **tags): a data set to write; a tag given as None is left out."""

    def build(pixels: np.ndarray | None = None, **changes: Any) -> Dataset:
        return _dataset(np.arange(12, dtype=np.int16).reshape(3, 4) if pixels is None else pixels, changes)

    return build


@pytest.fixture(scope="session")
def write_slice(slice_dataset: Callable[..., Dataset]) -> WriteSlice:
    """write_slice(path, pixels, **tags): one file. Values need not be valid."""

    def write(path: Path, pixels: np.ndarray | None = None, **changes: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        own = {"SOPInstanceUID": f"2.25.{int.from_bytes(sha256(str(path).encode()).digest()[:12])}"}
        with disable_value_validation():
            slice_dataset(pixels, **own | changes).save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture(scope="session")
def write_cine(write_slice: WriteSlice) -> WriteCine:
    """write_cine(folder, slices, phases, shape, **tags): a cine whose pixels all are the instance number."""

    def write(folder: Path, slices: int = 5, phases: int = 8, shape: tuple[int, int] = (3, 4), **changes: Any) -> Path:
        for index in range(slices):
            position = (np.array([10.0, 20.0, 30.0]) + index * STEP_MM * NORMAL).tolist()
            for phase in range(phases):
                number = 1 + index * phases + phase
                tags = {"InstanceNumber": number, "TriggerTime": phase * BEAT_MS, "ImagePositionPatient": position}
                write_slice(folder / f"{number:04d}.dcm", np.full(shape, number, np.int16), **tags | changes)
        return folder

    return write


@pytest.fixture(scope="session")
def plane() -> Plane:
    """plane(index, phase, **fields): a header without a file."""

    def build(index: float = 0, phase: int = 0, **fields: Any) -> SliceHeader:
        x, y, z = (np.array([10.0, 20.0, 30.0]) + index * STEP_MM * NORMAL).tolist()
        usual = {
            "path": Path(f"{index}-{phase}.dcm"),
            "study_uid": "1.2",
            "series_uid": "1.2.1",
            "is_mr": True,
            "shape": (6, 7),
            "pixel_mm": (1.5, 1.25),
            "position_mm": (x, y, z),
            "orientation": OBLIQUE,
            "trigger_ms": phase * BEAT_MS,
        }
        return SliceHeader(**usual | fields)

    return build
