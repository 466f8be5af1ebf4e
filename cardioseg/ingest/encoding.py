"""Encoding: which transfer syntaxes are read, and what a file must fulfil before anything of it is decoded.

A deflated file can be a bomb as a whole and is refused by name; a compressed frame, by itself (`codec.py`).
"""

import os
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from cardioseg.errors import UnusableError
from cardioseg.ingest.codec import JPEG, PLUGIN

_FILE_LIMIT_BYTES = 2 * 1024**3  # an enhanced object holds a whole cine; the largest are some 200 MB
_PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_PREAMBLE = 128
_GROUP_8 = b"\x08\x00"  # how a data set without preamble begins: group 0008, little endian
_FRAME_OVERHEAD_BYTES = 1024  # of item, offset and codec headers
_ALWAYS_BYTES, _PACKING = 16 * 1024**2, 100  # a scan packs to a third; black pictures further, but they are small


def transfer_syntax(path: Path, file: BinaryIO) -> UID | None:
    """The transfer syntax that a file names, decided before anything is decoded; None where it names none.

    Raises:
        UnusableError: too large, not DICOM, or an encoding that is not read.
    """
    if size_bytes(file) > _FILE_LIMIT_BYTES:
        raise UnusableError(f"larger than {_FILE_LIMIT_BYTES // 1024**3} GiB")
    start = file.read(_PREAMBLE + 4)
    file.seek(0)
    if start[_PREAMBLE:] != b"DICM":
        if start[:2] == _GROUP_8:
            return None
        raise UnusableError("not a DICOM file")
    named: UID | None = read_file_meta_info(path).get("TransferSyntaxUID")
    if named is not None and named not in (*_PLAIN, RLELossless, *JPEG):
        name = UID(named).name if UID(named).name != named else "an unknown transfer syntax"
        raise UnusableError(f"encoded in {name}, which is not supported")
    return named


def effective_syntax(named: UID | None, dataset: Dataset) -> UID:
    """The transfer syntax that a file has, also where it names none."""
    return named or (ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian)


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
    frames = int(dataset.get("NumberOfFrames") or 1)
    bits = int(dataset.get("BitsAllocated", 0))
    plain_bytes = frames * int(dataset.Rows) * int(dataset.Columns) * bits // 8
    if syntax in _PLAIN:
        if plain_bytes == 0 or remaining_bytes < plain_bytes + (8 if dataset.original_encoding[0] else 12):
            raise UnusableError("its pixel data is missing or truncated")
    elif not 0 < remaining_bytes <= 2 * plain_bytes + frames * _FRAME_OVERHEAD_BYTES:
        kind = "run-length encoded" if syntax == RLELossless else "compressed"
        raise UnusableError(f"its {kind} pixels are missing or longer than plain ones")
    elif plain_bytes > max(_ALWAYS_BYTES, _PACKING * remaining_bytes):
        raise UnusableError(f"its compressed pixels are {plain_bytes / remaining_bytes:.0f} times as large unpacked")


def size_bytes(file: BinaryIO) -> int:
    """Size of an open file."""
    return os.fstat(file.fileno()).st_size
