"""Encoding: which transfer syntaxes are read, and what a file must fulfil before anything of it is decoded.

A deflated file can be a bomb as a whole and is refused by name; a compressed frame, by itself (`codec.py`).
"""

import os
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.jpeg import JPEG, PLUGIN
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.uncompressed_pixels import PlainPixels, stamp

_FILE_LIMIT_BYTES = 2 * 1024**3  # an enhanced object holds a whole cine; the largest are some 200 MB
_PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_PREAMBLE = 128
_GROUP_8 = b"\x08\x00"  # how a data set without preamble begins: group 0008, little endian
_PIXEL_DATA, _UNDEFINED, _BYTES_OR_WORDS = b"\xe0\x7f\x10\x00", b"\xff" * 4, (b"OB\0\0", b"OW\0\0")
_NUMBER_TAGS = ("BitsAllocated", "BitsStored", "PixelRepresentation", "PhotometricInterpretation")
_GREY = ("MONOCHROME2", "MONOCHROME1")
_FRAME_OVERHEAD_BYTES = 1024  # of item, offset and codec headers
_ALWAYS_BYTES, _PACKING = 16 * 1024**2, 100  # a scan packs to a third; black pictures further, but they are small


def read_meta(file: BinaryIO) -> Dataset | None:
    """What an open file says of its encoding, decided before anything is decoded; None where it names none.

    The file is left where its data set begins, or at its start.

    Raises:
        UnusableError: too large, not DICOM, or an encoding that is not read.
    """
    if size_bytes(file) > _FILE_LIMIT_BYTES:
        raise UnusableError(f"larger than {_FILE_LIMIT_BYTES // 1024**3} GiB")
    start = file.read(_PREAMBLE + 4)
    meta = _meta(file) if start[_PREAMBLE:] == b"DICM" else None
    if meta is None and start[_PREAMBLE:] != b"DICM" and start[:2] != _GROUP_8:
        raise UnusableError("not a DICOM file")
    named = None if meta is None else meta.get("TransferSyntaxUID")
    if named is None:
        file.seek(0)
        return None
    if named not in (*_PLAIN, RLELossless, *JPEG):
        name = UID(named).name if UID(named).name != named else "an unknown transfer syntax"
        raise UnusableError(f"encoded in {name}, which is not supported")
    return meta


def _meta(file: BinaryIO) -> Dataset:
    """Group 0002, which is in the same encoding in every file."""
    limited = bounded(file)
    return read_dataset(limited, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, *_: tag >> 16 != 2)


def effective_syntax(dataset: Dataset) -> UID:
    """The transfer syntax that a file has which names none."""
    return ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian


def decoding_plugin(syntax: str) -> str:
    """Which of pydicom's plugins decodes; never one that merely happens to be installed."""
    if syntax in _PLAIN:
        return ""
    return "pydicom" if syntax == RLELossless else PLUGIN


def require_pixels(dataset: Dataset, syntax: UID, remaining_bytes: int) -> None:
    """Compare what follows a header with the pixels that it promises.

    Raises:
        UnusableError: there are fewer; or, compressed, more than plain ones would be or so few that they unpack to a
            multitude, which may be a bomb.
    """
    frames = int(number(look_up(dataset, "NumberOfFrames")) or 1)
    rows, columns, bits = (int(number(look_up(dataset, word)) or 0) for word in ("Rows", "Columns", "BitsAllocated"))
    if not bits:
        raise UnusableError("its number of bits allocated is missing or not a number")
    plain_bytes = frames * rows * columns * bits // 8
    if syntax in _PLAIN:
        if plain_bytes == 0 or remaining_bytes < plain_bytes + (8 if dataset.original_encoding[0] else 12):
            raise UnusableError("its pixel data is missing or truncated")
    elif not 0 < remaining_bytes <= 2 * plain_bytes + frames * _FRAME_OVERHEAD_BYTES:
        kind = "run-length encoded" if syntax == RLELossless else "compressed"
        raise UnusableError(f"its {kind} pixels are missing or longer than plain ones")
    elif plain_bytes > max(_ALWAYS_BYTES, _PACKING * remaining_bytes):
        raise UnusableError(f"its compressed pixels are {plain_bytes / remaining_bytes:.0f} times as large unpacked")


def plain_pixels(file: BinaryIO, dataset: Dataset, syntax: UID) -> PlainPixels | None:
    """Where an open file, which is left as it is, keeps its pixels; None where they are not simply there.

    Args:
        file: where the element of the pixels begins.
        dataset: what comes before them.
        syntax: how they are encoded.
    """
    implicit = syntax == ImplicitVRLittleEndian
    if syntax not in _PLAIN[:2] or dataset.original_encoding != (implicit, True):
        return None
    at = file.tell()
    element = file.read(12)
    file.seek(at)
    tag, kind, length = element[:4], element[4:8], element[4:8] if implicit else element[8:]
    if tag != _PIXEL_DATA or length == _UNDEFINED or not (implicit or kind in _BYTES_OR_WORDS):
        return None
    bits, used, sign, shown = (look_up(dataset, word) for word in _NUMBER_TAGS)
    if bits not in (8, 16, 32) or used not in range(1, bits + 1) or sign not in (0, 1) or shown not in _GREY:
        return None
    return PlainPixels(at + (8 if implicit else 12), f"<{'ui'[sign]}{bits // 8}", used, shown == _GREY[1], stamp(file))


def size_bytes(file: BinaryIO) -> int:
    """Size of an open file."""
    return os.fstat(file.fileno()).st_size
