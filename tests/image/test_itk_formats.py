"""What ITK writes in formats that cardioseg parses itself: the same voxels at the same place, and damage refused."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itk_written import KINDS, assert_same, damaged, image, voxels_of

from cardioseg.errors import UnusableError
from cardioseg.image.volume_files import format_of

ENDS = {"mha": b"LOCAL", "nrrd": b"\n\n"}  # of the header
MUTANTS = 2000
formats = pytest.mark.parametrize("suffix", ENDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", [*ENDS, "mhd"])
def test_what_itk_writes_is_read_the_same(kind: str, packed: bool, suffix: str, tmp_path: Path) -> None:
    written = image(voxels_of((4, 20, 24), kind))
    sitk.WriteImage(written, tmp_path / f"scan.{suffix}", useCompression=packed)
    assert_same(tmp_path / f"scan.{suffix}", written)


@formats
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_orientation(suffix: str, seed: int, tmp_path: Path) -> None:
    written = image(voxels_of((4, 20, 24)), seed)
    sitk.WriteImage(written, tmp_path / f"scan.{suffix}")
    assert_same(tmp_path / f"scan.{suffix}", written)


@formats
def test_a_fourth_axis_is_time_in_seconds(suffix: str, tmp_path: Path) -> None:
    path, written = tmp_path / f"cine.{suffix}", image(voxels_of((12, 4, 20, 24)))
    sitk.WriteImage(written, path, useCompression=True)
    assert_same(path, written)
    assert format_of(path).read_cine(path).times_ms == pytest.approx([40 * phase for phase in range(12)])


@formats
def test_a_sample_is_the_first_phase_unless_that_is_constant(suffix: str, tmp_path: Path) -> None:
    path, voxels = tmp_path / f"cine.{suffix}", voxels_of((3, 4, 20, 24))
    sitk.WriteImage(image(voxels), path)
    assert np.array_equal(format_of(path).read_sample(path), voxels[0])
    voxels[0] = 0
    sitk.WriteImage(image(voxels), path)
    assert np.array_equal(format_of(path).read_sample(path), voxels)


@formats
@pytest.mark.parametrize("packed", [False, True])
def test_damage_is_refused_or_read_and_nothing_else_happens(packed: bool, suffix: str, tmp_path: Path) -> None:
    sitk.WriteImage(image(voxels_of((4, 20, 24))), tmp_path / f"scan.{suffix}", useCompression=packed)
    good, path = (tmp_path / f"scan.{suffix}").read_bytes(), tmp_path / f"mutant.{suffix}"
    refused, head = 0, good.index(ENDS[suffix])
    for seed in range(MUTANTS):
        path.write_bytes(damaged(good, Random(seed), head))  # noqa: S311 - damage is no secret
        try:
            assert format_of(path).read_cine(path).voxels.size <= 1e6
        except UnusableError:
            refused += 1
    assert MUTANTS / 4 < refused < MUTANTS
