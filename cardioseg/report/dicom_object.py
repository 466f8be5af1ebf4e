"""DICOM object: what all DICOM objects that cardioseg writes have in common.

Identity: patient and study are copied exactly from the source, so that a PACS can file the object.

UIDs: a hash of the object's content: source images, model, version, and what the object says. An object that is made a
second time has the same UID, so that a PACS stores no second copy; one that differs has another UID. Only the time of
creation is not part of the hash.
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cardioseg import __version__
from cardioseg.errors import UnusableError
from cardioseg.files import safe_name, write_bytes
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original, read_originals
from cardioseg.report.plain_letters import ascii_text

logging.getLogger("highdicom").addHandler(logging.NullHandler())
logging.getLogger("highdicom").propagate = False  # its log records contain names and UIDs

MANUFACTURER = "cardioseg"
FIRST_SERIES = 9000  # above the series numbers of scanners
_LONG_STRING = 64  # most characters of a DICOM LO
_EXCLUDED = "excluded"


class Touch(StrEnum):
    """What a person did to the network's mask."""

    NONE = ""
    ACCEPTED = "accepted"
    CORRECTED = "corrected"


@dataclass(frozen=True)
class Author:
    """Who drew the mask.

    Attributes:
        name: of the model.
        sha256: of the model's bytes.
        touch: what a person did to the mask afterwards.
        person: initials of that person, as far as they are known.
        is_excluded: whether that person excluded the case, with or without a correction.
    """

    name: str
    sha256: str
    touch: Touch = Touch.NONE
    person: str = ""
    is_excluded: bool = False

    @property
    def is_automatic(self) -> bool:
        """Whether no person changed the mask."""
        return self.touch is not Touch.CORRECTED

    @property
    def identity(self) -> str:
        """What the UIDs of the objects depend on."""
        return " ".join([self.sha256, *filter(None, (self.touch, _EXCLUDED * self.is_excluded, self.person))])

    @property
    def statement(self) -> str:
        """Who answers for the numbers, in one sentence."""
        by = f" ({ascii_text(self.person)})" if self.person else ""
        if self.is_excluded:
            corrected = " corrected the masks and" if self.touch is Touch.CORRECTED else ""
            return f"A person{by}{corrected} excluded this case: do not use these numbers."
        if self.touch is Touch.CORRECTED:
            return f"Drawn automatically, corrected by a person{by}, measured automatically."
        if self.touch is Touch.ACCEPTED:
            return f"Drawn and measured automatically; a person{by} looked at the masks and accepted them."
        return "Drawn and measured automatically; no person has verified it."

    @property
    def model_name(self) -> str:
        """The name as DICOM can hold it."""
        return safe_name(ascii_text(self.name))[:_LONG_STRING]

    @property
    def equipment(self) -> dict[str, str]:
        """What highdicom is told of the program that made an object; the model's hash is its serial number."""
        return {
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": self.model_name,
            "device_serial_number": self.sha256,
            "software_versions": __version__,
        }

    def series_description(self, content: str) -> str:
        """What a viewer shows of a series: `sax end-diastole`."""
        decision = _EXCLUDED if self.is_excluded else self.touch
        end = f" {decision} {content}" if decision else f" {content}"
        return safe_name(ascii_text(self.name))[: min(36, _LONG_STRING - len(end))] + end


def write_object(
    path: Path,
    kind: str,
    headers: Sequence[SliceHeader | None],
    build: Callable[[Sequence[Original]], Any],
) -> None:
    """Write a DICOM object into the study of its source.

    Args:
        path: where to write.
        kind: what the object is called in messages.
        headers: the source images; None for a slice that was not acquired.
        build: makes the object of the source images; patient and study are set afterwards.

    Raises:
        ResourceError: the file system refuses the write.
        UnusableError: no object can refer to the source, which lacks what the object needs.
    """
    with warnings.catch_warnings():  # real sources have invalid UIDs and dates, and warnings contain them
        warnings.simplefilter("ignore")
        originals = read_originals([header for header in headers if header])
        try:
            dataset = build(originals)
            dataset.update(originals[0].identity)
            buffer = BytesIO()
            dataset.save_as(buffer, enforce_file_format=True)
        except Exception as error:  # noqa: BLE001 - any type; its text is dropped because it may contain tag values
            raise UnusableError(f"no {kind} can be made for these images ({type(error).__name__})") from None
    write_bytes(path, buffer.getvalue())


def content_digest(originals: Sequence[Original], author: Author, content: object, pixels: bytes = b"") -> str:
    """A hash of what an object says, of its source images and of who says it.

    Args:
        originals: the source images.
        author: who drew the mask.
        content: values whose `repr` is the same for the same values.
        pixels: the bytes of its pixels.
    """
    sources = [(original.view.SOPInstanceUID, original.frame) for original in originals]
    return sha256(repr((sources, content, author.identity, __version__)).encode() + pixels).hexdigest()


def derived_uid(digest: str, part: str) -> str:
    """A UID derived from a UUID (PS3.5 B.2), the same for the same digest and part."""
    return f"2.25.{uuid5(NAMESPACE_OID, f'{digest} {part}').int}"
