"""NRRD header: the fields of the format, and the keys that programs add, such as 3D Slicer's `Segment0_Name:=LV`."""

import re
from dataclasses import dataclass
from pathlib import Path

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError, reason_of
from cardioseg.files import require_size_below

_FILE_LIMIT_BYTES, _LIMIT_BYTES = 512 * 1024**2, 1024**2
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_SEGMENT = "Segment0_"
_LISTS = {"list", "vector"}  # kinds of the axis of layers


@dataclass(frozen=True)
class NrrdHeader:
    """What a header says.

    Attributes:
        fields: lines with `: `, by their names in lower case.
        keys: lines with `:=`.
    """

    fields: dict[str, str]
    keys: dict[str, str]

    @property
    def has_segments(self) -> bool:
        """Whether the file is a segmentation of 3D Slicer."""
        return any(key.startswith(_SEGMENT) for key in self.keys)

    @property
    def has_layers(self) -> bool:
        """Whether it is one whose segments lie in several layers."""
        return self.has_segments and not _LISTS.isdisjoint(self.fields.get("kinds", "").split())


def read_header(path: Path) -> NrrdHeader:
    """Read the header alone.

    Raises:
        UnusableError: it cannot be read, or is no NRRD header.
    """
    return _parsed(path, _EMPTY_LINE.split(_content(path, _LIMIT_BYTES), maxsplit=1)[0])


def read_parts(path: Path) -> tuple[NrrdHeader, bytes]:
    """Read the header, and the voxels as they are stored.

    Raises:
        UnusableError: as `read_header`.
    """
    head, *packed = _EMPTY_LINE.split(_content(path), maxsplit=1)
    return _parsed(path, head), b"".join(packed)


def _content(path: Path, limit: int = -1) -> bytes:
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        with open_file(path) as file:
            return file.read(limit)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None


def _parsed(path: Path, head: bytes) -> NrrdHeader:
    if not head.startswith(b"NRRD") or len(head) > _LIMIT_BYTES:
        raise UnusableError(f"{path}: not a readable NRRD file")
    lines = [line for line in head.decode(errors="replace").splitlines() if not line.startswith("#")]
    keys = dict(line.split(":=", 1) for line in lines if ":=" in line)
    fields = (line.partition(": ") for line in lines if ":=" not in line)
    return NrrdHeader({name.strip().lower(): value.strip() for name, colon, value in fields if colon}, keys)
