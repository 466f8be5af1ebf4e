"""NIfTI round trips keep voxels, grid and time; what cannot be kept is refused in one line."""

import errno
import os
import resource
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from oblique import grids

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.image.alignment import aligned
from cardioseg.image.nifti import is_4d, is_nifti, read_cine, read_volume, write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.image.volume_files import stem

few = settings(max_examples=20, deadline=None, database=None)
kinds = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
suffixes = st.sampled_from([".nii", ".nii.gz"])
GRID = Grid((4, 20, 30), (8.0, 1.5, 1.25), (10.0, -20.0, 30.0))


def noise(shape: tuple[int, ...], kind: str, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 100, shape).astype(kind)


def volume(seed: int = 0) -> Volume:
    return Volume(noise(GRID.shape, "i2", seed), GRID)


@few
@given(grids(), kinds, suffixes, st.integers(0, 99))
def test_a_volume_comes_back(grid: Grid, kind: str, suffix: str, seed: int) -> None:
    voxels = noise(grid.shape, kind, seed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write_volume(path, Volume(voxels, grid))
        read = read_volume(path)
        assert not is_4d(path)
        assert list(path.parent.iterdir()) == [path]
    assert read.voxels.dtype == kind
    assert read.voxels.flags.writeable
    laid_out = aligned(Cine(read.voxels[None], read.grid), grid, 1e-3)  # slices are put first
    assert laid_out
    np.testing.assert_array_equal(laid_out.voxels[0], voxels)
    np.testing.assert_allclose(sorted(read.grid.spacing_mm), sorted(grid.spacing_mm), rtol=1e-6)


@few
@given(grids(), kinds, suffixes, st.integers(2, 5), st.floats(250, 1990))
def test_a_cine_comes_back_with_its_times(grid: Grid, kind: str, suffix: str, phases: int, beat_ms: float) -> None:
    voxels = noise((phases, *grid.shape), kind, phases)
    times_ms = tuple(beat_ms / phases * phase for phase in range(phases))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write_cine(path, Cine(voxels, grid, times_ms))
        read = read_cine(path)
        assert is_4d(path)
        with pytest.raises(UnusableError, match=f"a{suffix}: {phases} phases where one volume was expected"):
            read_volume(path)
    laid_out = aligned(read, grid, 1e-3)
    assert laid_out
    np.testing.assert_array_equal(laid_out.voxels, voxels)
    assert read.times_ms == pytest.approx(times_ms, rel=1e-6)


@pytest.mark.parametrize("times_ms", [(), (0.0, 0.0, 0.0), (0.0, 1000.0, 2000.0), (5.0, 4.0, 3.0), (0.0, 1.0, np.nan)])
def test_times_that_say_nothing_come_back_as_none(tmp_path: Path, times_ms: tuple[float, ...]) -> None:
    write_cine(tmp_path / "a.nii", Cine(noise((3, *GRID.shape), "u1", 0), GRID, times_ms))
    assert read_cine(tmp_path / "a.nii").times_ms == ()


def test_one_phase_is_a_volume(tmp_path: Path) -> None:
    write_cine(tmp_path / "a.nii", Cine(volume().voxels[None], GRID, (12.5,)))
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii").voxels, volume().voxels)
    assert not is_4d(tmp_path / "a.nii")
    assert read_cine(tmp_path / "a.nii").times_ms == ()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_itk_and_we_agree(tmp_path: Path, suffix: str) -> None:
    write_volume(tmp_path / f"ours{suffix}", volume())
    image = sitk.ReadImage(tmp_path / f"ours{suffix}")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume().voxels)
    index = (7, 5, 3)  # column, row, slice
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(index), GRID.position_mm(index[::-1]), atol=1e-4)
    sitk.WriteImage(image, tmp_path / f"theirs{suffix}")
    read = read_volume(tmp_path / f"theirs{suffix}")
    np.testing.assert_array_equal(read.voxels, volume().voxels)
    assert read.grid.matches(GRID)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_volume(tmp_path / f"{name}{suffix}", volume())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_only_real_single_valued_images_of_three_or_four_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    for shape in ((5, 6), (2, 3, 4, 5, 6)):
        sitk.WriteImage(sitk.GetImageFromArray(np.ones(shape, np.float32), isVector=False), path)
        with pytest.raises(UnusableError, match=r"a\.nii: \d dimensions, expected 3 or 4"):
            read_cine(path)
    vectors = ((sitk.sitkVectorUInt8, 3), (sitk.sitkVectorFloat32, 2), (sitk.sitkVectorFloat32, 4))
    for image in (
        sitk.Image((4, 5, 6), sitk.sitkComplexFloat32),
        *(sitk.Image((4, 5, 6), kind, components) for kind, components in vectors),
    ):
        sitk.WriteImage(image, path)
        with pytest.raises(UnusableError, match=r"a\.nii: its voxels are not one real number each"):
            read_cine(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_full_disk_is_noticed(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"a{suffix}"
    write_volume(path, volume(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(
            ResourceError, match=r"cannot write .*: the written file is incomplete \(is the disk full\?\)$"
        ):
            write_volume(path, volume(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(read_volume(path).voxels, volume(1).voxels)
    assert list(tmp_path.iterdir()) == [path]


def test_a_forbidden_place_is_named_with_its_reason(tmp_path: Path, monkeypatch: Any) -> None:
    def forbidden(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", forbidden)
    with pytest.raises(ResourceError, match=r"cannot write .*a\.nii: permission denied$"):
        write_volume(tmp_path / "a.nii", volume())
    assert list(tmp_path.iterdir()) == []


def test_names() -> None:
    for name in ("a.nii", "a.nii.gz", "a.NII", "a.Nii.GZ"):
        assert is_nifti(Path("x.y") / name)
        assert stem(Path("x.y") / name) == "a"
    for name in ("a.nii.bz2", "nii", "a.gz", "a.nii.gz.part", "anii"):
        assert not is_nifti(Path(name))
    assert stem(Path("case.1_gt.nii.gz")) == "case.1_gt"
    assert stem(Path("a.b.png")) == "a.b"
