"""Compression: the transfer syntaxes of the phantom's files. All are lossless."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

Frame = NDArray[Any]


class Encoding(StrEnum):
    """How pixels are stored."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    BIG_ENDIAN = "big-endian"
    RLE = "rle"
    JPEG = "jpeg-lossless"
    JPEG_SV1 = "jpeg-lossless-sv1"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"


_SYNTAXES: Mapping[Encoding, UID] = {
    Encoding.EXPLICIT: ExplicitVRLittleEndian,
    Encoding.IMPLICIT: ImplicitVRLittleEndian,
    Encoding.BIG_ENDIAN: ExplicitVRBigEndian,
    Encoding.RLE: RLELossless,
    Encoding.JPEG: JPEGLossless,
    Encoding.JPEG_SV1: JPEGLosslessSV1,
    Encoding.JPEG_LS: JPEGLSLossless,
    Encoding.JPEG_2000: JPEG2000Lossless,
}


def encode(dataset: Dataset, encoding: Encoding) -> None:
    """Change the encoding of a data set in explicit little endian, in place."""
    dataset.file_meta.TransferSyntaxUID = _SYNTAXES[encoding]
    if encoding in {Encoding.EXPLICIT, Encoding.IMPLICIT}:
        return
    frames = _frames(dataset)
    if encoding is Encoding.BIG_ENDIAN:
        dataset.PixelData = frames.astype(frames.dtype.newbyteorder(">")).tobytes()
    elif encoding is Encoding.RLE:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless, generate_instance_uid=False)
    else:
        dataset.PixelData = encapsulate([_ENCODERS[encoding](frame) for frame in frames])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True


def _frames(dataset: Dataset) -> Frame:
    """The pixels (frame, row, column), 16 bits."""
    kind = "<i2" if dataset.PixelRepresentation else "<u2"
    return np.frombuffer(dataset.PixelData, kind).reshape(-1, dataset.Rows, dataset.Columns)


def _pattern(frame: Frame) -> Frame:
    """The bits as unsigned numbers: JPEG has no signed numbers."""
    return np.ascontiguousarray(frame).view(np.uint16)


def _jpeg(frame: Frame, predictor: int) -> bytes:
    from imagecodecs import jpeg8_encode  # noqa: PLC0415 - only if needed

    return bytes(jpeg8_encode(_pattern(frame), lossless=True, predictor=predictor, bitspersample=16))


def _jpeg_ls(frame: Frame) -> bytes:
    from imagecodecs import jpegls_encode  # noqa: PLC0415

    return bytes(jpegls_encode(_pattern(frame)))


def _jpeg_2000(frame: Frame) -> bytes:
    from imagecodecs import jpeg2k_encode  # noqa: PLC0415

    return bytes(jpeg2k_encode(np.ascontiguousarray(frame), codecformat="j2k", reversible=True, level=0))


_ENCODERS: Mapping[Encoding, Callable[[Frame], bytes]] = {
    Encoding.JPEG: lambda frame: _jpeg(frame, predictor=2),  # any predictor is allowed; 1 has its own syntax
    Encoding.JPEG_SV1: lambda frame: _jpeg(frame, predictor=1),
    Encoding.JPEG_LS: _jpeg_ls,
    Encoding.JPEG_2000: _jpeg_2000,
}
