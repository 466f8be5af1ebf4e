"""Canaries: a token in every attribute that can say who a patient is, and the search for them in everything written.

`confidential.txt` names the attributes of DICOM PS3.15 table E.1-1 (2026c) that pydicom's dictionary knows.
"""

import gzip
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import Tag

MARK = "CANARY"
NUMBER = "271828182845"  # stands in numbers, dates and ids
CONFIDENTIAL = tuple((Path(__file__).parent / "confidential.txt").read_text().split())
# Heights and weights are read, as numbers for an index; sequences of sources hide the image from its own reader.
_KEPT = {"PatientSize", "PatientWeight", "PixelData"}
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_DAY, _TIME = "19110307", f"093817.{NUMBER[:6]}"
SECRETS = (MARK.lower(), NUMBER, NUMBER[:6], _DAY)


def sing(dataset: Dataset) -> None:
    """Put a canary into every confidential attribute, a private block and nested sequences, in place."""
    dataset.update(_song())
    for keyword in _UIDS:
        tail = str(dataset[keyword].value)[-20:].lstrip(".0")
        setattr(dataset, keyword, f"1.2.{NUMBER}.{tail}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    block = dataset.private_block(0x0029, f"{MARK} VENDOR", create=True)
    block.add_new(0x01, "LO", f"{MARK}private")
    block.add_new(0x02, "OB", f"{MARK}bytes!".encode())
    block.add_new(0x03, "SQ", [_item()])


def holds_canary(content: bytes) -> bool:
    """Whether a canary is in bytes, or in what is packed in them."""
    return any(secret.encode() in part.lower() for part in _unpacked(content) for secret in SECRETS)


@cache
def _song() -> Dataset:
    """All confidential attributes that every image of a study may share, as the bytes that are written of them."""
    dataset = Dataset()
    for keyword in CONFIDENTIAL:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        if keyword not in {*_KEPT, *_UIDS} and Tag(tag).group not in {0, 2}:  # no part of a data set
            _put(dataset, keyword, dictionary_VR(tag))
    written = BytesIO()
    dataset.save_as(written, implicit_vr=False, little_endian=True)
    written.seek(0)
    return read_dataset(written, is_implicit_VR=False, is_little_endian=True)


def _put(dataset: Dataset, keyword: str, kind: str) -> None:
    name = f"{MARK}{Tag(keyword):08x}".upper()
    values = {
        "DA": _DAY, "TM": _TIME, "DT": f"{_DAY}{_TIME}", "UI": f"1.2.{NUMBER}", "DS": NUMBER, "IS": NUMBER[:6],
        "AS": "089Y", "US": 27182, "OB": f"{name}\0\0".encode(), "UN": name.encode(), "SQ": [_item()],
    }  # fmt: skip
    setattr(dataset, keyword, values.get(kind, name))


def _item() -> Dataset:
    item = Dataset()
    item.PatientName, item.PatientID, item.ReferencedSOPInstanceUID = f"{MARK}^Nested", f"{MARK}-id", f"1.2.{NUMBER}"
    inner = Dataset()
    inner.OperatorsName = f"{MARK}^Deep"
    item.ReferencedSeriesSequence = [inner]
    return item


def _unpacked(content: bytes) -> Iterator[bytes]:
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from _unpacked(gzip.decompress(content))
    for text in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield from _unpacked(b64decode(text))
    for packed in re.findall(rb"(?:zTXt|iTXt|iCCP)[^\0]*\0.(.*)", content, re.DOTALL):
        yield zlib.decompressobj().decompress(packed)
    if content.startswith(b"PK\x03\x04"):  # checkpoints and npz are zip files
        from zipfile import ZipFile

        with ZipFile(BytesIO(content)) as packed_files:
            for name in packed_files.namelist():
                yield name.encode()
                yield from _unpacked(packed_files.read(name))
