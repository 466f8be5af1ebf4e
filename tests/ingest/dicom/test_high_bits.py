"""Cells whose unused high bits hold something: an old overlay, or no copy of the sign (PS3.5 8.1.1)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from cardioseg.ingest.dicom.reader import read_headers, read_pixels
from cardioseg.ingest.finding.survey import survey
from cardioseg.ingest.labels.layouts.sunnybrook import find
from cardioseg.ingest.labels.subject import Subject
from cardioseg.phantom import Encoding, Phantom, write_dicom, write_instance, write_sunnybrook

SMALL = Phantom(slices=6, phases=8, rows=64, columns=64, spacing_mm=(15.0, 5.0, 5.0))
DEPTHS = range(8, 17)


def cells(bits: int) -> np.ndarray:
    """Any 16 bits, and all that the used ones can hold at the ends."""
    pixels = np.random.default_rng(bits).integers(0, 2**16, (12, 10)).astype(np.uint16)
    pixels[0, :4] = 0, 2**16 - 1, 2 ** (bits - 1), (2 ** (bits - 1) - 1) | (0xFFFF << bits & 0xFFFF)
    return pixels


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", DEPTHS)
def test_every_bit_is_what_pydicom_makes_of_the_uncompressed_file(
    tmp_path: Path, slice_dataset: Callable[..., Dataset], encoding: Encoding, signed: bool, bits: int
) -> None:
    for name, own in (("a", encoding), ("b", Encoding.EXPLICIT)):
        write_instance(tmp_path / name, slice_dataset(cells(bits), PixelRepresentation=int(signed)), own)
        dataset = pydicom.dcmread(tmp_path / name)
        dataset.BitsStored, dataset.HighBit = bits, bits - 1
        dataset.save_as(tmp_path / name)
    read, expected = read_pixels(read_headers(tmp_path / "a")[0]), pydicom.dcmread(tmp_path / "b").pixel_array
    assert read.dtype == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", DEPTHS)
def test_inverted_cells_stay_within_their_bits(
    tmp_path: Path, slice_dataset: Callable[..., Dataset], signed: bool, bits: int
) -> None:
    tags = {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(signed)}
    for name, kind in (("a", "MONOCHROME1"), ("b", "MONOCHROME2")):
        write_instance(tmp_path / name, slice_dataset(cells(bits), PhotometricInterpretation=kind, **tags))
    inverted, plain = (read_pixels(read_headers(tmp_path / name)[0]).astype(int) for name in "ab")
    np.testing.assert_array_equal(inverted + plain, -1 if signed else 2**bits - 1)


def overlaid(path: Path) -> None:
    """Burn graphics into bit 12 of a file of 12 bits."""
    dataset = pydicom.dcmread(path)
    pixels = np.frombuffer(dataset.PixelData, "<i2").clip(0, 4095).astype("<u2")
    pixels[::7] |= 0x1000
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)


def test_an_overlay_does_not_reach_the_cine(tmp_path: Path) -> None:
    folder = write_dicom(SMALL, tmp_path)
    (clean,) = survey(folder).cines
    assert clean.stack
    before = clean.stack.read().voxels
    for path in folder.iterdir():
        overlaid(path)
    (spoilt,) = survey(folder).cines
    assert spoilt.stack
    np.testing.assert_array_equal(spoilt.stack.read().voxels, before)


def test_an_overlay_does_not_reach_a_training_image(tmp_path: Path) -> None:
    write_sunnybrook([SMALL], tmp_path)
    clean = next(find(tmp_path)).read()
    for path in tmp_path.rglob("*.dcm"):
        overlaid(path)
    spoilt = next(find(tmp_path)).read()
    assert isinstance(clean, Subject)
    assert isinstance(spoilt, Subject)
    for before, after in zip(clean.volumes, spoilt.volumes, strict=True):
        np.testing.assert_array_equal(before.image, after.image)
