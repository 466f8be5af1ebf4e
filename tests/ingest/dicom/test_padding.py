"""Padding: declared pixels outside the picture get the smallest intensity of the picture, however it is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from cardioseg.ingest.dicom.padding import padding_range, without_padding
from cardioseg.ingest.dicom.reader import read_all_pixels, read_headers, read_pixels
from cardioseg.phantom import Encoding, Phantom, cine, enhanced_instance, write_instance

SliceDataset = Callable[..., Dataset]
LOW, HIGH = -32768, 65535
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"  # Label Map Segmentation Storage
SMALL = Phantom(slices=3, phases=2, rows=16, columns=16, spacing_mm=(25.0, 9.0, 9.0))


def padded(padding: int, kind: type[np.generic]) -> np.ndarray:
    """Values from 7 to 18, framed by padding."""
    return np.pad(np.arange(7, 19, dtype=kind).reshape(3, 4), 1, constant_values=padding)


FRAMED = np.pad(np.arange(7, 19).reshape(3, 4), 1, constant_values=7)


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize(("padding", "kind"), [(LOW, np.int16), (HIGH, np.uint16)])
def test_padding_becomes_the_smallest_intensity(
    tmp_path: Path, slice_dataset: SliceDataset, encoding: Encoding, padding: int, kind: type[np.generic]
) -> None:
    is_signed = int(kind is np.int16)
    dataset = slice_dataset(padded(padding, kind), PixelRepresentation=is_signed, PixelPaddingValue=padding)
    write_instance(tmp_path / "a", dataset, encoding)
    (header,) = read_headers(tmp_path / "a")
    assert header.padding == (padding, padding)
    assert (header.plain is not None) == (encoding in {Encoding.EXPLICIT, Encoding.IMPLICIT})
    np.testing.assert_array_equal(read_pixels(header), FRAMED)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"RescaleSlope": "2", "RescaleIntercept": "-10"}, 2.0 * FRAMED - 10),
        ({"RescaleSlope": "-1", "RescaleIntercept": "0"}, np.where(np.pad(np.ones((3, 4)), 1) > 0, -FRAMED, -18)),
        ({"PhotometricInterpretation": "MONOCHROME1"}, np.where(np.pad(np.ones((3, 4)), 1) > 0, ~FRAMED, ~18)),
        ({"PixelPaddingRangeLimit": 8}, np.where(FRAMED < 9, 9, FRAMED)),
    ],
)
def test_the_smallest_is_that_of_the_intensities(
    tmp_path: Path, slice_dataset: SliceDataset, tags: dict[str, Any], expected: np.ndarray
) -> None:
    dataset = slice_dataset(padded(LOW, np.int16), PixelPaddingValue=LOW, **tags)
    write_instance(tmp_path / "a", dataset)
    np.testing.assert_array_equal(read_pixels(read_headers(tmp_path / "a")[0]), expected)


def test_padding_of_an_enhanced_object(tmp_path: Path) -> None:
    voxels = cine(SMALL).voxels.astype(np.int16) + 100
    voxels[..., :3] = LOW
    dataset = enhanced_instance(SMALL, voxels)
    dataset.PixelPaddingValue, dataset.PixelRepresentation = LOW, 1
    write_instance(tmp_path / "a", dataset)
    for header, pixels in read_all_pixels(read_headers(tmp_path / "a")).items():
        assert pixels.min() >= 100, header.frame
        assert (pixels[:, :3] == pixels[:, 3:].min()).all()


def test_an_image_without_padding_or_of_padding_only(tmp_path: Path, slice_dataset: SliceDataset) -> None:
    write_instance(tmp_path / "a", slice_dataset(padded(LOW, np.int16)))
    assert read_pixels(read_headers(tmp_path / "a")[0]).min() == LOW  # nothing says that it is padding
    write_instance(tmp_path / "b", slice_dataset(np.full((3, 4), LOW, np.int16), PixelPaddingValue=LOW))
    assert not read_pixels(read_headers(tmp_path / "b")[0]).any()
    label_map = slice_dataset(padded(0, np.int16), PixelPaddingValue=0, SOPClassUID=LABEL_MAP, Modality="SEG")
    write_instance(tmp_path / "c", label_map)
    assert read_pixels(read_headers(tmp_path / "c")[0]).min() == 0  # its background
    kept = np.arange(4, dtype=np.uint16)
    assert without_padding(kept, kept, (9, 9)) is kept


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PixelPaddingValue": 65535, "PixelRepresentation": 1, "BitsStored": 16}, (-1, -1)),  # the wrong sign
        ({"PixelPaddingValue": -32768, "PixelRepresentation": 0, "BitsStored": 16}, (32768, 32768)),
        ({"PixelPaddingValue": 65535, "PixelRepresentation": 0, "BitsStored": 12}, (4095, 4095)),
        ({"PixelPaddingValue": b"\x00\x80", "PixelRepresentation": 1, "BitsStored": 16}, (LOW, LOW)),
        ({"PixelPaddingValue": 9, "PixelPaddingRangeLimit": 3, "BitsStored": 16}, (3, 9)),
        ({"PixelPaddingValue": 0}, (0, 0)),
        ({"PixelPaddingValue": [1, 2]}, None),
        ({"PixelPaddingValue": b""}, None),
        ({"PixelPaddingValue": 1, "BitsStored": 10**9}, None),
        ({"PixelPaddingRangeLimit": 3}, None),
    ],
)
def test_padding_is_what_the_stored_numbers_would_be(tags: dict[str, Any], expected: tuple[int, int] | None) -> None:
    assert padding_range(tags.get) == expected
