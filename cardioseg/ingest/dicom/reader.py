"""Reader: the headers of a DICOM file's images and, on request, their pixels. The only reader that uses pydicom.

A parser boundary: pydicom documents one exception and raises seven, and its messages and warnings quote tag values.
This module raises only `UnusableError`, which names at most the type of the original exception.
"""

import logging
import warnings
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.pixels.utils import iter_pixels
from pydicom.tag import Tag
from pydicom.uid import UID

from cardioseg.archive.member_paths import MemberFile, is_file, open_file, stamp_of
from cardioseg.errors import UnusableError, reason_of
from cardioseg.ingest.dicom.bounded_file import PIXELS_BYTES, VALUE_BYTES, bounded
from cardioseg.ingest.dicom.frames import FRAME_TAGS, slice_headers
from cardioseg.ingest.dicom.padding import without_padding
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.tags import HEADER_TAGS
from cardioseg.ingest.dicom.transfer_syntax import (
    decoding_plugin,
    effective_syntax,
    plain_pixels,
    read_meta,
    require_pixels,
    size_bytes,
)  # fmt: skip

__all__ = [
    "SliceHeader",
    "boundary",
    "read_all_pixels",
    "read_described",
    "read_headers",
    "read_pixels",
    "require_unchanged",
]

logging.getLogger("pydicom").propagate = False  # its log records quote tag values
_WANTED: list[Any] = [
    Tag(keyword) for keyword in (*HEADER_TAGS, *FRAME_TAGS)
]  # as numbers, so that pydicom does not look them up each time
_Image = tuple[SliceHeader, NDArray[Any]]
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))


def read_headers(path: Path) -> tuple[SliceHeader, ...]:
    """Read the header of every image in a file, without pixels.

    Raises:
        UnusableError: not DICOM, no image plane in space, or an encoding that cannot be read.
    """
    return read_described(path)[1]


def read_described(
    path: Path, tags: Sequence[Any] = (), value_bytes: int = 0
) -> tuple[Dataset, tuple[SliceHeader, ...]]:
    """As `read_headers`, with the data set, of which further tags are read.

    Args:
        path: the file.
        tags: the further ones.
        value_bytes: how long a single value may be, if it may be longer than usual.

    Raises:
        UnusableError: as `read_headers`.
    """
    with boundary(path):
        if not is_file(path):
            raise UnusableError("not a file")
        with open_file(path) as file:
            stamp = stamp_of(file)
            dataset, syntax = _header(file, [*_WANTED, *tags], value_bytes)
            plain = plain_pixels(file, dataset, syntax)
            headers = slice_headers(path, syntax, dataset, stamp=stamp, plain=plain)
            require_pixels(dataset, syntax, size_bytes(file) - file.tell())
        return dataset, headers


def read_pixels(header: SliceHeader) -> NDArray[Any]:
    """Read an image's intensities (row, column); larger is brighter.

    Rescale slope and intercept are applied if present (float32); otherwise the stored integers are returned. Inverted
    greyscale (MONOCHROME1) is inverted back. Declared padding gets the smallest intensity of the rest of the image.

    Raises:
        UnusableError: truncated or damaged, or the file has changed since its header was read.
    """
    return read_all_pixels([header])[header]


def read_all_pixels(headers: Iterable[SliceHeader]) -> dict[SliceHeader, NDArray[Any]]:
    """Read many images as `read_pixels` does; each file is opened once, and only the given frames are decoded."""
    by_path: dict[Path, list[SliceHeader]] = defaultdict(list)
    for header in dict.fromkeys(headers):
        by_path[header.path].append(header)
    return {header: pixels for path, images in by_path.items() for header, pixels in _read_file(path, images)}


def require_unchanged(file: BinaryIO, header: SliceHeader) -> None:
    """Make sure that an open file is still the one that a header was read from.

    Raises:
        UnusableError: it was written or replaced since.
    """
    if header.stamp not in (None, stamp_of(file)):
        raise UnusableError("the file has changed since it was found", "run again")


def _header(file: BinaryIO, tags: list[Any], value_bytes: int) -> tuple[Dataset, UID]:
    """The wanted tags of an open file, and its transfer syntax; afterwards the file is positioned at its pixels."""
    meta = read_meta(file)
    limited = bounded(file, max(value_bytes, VALUE_BYTES))
    if meta is None:  # pydicom guesses the encoding
        dataset: Dataset = pydicom.dcmread(limited, stop_before_pixels=True, specific_tags=tags, force=True)
        return dataset, effective_syntax(dataset)
    syntax = UID(meta.TransferSyntaxUID)
    encoded = syntax.is_implicit_VR, syntax.is_little_endian
    dataset = read_dataset(limited, *encoded, stop_when=_is_of_pixels, specific_tags=tags)
    dataset.file_meta = FileMetaDataset(meta)
    return dataset, syntax


def _is_of_pixels(tag: int, *_: object) -> bool:
    return tag in _PIXELS


def _read_file(path: Path, headers: Sequence[SliceHeader]) -> list[_Image]:
    with boundary(path):
        try:
            return list(_decoded(path, headers))
        except RuntimeError:  # pydicom raises it for every error of a decoder
            raise UnusableError("its compressed pixels are damaged or do not fit its header") from None
        except AttributeError:  # pydicom raises it if a tag that it needs is absent
            raise UnusableError("it does not say how its pixels are stored: bits, sign or colours") from None


def _decoded(path: Path, headers: Sequence[SliceHeader]) -> Iterator[_Image]:
    with open_file(path) as file:
        require_unchanged(file, headers[0])
        yield from _decoded_frames(file, headers)
        require_unchanged(file, headers[0])


def _decoded_frames(file: BufferedReader | MemberFile, headers: Sequence[SliceHeader]) -> Iterator[_Image]:
    syntax, plain, tags = UID(headers[0].encoding), headers[0].plain, Dataset()
    if plain:
        for header in headers:
            pixels = plain.read(file, header.shape, header.frame or 0)
            yield header, _intensities(pixels, plain.bits if plain.is_inverted else None, header)
        return
    stored = iter_pixels(
        bounded(file, PIXELS_BYTES),
        ds_out=tags,
        indices=[header.frame or 0 for header in headers],
        decoding_plugin=decoding_plugin(syntax),
        transfer_syntax_uid=syntax,
    )
    with closing(cast("Generator[NDArray[Any]]", stored)):
        for header, pixels in zip(headers, stored, strict=True):
            if pixels.shape != header.shape:
                raise UnusableError("its pixels do not fit its header")
            inverted = tags.PhotometricInterpretation == "MONOCHROME1"
            yield header, _intensities(pixels, int(tags.BitsStored) if inverted else None, header)


def _intensities(stored: NDArray[Any], inverted_bits: int | None, header: SliceHeader) -> NDArray[Any]:
    stored = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    upright = stored
    if inverted_bits:
        upright = ~stored if stored.dtype.kind == "i" else (2**inverted_bits - 1 - stored).astype(stored.dtype)
    return without_padding(_rescaled(upright, header.rescale), stored, header.padding)


def _rescaled(stored: NDArray[Any], rescale: tuple[float, float]) -> NDArray[Any]:
    if rescale == (1.0, 0.0):
        return stored
    slope, intercept = rescale
    return stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)


@contextmanager
def boundary(path: Path) -> Iterator[None]:
    """Turn every exception into an UnusableError that begins with the path."""
    try:
        with warnings.catch_warnings():  # leading zeros in UIDs, dates such as 20120000: real files have them
            warnings.simplefilter("ignore")
            with disable_value_validation():  # validation only warns, and takes a tenth of the time
                yield
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.message.removeprefix(f'{path}: ')}", error.hint) from None
    except Exception as error:  # noqa: BLE001 - an open set of types; the text is dropped because it quotes tags
        if isinstance(error, OSError) and error.strerror:  # from the system; OSErrors from pydicom have no strerror
            raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None
        raise UnusableError(f"{path}: damaged, not readable as DICOM ({type(error).__name__})") from None
