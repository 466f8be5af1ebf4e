"""Tags: make a SliceHeader of the values of one image. Pure: it is given a function that looks tags up.

An image's tags are in its data set or, in an enhanced multi-frame object, in functional groups of all frames or of each
frame; `frames.py` provides the function for both.
"""

import re
from collections.abc import Callable
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage, MRImageStorage

from cardioseg.archive.member_paths import Stamp
from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.padding import PADDING_TAGS, padding_range
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.uncompressed_pixels import PlainPixels

HEADER_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "Modality", "ImageType", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "AcquisitionNumber", "InstanceNumber", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames",
    "BitsStored", "PixelRepresentation", "PhotometricInterpretation",
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept",
    "TriggerTime", "TemporalPositionIdentifier", "AcquisitionTime", "NominalInterval", "EchoTime", "InversionTime",
    "HeartRate", "PatientSize", "PatientWeight", "SliceThickness", "ActualCardiacTriggerDelayTime",
    "TemporalPositionTimeOffset", "NominalPercentageOfCardiacPhase", "FlipAngle", "ScanningSequence", "SequenceName",
    "EchoPulseSequence", "PulseSequenceName", "PatientID", "AcquisitionDate", "AcquisitionDateTime",
    "CardiacSynchronizationTechnique",
    *PADDING_TAGS,
)  # fmt: skip

Lookup = Callable[[str], Any]  # keyword -> value, or None if it is absent

_MR = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
_SIDE_LIMIT = 4096  # rows and columns; the largest clinical MR matrices are 1024
_PIXEL_MM = (0.1, 10.0)  # values of cardiac scanners; a flipped bit may give others
_REACH_MM = 10_000.0  # from the scanner's centre; no table moves further
_COSINE_TOLERANCE = 1e-3  # unit length and right angle; real headers keep 1e-5
_CLOCK = (-1e8, 1e8)  # a day in milliseconds and more
_CLOCK_DIGITS, _DAY_DIGITS = 6, 8  # HHMMSS, before a fraction; a date and time begins with YYYYMMDD
_TIME_ZONE = re.compile(r"[+-]\d{4}$")
_SECONDS_PER_DAY = 86400


def slice_header(
    path: Path,
    encoding: str,
    look_up: Lookup,
    frame: int | None = None,
    *,
    stamp: Stamp | None = None,
    plain: PlainPixels | None = None,
) -> SliceHeader:
    """Parse one image.

    Raises:
        UnusableError: its plane in space is missing or impossible, or it has colours.
    """
    is_mr = look_up("SOPClassUID") in _MR or look_up("Modality") == "MR"
    return SliceHeader(
        path=path,
        study_uid=str(look_up("StudyInstanceUID") or ""),
        series_uid=str(look_up("SeriesInstanceUID") or ""),
        sop_uid=str(look_up("SOPInstanceUID") or ""),
        patient_id=str(look_up("PatientID") or ""),
        is_mr=is_mr,
        shape=_shape(look_up),
        pixel_mm=_pixel_mm(look_up),
        thickness_mm=_entered_number(look_up("SliceThickness")),
        position_mm=_position_mm(look_up),
        orientation=_orientation(look_up),
        frame=frame,
        encoding=encoding,
        stamp=stamp,
        plain=plain,
        rescale=_rescale(look_up),
        padding=padding_range(look_up) if is_mr else None,  # label maps declare their background
        image_type=_words(look_up("ImageType")),
        instance_number=_whole_number(look_up("InstanceNumber")),
        trigger_ms=_within(number(look_up("TriggerTime")), _CLOCK),
        actual_trigger_ms=_within(number(look_up("ActualCardiacTriggerDelayTime")), _CLOCK),
        temporal_position=_within(number(look_up("TemporalPositionIdentifier")), _CLOCK),
        time_offset_s=_within(number(look_up("TemporalPositionTimeOffset")), _CLOCK),
        beat_percent=_within(number(look_up("NominalPercentageOfCardiacPhase")), _CLOCK),
        time_index=number(look_up("DimensionIndexValues")),
        acquisition_s=_acquisition_s(look_up),
        acquisition_number=number(look_up("AcquisitionNumber")),
        series_number=number(look_up("SeriesNumber")),
        nominal_interval_ms=number(look_up("NominalInterval")),
        echo_ms=number(look_up("EchoTime")),
        inversion_ms=number(look_up("InversionTime")),
        flip_degrees=number(look_up("FlipAngle")),
        sequence=_sequence(look_up),
        gating=str(look_up("CardiacSynchronizationTechnique") or "").strip().upper(),
        heart_rate_bpm=_entered_number(look_up("HeartRate")),
        height_m=_entered_number(look_up("PatientSize")),
        weight_kg=_entered_number(look_up("PatientWeight")),
    )


def _whole_number(value: object) -> int | None:
    stated = number(value)
    return None if stated is None else int(stated)


def _shape(look_up: Lookup) -> tuple[int, int]:
    sides = number(look_up("Rows")), number(look_up("Columns"))
    rows, columns = (int(side or 0) for side in sides)
    if not (0 < rows <= _SIDE_LIMIT and 0 < columns <= _SIDE_LIMIT):
        raise UnusableError(f"rows and columns must be 1 to {_SIDE_LIMIT}")
    if (number(look_up("SamplesPerPixel")) or 1) != 1:
        raise UnusableError("a colour image")
    return rows, columns


def _pixel_mm(look_up: Lookup) -> tuple[float, float]:
    row_mm, column_mm = _numbers(look_up("PixelSpacing"), 2, "pixel spacing")
    if not all(_PIXEL_MM[0] < mm < _PIXEL_MM[1] for mm in (row_mm, column_mm)):
        raise UnusableError(f"its pixel spacing is not between {_PIXEL_MM[0]} and {_PIXEL_MM[1]} mm")
    return row_mm, column_mm


def _rescale(look_up: Lookup) -> tuple[float, float]:
    words = {"RescaleSlope": "rescale slope", "RescaleIntercept": "rescale intercept"}
    slope, intercept = (
        None if (value := look_up(keyword)) is None or value == "" else _numbers(value, 1, word)[0]
        for keyword, word in words.items()
    )
    return slope or 1.0, intercept or 0.0


def _position_mm(look_up: Lookup) -> tuple[float, float, float]:
    x, y, z = _numbers(look_up("ImagePositionPatient"), 3, "position")
    if max(abs(x), abs(y), abs(z)) > _REACH_MM:
        raise UnusableError(f"its position is not within {_REACH_MM / 1000:.0f} m")
    return x, y, z


def _orientation(look_up: Lookup) -> tuple[float, ...]:
    cosines = _numbers(look_up("ImageOrientationPatient"), 6, "orientation")
    row, column = cosines[:3], cosines[3:]
    if max(abs(_dot(row, row) - 1), abs(_dot(column, column) - 1), abs(_dot(row, column))) > _COSINE_TOLERANCE:
        raise UnusableError("its orientation is not two perpendicular unit vectors")
    return cosines


def _dot(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def _numbers(value: Any, count: int, quantity: str) -> tuple[float, ...]:  # noqa: ANN401 - whatever a tag holds
    values = [] if value is None else [value] if isinstance(value, str | int | float) else list(value)
    wrong_places = [place for place, item in enumerate(values, start=1) if not isinstance(item, int | float)]
    if wrong_places:
        raise UnusableError(f"value {wrong_places[0]} of its {quantity} is not a number")
    numbers = tuple(map(float, values))
    if len(numbers) != count or not all(map(isfinite, numbers)):
        raise UnusableError(f"its {quantity} is missing or not {count} finite number{'s' if count > 1 else ''}")
    return numbers


def _entered_number(value: Any) -> float | None:  # noqa: ANN401 - whatever a tag holds
    """A number that the operator may not have entered: scanners then write 0. Plausibility is checked later."""
    return number(value) or None


def _within(value: float | None, limits: tuple[float, float]) -> float | None:
    return value if value is not None and limits[0] <= value <= limits[1] else None


def _words(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever a tag holds
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    return tuple(map(str, value))


def _sequence(look_up: Lookup) -> tuple[str, str]:
    """Kind and name of the sequence; classic and enhanced images have different tags for them."""
    kind = look_up("ScanningSequence") or look_up("EchoPulseSequence")
    return str(kind or ""), str(look_up("SequenceName") or look_up("PulseSequenceName") or "")


def _acquisition_s(look_up: Lookup) -> float | None:
    text = str(look_up("AcquisitionTime") or look_up("AcquisitionDateTime") or "")
    text = _TIME_ZONE.sub("", text.replace(":", "").replace(",", ".").strip())
    day, clock = str(look_up("AcquisitionDate") or ""), text
    if len(text.partition(".")[0]) > _CLOCK_DIGITS:  # a date and time
        day, clock = text[:_DAY_DIGITS], text[_DAY_DIGITS:]
    try:
        time_of_day_s = int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + float(clock[4:])
    except ValueError:
        return None
    return time_of_day_s + _SECONDS_PER_DAY * _day_number(day)


def _day_number(day: str) -> int:
    """Number of a day, YYYYMMDD or YYYY.MM.DD; 0 if it is unknown."""
    try:
        return date.fromisoformat(day.replace(".", "").strip()).toordinal()
    except ValueError:
        return 0
