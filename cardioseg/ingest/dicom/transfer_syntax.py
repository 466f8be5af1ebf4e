"""Transfer syntax: which encodings are read, and what is checked before a file is decoded.

A deflated file can be a decompression bomb as a whole and is refused; compressed frames are checked in `jpeg.py`.
"""

from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from cardioseg.archive.member_paths import stamp_of
from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.bounded_file import bounded
from cardioseg.ingest.dicom.elements import look_up
from cardioseg.ingest.dicom.jpeg import JPEG, PLUGIN
from cardioseg.ingest.dicom.numerals import number
from cardioseg.ingest.dicom.uncompressed_pixels import BIT, PlainPixels

_FILE_LIMIT_BYTES = 2 * 1024**3  # an enhanced object holds a whole cine; the largest are some 200 MB
_PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_PREAMBLE = 128
_GROUP_8 = b"\x08\x00"  # start of a data set without preamble: group 0008, little endian
_PIXEL_DATA, _UNDEFINED, _BYTES_OR_WORDS = b"\xe0\x7f\x10\x00", b"\xff" * 4, (b"OB\0\0", b"OW\0\0")
_NUMBER_TAGS = ("BitsAllocated", "BitsStored", "PixelRepresentation", "PhotometricInterpretation")
_GREY = ("MONOCHROME2", "MONOCHROME1")
_FRAME_OVERHEAD_BYTES = 1024  # of item, offset and codec headers
_ALWAYS_BYTES, _PACKING = 16 * 1024**2, 100  # a scan compresses to a third; black images more, but they are small


def read_meta(file: BinaryIO) -> Dataset | None:
    """The file meta information of an open file, checked before anything is decoded; None without a transfer syntax.

    Afterwards the file is positioned at its data set, or at its start if the result is None.

    Raises:
        UnusableError: too large, not DICOM, or an unsupported encoding.
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
    """Group 0002, which has the same encoding in every file."""
    limited = bounded(file)
    return read_dataset(limited, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, *_: tag >> 16 != 2)


def effective_syntax(dataset: Dataset) -> UID:
    """The transfer syntax of a file that does not name it."""
    return ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian


def decoding_plugin(syntax: str) -> str:
    """The pydicom plugin that decodes; a fixed choice that does not depend on what is installed."""
    if syntax in _PLAIN:
        return ""
    return "pydicom" if syntax == RLELossless else PLUGIN


def require_pixels(dataset: Dataset, syntax: UID, remaining_bytes: int) -> None:
    """Compare the bytes after a header with the pixels that it describes.

    Raises:
        UnusableError: there are too few bytes; or compressed pixels are larger than uncompressed ones would be, or so
            few that they may be a decompression bomb.
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
    """The location of uncompressed pixels in an open file, whose position does not change; None if there are none.

    Args:
        file: positioned at the element of the pixels.
        dataset: the tags before the pixels.
        syntax: the transfer syntax.
    """
    implicit = syntax == ImplicitVRLittleEndian
    if syntax not in _PLAIN[:2] or dataset.original_encoding != (implicit, True):
        return None
    offset = file.tell()
    element = file.read(12)
    file.seek(offset)
    tag, words, length = element[:4], element[4:8], element[4:8] if implicit else element[8:]
    if tag != _PIXEL_DATA or length == _UNDEFINED or not (implicit or words in _BYTES_OR_WORDS):
        return None
    bits, bits_stored, sign, photometric = (look_up(dataset, word) for word in _NUMBER_TAGS)
    if (
        bits not in (1, 8, 16, 32)
        or bits_stored not in range(1, bits + 1)
        or sign not in (0, 1)
        or photometric not in _GREY
    ):
        return None
    kind, start = BIT if bits == 1 else f"<{'ui'[sign]}{bits // 8}", offset + (8 if implicit else 12)
    return PlainPixels(start, kind, bits_stored, photometric == _GREY[1])


def size_bytes(file: BinaryIO) -> int:
    """Size of an open file."""
    return stamp_of(file)[0]
