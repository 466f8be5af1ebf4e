"""Studies of one patient, by their PatientID: `ingest` keeps them together, and never writes or prints the tag."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_outlines import outlines, write_rtstruct
from pydicom import dcmread
from small_phantoms import SMALL, SQUARE, TINY

from cardioseg.cli.app import run
from cardioseg.dataset.folds import split
from cardioseg.dataset.store import open_dataset
from cardioseg.image.nifti import write_cine
from cardioseg.ingest.dicom.patient_key import patient_key
from cardioseg.phantom import reference, write_dicom, write_sunnybrook

MARK = "Zaphod-4711"


def write_study(folder: Path, seed: int, patient_id: str) -> None:
    phantom = replace(SMALL, seed=seed)
    write_dicom(phantom, folder)
    for path in folder.rglob("sax_cine/*.dcm"):
        image = dcmread(path)
        image.PatientID = patient_id
        image.save_as(path)
    write_rtstruct(folder / "contours.dcm", phantom, list(outlines(phantom, [0])))


def ingested(tmp_path: Path, *patient_ids: str) -> Path:
    for seed, patient_id in enumerate(patient_ids):
        write_study(tmp_path / "scans" / f"visit{seed}", seed, patient_id)
    assert run(["ingest", str(tmp_path / "scans"), "-o", str(tmp_path / "dataset"), "--layout", "rtstruct"]) == 0
    return tmp_path / "dataset"


def test_studies_of_one_patient_stay_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ingested(tmp_path, MARK, "other", f"{MARK} ")
    dataset = open_dataset(folder)
    assert dataset.patient_of == {"visit0": "visit0", "visit1": "visit1", "visit2": "visit0"}
    seen = capsys.readouterr()
    assert "patients: visit0 and visit2: the same PatientID: they count as one patient" in seen.err
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert MARK.encode() not in written + seen.out.encode() + seen.err.encode()
    key = patient_key(next((tmp_path / "scans" / "visit0").rglob("sax_cine/*.dcm")))
    assert key.encode() not in written
    for seed in range(5):
        for fold in split(dataset.subject_ids, 2, seed, patient_of=dataset.patient_of):
            assert ("visit0" in fold.train) == ("visit2" in fold.train)


@pytest.mark.parametrize(
    ("patient_id", "said"), [("ANON", "all have the same PatientID"), ("", "no PatientID: each counts as a patient")]
)
def test_an_id_that_tells_nothing_collapses_nothing(
    patient_id: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ingested(tmp_path, patient_id, patient_id)
    assert open_dataset(folder).patient_of == {"visit0": "visit0", "visit1": "visit1"}
    seen = capsys.readouterr().err
    assert f"patients: visit0 and visit1: {said}" in seen
    assert "training and validation may share this patient" in seen
    assert json.loads((folder / "dataset.json").read_text())["patient_remarks"][0]["where"] == "visit0 and visit1"


def listed(tmp_path: Path, *patient_ids: str) -> Path:
    """A dataset of a table that lists a folder of DICOM files and a mask for each study."""
    rows = ["subject,image,mask"]
    for seed, patient_id in enumerate(patient_ids):
        phantom = replace(TINY, seed=seed)
        folder = write_dicom(phantom, tmp_path / "scans" / f"visit{seed}")
        for path in folder.parent.rglob("*.dcm"):
            image = dcmread(path)
            image.PatientID = patient_id
            image.save_as(path)
        write_cine(tmp_path / "scans" / f"{seed}.nii.gz", reference(phantom))
        rows.append(f"visit{seed},visit{seed}/{phantom.patient_id},{seed}.nii.gz")
    (tmp_path / "scans" / "table.csv").write_text("\n".join(rows))
    assert run(["ingest", str(tmp_path / "scans"), "-o", str(tmp_path / "dataset"), "--layout", "pairs"]) == 0
    return tmp_path / "dataset"


def test_studies_in_a_table_of_folders_stay_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = open_dataset(listed(tmp_path, MARK, "other", MARK))
    assert dataset.patient_of == {"visit0": "visit0", "visit1": "visit1", "visit2": "visit0"}
    seen = capsys.readouterr().err
    assert "patients: visit0 and visit2: the same PatientID" in seen
    assert MARK not in seen


def test_studies_in_a_table_without_a_patient_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = open_dataset(listed(tmp_path, "", ""))
    assert dataset.patient_of == {"visit0": "visit0", "visit1": "visit1"}
    assert "patients: visit0 and visit1: no PatientID: each counts as a patient" in capsys.readouterr().err


def test_cases_of_sunnybrook_with_one_patient_id(tmp_path: Path) -> None:
    phantoms = [replace(SQUARE, seed=seed) for seed in range(3)]
    write_sunnybrook(phantoms, tmp_path / "source")
    for phantom, patient_id in zip(phantoms, (MARK, MARK, "other"), strict=True):
        for path in (tmp_path / "source").glob(f"SCD_IMAGES_01/{phantom.sunnybrook_ids[0]}/*/*.dcm"):
            image = dcmread(path)
            image.PatientID = patient_id
            image.save_as(path)
    assert run(["ingest", str(tmp_path / "source"), "-o", str(tmp_path / "dataset")]) == 0
    patients = open_dataset(tmp_path / "dataset").patient_of
    first, second, third = sorted(patients)
    assert patients == {first: first, second: first, third: third}
