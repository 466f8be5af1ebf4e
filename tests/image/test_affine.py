"""The place of a NIfTI file's voxels: as ITK and nibabel put them, and a reason where there is none."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from affines import IDENTITY, forms, of_matrix, ras, sform, write
from hypothesis import given, settings
from hypothesis import strategies as st
from oblique import grids
from scipy.spatial.transform import Rotation

from cardioseg.errors import UnusableError
from cardioseg.image.nifti import read_cine, write_cine, write_volume
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.nifti_grid import geometry_flags, grid_of
from cardioseg.image.nifti_header import read_header
from cardioseg.image.volume import Cine, Grid

some = settings(max_examples=150, deadline=None, database=None)
SIZE = (5, 6, 4)
VOXELS = np.random.default_rng(0).integers(0, 500, SIZE[::-1]).astype(np.int16)
OBLIQUE = Grid((4, 6, 5), (8.0, 1.5, 1.25), (10.0, -20.0, 30.0), tuple(map(tuple, Rotation.random(rng=1).as_matrix())))


@st.composite
def geometries(draw: st.DrawFn) -> Forms:
    """Any qform, and an sform that says the same, nearly the same, or something else; any codes and any unit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    qfac, spacing = rng.choice([-1.0, 0.0, 1.0]), rng.uniform(0.5, 10, 3)
    turn = Rotation.random(random_state=int(rng.integers(2**31)))
    b, c, d, a = turn.as_quat()
    qform = np.array([*(np.array([b, c, d]) * (1 if a >= 0 else -1)), *rng.normal(0, 200, 3)])
    axes = turn.as_matrix() * spacing * [1, 1, -1 if qfac < 0 else 1]
    offset = draw(st.sampled_from([0.0, 1e-6, 30.0]))
    other = draw(st.sampled_from([0.0, 0.3])) * rng.normal(size=3)
    moved = np.column_stack([Rotation.from_rotvec(other).as_matrix() @ axes, qform[3:] + offset])
    codes = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    numbers = (tuple(np.asarray(some, np.float32).tolist()) for some in ([qfac, *spacing], qform))
    pixdim, stored = numbers
    return Forms(pixdim, 10, *codes, stored, sform(moved))


def corners_mm(image: sitk.Image) -> np.ndarray:
    ends = [(0, count - 1) for count in image.GetSize()[:3]]
    return np.array([image.TransformIndexToPhysicalPoint((x, y, z)) for x in ends[0] for y in ends[1] for z in ends[2]])


@some
@given(geometries())
def test_itk_puts_every_voxel_at_the_same_place(geometry: Forms) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "a.nii", VOXELS, geometry)
        image = sitk.ReadImage(str(path))
        assert read_header(path).forms == geometry
    grid = grid_of(Path("a.nii"), geometry, SIZE)
    ends = [(z, y, x) for x in (0, 4) for y in (0, 5) for z in (0, 3)]
    np.testing.assert_allclose(grid.position_mm(ends), corners_mm(image), atol=1e-3)
    assert grid.spacing_mm == image.GetSpacing()[::-1]


@some
@given(geometries())
def test_nibabel_reads_the_same_forms(geometry: Forms) -> None:
    header = nibabel.Nifti1Header()
    header["pixdim"][:4] = [geometry.pixdim[0] or 1.0, *geometry.pixdim[1:]]  # 0 is 1, which nibabel does not know
    header["qform_code"], header["sform_code"] = max(geometry.qform_code, 1), 1
    for name, value in zip(
        ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"), geometry.qform, strict=True
    ):
        header[name] = value
    for row, name in enumerate(("srow_x", "srow_y", "srow_z")):
        header[name] = geometry.sform[4 * row : 4 * row + 4]
    np.testing.assert_allclose(geometry.sform_matrix(), header.get_sform()[:3], atol=1e-6)
    real_part = 1 - sum(value * value for value in geometry.qform[:3])  # squared; niftilib and ITK take 0 below 1e-7
    if not 0 < real_part < 3 * np.finfo(np.float32).eps:  # below that, nibabel takes it for 0
        np.testing.assert_allclose(geometry.qform_matrix(), header.get_qform()[:3], atol=1e-4)


def test_metres_and_micrometres() -> None:
    for unit, mm in ((1, 1000.0), (3, 0.001)):
        matrix = ras(OBLIQUE)
        matrix[:3] /= mm
        grid = grid_of(Path("a.nii"), of_matrix(matrix, units=unit + 8), SIZE)
        assert grid.matches(OBLIQUE, 1e-3)
        assert geometry_flags(grid) == ()


def tilted(degrees: float) -> np.ndarray:
    """An affine whose rows lean towards its columns."""
    lean = np.eye(4)
    lean[0, 1] = np.tan(np.radians(degrees)) * OBLIQUE.spacing_mm[1] / OBLIQUE.spacing_mm[2]
    return np.asarray(ras(OBLIQUE) @ lean)


@pytest.mark.parametrize("degrees", [0.0, 0.007, 0.05])
def test_axes_that_are_off_by_rounding_alone_are_taken_for_perpendicular(tmp_path: Path, degrees: float) -> None:
    cine = read_cine(write(tmp_path / "a.nii", VOXELS, of_matrix(tilted(degrees))))
    axes = np.asarray(cine.grid.directions)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=2e-4 if degrees < 0.01 else 1e-6)
    assert cine.grid.matches(OBLIQUE, 0.02)
    assert geometry_flags(cine.grid) == ()


@pytest.mark.parametrize("degrees", [0.1, 0.5, 0.99])
def test_axes_that_are_off_by_up_to_a_degree_are_used_with_a_flag(tmp_path: Path, degrees: float) -> None:
    cine = read_cine(write(tmp_path / "a.nii", VOXELS, of_matrix(tilted(degrees))))
    axes = np.asarray(cine.grid.directions)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-6)
    [flag] = geometry_flags(cine.grid)
    assert flag.kind == "axes not perpendicular"
    assert flag.reason.startswith(f"the scan's columns and rows are {degrees:.2f} degrees off a right angle")


def test_axes_that_are_further_off_are_refused_with_their_angle(tmp_path: Path) -> None:
    said = r"not perpendicular: its columns and rows are 5\.0 degrees off a right angle \(limit 1\) \(resample"
    with pytest.raises(UnusableError, match=said):
        read_cine(write(tmp_path / "a.nii", VOXELS, of_matrix(tilted(5))))


def test_an_affine_printed_with_three_decimals_says_nothing(tmp_path: Path) -> None:
    for seed in range(50):
        axes = Rotation.random(rng=seed).as_matrix() * [1.25, 1.25, 8.0]
        matrix = np.column_stack([axes, [10.0, 20.0, 30.0]]).round(3)
        grid = grid_of(tmp_path, of_matrix(matrix), SIZE)
        assert geometry_flags(grid) == ()


@pytest.mark.parametrize("codes", [(0, 1), (1, 1), (1, 2)])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda axes: axes * [1, 1, 0], "all slices"),
        (lambda axes: axes * [1, 0, 1], "all rows"),
        (lambda axes: axes * [1, 1, 1e-5], "all slices"),
        (lambda axes: axes[:, [0, 1, 1]], "different voxels"),
    ],
)
def test_an_affine_that_puts_voxels_at_one_place_is_refused(codes: tuple[int, int], change: object, what: str) -> None:
    matrix = ras(OBLIQUE)
    matrix[:3, :3] = change(matrix[:3, :3])  # type: ignore[operator]
    geometry = replace(of_matrix(ras(OBLIQUE)), sform=sform(matrix), qform_code=codes[0], sform_code=codes[1])
    with pytest.raises(
        UnusableError, match=rf"its affine maps {what} to the same place \(.*give the DICOM files instead\)"
    ):
        grid_of(Path("a.nii"), geometry, SIZE)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((0, 1), "this is its sform, and it has no qform; some converters write that"),
        (
            (1, 1),
            "this is its sform; its qform is valid: set sform_code to 0 to use the qform, or give the DICOM files",
        ),
        (
            (1, 2),
            "this is its sform; its qform is valid: set sform_code to 0 to use the qform, or give the DICOM files",
        ),
    ],
)
def test_a_flat_sform_is_named_and_a_sound_qform_beside_it_too(codes: tuple[int, int], said: str) -> None:
    qform_code, sform_code = codes
    geometry = replace(of_matrix(ras(OBLIQUE)), sform=(0.0,) * 12, qform_code=qform_code, sform_code=sform_code)
    with pytest.raises(UnusableError, match="its affine maps all columns to the same place") as refused:
        grid_of(Path("a.nii"), geometry, SIZE)
    assert said in str(refused.value.hint)
    grid_of(Path("a.nii"), replace(geometry, sform_code=0), SIZE)  # what is to be done does it


def test_a_qform_that_is_no_rotation_is_not_called_sound() -> None:
    geometry = replace(of_matrix(ras(OBLIQUE)), sform=(0.0,) * 12, qform=(2.0,) * 6, qform_code=1, sform_code=1)
    with pytest.raises(UnusableError, match="its orientation is no rotation"):
        grid_of(Path("a.nii"), geometry, SIZE)


def test_forms_that_differ_are_said_with_the_one_that_is_used() -> None:
    apart = np.reshape(IDENTITY, (3, 4)).copy()
    apart[0, 3] = 30
    for code, which in ((1, "sform"), (2, "qform")):
        geometry = forms(qform_code=1, sform_code=code, sform=sform(apart))
        grid = grid_of(Path("a.nii"), geometry, SIZE)
        [flag] = geometry_flags(grid)
        assert flag.kind == "qform and sform differ"
        assert flag.reason.startswith(f"they place voxels up to 30.0 mm apart: the {which} is used, as in ITK")
        assert grid.origin_mm == (-30.0 if which == "sform" else 0.0, 0.0, 0.0)


def test_a_spacing_that_is_not_that_of_the_sform_is_said() -> None:
    cosines = ras(replace(OBLIQUE, spacing_mm=(1.0, 1.0, 1.0)))
    grid = grid_of(Path("a.nii"), replace(of_matrix(cosines), pixdim=(1.0, 1.25, 1.5, 8.0)), SIZE)
    [flag] = geometry_flags(grid)
    assert flag.kind == "two spacings"
    assert "1.25 x 1.5 x 8 mm and its sform 1 x 1 x 1 mm" in flag.reason
    assert grid.spacing_mm == (8.0, 1.5, 1.25)


@some
@given(geometries(), st.sampled_from([".nii", ".nii.gz"]), st.integers(1, 4))
def test_a_mask_has_its_scans_forms_to_the_bit(geometry: Forms, suffix: str, phases: int) -> None:
    with TemporaryDirectory() as folder:
        scan = read_cine(write(Path(folder) / "scan.nii", np.stack([VOXELS] * phases), geometry))
        mask = replace(scan, voxels=(scan.voxels > 250).astype(np.uint8))
        path = Path(folder) / f"mask{suffix}"
        if phases == 1:
            write_volume(path, mask.phase(0))
        else:
            write_cine(path, mask)
        written = read_header(path)
        assert written.forms == geometry
        again = read_cine(path)
        assert written.size[:3] == SIZE
    assert again.grid == scan.grid
    np.testing.assert_array_equal(again.voxels, mask.voxels)


@some
@given(grids())
def test_a_mask_on_another_grid_than_its_scans_is_written_where_it_lies(grid: Grid) -> None:
    other = Cine(np.zeros((1, *grid.shape), np.uint8), replace(grid, forms=of_matrix(ras(OBLIQUE))))
    with TemporaryDirectory() as folder:
        write_volume(Path(folder) / "a.nii", other.phase(0))
        written = read_header(Path(folder) / "a.nii")
    assert np.allclose(np.reshape(written.forms.sform, (3, 4)), ras(grid)[:3], atol=1e-3)


@pytest.mark.parametrize(("step_s", "is_known"), [(0.0034, False), (0.03, True), (0.5, False), (0.00001, False)])
def test_a_time_step_that_makes_no_heart_beat_is_not_believed(tmp_path: Path, step_s: float, is_known: bool) -> None:
    path = write(tmp_path / "a.nii", np.stack([VOXELS] * 20), of_matrix(ras(OBLIQUE)), step_s)
    times_ms = read_cine(path).times_ms
    assert times_ms == (pytest.approx([1000 * step_s * phase for phase in range(20)]) if is_known else ())
