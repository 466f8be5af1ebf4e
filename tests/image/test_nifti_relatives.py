"""NIfTI's other forms: NIfTI-2, pairs, and time on the fifth axis, as nibabel and ITK write them."""

from pathlib import Path
from random import Random

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from itk_written import assert_same, damaged, image, voxels_of
from numpy.testing import assert_array_equal

from cardioseg.cases.case_search import find_cases
from cardioseg.errors import UnusableError
from cardioseg.image.nifti import files, read_cine, read_grid, write_cine
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.volume import Cine
from cardioseg.image.volume_files import format_of, is_part, is_volume_file

MUTANTS = 2000
NAMES = {
    nib.Nifti2Image: ("scan.nii", "scan.nii.gz"),
    nib.Nifti1Pair: ("scan.hdr", "scan.hdr.gz"),
    nib.Nifti2Pair: ("scan.hdr", "scan.hdr.gz"),
}
kinds = pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names])


def written(path: Path, kind: type[nib.Nifti1Pair]) -> nib.Nifti1Pair:
    """An oblique cine, by nibabel."""
    matrix, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = matrix * (1.25, 1.5, 8.0), (30.5, -12.25, 7.0)
    made = kind(np.asarray(voxels_of((24, 20, 4, 6))), affine)
    made.header.set_zooms((1.25, 1.5, 8.0, 0.05))
    made.header.set_xyzt_units("mm", "sec")
    nib.save(made, path)
    return made


@kinds
def test_what_nibabel_writes_is_read_the_same(kind: type[nib.Nifti1Pair], name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    expected = written(path, kind)
    cine = format_of(path).read_cine(path)
    assert_array_equal(cine.voxels, np.asarray(expected.dataobj).T)
    assert cine.times_ms == pytest.approx([0, 50, 100, 150, 200, 250], rel=1e-6)
    assert read_grid(path) == (cine.grid, 6)
    for index in np.ndindex(2, 2, 2):
        voxel = np.multiply(index, (3, 19, 23))
        ras = expected.affine @ [*voxel[::-1], 1]
        assert cine.grid.position_mm(voxel) == pytest.approx([-ras[0], -ras[1], ras[2]], abs=1e-4)


@kinds
def test_a_mask_lies_on_its_scan(kind: type[nib.Nifti1Pair], name: str, tmp_path: Path) -> None:
    expected = written(tmp_path / name, kind)
    cine = read_cine(tmp_path / name)
    write_cine(tmp_path / "mask.nii.gz", Cine((cine.voxels > 50).astype(np.uint8), cine.grid, cine.times_ms))
    mask = nib.load(tmp_path / "mask.nii.gz")
    assert mask.affine == pytest.approx(expected.affine, abs=1e-5)
    assert_array_equal(np.asarray(mask.dataobj), np.asarray(expected.dataobj) > 50)


@pytest.mark.parametrize("name", ["scan.hdr", "scan.img"])
def test_a_pair_of_itk_is_read_the_same(name: str, tmp_path: Path) -> None:
    made = image(voxels_of((5, 4, 20, 24)), seed=4)
    sitk.WriteImage(made, tmp_path / name)
    (case,) = find_cases([tmp_path]).cases
    assert {path.name for path in case.files} == {path.name for path in tmp_path.iterdir()}
    assert_array_equal(case.read().voxels, sitk.GetArrayFromImage(made))
    assert not find_cases([tmp_path]).unused


def test_a_change_of_the_voxels_of_a_pair_is_seen(tmp_path: Path) -> None:
    written(tmp_path / "scan.hdr", nib.Nifti1Pair)
    sitk.WriteImage(image(voxels_of((4, 20, 24)), seed=4), tmp_path / "other.mhd")
    before = [case.fingerprint() for case in find_cases([tmp_path]).cases]
    for name in ("scan.img", "other.raw"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes())
    after = [case.fingerprint() for case in find_cases([tmp_path]).cases]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False]


@pytest.mark.parametrize("name", ["cine.nii.gz", "cine.mha", "cine.mhd", "cine.nrrd"])
def test_a_phase_a_component_is_a_cine(name: str, tmp_path: Path) -> None:
    voxels = voxels_of((7, 4, 20, 24))
    geometry = image(voxels[0])
    vector = sitk.GetImageFromArray(np.moveaxis(voxels, 0, -1), isVector=True)
    vector.CopyInformation(geometry)
    sitk.WriteImage(vector, tmp_path / name)
    cine = format_of(tmp_path / name).read_cine(tmp_path / name)
    assert_array_equal(cine.voxels, voxels)
    sitk.WriteImage(geometry, tmp_path / "still.mha")
    assert cine.grid.matches(format_of(tmp_path / "still.mha").read_grid(tmp_path / "still.mha")[0], 1e-4)


def test_time_on_the_fifth_axis(tmp_path: Path) -> None:
    voxels = np.asarray(voxels_of((24, 20, 4, 1, 6)))
    made = nib.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1]))
    made.header.set_zooms((1.5, 1.5, 8.0, 1.0, 40))
    made.header.set_xyzt_units("mm", "msec")
    nib.save(made, tmp_path / "cine.nii")
    cine = read_cine(tmp_path / "cine.nii")
    assert_array_equal(cine.voxels, voxels[:, :, :, 0].T)
    assert cine.times_ms == pytest.approx([0, 40, 80, 120, 160, 200])


def test_half_a_pair_is_named(tmp_path: Path) -> None:
    written(tmp_path / "scan.hdr", nib.Nifti1Pair)
    voxels = (tmp_path / "scan.img").read_bytes()
    assert is_part(tmp_path / "scan.img")
    (tmp_path / "scan.img.gz").write_bytes(b"")
    with pytest.raises(UnusableError, match=r"pair, but both \.img and \.img\.gz are beside it \(keep both files"):
        read_cine(tmp_path / "scan.hdr")
    for name in ("scan.img", "scan.img.gz"):
        (tmp_path / name).unlink()
    assert files(tmp_path / "scan.hdr") == (tmp_path / "scan.hdr",)
    with pytest.raises(UnusableError, match=r"pair, but there is no \.img file of the same name beside it"):
        read_cine(tmp_path / "scan.hdr")
    (tmp_path / "scan.img").write_bytes(voxels[:-1])
    with pytest.raises(UnusableError, match="damaged or truncated"):
        read_cine(tmp_path / "scan.hdr")
    assert is_volume_file(tmp_path / "scan.hdr")


def test_a_side_that_no_mask_can_have_is_named(tmp_path: Path) -> None:
    nib.save(nib.Nifti2Image(np.zeros((32768, 2, 2), np.uint8), np.eye(4)), tmp_path / "long.nii")
    with pytest.raises(UnusableError, match="a side of 32768 voxels, more than a mask can have"):
        read_cine(tmp_path / "long.nii")


@kinds
def test_damage_is_refused_or_read_and_nothing_else_happens(
    kind: type[nib.Nifti1Pair], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    written(path, kind)
    content, random = path.read_bytes(), Random(0)  # noqa: S311 - damage is no secret
    for _ in range(MUTANTS if name.endswith((".nii", ".hdr")) else MUTANTS // 10):
        path.write_bytes(damaged(content, random, 540))
        try:
            cine = read_cine(path)
        except UnusableError:
            continue
        assert cine.voxels.size <= 64 * 24 * 20 * 4 * 6
        assert np.isfinite(cine.grid.position_mm(np.array(cine.grid.shape))).all()


def test_itk_puts_the_voxels_of_a_vector_image_at_the_same_place(tmp_path: Path) -> None:
    sitk.WriteImage(image(voxels_of((4, 20, 24))), tmp_path / "scan.hdr")
    assert_same(tmp_path / "scan.hdr", sitk.ReadImage(tmp_path / "scan.hdr"))


def test_a_number_that_is_none_is_read_without_a_warning() -> None:
    """The signalling kind of not-a-number, which damaged files have: numpy warns when it becomes single precision."""
    numbers = [("pixdim", "<f8", 8), ("qform", "<f8", 6), ("sform", "<f8", 12)]
    fields = np.zeros((), np.dtype([*numbers, ("qform_code", "<i4"), ("sform_code", "<i4"), ("units", "<i4")]))
    fields["sform"][3] = np.uint64(0x7FF0000000000001).view(np.float64)
    assert np.isnan(Forms.of(fields[()]).sform[3])
