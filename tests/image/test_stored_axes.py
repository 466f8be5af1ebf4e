"""Axes that are not perpendicular: the same image has the same grid and the same flag in every format."""

from pathlib import Path

import numpy as np
import pytest
from affines import of_matrix, write

from cardioseg.errors import UnusableError
from cardioseg.image.nifti_grid import geometry_flags
from cardioseg.image.volume_files import format_of

VOXELS = np.random.default_rng(0).integers(0, 500, (4, 6, 5)).astype(np.int16)
SPACING_MM, ORIGIN_MM = np.array([1.25, 1.5, 8.0]), np.array([10.0, -20.0, 30.0])
SUFFIXES = [".nii", ".mha", ".nrrd"]


def leaning(degrees: float) -> np.ndarray:
    """Unit vectors in LPS, a row each for columns, rows and slices: an oblique stack whose rows lean to its columns."""
    axes, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    lean = np.radians(degrees)
    axes[1] = np.cos(lean) * axes[1] + np.sin(lean) * axes[0]
    return np.asarray(axes)


def written(folder: Path, suffix: str, axes: np.ndarray) -> Path:
    """The image in one of the formats, as its bytes: SimpleITK refuses such axes."""
    path = folder / f"scan{suffix}"
    if suffix == ".nii":
        lps = np.column_stack([axes.T * SPACING_MM, ORIGIN_MM])
        return write(path, VOXELS, of_matrix(np.vstack([np.diag([-1, -1, 1]) @ lps, [0, 0, 0, 1]])))
    numbers = {"axes": axes, "spacing": SPACING_MM, "origin": ORIGIN_MM}
    text = {name: " ".join(map(repr, values.ravel().tolist())) for name, values in numbers.items()}
    if suffix == ".mha":
        header = (
            f"NDims = 3\nDimSize = 5 6 4\nElementType = MET_SHORT\nTransformMatrix = {text['axes']}\n"
            f"Offset = {text['origin']}\nElementSpacing = {text['spacing']}\nBinaryData = True\n"
            "ElementDataFile = LOCAL\n"
        )
    else:
        steps = [f"({','.join(map(repr, step.tolist()))})" for step in axes * SPACING_MM[:, None]]
        header = (
            "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 6 4\nencoding: raw\n"
            f"space directions: {' '.join(steps)}\nspace origin: ({text['origin'].replace(' ', ',')})\n"
            "endian: little\n\n"
        )
    path.write_bytes(header.encode() + VOXELS.tobytes())
    return path


@pytest.mark.parametrize("degrees", [0.0, 0.007, 0.05, 0.5, 0.99])
def test_the_same_image_has_the_same_grid_and_flag_in_every_format(tmp_path: Path, degrees: float) -> None:
    cines = [format_of(path).read_cine(path) for path in (written(tmp_path, s, leaning(degrees)) for s in SUFFIXES)]
    corners = np.array(list(np.ndindex(2, 2, 2))) * (3, 5, 4)
    middle = np.array([[1.5, 2.5, 2.0]])
    for cine in cines:
        assert np.array_equal(cine.voxels[0], VOXELS)
        axes = np.asarray(cine.grid.directions)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=2e-4 if degrees < 0.01 else 1e-6)
        np.testing.assert_allclose(cine.grid.spacing_mm, SPACING_MM[::-1], rtol=1e-6)
        np.testing.assert_allclose(cine.grid.position_mm(corners), cines[0].grid.position_mm(corners), atol=1e-4)
        stored_mm = ORIGIN_MM + middle[0, ::-1] @ (leaning(degrees) * SPACING_MM[:, None])
        np.testing.assert_allclose(cine.grid.position_mm(middle)[0], stored_mm, atol=1e-4)
    flags = [geometry_flags(cine.grid) for cine in cines]
    assert flags[0] == flags[1] == flags[2]
    reasons = [flag.reason for flag in flags[0]]
    off = f"the scan's columns and rows are {degrees:.2f} degrees off a right angle"
    assert reasons == ([f"{off}: the nearest perpendicular axes are used"] if degrees > 0.09 else [])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_axes_that_are_further_off_are_refused_alike(tmp_path: Path, suffix: str) -> None:
    said = r"not perpendicular: its columns and rows are 5\.0 degrees off a right angle \(limit 1\) \(resample"
    path = written(tmp_path, suffix, leaning(5))
    with pytest.raises(UnusableError, match=said):
        format_of(path).read_cine(path)


def test_axes_that_are_not_unit_vectors_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ".mha", leaning(0) * 1.01)
    with pytest.raises(UnusableError, match="its axes are not unit vectors"):
        format_of(path).read_cine(path)


def test_the_flag_is_kept_where_the_slice_axis_is_moved_to_the_front(tmp_path: Path) -> None:
    path = written(tmp_path, ".nrrd", leaning(0.5))
    cine = format_of(path).read_cine(path)
    assert geometry_flags(cine.grid.turned((2, 0, 1), (True, False, False))) == geometry_flags(cine.grid) != ()
