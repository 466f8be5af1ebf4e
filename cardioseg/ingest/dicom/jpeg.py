"""JPEG: decode JPEG lossless, JPEG-LS and JPEG 2000 for pydicom, with imagecodecs.

GDCM, pydicom's default for these, aborts the whole process on damaged frames; the libraries in imagecodecs
(libjpeg-turbo, CharLS, OpenJPEG) raise. The size stated in a frame is compared with the file's rows and columns before
anything is decoded, because a few bytes can claim gigabytes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEG2000TransferSyntaxes,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEGLSTransferSyntaxes,
)

from cardioseg.errors import UnusableError

PLUGIN = "imagecodecs"
JPEG = (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000)
DECODER_DEPENDENCIES = dict.fromkeys(JPEG, ("imagecodecs",))  # pydicom asks for it by this name
_LOSSLESS = (JPEGLSLossless, JPEG2000Lossless)  # of lossless JPEG, pydicom clears the unused bits itself
_START, _END = b"\xff\xd8", b"\xff\xd9"
_FRAME_MARKERS = (b"\xff\xc3", b"\xff\xf7")  # SOF3 and SOF55: lossless JPEG and JPEG-LS
_CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ, with which JPEG 2000 begins
_TILE_PIXELS = 4096  # smaller tiles cost more to administer than to decode


def is_available(syntax: str) -> bool:
    """Whether a transfer syntax is decoded here; called by pydicom."""
    return syntax in JPEG


def decode_frame(encoded: bytes, runner: DecodeRunner) -> bytes:
    """Decode one frame; called by pydicom, whose runner knows the file's header.

    Raises:
        UnusableError: the frame does not match the file's header, or is incomplete.
    """
    promised = (runner.rows, runner.columns, runner.samples_per_pixel)
    if frame_size(encoded, runner.transfer_syntax) != promised:
        raise UnusableError("a compressed frame does not have the rows and columns of its file")
    pixels = np.ascontiguousarray(_decode(encoded, runner.transfer_syntax))
    if runner.transfer_syntax in _LOSSLESS:
        pixels = _with_clean_high_bits(pixels, runner)
    runner.set_option("bits_allocated", 8 * pixels.itemsize)
    return pixels.tobytes()


def _with_clean_high_bits(pixels: NDArray[Any], runner: DecodeRunner) -> NDArray[Any]:
    """Clear the unused high bits, or fill them with the sign: see `PlainPixels.read`.

    A frame may code more bits than are used, and pydicom goes by the frame.
    """
    pixels = pixels.view(f"{'i' if runner.pixel_representation else 'u'}{pixels.itemsize}")
    if (unused_bits := 8 * pixels.itemsize - runner.bits_stored) > 0:
        pixels = pixels << unused_bits >> unused_bits
    return pixels


def frame_size(encoded: bytes, syntax: UID) -> tuple[int, int, int]:
    """(rows, columns, samples) that a frame would decode to.

    Raises:
        UnusableError: the frame does not state its size, is truncated, or is laid out to exhaust a decoder.
    """
    if syntax in JPEG2000TransferSyntaxes:
        return _jpeg_2000_size(encoded)
    if (
        not encoded.startswith(_START) or encoded.rstrip(b"\0")[-2:] != _END
    ):  # CharLS takes minutes for a truncated frame
        raise UnusableError("a compressed frame is damaged")
    return _jpeg_size(encoded)


def _jpeg_size(encoded: bytes) -> tuple[int, int, int]:
    """Walk the segments (marker, length, content) to the frame header: precision, rows, columns, components."""
    offset = len(_START)
    while (marker := encoded[offset : offset + 2]) not in _FRAME_MARKERS:
        length = _number(encoded, offset + 2, 2)
        if marker[:1] != b"\xff" or length < 2:
            raise UnusableError("a compressed frame is damaged")
        offset += 2 + length
    return _number(encoded, offset + 5, 2), _number(encoded, offset + 7, 2), _number(encoded, offset + 9, 1)


def _jpeg_2000_size(encoded: bytes) -> tuple[int, int, int]:
    """Read SIZ (ISO/IEC 15444-1 A.5.1): the image's far and near corner on the grid, its tiles, its components.

    A JP2 file around the codestream, which DICOM does not allow, has no SIZ at this place and is refused.
    """
    right, bottom, left, top, tile_columns, tile_rows = (_number(encoded, 8 + 4 * index, 4) for index in range(6))
    tiles = min(tile_columns, right - left) * min(tile_rows, bottom - top)
    whole = (tile_columns, tile_rows) == (right, bottom)
    if not encoded.startswith(_CODESTREAM) or encoded[43:45] != b"\x01\x01" or not (whole or tiles >= _TILE_PIXELS):
        raise UnusableError("a compressed frame is damaged")
    return bottom - top, right - left, _number(encoded, 40, 2)


def _number(encoded: bytes, offset: int, length: int) -> int:
    digits = encoded[offset : offset + length]
    if len(digits) < length:
        raise UnusableError("a compressed frame is damaged")
    return int.from_bytes(digits, "big")


def _decode(encoded: bytes, syntax: UID) -> NDArray[Any]:
    from imagecodecs import jpeg2k_decode, jpeg8_decode, jpegls_decode  # noqa: PLC0415 - only if needed

    if syntax in JPEG2000TransferSyntaxes:
        return np.asarray(jpeg2k_decode(encoded))
    return np.asarray(jpegls_decode(encoded) if syntax in JPEGLSTransferSyntaxes else jpeg8_decode(encoded))


for _syntax in JPEG:
    get_decoder(_syntax).add_plugin(PLUGIN, (__name__, decode_frame.__name__))
