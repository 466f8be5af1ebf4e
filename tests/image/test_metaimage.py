"""MetaImage: what its headers may say, and what is refused in words."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from itk_written import image, voxels_of

from cardioseg.errors import UnusableError
from cardioseg.image.metaimage import read_cine


def edited(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    sitk.WriteImage(image(voxels_of((4, 20, 24))), tmp_path / "scan.mha")
    return tmp_path / "scan.mha"


def test_the_other_byte_order_and_a_header_before_the_voxels(tmp_path: Path) -> None:
    voxels = voxels_of((4, 20, 24))
    sitk.WriteImage(image(voxels), tmp_path / "scan.mhd")
    (tmp_path / "scan.raw").write_bytes(b"twelve bytes" + voxels.astype(">i2").tobytes())
    edited(tmp_path / "scan.mhd", b"BinaryDataByteOrderMSB = False", b"BinaryDataByteOrderMSB = True")
    for size in (b"12", b"-1"):
        path = tmp_path / f"{size.decode()}.mhd"
        path.write_bytes((tmp_path / "scan.mhd").read_bytes())
        edited(path, b"ElementType", b"HeaderSize = " + size + b"\nElementType")
        assert np.array_equal(read_cine(path).voxels[0], voxels)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"NDims = 3", b"NDims = 2", "not a readable MetaImage file"),
        (b"DimSize = 24 20 4", b"DimSize = 24 20 5", "damaged or truncated"),
        (b"DimSize = 24 20 4", b"DimSize = 24 20 -4", "not a readable MetaImage file"),
        (b"DimSize = 24 20 4", b"DimSize = 24000 20000 4000", "more than"),
        (b"DimSize = 24 20 4", b"DimSize = 2400 2000 40", "damaged or truncated"),
        (b"ElementType", b"DistanceUnits = inch\nElementType", "its positions are in the unit 'inch'"),
        (b"MET_SHORT", b"MET_STRING", "not one real number each"),
        (b"ElementType", b"ElementNumberOfChannels = 3\nElementType", "not one real number each"),
        (b"BinaryData = True", b"BinaryData = False", "written as text"),
        (b"ElementSpacing = 1.25", b"ElementSpacing = 0", "spacing is not three positive numbers"),
        (b"ElementSpacing = 1.25", b"ElementSpacing = nan", "spacing is not three positive numbers"),
        (b"Offset = -30.5", b"Offset = inf", "geometry is not finite"),
        (b"TransformMatrix = ", b"TransformMatrix = 1 ", "not a readable MetaImage file"),
        (b"TransformMatrix = ", b"TransformMatrix = 1 0 0 1 0 0 0 0 1\nX = ", "axes are not perpendicular"),
        (b"LOCAL", b"LIST", "several files or in another folder"),
        (b"LOCAL", b"../x.raw", "several files or in another folder"),
        (b"LOCAL", b"/etc/hostname", "several files or in another folder"),
        (b"LOCAL", b"%03d.raw", "several files or in another folder"),
        (b"LOCAL", b"gone.raw", "the file of its voxels is missing"),
        (b"ElementDataFile", b"ElementDataFil", "not a readable MetaImage file"),
    ],
)
def test_what_cannot_be_read_is_said(old: bytes, new: bytes, complaint: str, scan: Path) -> None:
    with pytest.raises(UnusableError, match=complaint):
        read_cine(edited(scan, old, new))


@pytest.mark.parametrize(("unit", "mm"), [("cm", 10.0), ("um", 0.001), ("mm", 1.0), ("?", 1.0)])
def test_positions_in_another_unit_are_in_mm(unit: str, mm: float, scan: Path) -> None:
    stated = read_cine(scan).grid
    grid = read_cine(edited(scan, b"ElementType", f"DistanceUnits = {unit}\nElementType".encode())).grid
    np.testing.assert_allclose(grid.spacing_mm, mm * np.array(stated.spacing_mm))
    np.testing.assert_allclose(grid.origin_mm, mm * np.array(stated.origin_mm))
    assert grid.directions == stated.directions


def test_a_time_axis_that_leans_into_space(tmp_path: Path) -> None:
    sitk.WriteImage(image(voxels_of((3, 4, 20, 24))), tmp_path / "cine.mha")
    edited(tmp_path / "cine.mha", b"TransformMatrix = ", b"TransformMatrix = 1 0 0 0.1 0 1 0 0 0 0 1 0 0 0 0 1\nX = ")
    with pytest.raises(UnusableError, match="time axis is not perpendicular to space"):
        read_cine(tmp_path / "cine.mha")
