"""Compressed frames: every bit comes back, and what is damaged or promises too much is refused before it is decoded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.jpeg import JPEG, frame_size, is_available
from cardioseg.ingest.dicom.reader import read_headers, read_pixels
from cardioseg.phantom import Encoding, write_instance

SliceDataset = Callable[..., Dataset]
PACKED = [Encoding.JPEG, Encoding.JPEG_SV1, Encoding.JPEG_LS, Encoding.JPEG_2000]
SYNTAX = {Encoding.JPEG_SV1: JPEGLosslessSV1, Encoding.JPEG_LS: JPEGLSLossless, Encoding.JPEG_2000: JPEG2000Lossless}
SIDE_AT = {Encoding.JPEG_LS: b"\xff\xf7", Encoding.JPEG_SV1: b"\xff\xc3"}
PIXELS = np.random.default_rng(0).integers(-500, 1500, (24, 20)).astype(np.int16)


def frame_of(path: Path) -> bytes:
    return next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))


def put_frame(path: Path, frame: bytes) -> None:
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)


def refusal(path: Path) -> str:
    with pytest.raises(UnusableError) as caught:
        read_pixels(read_headers(path)[0])
    return caught.value.message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("encoding", [*PACKED, Encoding.RLE, Encoding.BIG_ENDIAN])
@pytest.mark.parametrize(
    "pixels", [PIXELS, (PIXELS + 600).astype(np.uint16), (PIXELS.astype(np.int32) * 20).astype(np.uint16)]
)
def test_every_bit_comes_back(
    tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding, pixels: np.ndarray
) -> None:
    write_instance(tmp_path / "a", slice_dataset(pixels), encoding)
    read = read_pixels(read_headers(tmp_path / "a")[0])
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("encoding", PACKED)
def test_values_of_twelve_bits_keep_their_sign(tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding) -> None:
    """Stored in 12 bits, -1 is 4095, which JPEG does not know to be negative."""
    signed = PIXELS.clip(-2048, 2047)
    dataset = slice_dataset(signed, BitsStored=12, HighBit=11)
    pattern = (signed & 0xFFF).astype(np.uint16)
    write_instance(tmp_path / "a", dataset, encoding)
    if encoding in {Encoding.JPEG_SV1, Encoding.JPEG}:
        frame = imagecodecs.jpeg8_encode(pattern, lossless=True, predictor=1, bitspersample=12)
    elif encoding is Encoding.JPEG_LS:
        size = {"rows": 24, "columns": 20, "samples_per_pixel": 1, "bits_stored": 12}
        frame = jpeg_ls.encode_pixel_data(pattern.tobytes(), **size)  # imagecodecs writes 16 bits only
    else:
        frame = imagecodecs.jpeg2k_encode(pattern, codecformat="j2k", reversible=True, level=0, bitspersample=12)
    put_frame(tmp_path / "a", bytes(frame))
    np.testing.assert_array_equal(read_pixels(read_headers(tmp_path / "a")[0]), signed)


@pytest.mark.parametrize("encoding", PACKED)
def test_eight_bits(tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding) -> None:
    pixels = (PIXELS & 0xFF).astype(np.uint8)
    write_instance(tmp_path / "a", slice_dataset(pixels.astype(np.uint16), BitsStored=8, HighBit=7), encoding)
    if encoding in {Encoding.JPEG_SV1, Encoding.JPEG}:
        frame = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1)
    elif encoding is Encoding.JPEG_LS:
        frame = imagecodecs.jpegls_encode(pixels)
    else:
        frame = imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, level=0)
    put_frame(tmp_path / "a", bytes(frame))
    np.testing.assert_array_equal(read_pixels(read_headers(tmp_path / "a")[0]), pixels)


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("decoded")


@pytest.fixture
def undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jpeg8_decode", "jpegls_decode", "jpeg2k_decode"):
        monkeypatch.setattr(imagecodecs, name, never)


@pytest.mark.usefixtures("undecodable")
@pytest.mark.parametrize("encoding", SYNTAX)
def test_a_frame_that_promises_more_is_never_decoded(
    tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding
) -> None:
    write_instance(tmp_path / "a", slice_dataset(PIXELS), encoding)
    frame = frame_of(tmp_path / "a")
    assert frame_size(frame, SYNTAX[encoding]) == (24, 20, 1)
    bomb = bytearray(frame)
    if encoding is Encoding.JPEG_2000:
        bomb[8:16] = bomb[24:32] = (2**31).to_bytes(4, "big") * 2
    else:
        at = frame.index(SIDE_AT[encoding]) + 5
        bomb[at : at + 4] = b"\xff\xff\xff\xff"
    assert frame_size(bytes(bomb), SYNTAX[encoding])[0] > 60000
    put_frame(tmp_path / "a", bytes(bomb))
    assert refusal(tmp_path / "a") == "its compressed pixels are damaged or do not fit its header"


@pytest.mark.parametrize(
    ("frame", "syntax"),
    [
        (b"", JPEGLosslessSV1),
        (b"\xff\xd8\xff\xd9", JPEGLosslessSV1),
        (b"\xff\xd8\xff\xe0\x00\x00\xff\xd9", JPEGLosslessSV1),
        (b"\xff\xd8\x00\xe0\x00\x04\x00\x00\xff\xd9", JPEGLosslessSV1),
        (b"\xff\xd8\xff\xf7\x00\x0b\x10\x00\x18\x00\x14\x01", JPEGLSLossless),
        (b"\xff\x4f\xff\x51" + b"\0" * 6, JPEG2000Lossless),
        (b"\0\0\0\x0cjP  " + b"\1" * 60, JPEG2000Lossless),
    ],
)
def test_frames_that_say_nothing(frame: bytes, syntax: Any) -> None:
    with pytest.raises(UnusableError, match="a compressed frame is damaged"):
        frame_size(frame, syntax)


def test_a_thousand_tiles_are_refused() -> None:
    frame = bytearray(bytes(imagecodecs.jpeg2k_encode(np.zeros((256, 256), np.uint16), codecformat="j2k")))
    assert frame_size(bytes(frame), JPEG2000) == (256, 256, 1)
    frame[24:32] = (1).to_bytes(4, "big") * 2
    with pytest.raises(UnusableError, match="damaged"):
        frame_size(bytes(frame), JPEG2000)


@pytest.mark.parametrize("encoding", [*PACKED, Encoding.RLE])
def test_damaged_frames_are_one_clear_error(tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding) -> None:
    path = tmp_path / "a"
    write_instance(path, slice_dataset(PIXELS, PatientName="CANARY^JOHN"), encoding)
    frame, rng, refused = frame_of(path), np.random.default_rng(1), []
    for number in range(60):
        mutant = bytearray(frame)
        for place in rng.integers(0, len(frame), 1 + number % 5):
            mutant[place] = rng.integers(256)
        put_frame(path, bytes(mutant[: int(rng.integers(4, len(frame)))] if number % 4 == 0 else mutant))
        try:
            assert read_pixels(read_headers(path)[0]).shape == PIXELS.shape
        except UnusableError as error:
            refused.append(str(error))
    assert refused
    assert not any("CANARY" in text for text in refused)


@pytest.mark.parametrize("encoding", [Encoding.JPEG_SV1, Encoding.RLE])
def test_compressed_pixels_that_save_nothing_are_refused(
    tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding
) -> None:
    path = tmp_path / "a"
    write_instance(path, slice_dataset(PIXELS), encoding)
    put_frame(path, frame_of(path) + b"\0" * 5000)
    kind = "run-length encoded" if encoding is Encoding.RLE else "compressed"
    assert refusal(path) == f"its {kind} pixels are missing or longer than plain ones"


def test_what_pydicom_asks() -> None:
    assert JPEGLSNearLossless in JPEG
    assert is_available(JPEG2000)
    assert not is_available("1.2.840.10008.1.2.5")
