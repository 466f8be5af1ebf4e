"""NRRD as ITK and 3D Slicer write it: the same voxels at the same place, and damage refused in words."""

import gzip
from pathlib import Path
from random import Random

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itk_written import KINDS, assert_same, damaged, image, voxels_of

from cardioseg.errors import UnusableError
from cardioseg.image import nrrd
from cardioseg.image.nrrd import is_4d, read_cine, read_sample

MUTANTS = 2000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_what_itk_writes_is_read_the_same(kind: str, packed: bool, tmp_path: Path) -> None:
    written = image(voxels_of((4, 20, 24), kind))
    sitk.WriteImage(written, tmp_path / "scan.nrrd", useCompression=packed)
    assert_same(nrrd, tmp_path / "scan.nrrd", written)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_orientation(seed: int, tmp_path: Path) -> None:
    written = image(voxels_of((4, 20, 24)), seed)
    sitk.WriteImage(written, tmp_path / "scan.nrrd")
    assert_same(nrrd, tmp_path / "scan.nrrd", written)


def test_a_fourth_axis_is_time_in_seconds(tmp_path: Path) -> None:
    written = image(voxels_of((12, 4, 20, 24)))
    sitk.WriteImage(written, tmp_path / "cine.nrrd", useCompression=True)
    assert_same(nrrd, tmp_path / "cine.nrrd", written)
    assert read_cine(tmp_path / "cine.nrrd").times_ms == pytest.approx([40 * phase for phase in range(12)])


def test_a_sample_is_the_first_phase_unless_that_is_constant(tmp_path: Path) -> None:
    voxels = voxels_of((3, 4, 20, 24))
    sitk.WriteImage(image(voxels), tmp_path / "cine.nrrd")
    assert np.array_equal(read_sample(tmp_path / "cine.nrrd"), voxels[0])
    voxels[0] = 0
    sitk.WriteImage(image(voxels), tmp_path / "cine.nrrd")
    assert np.array_equal(read_sample(tmp_path / "cine.nrrd"), voxels)


def sequence(path: Path, voxels: np.ndarray, kinds: str, sizes: str, directions: str) -> Path:
    """A sequence as 3D Slicer stores it, in RAS; `voxels` as they lie in the file."""
    fields = {
        "type": "short", "dimension": "4", "space": "right-anterior-superior", "sizes": sizes, "kinds": kinds,
        "space directions": directions, "endian": "little", "encoding": "gzip", "space origin": "(1,2,3)",
    }  # fmt: skip
    lines = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items()), "axis 0 index type:=numeric", "", ""]
    path.write_bytes("\n".join(lines).encode() + gzip.compress(voxels.astype("<i2").tobytes()))
    return path


def test_a_sequence_of_slicer_with_its_list_first_or_last(tmp_path: Path) -> None:
    voxels = voxels_of((6, 4, 20, 24))  # phase, slice, row, column
    space = "(1.5,0,0) (0,1.5,0) (0,0,8)"
    first = np.moveaxis(voxels, 0, -1)
    by_first = sequence(tmp_path / "a.seq.nrrd", first, "list domain domain domain", "6 24 20 4", f"none {space}")
    by_last = sequence(tmp_path / "b.seq.nrrd", voxels, "domain domain domain list", "24 20 4 6", f"{space} none")
    for path in (by_first, by_last):
        cine = read_cine(path)
        assert np.array_equal(cine.voxels, voxels)
        assert cine.grid.origin_mm == (-1, -2, 3)
        assert cine.grid.directions[2] == (-1, 0, 0)
        assert cine.times_ms == ()
        assert is_4d(path)


@pytest.mark.parametrize("kind", ["RGB-color", "vector", "3-vector", "covariant-vector"])
def test_colours_and_vectors_are_no_phases(kind: str, tmp_path: Path) -> None:
    voxels, space = voxels_of((4, 20, 24, 3)), "none (1.5,0,0) (0,1.5,0) (0,0,8)"
    path = sequence(tmp_path / "a.nrrd", voxels, f"{kind} domain domain domain", "3 24 20 4", space)
    with pytest.raises(UnusableError, match="not one real number each"):
        read_cine(path)


@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_refused_or_read_and_nothing_else_happens(packed: bool, tmp_path: Path) -> None:
    sitk.WriteImage(image(voxels_of((4, 20, 24))), tmp_path / "scan.nrrd", useCompression=packed)
    good, path = (tmp_path / "scan.nrrd").read_bytes(), tmp_path / "mutant.nrrd"
    refused, head = 0, good.index(b"\n\n")
    for seed in range(MUTANTS):
        path.write_bytes(damaged(good, Random(seed), head))  # noqa: S311 - damage is no secret
        try:
            assert read_cine(path).voxels.size <= 1e6
        except UnusableError:
            refused += 1
    assert MUTANTS / 4 < refused < MUTANTS
