"""DICOM: one file becomes a slice's header and, when asked, its pixels. The only reader through pydicom.

A parser boundary: pydicom documents one exception and raises seven, and its messages and warnings quote tag values.
Nothing but `UnusableError` leaves this module, and it names at most the type of what went wrong.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, RLELossless

from cardioseg.errors import UnusableError

_FILE_LIMIT_BYTES = 512 * 1024**2
_SIDE_LIMIT = 4096  # rows and columns; the largest clinical MR matrices are 1024
_PIXEL_MM = (0.1, 10.0)  # beyond these no cardiac scanner goes; a flipped bit does
_COSINE_TOLERANCE = 1e-3  # unit length and right angle; real headers keep 1e-5
_UNCOMPRESSED = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
_PREAMBLE = 128
_GROUP_8 = b"\x08\x00"  # how a data set without preamble begins: group 0008, little endian

_HEADER_TAGS = (
    "SOPClassUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber",
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames",
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "TriggerTime", "TemporalPositionIdentifier", "AcquisitionTime", "NominalInterval",
)  # fmt: skip
_PIXEL_TAGS = (
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PhotometricInterpretation", "RescaleSlope", "RescaleIntercept", "PixelData",
)  # fmt: skip

logging.getLogger("pydicom").propagate = False  # its log records quote tag values


@dataclass(frozen=True)
class SliceHeader:
    """What one file says about its slice. Geometry is finite and plausible by construction.

    Attributes:
        path: the file, as the user gave it.
        study_uid, series_uid: for grouping in memory only; never shown, never written.
        is_mr: whether it is a magnetic resonance image.
        shape: (rows, columns).
        pixel_mm: in-plane spacing (row, column).
        position_mm: LPS position of the centre of pixel (0, 0).
        orientation: LPS unit vectors along increasing column index (first three) and row index (last three).
        trigger_ms: time after the R wave.
        acquisition_s: time of day. The content time is not read: it is the order of reconstruction, not of the heart.
        nominal_interval_ms: mean RR interval.
    """

    path: Path
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    is_mr: bool
    shape: tuple[int, int]
    pixel_mm: tuple[float, float]
    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    instance_number: int | None = None
    trigger_ms: float | None = None
    temporal_position: float | None = None
    acquisition_s: float | None = None
    nominal_interval_ms: float | None = None


def read_header(path: Path) -> SliceHeader:
    """Read a file's header without its pixels.

    Raises:
        UnusableError: not DICOM, no plain image plane, or an encoding that cannot be read.
    """
    with _boundary(path):
        if not path.is_file():
            raise UnusableError("not a file")
        with path.open("rb") as file:
            encoding = _encoding(path, file)
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_HEADER_TAGS), force=True)
            header = _header(path, dataset)
            _require_pixels(dataset, encoding, _size(file) - file.tell())
        return header


def read_pixels(header: SliceHeader) -> NDArray[Any]:
    """Read a slice's intensities (row, column), brighter is more.

    Rescale slope and intercept are applied where present (float32); otherwise the stored integers are returned.
    Inverted greyscale (MONOCHROME1) is turned round.

    Raises:
        UnusableError: truncated or damaged, or the file has changed since its header was read.
    """
    with _boundary(header.path):
        dataset = pydicom.dcmread(header.path, specific_tags=list(_PIXEL_TAGS), force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = _UNCOMPRESSED[not dataset.original_encoding[0]]
        stored = dataset.pixel_array
        if stored.shape != header.shape:
            raise UnusableError("its pixels do not fit its header")
        return _intensities(stored, dataset)


@contextmanager
def _boundary(path: Path) -> Iterator[None]:
    """Turn everything that goes wrong inside into an UnusableError that begins with the path."""
    try:
        with warnings.catch_warnings():  # leading zeros in UIDs, dates such as 20120000: real files have them
            warnings.simplefilter("ignore")
            yield
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.message}") from None
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {(error.strerror or type(error).__name__).lower()}") from None
    except Exception as error:  # noqa: BLE001 - an open set of types; the text is dropped because it quotes tags
        raise UnusableError(f"{path}: damaged, not readable as DICOM ({type(error).__name__})") from None


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _encoding(path: Path, file: BinaryIO) -> UID | None:
    """The transfer syntax, decided before anything is decoded: a deflated file may be a bomb. None where unsaid."""
    if _size(file) > _FILE_LIMIT_BYTES:
        raise UnusableError(f"larger than {_FILE_LIMIT_BYTES // 1024**2} MiB")
    start = file.read(_PREAMBLE + 4)
    file.seek(0)
    if start[_PREAMBLE:] != b"DICM":
        if start[:2] == _GROUP_8:
            return None
        raise UnusableError("not a DICOM file")
    encoding: UID | None = read_file_meta_info(path).get("TransferSyntaxUID")
    if encoding is not None and encoding not in (*_UNCOMPRESSED, RLELossless):
        name = UID(encoding).name if UID(encoding).name != encoding else "an unknown transfer syntax"
        raise UnusableError(f"encoded in {name}, which is not supported")
    return encoding


def _header(path: Path, dataset: Dataset) -> SliceHeader:
    if "SOPClassUID" not in dataset:
        raise UnusableError("not a DICOM object (it names no SOP class)")
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        raise UnusableError("a multi-frame object, which is not supported")
    if not all(tag in dataset for tag in ("Rows", "Columns", "ImagePositionPatient", "ImageOrientationPatient")):
        raise UnusableError("a DICOM object without an image plane in space")
    number = _optional(dataset, "InstanceNumber")
    return SliceHeader(
        path=path,
        study_uid=str(dataset.get("StudyInstanceUID", "")),
        series_uid=str(dataset.get("SeriesInstanceUID", "")),
        is_mr=dataset.SOPClassUID == MRImageStorage or dataset.get("Modality") == "MR",
        shape=_shape(dataset),
        pixel_mm=_pixel_mm(dataset),
        position_mm=_position_mm(dataset),
        orientation=_orientation(dataset),
        instance_number=None if number is None else int(number),
        trigger_ms=_optional(dataset, "TriggerTime"),
        temporal_position=_optional(dataset, "TemporalPositionIdentifier"),
        acquisition_s=_time_of_day_s(dataset),
        nominal_interval_ms=_optional(dataset, "NominalInterval"),
    )


def _shape(dataset: Dataset) -> tuple[int, int]:
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if not (0 < rows <= _SIDE_LIMIT and 0 < columns <= _SIDE_LIMIT):
        raise UnusableError(f"rows and columns must be 1 to {_SIDE_LIMIT}")
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise UnusableError("a colour image")
    return rows, columns


def _pixel_mm(dataset: Dataset) -> tuple[float, float]:
    row_mm, column_mm = _numbers(dataset, "PixelSpacing", 2, "pixel spacing")
    if not all(_PIXEL_MM[0] < mm < _PIXEL_MM[1] for mm in (row_mm, column_mm)):
        raise UnusableError(f"its pixel spacing is not between {_PIXEL_MM[0]} and {_PIXEL_MM[1]} mm")
    return row_mm, column_mm


def _position_mm(dataset: Dataset) -> tuple[float, float, float]:
    x, y, z = _numbers(dataset, "ImagePositionPatient", 3, "position")
    return x, y, z


def _orientation(dataset: Dataset) -> tuple[float, ...]:
    cosines = _numbers(dataset, "ImageOrientationPatient", 6, "orientation")
    axes = np.reshape(cosines, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), atol=_COSINE_TOLERANCE):
        raise UnusableError("its orientation is not two perpendicular unit vectors")
    return cosines


def _numbers(dataset: Dataset, keyword: str, count: int, word: str) -> tuple[float, ...]:
    values = tuple(float(value) for value in dataset.get(keyword) or ())
    if len(values) != count or not np.isfinite(values).all():
        raise UnusableError(f"its {word} is missing or not {count} finite numbers")
    return values


def _optional(dataset: Dataset, keyword: str) -> float | None:
    try:
        value = float(dataset.get(keyword, ""))
    except (TypeError, ValueError):  # absent, empty, several values or no number: as if it were not there
        return None
    return value if np.isfinite(value) else None


def _time_of_day_s(dataset: Dataset) -> float | None:
    clock = str(dataset.get("AcquisitionTime", ""))
    try:
        return int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + float(clock[4:])
    except ValueError:
        return None


def _require_pixels(dataset: Dataset, encoding: UID | None, remaining_bytes: int) -> None:
    """Compare what follows the header with the pixels that it promises; run lengths that save nothing may be a bomb."""
    expected_bytes = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("BitsAllocated", 0)) // 8
    if encoding == RLELossless:
        if not 0 < remaining_bytes <= 2 * expected_bytes + 1024:
            raise UnusableError("its run-length encoded pixels are missing or longer than plain ones")
    elif expected_bytes == 0 or remaining_bytes < expected_bytes + (8 if dataset.original_encoding[0] else 12):
        raise UnusableError("its pixel data is missing or truncated")


def _intensities(stored: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        signed = int(dataset.PixelRepresentation) == 1
        stored = ~stored if signed else (2 ** int(dataset.BitsStored) - 1 - stored).astype(stored.dtype)
    slope, intercept = _optional(dataset, "RescaleSlope") or 1.0, _optional(dataset, "RescaleIntercept") or 0.0
    if (slope, intercept) == (1.0, 0.0):
        return stored
    return stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
