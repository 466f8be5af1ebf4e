"""The phantom as DICOM: conforming, deterministic and read back unchanged."""

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cardioseg.ingest.finding.survey import Kind, survey
from cardioseg.phantom import Phantom, cine, instance, localizer, write_dicom, write_instance

SMALL = Phantom(slices=6, phases=8, rows=64, columns=72, spacing_mm=(15.0, 3.6, 3.4), seed=3)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(SMALL, folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_reader_finds_one_cine_and_one_localizer(scans: Path) -> None:
    found = survey(scans)
    assert not found.unused
    assert sorted(series.kind for series in found.series) == [Kind.LOCALIZER, Kind.SHORT_AXIS_CINE]
    assert [series.folder.name for series in found.cines] == ["sax_cine"]


def test_what_is_read_is_what_was_written(scans: Path) -> None:
    stack = survey(scans).cines[0].stack
    assert stack is not None
    read, written = stack.read(), cine(SMALL)
    np.testing.assert_array_equal(read.voxels, written.voxels)
    assert read.grid.matches(written.grid, tolerance_mm=1e-6)
    assert read.times_ms == pytest.approx(written.times_ms)
    assert stack.places()[SMALL.instance_number(4, 7)] == (7, 4)


def test_equal_settings_give_equal_bytes(scans: Path, tmp_path: Path) -> None:
    write_dicom(SMALL, tmp_path)
    assert digests(tmp_path) == digests(scans)


def test_file_names_tell_nothing_about_the_order(scans: Path) -> None:
    files = sorted(scans.rglob("sax_cine/*.dcm"))
    numbers = [int(pydicom.dcmread(path, stop_before_pixels=True).InstanceNumber) for path in files]
    assert sorted(numbers) == list(range(1, SMALL.slices * SMALL.phases + 1))
    assert np.corrcoef(numbers, range(len(numbers)))[0, 1] < 0.5


def test_instances_are_numbered_from_the_base() -> None:
    assert SMALL.instance_number(SMALL.slices - 1, 0) == 1
    assert SMALL.instance_number(0, SMALL.phases - 1) == SMALL.slices * SMALL.phases


def test_an_instance_is_a_pure_function() -> None:
    pixels = cine(SMALL).voxels[2, 1]
    one, same, other = (instance(SMALL, 1, 2, number, pixels) for number in (9, 9, 10))
    assert one == same
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID == other.SeriesInstanceUID
    assert float(one.TriggerTime) == pytest.approx(SMALL.times_ms[2])


def test_other_settings_are_another_study() -> None:
    pixels = np.zeros((64, 72), np.int16)
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
    one, other = (instance(phantom, 0, 0, 1, pixels) for phantom in (SMALL, replace(SMALL, lv_ef_percent=40.0)))
    assert all(one[name] != other[name] for name in names)
    assert len({one[name].value for name in names}) == len(names)
    scout = localizer(SMALL)[0]
    assert scout.StudyInstanceUID == one.StudyInstanceUID
    assert scout.SeriesInstanceUID != one.SeriesInstanceUID


def test_scouts_are_orthogonal_and_not_flat() -> None:
    normals = []
    for scout in localizer(SMALL):
        axes = np.asarray(scout.ImageOrientationPatient, float).reshape(2, 3)
        normals.append(np.cross(axes[0], axes[1]))
        assert len(np.unique(scout.pixel_array)) > 50
    np.testing.assert_allclose(np.abs(np.linalg.det(normals)), 1)


def test_dicom_validator_finds_no_error(tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    write_instance(tmp_path / "cine.dcm", instance(SMALL, 0, 3, 4, cine(SMALL).voxels[3, 0]))
    for number, scout in enumerate(localizer(SMALL)):
        write_instance(tmp_path / f"scout-{number}.dcm", scout)
    for path in sorted(tmp_path.iterdir()):
        verdict = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        assert "MRImage" in verdict.stderr + verdict.stdout  # the validator recognised the object
        assert "Error" not in verdict.stderr + verdict.stdout
