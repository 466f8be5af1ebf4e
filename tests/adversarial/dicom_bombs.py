"""Bombs that look like DICOM images: small files that promise, or unpack to, far more; a large one that is sparse."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from campaign import SMALL
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cardioseg.phantom import enhanced_instance, instance

_ZEROS_MB, _FAST = 160, 1  # packed in a quarter of the time that the smallest bomb takes


def tag(group: int, element: int, rest: bytes = b"") -> bytes:
    """How a data element begins in a little-endian file."""
    return struct.pack("<HH", group, element) + rest


_UNDEFINED, _NOTHING = b"\xff\xff\xff\xff", bytes(4)  # lengths
_SEQUENCE = tag(0x0008, 0x1140, b"SQ\0\0" + _UNDEFINED)  # ReferencedImageSequence
_ITEM, _EMPTY_ITEM = tag(0xFFFE, 0xE000, _UNDEFINED), tag(0xFFFE, 0xE000, _NOTHING)
_END_OF_ITEM, _END_OF_SEQUENCE = tag(0xFFFE, 0xE00D, _NOTHING), tag(0xFFFE, 0xE0DD, _NOTHING)
_IMAGE_TYPE, _PATIENT_NAME = tag(0x0008, 0x0008, b"CS"), tag(0x0010, 0x0010, b"PN")
_POSITION, _LONG_POSITION = tag(0x0020, 0x0032, b"DS\0\0"), tag(0x0020, 0x0032, b"UT\0\0")  # UT may be of any length
_PRIVATE = tag(0x0009, 0x1000, b"OB\0\0")


def image(syntax: UID = ExplicitVRLittleEndian, **changes: object) -> Dataset:
    """One phantom image; `changes` are tags to set."""
    dataset = instance(SMALL, 0, 0, 1, np.arange(256, dtype=np.int16).reshape(16, 16))
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax not in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    return dataset


def encoded(dataset: Dataset) -> bytes:
    """The file's bytes."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def file_meta(content: bytes) -> bytes:
    """What comes before the data set: the preamble, and the file meta information, which begins with its length."""
    (length,) = struct.unpack_from("<I", content, 140)
    return content[: 144 + length]


def deflate() -> bytes:
    """160 MB of zeros in a private tag of a deflated file of 0.7 MB."""
    head = file_meta(encoded(image(DeflatedExplicitVRLittleEndian)))
    packer = zlib.compressobj(_FAST, wbits=-zlib.MAX_WBITS)
    body = packer.compress(_PRIVATE + struct.pack("<I", _ZEROS_MB * 10**6))
    body += b"".join(packer.compress(bytes(10**6)) for _ in range(_ZEROS_MB)) + packer.flush()
    return head + body


def run_length() -> bytes:
    """Runs of 128 equal bytes that make 4096 x 4096 pixels where the header promises 16 x 16."""
    segment = b"\x81\x00" * (4096 * 4096 // 128)
    frame = struct.pack("<16I", 2, 64, 64 + len(segment), *[0] * 13) + segment * 2
    return encoded(image(RLELossless, PixelData=encapsulate([frame])))


def run_length_frames() -> bytes:
    """An enhanced object of four frames, each of which has 4096 x 4096 pixels in 68 bytes."""
    frame = struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\x81\x00\x81\x00"
    dataset = enhanced_instance(SMALL, np.zeros((2, 2, 16, 16), np.int16))
    dataset.Rows, dataset.Columns, dataset.PixelData = 4096, 4096, encapsulate([frame] * 4)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return encoded(dataset)


def jpeg_ls() -> bytes:
    """A codestream whose own header promises 65500 x 65500 pixels."""
    from imagecodecs import jpegls_encode

    return _compressed(JPEGLSLossless, jpegls_encode(np.zeros((16, 16), np.uint16)), b"\xff\xf7", 5)


def jpeg() -> bytes:
    """The same as lossless JPEG."""
    from imagecodecs import jpeg8_encode

    frame = jpeg8_encode(np.zeros((16, 16), np.uint16), lossless=True, predictor=1, bitspersample=16)
    return _compressed(JPEGLosslessSV1, frame, b"\xff\xc3", 5)


def jpeg_2000() -> bytes:
    """4096 x 4096 equal pixels, as the header says, in some hundred bytes: 33 MB, and in many files as many times."""
    from imagecodecs import jpeg2k_encode

    frame = jpeg2k_encode(np.zeros((4096, 4096), np.int16), codecformat="j2k", reversible=True, level=0)
    return encoded(image(JPEG2000Lossless, Rows=4096, Columns=4096, PixelData=encapsulate([frame])))


def huge_sides() -> bytes:
    """65535 x 65535 pixels in 512 bytes."""
    return encoded(image(Rows=65535, Columns=65535))


def large_sides() -> bytes:
    """The largest sides that are read, with a tenth of their pixels."""
    return encoded(image(Rows=4096, Columns=4096, PixelData=bytes(3_000_000)))


def many_frames() -> bytes:
    """Two thousand million frames in 512 bytes."""
    return encoded(image(NumberOfFrames=2**31 - 1))


def deep_sequence() -> bytes:
    """Three thousand sequences, one in another."""
    return _headless() + (_SEQUENCE + _ITEM) * 3000


def deep_sequence_closed() -> bytes:
    """The same, each closed again, before a good image."""
    return _before_image((_SEQUENCE + _ITEM) * 3000 + (_END_OF_ITEM + _END_OF_SEQUENCE) * 3000)


def wide_sequence() -> bytes:
    """A million empty items, each of which a parser makes an object of."""
    return _before_image(_SEQUENCE + _EMPTY_ITEM * 1_000_000 + _END_OF_SEQUENCE)


def wide_item() -> bytes:
    """Half a million empty tags in one item."""
    tags = b"".join(struct.pack("<HH2sH", 0x11 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(500_000))
    return _before_image(_SEQUENCE + _ITEM + tags + _END_OF_ITEM + _END_OF_SEQUENCE)


def large_value() -> bytes:
    """A megabyte of numbers where one is expected."""
    return encoded(image(ImagePositionPatient=None)).replace(
        _POSITION, _LONG_POSITION + struct.pack("<I", 8_000_000) + b"1.234\\5\\" * 1_000_000
    )


def _headless() -> bytes:
    """A file that ends before its data set begins."""
    whole = encoded(image())
    return whole[: whole.index(_IMAGE_TYPE)]


def _before_image(extra: bytes) -> bytes:
    """A good image with more in it before the patient's name."""
    whole = encoded(image())
    at = whole.index(_PATIENT_NAME)
    return whole[:at] + extra + whole[at:]


def _compressed(syntax: UID, frame: bytes, marker: bytes, at: int) -> bytes:
    """An image whose codestream promises 65500 x 65500 pixels, `at` bytes behind its marker."""
    sides = frame.index(marker) + at
    frame = frame[:sides] + struct.pack(">HH", 65500, 65500) + frame[sides + 4 :]
    return encoded(image(syntax, PixelData=encapsulate([frame])))


def sparse_dicom(path: Path) -> None:
    """A value of 1.9 GB that takes no disk."""
    whole = encoded(image(ImagePositionPatient=None))
    start, stop = whole.split(_POSITION)
    with path.open("wb") as file:
        file.write(start + _LONG_POSITION + struct.pack("<I", 1_900_000_000))
        file.seek(1_900_000_000, 1)
        file.write(stop)


BOMBS: tuple[Callable[[], bytes], ...] = (
    deflate, run_length, run_length_frames, jpeg_ls, jpeg, jpeg_2000, huge_sides, large_sides, many_frames,
    deep_sequence, deep_sequence_closed, wide_sequence, wide_item, large_value,
)  # fmt: skip
