"""Numbers under the wrong kind of value, or with commas, are read; what is no number is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.reader import SliceHeader, read_headers, read_pixels
from cardioseg.phantom import Phantom, cine, enhanced_instance

WriteSlice = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.37\\1.37 ", [1.37, 1.37]),
        ("1,37\\1,37", [1.37, 1.37]),
        (" 1.37 \\ +1.37e0\0", [1.37, 1.37]),
        ("1,37", [1.37]),
        ("1.37,1.4", [1.37, 1.4]),
        ("1.37 1.4", [1.37, 1.4]),
        ("1,37; 1,4", [1.37, 1.4]),
        ("-7\\.5\\1E2", [-7, 0.5, 100]),
        ("1.37\\", [1.37, None]),
        ("1.37\\wide", [1.37, None]),
        ("1,234.5\\2", [None, 2]),
        ("1_0", [None]),
        ("\0 ", []),
        ("", []),
    ],
)
def test_numbers_of_a_text(text: str, expected: list[float | None]) -> None:
    from cardioseg.ingest.dicom.numerals import numbers

    assert numbers(text) == expected


def put(path: Path, tags: dict[str, tuple[str, bytes]], implicit: bool = False) -> Path:
    """Write elements as they are: keyword -> (kind of value, bytes)."""
    dataset = pydicom.dcmread(path)
    for keyword, (kind, value) in tags.items():
        tag = Tag(keyword)
        dataset._dict[tag] = RawDataElement(tag, kind, len(value), value, 0, False, True)
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=implicit, little_endian=True)
    return path


def read_header(path: Path) -> SliceHeader:
    (header,) = read_headers(path)
    return header


WRITERS = {
    "decimal commas": {"PixelSpacing": ("DS", b"1,5\\1,25 ")},
    "decimal commas, eight bytes": {"PixelSpacing": ("DS", b"1,5\\1,25")},
    "unlimited text": {"PixelSpacing": ("UT", b"1.5\\1.25")},
    "long text with commas": {"PixelSpacing": ("LO", b"1,5\\1,25 ")},
    "unknown": {"PixelSpacing": ("UN", b"1.5\\1.25")},
    "blanks": {"PixelSpacing": ("DS", b" 1.5 \\ 1.25 ")},
    "a position": {"ImagePositionPatient": ("UT", b"10,0\\20,0\\30 ")},
    "an orientation": {"ImageOrientationPatient": ("LT", b"0,8\\0,6\\0\\0\\0\\-1 ")},
    "a time": {"TriggerTime": ("SH", b"12,5")},
    "binary numbers": {"PixelSpacing": ("FD", np.array([1.5, 1.25]).tobytes())},
    "sides": {"Rows": ("IS", b"3 "), "Columns": ("UT", b"4 "), "BitsAllocated": ("LO", b"16")},
    "a scale": {"RescaleSlope": ("DS", b"2,0 "), "RescaleIntercept": ("UT", b"-0,5")},
}


@pytest.mark.parametrize("tags", WRITERS.values(), ids=WRITERS)
def test_numbers_are_read_as_any_writer_leaves_them(tmp_path: Path, write_slice: WriteSlice, tags: Any) -> None:
    header = read_header(put(write_slice(tmp_path / "a"), tags))
    assert (header.shape, header.pixel_mm, header.position_mm) == ((3, 4), (1.5, 1.25), (10, 20, 30))
    assert header.orientation == (0.8, 0.6, 0, 0, 0, -1)
    assert header.trigger_ms == (12.5 if "TriggerTime" in tags else 0)
    scale, offset = header.rescale
    assert header.rescale == ((2, -0.5) if "RescaleSlope" in tags else (1, 0))
    np.testing.assert_array_equal(read_pixels(header).ravel(), np.arange(12) * scale + offset)


@pytest.mark.parametrize("where", ["shared", "own"])
def test_numbers_in_functional_groups(tmp_path: Path, where: str) -> None:
    small = Phantom(slices=2, phases=2, rows=16, columns=20, spacing_mm=(16.0, 9.0, 8.0))
    dataset = enhanced_instance(small, cine(small).voxels)
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    dataset = pydicom.dcmread(tmp_path / "a")
    tag, text = Tag("PixelSpacing"), b"9,0\\8,0 "
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if where == "own":
        del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
        for groups in dataset.PerFrameFunctionalGroupsSequence:
            groups.PixelMeasuresSequence = [measures]
    measures._dict[tag] = RawDataElement(tag, "UT", len(text), text, 0, False, True)
    dataset.save_as(tmp_path / "a")
    assert {header.pixel_mm for header in read_headers(tmp_path / "a")} == {(9, 8)}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PixelSpacing": ("DS", b"1.5\\wide")}, "value 2 of its pixel spacing is not a number"),
        ({"PixelSpacing": ("UT", b"about 1,5\\1,5 ")}, "value 1 of its pixel spacing is not a number"),
        ({"PixelSpacing": ("DS", b"1,234.5\\2 ")}, "value 1 of its pixel spacing is not a number"),
        ({"PixelSpacing": ("DS", b"1,5 ")}, "its pixel spacing is missing or not 2 finite numbers"),
        ({"PixelSpacing": ("DS", b"")}, "its pixel spacing is missing or not 2 finite numbers"),
        ({"ImagePositionPatient": ("DS", b"1\\2\\here")}, "value 3 of its position is not a number"),
        ({"ImageOrientationPatient": ("DS", b"1\\0\\0\\-\\1\\0 ")}, "value 4 of its orientation is not a number"),
        ({"Rows": ("LO", b"many")}, "rows and columns must be 1 to 4096"),
        ({"BitsAllocated": ("LO", b"many")}, "its number of bits allocated is missing or not a number"),
        ({"PixelSpacing": ("DS", b"wide")}, "value 1 of its pixel spacing is not a number"),
        ({"RescaleSlope": ("DS", b"some")}, "value 1 of its rescale slope is not a number"),
        ({"RescaleIntercept": ("DS", b"1\\2 ")}, "its rescale intercept is missing or not 1 finite number"),
    ],
)
def test_what_is_no_number_is_named_and_not_shown(
    tmp_path: Path, write_slice: WriteSlice, tags: Any, reason: str
) -> None:
    path = put(write_slice(tmp_path / "a"), tags)
    with pytest.raises(UnusableError) as caught:
        read_header(path)
    assert caught.value.message == f"{path}: {reason}"


@pytest.mark.parametrize("implicit", [False, True])
def test_commas_in_either_encoding(tmp_path: Path, write_slice: WriteSlice, implicit: bool) -> None:
    path = put(write_slice(tmp_path / "a"), {"PixelSpacing": ("DS", b"1,5\\1,25")}, implicit)
    assert read_header(path).pixel_mm == (1.5, 1.25)


@pytest.mark.parametrize("text", ["120000,5", "12:00:00.5", "120000.5 "])
def test_a_time_of_day_in_other_hands(tmp_path: Path, write_slice: WriteSlice, text: str) -> None:
    assert read_header(write_slice(tmp_path / "a", AcquisitionTime=text)).acquisition_s == 43200.5


@pytest.mark.parametrize(
    "tags",
    [
        {"AcquisitionDate": "20000102", "AcquisitionTime": "000020"},
        {"AcquisitionDate": "2000.01.02", "AcquisitionTime": "00:00:20"},
        {"AcquisitionDateTime": "20000102000020.000+0100"},
        {"AcquisitionTime": "20000102000020"},
        {"AcquisitionDate": "20000102", "AcquisitionTime": "000020", "AcquisitionDateTime": "19990101120000"},
    ],
)
def test_the_date_belongs_to_the_time(tmp_path: Path, write_slice: WriteSlice, tags: dict[str, str]) -> None:
    before = read_header(write_slice(tmp_path / "a", AcquisitionDate="20000101", AcquisitionTime="235940"))
    assert (read_header(write_slice(tmp_path / "b", **tags)).acquisition_s or 0) - (before.acquisition_s or 0) == 40


@pytest.mark.parametrize("day", ["", "today", "20001399"])
def test_a_time_without_a_date_is_a_time_of_day(tmp_path: Path, write_slice: WriteSlice, day: str) -> None:
    assert read_header(write_slice(tmp_path / "a", AcquisitionDate=day, AcquisitionTime="000020")).acquisition_s == 20
