import errno
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.reader import SliceHeader, read_headers, read_pixels

WriteSlice = Callable[..., Path]
PIXELS = np.arange(12, dtype=np.int16).reshape(3, 4) - 5


def read_header(path: Path) -> SliceHeader:
    (header,) = read_headers(path)
    return header


def test_header_holds_what_the_file_says(tmp_path: Path, write_slice: WriteSlice) -> None:
    path = write_slice(
        tmp_path / "a", InstanceNumber=7, TriggerTime="12.5", AcquisitionTime="010203.5", NominalInterval="750"
    )
    header = read_header(path)
    assert (header.path, header.shape, header.pixel_mm) == (path, (3, 4), (1.5, 1.25))
    assert (header.position_mm, header.orientation) == ((10, 20, 30), (0.8, 0.6, 0, 0, 0, -1))
    assert (header.instance_number, header.trigger_ms, header.acquisition_s) == (7, 12.5, 3723.5)
    assert (header.is_mr, header.nominal_interval_ms, header.temporal_position) == (True, 750, None)
    assert "1.2.1" not in repr(header)


def test_the_sequence_is_read_whatever_its_tags_hold(tmp_path: Path, write_slice: WriteSlice) -> None:
    tags = {"FlipAngle": "45", "ScanningSequence": ["RM", "GR"], "SequenceName": "*tfi2d1_15"}
    header = read_header(write_slice(tmp_path / "a", **tags))
    assert (header.flip_degrees, header.sequence) == (45, ("['RM', 'GR']", "*tfi2d1_15"))
    assert "tfi2d1" not in repr(header)
    unknown = read_header(write_slice(tmp_path / "b", FlipAngle="", ScanningSequence=""))
    assert (unknown.flip_degrees, unknown.sequence) == (None, ("", ""))


@pytest.mark.parametrize("kind", ["int16", "uint16", "uint8", "int8"])
def test_stored_integers_come_back_as_they_are(tmp_path: Path, write_slice: WriteSlice, kind: str) -> None:
    pixels = np.arange(12).reshape(3, 4).astype(kind)
    read = read_pixels(read_header(write_slice(tmp_path / "a", pixels)))
    assert read.dtype == kind
    np.testing.assert_array_equal(read, pixels)


def test_rescale_and_inversion(tmp_path: Path, write_slice: WriteSlice) -> None:
    rescaled = read_pixels(read_header(write_slice(tmp_path / "a", PIXELS, RescaleSlope="2", RescaleIntercept="-3")))
    np.testing.assert_array_equal(rescaled, PIXELS * 2.0 - 3)
    inverted = {"PhotometricInterpretation": "MONOCHROME1"}
    signed = read_pixels(read_header(write_slice(tmp_path / "b", PIXELS, **inverted)))
    np.testing.assert_array_equal(signed, -1 - PIXELS)
    twelve_bits = write_slice(tmp_path / "c", PIXELS.astype("u2") & 4095, BitsStored=12, HighBit=11, **inverted)
    np.testing.assert_array_equal(read_pixels(read_header(twelve_bits)), 4095 - (PIXELS.astype("u2") & 4095))


def test_encodings_that_can_be_read(tmp_path: Path, slice_dataset: Callable[..., Dataset]) -> None:
    implicit, packed, bare = slice_dataset(PIXELS), slice_dataset(PIXELS), slice_dataset(PIXELS)
    implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    implicit.save_as(tmp_path / "implicit", enforce_file_format=True)
    packed.compress(RLELossless, generate_instance_uid=False)
    packed.save_as(tmp_path / "packed", enforce_file_format=True)
    del bare.file_meta
    bare.save_as(tmp_path / "bare implicit", implicit_vr=True, little_endian=True)
    bare.save_as(tmp_path / "bare explicit", implicit_vr=False, little_endian=True)
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_pixels(read_header(path)), PIXELS)


def test_survives_what_public_files_hold(tmp_path: Path, write_slice: WriteSlice) -> None:
    path = write_slice(
        tmp_path / "a",
        PIXELS,
        SeriesInstanceUID="2.16.099.0123",
        StudyDate="20120000",
        InstanceNumber=77,
        AcquisitionTime="morning",
        PerFrameFunctionalGroupsSequence=Sequence([Dataset()]),
    )
    path.write_bytes(path.read_bytes().replace(b"IS\x02\x0077", b"IS\x02\x00no"))
    header = read_header(path)
    assert (header.series_uid, header.instance_number, header.acquisition_s) == ("2.16.099.0123", None, None)
    np.testing.assert_array_equal(read_pixels(header), PIXELS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PixelSpacing": ["nan", "nan"]}, "pixel spacing is missing or not 2 finite numbers"),
        ({"PixelSpacing": None}, "pixel spacing is missing"),
        ({"PixelSpacing": [0, 1]}, "pixel spacing is not between 0.1 and 10.0 mm"),
        ({"PixelSpacing": [-1.5, 1.5]}, "pixel spacing is not between"),
        ({"ImageOrientationPatient": [0] * 6}, "perpendicular unit vectors"),
        ({"ImageOrientationPatient": [1, 0, 0, 0.7, 0.7, 0]}, "perpendicular unit vectors"),
        ({"ImagePositionPatient": [1, 2]}, "position is missing or not 3 finite numbers"),
        ({"ImagePositionPatient": [1, -2e300, 3]}, "its position is not within 10 m"),
        ({"ImagePositionPatient": None}, "without an image plane"),
        ({"Rows": None}, "without an image plane"),
        ({"SOPClassUID": None}, "names no SOP class"),
        ({"Rows": 0}, "rows and columns must be 1 to 4096"),
        ({"Columns": 60000}, "rows and columns must be 1 to 4096"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"NumberOfFrames": 2}, "a classic multi-frame object that does not say where its frames lie"),
        (
            {"NumberOfFrames": 2, "SOPClassUID": EnhancedMRImageStorage},
            "an enhanced multi-frame object that does not say where its frames lie",
        ),
        ({"PixelData": None}, "missing or truncated"),
        ({"PixelData": b"\0" * 10}, "missing or truncated"),
        ({"BitsAllocated": 64}, "missing or truncated"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, write_slice: WriteSlice, changes: dict, reason: str) -> None:
    path = write_slice(tmp_path / "a", **changes)
    with pytest.raises(UnusableError, match=reason) as caught:
        read_header(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a DICOM file"),
        (b"%PDF-1.7 and so on", "not a DICOM file"),
        (b"\0" * 128 + b"DICM", "names no SOP class"),
        (b"\x08\x00\x05\x00" + b"\xff" * 40, "damaged|no SOP class"),
    ],
)
def test_files_that_are_no_dicom(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UnusableError, match=reason):
        read_header(tmp_path / "a")


def test_an_index_of_a_disc_is_told_from_an_image(tmp_path: Path, slice_dataset: Callable[..., Dataset]) -> None:
    index = Dataset()
    index.file_meta = slice_dataset().file_meta
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    index.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    with pytest.raises(UnusableError, match="an index of the files on a disc"):
        read_header(tmp_path / "DICOMDIR")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PatientSize": "1.8", "PatientWeight": "75", "HeartRate": "62"}, (1.8, 75, 62)),
        ({"PatientSize": "180", "PatientWeight": "0", "HeartRate": "0"}, (180, None, None)),
        ({"PatientSize": "", "PatientWeight": "1e9", "HeartRate": "900"}, (None, 1e9, 900)),
        ({}, (None, None, None)),
    ],
)
def test_body_and_rate_as_they_were_entered(
    tmp_path: Path, write_slice: WriteSlice, tags: dict[str, str], expected: tuple[float | None, ...]
) -> None:
    header = read_header(write_slice(tmp_path / "a", **tags))
    assert (header.height_m, header.weight_kg, header.heart_rate_bpm) == expected
    assert "75" not in repr(replace(header, path=Path("a")))


def test_times_beyond_all_clocks_are_none(tmp_path: Path, write_slice: WriteSlice) -> None:
    assert read_header(write_slice(tmp_path / "a", TriggerTime="1e300")).trigger_ms is None


def test_things_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "pipe"):
        with pytest.raises(UnusableError, match="not a file"):
            read_header(path)


def test_files_that_are_too_large_or_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(2 * 1024**3 + 1)
    with pytest.raises(UnusableError, match="larger than 2 GiB"):
        read_header(tmp_path / "a")

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(UnusableError, match="cannot be read: permission denied"):
        read_header(tmp_path / "a")


def test_other_transfer_syntaxes_are_named(tmp_path: Path, slice_dataset: Callable[..., Dataset]) -> None:
    dataset = slice_dataset()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([dataset.PixelData])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(UnusableError, match=r"encoded in JPEG Baseline.*not supported"):
        read_header(tmp_path / "a")
    (tmp_path / "b").write_bytes(
        (tmp_path / "a").read_bytes().replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.49")
    )
    with pytest.raises(UnusableError, match="encoded in an unknown transfer syntax"):
        read_header(tmp_path / "b")


def test_deflated_bomb_is_refused_before_it_is_inflated(
    tmp_path: Path, write_slice: WriteSlice, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_slice(tmp_path / "a")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)

    def inflate(*_: object) -> bytes:
        raise AssertionError("inflated")

    monkeypatch.setattr(zlib, "decompress", inflate)
    with pytest.raises(UnusableError, match="Deflated"):
        read_header(path)


def test_run_length_bomb_is_refused(tmp_path: Path, slice_dataset: Callable[..., Dataset]) -> None:
    dataset = slice_dataset(PIXELS)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.PixelData += b"\0" * 5000
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(UnusableError, match="run-length"):
        read_header(tmp_path / "a")


def test_deep_nesting_is_one_clear_error(tmp_path: Path, write_slice: WriteSlice) -> None:
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    whole = write_slice(tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(whole[: whole.index(b"\x08\x00\x16\x00UI")] + opening * 3000)
    with pytest.raises(UnusableError, match="damaged"):
        read_header(tmp_path / "a")


def test_a_file_that_changes_after_its_header(tmp_path: Path, write_slice: WriteSlice) -> None:
    header = read_header(write_slice(tmp_path / "a"))
    write_slice(tmp_path / "a", np.zeros((5, 5), np.int16))
    with pytest.raises(UnusableError, match="has changed since it was found"):
        read_pixels(header)


def test_every_truncation_is_unusable(tmp_path: Path, write_slice: WriteSlice) -> None:
    whole = write_slice(tmp_path / "a", PIXELS).read_bytes()
    for length in (*range(0, len(whole) - 40, 7), *range(len(whole) - 40, len(whole))):
        (tmp_path / "a").write_bytes(whole[:length])
        with pytest.raises(UnusableError):
            read_header(tmp_path / "a")


def test_mutated_files_raise_nothing_else_and_leak_nothing(tmp_path: Path, write_slice: WriteSlice) -> None:
    canary = "7315926.4"
    whole = write_slice(tmp_path / "a", PIXELS, PatientName="CANARY^JOHN", TriggerTime=canary).read_bytes()
    rng = np.random.default_rng(0)
    messages = []
    for _ in range(300):
        mutant = bytearray(whole)
        for place in rng.integers(128, len(whole), rng.integers(1, 6)):
            mutant[place] = rng.integers(256)
        (tmp_path / "a").write_bytes(mutant)
        try:
            read_pixels(read_header(tmp_path / "a"))
        except UnusableError as error:
            messages.append(str(error))
    assert 0 < len(messages) < 300
    assert not any(value in message for message in messages for value in ("CANARY", canary[:5]))


@pytest.mark.parametrize(
    ("changes", "plain"),
    [
        ({}, True),
        ({"BitsStored": 12, "HighBit": 11}, True),
        ({"PhotometricInterpretation": "MONOCHROME1"}, True),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, False),
        ({"PhotometricInterpretation": None}, False),
        ({"PixelRepresentation": None}, False),
        ({"BitsStored": None}, False),
        ({"BitsStored": 0}, False),
        ({"BitsStored": 17}, False),
    ],
)
def test_pixels_are_read_straight_from_where_nothing_is_out_of_the_ordinary(
    tmp_path: Path, write_slice: WriteSlice, changes: dict, plain: bool
) -> None:
    header = read_header(write_slice(tmp_path / "a", PIXELS, **changes))
    assert bool(header.plain) is plain
    assert "plain" not in repr(header)


@pytest.mark.parametrize("keyword", ["BitsStored", "PixelRepresentation", "PhotometricInterpretation"])
def test_pixels_without_a_description_are_not_called_damaged(
    tmp_path: Path, write_slice: WriteSlice, keyword: str
) -> None:
    header = read_header(write_slice(tmp_path / "a", PIXELS, **{keyword: None}))
    with pytest.raises(UnusableError, match="it does not say how its pixels are stored: bits, sign or colours"):
        read_pixels(header)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("syntax", ["implicit", "explicit"])
def test_plain_pixels_are_those_that_pydicom_decodes(
    tmp_path: Path, slice_dataset: Callable[..., Dataset], syntax: str, big: bool
) -> None:
    pixels = np.random.default_rng(0).integers(-(2**15), 2**15, (5, 7)).astype(np.int16)
    dataset = slice_dataset(pixels)
    if syntax == "implicit":
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    elif big:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        dataset.PixelData = pixels.astype(">i2").tobytes()
        dataset["PixelData"].VR = "OW"
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    header = read_header(tmp_path / "a")
    assert bool(header.plain) is (syntax == "implicit" or not big)
    np.testing.assert_array_equal(read_pixels(header), pixels)
    np.testing.assert_array_equal(read_pixels(header), pydicom.dcmread(tmp_path / "a").pixel_array)


def test_plain_pixels_that_are_cut_off_are_missed(tmp_path: Path, write_slice: WriteSlice) -> None:
    path = write_slice(tmp_path / "a", PIXELS)
    header = read_header(path)
    os.truncate(path, path.stat().st_size - 2)
    with pytest.raises(UnusableError, match="has changed since it was found"):
        read_pixels(header)
    assert header.plain is not None
    with path.open("rb") as file, pytest.raises(UnusableError, match="truncated"):
        header.plain.read(file, header.shape, 0)


@pytest.mark.parametrize("encoding", [ImplicitVRLittleEndian, RLELossless])
def test_pixels_of_another_file_are_refused(
    tmp_path: Path, slice_dataset: Callable[..., Dataset], encoding: str
) -> None:
    """The file that takes its place has the same size and the same time."""
    for name, pixels in {"a": PIXELS, "b": PIXELS + 1}.items():
        dataset = slice_dataset(pixels)
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        if encoding == RLELossless:
            dataset.compress(RLELossless)
        dataset.save_as(tmp_path / name, enforce_file_format=True)
        os.utime(tmp_path / name, ns=(1, 1))
    header = read_header(tmp_path / "a")
    read_pixels(header)
    (tmp_path / "b").replace(tmp_path / "a")
    with pytest.raises(UnusableError, match="a: the file has changed since it was found"):
        read_pixels(header)


def test_an_endless_group_of_file_meta_is_refused(tmp_path: Path) -> None:
    value = b"\x02\x00\x02\x01OB\0\0" + (2**30).to_bytes(4, "little")
    with (tmp_path / "a").open("wb") as file:
        file.write(b"\0" * 128 + b"DICM" + value)
        file.truncate(2**30)  # sparse
    with pytest.raises(UnusableError, match="a value in its header is too long"):
        read_header(tmp_path / "a")
