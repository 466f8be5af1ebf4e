"""Folders that a person keeps apart stay apart, whatever ids an anonymiser gave, unless the images are the same."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from small_phantoms import OBLONG as SMALL

from cardioseg.cases.case_search import find_cases
from cardioseg.phantom import Vendor, cine, write_dicom

PATIENTS = {"patient1": SMALL, "patient2": replace(SMALL, seed=2, lv_radius_mm=28.0)}
ALL_IDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def anonymised(folder: Path, ids: tuple[str, ...], vendor: Vendor = Vendor.CLASSIC) -> Path:
    """Two patients whose anonymiser gave both the same ids; images are numbered alike."""
    for name, phantom in PATIENTS.items():
        series = write_dicom(phantom, folder / "raw" / name, vendor)
        files = sorted((series if vendor is not Vendor.SERIES_A_SLICE else series.parent).rglob("*.dcm"))
        for number, path in enumerate(path for path in files if "scout" not in path.parent.name):
            dataset = dcmread(path)
            for keyword in ids:
                own = f".{number}" if keyword == "SOPInstanceUID" else ""
                setattr(dataset, keyword, f"1.2.{ids.index(keyword) + 1}{own}")
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            target = folder / "scans" / name / path.relative_to(series.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            dataset.save_as(target)
    return folder / "scans"


def assert_two_patients(scans: Path) -> None:
    found = find_cases([scans])
    assert [case.case_id for case in found.cases] == list(PATIENTS)
    for case, phantom in zip(found.cases, PATIENTS.values(), strict=True):
        np.testing.assert_array_equal(case.read().voxels, cine(phantom).voxels)
        assert case.flags == ()
    assert not [item.why for item in found.unused if "folder" in item.why or "copy" in item.why]


@pytest.mark.parametrize("ids", [ALL_IDS[:1], ALL_IDS[:2], ALL_IDS])
@pytest.mark.parametrize("vendor", [Vendor.CLASSIC, Vendor.ENHANCED])
def test_two_patients_of_the_same_ids_are_two(tmp_path: Path, ids: tuple[str, ...], vendor: Vendor) -> None:
    assert_two_patients(anonymised(tmp_path, ids, vendor))


def test_slices_of_two_patients_are_not_joined(tmp_path: Path) -> None:
    """A series a slice, under one study."""
    assert_two_patients(anonymised(tmp_path, ALL_IDS[:1], Vendor.SERIES_A_SLICE))


@pytest.mark.parametrize("ids", [ALL_IDS[:1], ALL_IDS[:2]])
def test_a_patient_who_lacks_most_slices_lends_none(tmp_path: Path, ids: tuple[str, ...]) -> None:
    scans = anonymised(tmp_path, ids)
    for path in (scans / "patient2").rglob("*.dcm"):
        if dcmread(path).InstanceNumber > 2 * SMALL.phases:
            path.unlink()
    (case,) = find_cases([scans]).cases
    np.testing.assert_array_equal(case.read().voxels, cine(SMALL).voxels)
    assert case.flags == ()


def test_images_that_are_the_same_are_one_case(tmp_path: Path) -> None:
    folder = write_dicom(SMALL, tmp_path / "scans" / "a")
    shutil.copytree(folder, tmp_path / "scans" / "b" / "copy")
    (case,) = find_cases([tmp_path / "scans"]).cases
    assert len(case.files) == SMALL.slices * SMALL.phases


@pytest.mark.parametrize("by", ["slices", "phases"])
def test_a_series_that_an_archive_cut_in_two_is_one(tmp_path: Path, by: str) -> None:
    long = replace(SMALL, slices=12, phases=16, spacing_mm=(8.0, 6.6, 6.3))
    for path in write_dicom(long, tmp_path / "raw").glob("*.dcm"):
        dataset = dcmread(path)
        number = int(dataset.InstanceNumber) - 1
        index, phase = divmod(number, long.phases)
        if by == "phases":
            dataset.InstanceNumber = 1 + phase * long.slices + index
            dataset.save_as(path)
        later = index * 2 >= long.slices if by == "slices" else phase * 2 >= long.phases
        target = tmp_path / "scans" / "patient" / f"DIR{later:03d}" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    (case,) = find_cases([tmp_path / "scans"]).cases
    np.testing.assert_array_equal(case.read().voxels, cine(long).voxels)


def test_nobody_is_told_to_merge_patients(tmp_path: Path) -> None:
    """Nor that a series goes on in another folder, of one and the same folder: an image on another plane is in it."""
    scans = anonymised(tmp_path, ALL_IDS[:2])
    for path in (scans / "patient2").rglob("*.dcm"):
        dataset = dcmread(path)
        angle = np.radians(10)
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        cosines = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3) @ turn.T
        dataset.ImageOrientationPatient = [f"{value:.9f}" for value in cosines.ravel()]
        dataset.ImagePositionPatient = [f"{v:.6f}" for v in turn @ np.array(dataset.ImagePositionPatient, float)]
        dataset.save_as(path)
    stray = dcmread(next((scans / "patient1").rglob("*.dcm")))
    stray.SOPInstanceUID = stray.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    stray.ImageOrientationPatient, stray.InstanceNumber = [1, 0, 0, 0, 1, 0], 999
    stray.save_as(next((scans / "patient1").rglob("*.dcm")).with_name("stray.dcm"))
    found = find_cases([scans])
    assert [case.case_id for case in found.cases] == list(PATIENTS)
    assert [item.why for item in found.unused] == ["it lies in another plane than the others"]
