"""Bombs: small files that promise, or unpack to, far more than they are; and large ones that cost no disk (sparse)."""

import gzip
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
_ITEM, _END_OF_ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0"
_EMPTY_ITEM, _END = b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_SEQUENCE = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff"  # ReferencedImageSequence, of undefined length


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


def deflate() -> bytes:
    """160 MB of zeros in a private tag of a deflated file of 0.7 MB."""
    plain = encoded(image())
    meta_end = plain.index(b"\x08\x00\x05\x00") if b"\x08\x00\x05\x00" in plain else plain.index(b"\x08\x00\x08\x00CS")
    named = encoded(image(DeflatedExplicitVRLittleEndian))
    head = named[: named.index(b"UI", 140) and meta_end + (len("1.2.840.10008.1.2.1.99") - len("1.2.840.10008.1.2.1"))]
    packer = zlib.compressobj(_FAST, wbits=-zlib.MAX_WBITS)
    body = packer.compress(b"\x09\x00\x10\x10OB\0\0" + struct.pack("<I", _ZEROS_MB * 10**6))
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
    return _before_image((_SEQUENCE + _ITEM) * 3000 + (_END_OF_ITEM + _END) * 3000)


def wide_sequence() -> bytes:
    """A million empty items, each of which a parser makes an object of."""
    return _before_image(_SEQUENCE + _EMPTY_ITEM * 1_000_000 + _END)


def wide_item() -> bytes:
    """Half a million empty tags in one item."""
    tags = b"".join(struct.pack("<HH2sH", 0x11 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(500_000))
    return _before_image(_SEQUENCE + _ITEM + tags + _END_OF_ITEM + _END)


def large_value() -> bytes:
    """A megabyte of numbers where one is expected."""
    return encoded(image(ImagePositionPatient=None)).replace(
        b"\x20\x00\x32\x00DS\0\0", b"\x20\x00\x32\x00UT\0\0" + struct.pack("<I", 8_000_000) + b"1.234\\5\\" * 1_000_000
    )


def _headless() -> bytes:
    whole = encoded(image())
    return whole[: whole.index(b"\x08\x00\x08\x00CS")]


def _before_image(extra: bytes) -> bytes:
    whole = encoded(image())
    at = whole.index(b"\x10\x00\x10\x00PN")
    return whole[:at] + extra + whole[at:]


def _compressed(syntax: UID, frame: bytes, marker: bytes, at: int) -> bytes:
    sides = frame.index(marker) + at
    frame = frame[:sides] + struct.pack(">HH", 65500, 65500) + frame[sides + 4 :]
    return encoded(image(syntax, PixelData=encapsulate([frame])))


def nifti_header(
    shape: tuple[int, ...], code: int = 4, bits: int = 16, offset: float = 352, spacing: float = 1.0
) -> bytes:
    """A NIfTI-1 header and its four empty bytes of extension."""
    dim = [len(shape), *shape, *[1] * (7 - len(shape))]
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, *dim)
    struct.pack_into("<hh", head, 70, code, bits)
    struct.pack_into("<8f", head, 76, 1, *[spacing] * 7)
    struct.pack_into("<f", head, 108, offset)
    head[344:348] = b"n+1\0"
    return bytes(head)


def gzip_beyond() -> bytes:
    """160 MB of zeros behind an image of 16 voxels."""
    return gzip.compress(nifti_header((4, 4, 1)) + bytes(_ZEROS_MB * 10**6), _FAST, mtime=0)


def gzip_within() -> bytes:
    """160 MB of zeros, all of them voxels: 0.7 MB that are a sound image of nothing."""
    return gzip.compress(nifti_header((1000, 1000, 80)) + bytes(_ZEROS_MB * 10**6), _FAST, mtime=0)


def gzip_promise() -> bytes:
    """500 million voxels of 8 bytes, of which a kilobyte is there."""
    return gzip.compress(nifti_header((1000, 1000, 500), 64, 64) + bytes(1000), 9, mtime=0)


def plain_promise() -> bytes:
    """The same, not packed."""
    return nifti_header((1000, 1000, 500), 64, 64) + bytes(1000)


def dims_negative() -> bytes:
    """A side of -1."""
    return nifti_header((16, -1, 4)) + bytes(5000)


def dims_zero() -> bytes:
    """A side of 0."""
    return nifti_header((16, 0, 4)) + bytes(5000)


def dims_seven() -> bytes:
    """Seven dimensions."""
    return nifti_header((2, 2, 2, 2, 2, 2, 2)) + bytes(5000)


def voxels_beyond_the_end() -> bytes:
    """An offset of 1 GB."""
    return nifti_header((4, 4, 4), offset=1e9) + bytes(5000)


def spacing_not_a_number() -> bytes:
    """NaN for a spacing."""
    return nifti_header((4, 4, 4), spacing=float("nan")) + bytes(5000)


def bad_checksum() -> bytes:
    """A packed image whose last bytes are not its CRC."""
    return gzip.compress(nifti_header((4, 4, 4)) + bytes(128), 9, mtime=0)[:-8] + bytes(8)


def sparse_dicom(path: Path) -> None:
    """A value of 1.9 GB that takes no disk."""
    whole = encoded(image(ImagePositionPatient=None))
    start, stop = whole.split(b"\x20\x00\x32\x00DS\0\0")
    with path.open("wb") as file:
        file.write(start + b"\x20\x00\x32\x00UT\0\0" + struct.pack("<I", 1_900_000_000))
        file.seek(1_900_000_000, 1)
        file.write(stop)


DICOM: tuple[Callable[[], bytes], ...] = (
    deflate, run_length, run_length_frames, jpeg_ls, jpeg, jpeg_2000, huge_sides, large_sides, many_frames,
    deep_sequence, deep_sequence_closed, wide_sequence, wide_item, large_value,
)  # fmt: skip
NIFTI: tuple[Callable[[], bytes], ...] = (
    gzip_beyond, gzip_within, gzip_promise, plain_promise, dims_negative, dims_zero, dims_seven,
    voxels_beyond_the_end, spacing_not_a_number, bad_checksum,
)  # fmt: skip
