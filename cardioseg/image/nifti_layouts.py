"""NIfTI layouts: where the fields of a header lie in NIfTI-1 and NIfTI-2, each one file or a pair `.hdr`, `.img`."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Layout:
    """The header of one version of the format.

    Attributes:
        fields: type and offset of each field that is read, little-endian.
        single: the magic bytes of a file with header and voxels.
        pair: the magic bytes of a header whose voxels lie in another file.
        first_voxel: smallest offset of the voxels in a single file.
    """

    fields: np.dtype[Any]
    single: bytes
    pair: bytes
    first_voxel: int

    @property
    def size_bytes(self) -> int:
        """Length of the header, which is also its first number."""
        return self.fields.itemsize


def _fields(size_bytes: int, fields: dict[str, tuple[str, int]]) -> np.dtype[Any]:
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype(
        {"names": list(fields), "formats": list(formats), "offsets": list(offsets), "itemsize": size_bytes}
    ).newbyteorder("<")


NIFTI_1 = Layout(
    _fields(
        348,
        {
            "sizeof_hdr": ("i4", 0),
            "dim": ("8i2", 40),
            "intent_code": ("i2", 68),
            "datatype": ("i2", 70),
            "pixdim": ("8f4", 76),
            "vox_offset": ("f4", 108),
            "scl_slope": ("f4", 112),
            "scl_inter": ("f4", 116),
            "units": ("u1", 123),
            "qform_code": ("i2", 252),
            "sform_code": ("i2", 254),
            "qform": ("6f4", 256),
            "sform": ("12f4", 280),
            "magic": ("S4", 344),
        },
    ),
    b"n+1",
    b"ni1",
    352,
)
NIFTI_2 = Layout(
    _fields(
        540,
        {
            "sizeof_hdr": ("i4", 0),
            "magic": ("S8", 4),
            "datatype": ("i2", 12),
            "dim": ("8i8", 16),
            "pixdim": ("8f8", 104),
            "vox_offset": ("i8", 168),
            "scl_slope": ("f8", 176),
            "scl_inter": ("f8", 184),
            "qform_code": ("i4", 344),
            "sform_code": ("i4", 348),
            "qform": ("6f8", 352),
            "sform": ("12f8", 400),
            "units": ("i4", 500),
            "intent_code": ("i4", 504),
        },
    ),
    b"n+2\0\r\n\x1a\n",
    b"ni2\0\r\n\x1a\n",
    544,
)


def read_fields(start: bytes) -> tuple[np.void, Layout] | None:
    """The fields of the header that `start` begins with, in either byte order; None if it is no NIfTI header."""
    for layout in (NIFTI_1, NIFTI_2):
        for fields in (layout.fields, layout.fields.newbyteorder(">")) if len(start) >= layout.size_bytes else ():
            header: np.void = np.frombuffer(start, fields, 1)[0]
            if header["sizeof_hdr"] == layout.size_bytes and header["magic"] in (layout.single, layout.pair):
                return header, layout
    return None
