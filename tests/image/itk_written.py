"""Images that SimpleITK writes, for the tests of the formats that cardioseg parses itself."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from cardioseg.image.volume_files import format_of

KINDS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


def image(voxels: NDArray[np.generic], seed: int = 1) -> sitk.Image:
    """An oblique image with different spacings; (phase,) slice, row, column."""
    made = sitk.GetImageFromArray(voxels, isVector=False)
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    directions = np.eye(voxels.ndim)
    directions[:3, :3] = matrix
    made.SetDirection(directions.ravel().tolist())
    made.SetSpacing((1.25, 1.5, 8.0, 0.04)[: voxels.ndim])
    made.SetOrigin((-30.5, 12.25, 7.0, 0.0)[: voxels.ndim])
    return made


def voxels_of(shape: tuple[int, ...], kind: str = "int16") -> NDArray[np.generic]:
    """Numbers from 0 to 99."""
    return np.random.default_rng(0).integers(0, 100, shape).astype(kind)


def assert_same(path: Path, expected: sitk.Image) -> None:
    """The voxels, and where ITK puts the corners."""
    volume_format = format_of(path)
    cine = volume_format.read_cine(path)
    stored = sitk.GetArrayFromImage(expected)
    assert np.array_equal(cine.voxels, stored if stored.ndim == 4 else stored[None])
    assert cine.voxels.dtype == stored.dtype
    assert (cine.grid, cine.phases) == volume_format.read_grid(path)
    assert volume_format.is_4d(path) == (stored.ndim == 4)
    for index in np.ndindex(2, 2, 2):
        corner = np.multiply(index, np.subtract(cine.grid.shape, 1))
        at = [*corner[::-1].tolist(), *([0] if stored.ndim == 4 else [])]
        assert cine.grid.position_mm(corner) == pytest.approx(expected.TransformIndexToPhysicalPoint(at)[:3], abs=1e-6)


def damaged(content: bytes, random: Random, head: int) -> bytes:
    """A copy with bytes changed, taken out, put in or cut off, mostly in the first `head` bytes."""
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(min(len(made), head) if random.random() < 0.8 else len(made)) if made else 0
        match random.randrange(4):
            case 0:
                made[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                del made[at : at + random.randrange(1, 20)]
            case 2:
                made[at:at] = random.choice((b"9", b"-", b"0", b" ", b"nan", b"1e99", b"\n")) * random.randrange(1, 9)
            case _:
                del made[at + 1 :]
    return bytes(made)
