"""`predict` on a zip file: the same bytes as from its folder, done once, and the bad zip fails alone."""

import csv
import json
import os
from pathlib import Path

import pytest
from pydicom import dcmread
from small_phantoms import SMALL
from thresholds import write_threshold_model
from zips import write_zip, zip_folder

import cardioseg
from cardioseg.cases.case_search import find_cases
from cardioseg.cases.scan import recorded_scan
from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import cine, write_dicom
from cardioseg.results.case_record import read_case_record
from cardioseg.results.folder import ResultsFolder

SAME = ("measures.json", "mask.nii.gz", "overlay.png")


@pytest.fixture(scope="session")
def labelled_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_threshold_model(tmp_path_factory.mktemp("model"), ["lv_cavity", "lv_myocardium", "rv_cavity"]))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folders") / "export"
    write_dicom(SMALL, folder / "DOE^JANE")
    return folder


def status(out: Path) -> dict[str, str]:
    with (out / "status.csv").open(newline="") as file:
        return {row["case_id"]: row["status"] for row in csv.DictReader(file)}


def test_a_zip_gives_the_bytes_of_its_folder(study: Path, labelled_model: str, tmp_path: Path) -> None:
    archive = zip_folder(study, tmp_path / "export.zip")
    before = archive.read_bytes()
    for source, out in ((study, tmp_path / "a"), (archive, tmp_path / "b")):
        formats = "nifti,dicom-seg,dicom-sr,dicom-sc"
        assert run(["predict", str(source), "-m", labelled_model, "-o", str(out), "--format", formats]) == 0
    (of_folder,), (of_zip,) = ResultsFolder(tmp_path / "a").cases(), ResultsFolder(tmp_path / "b").cases()
    assert (of_folder.case_id, of_zip.case_id) == ("DOE_JANE", "export")
    for name in SAME:
        same = (of_folder.path / name).read_bytes() == (of_zip.path / name).read_bytes()
        assert same or name == "overlay.png", name  # the picture has the name of the case
    records = read_case_record(of_folder), read_case_record(of_zip)
    assert records[0]
    assert records[1]
    assert (records[0].content, records[0].header) == (records[1].content, records[1].header)
    segmentation, of_files = dcmread(of_zip.path / "seg_ed.dcm"), dcmread(of_folder.path / "seg_ed.dcm")
    assert segmentation.PixelData == of_files.PixelData
    assert segmentation.PatientID == of_files.PatientID == SMALL.patient_id
    assert (of_zip.path / "sr.dcm").is_file()
    assert archive.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "export.zip"]


def test_a_second_run_skips_what_is_done(
    study: Path, labelled_model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = zip_folder(study, tmp_path / "in" / "export.zip")
    command = ["predict", str(tmp_path / "in"), "-m", labelled_model, "-o", str(tmp_path / "out")]
    assert run(command) == 0
    case = ResultsFolder(tmp_path / "out").case("export")
    written = case.mask.stat().st_mtime_ns
    record = read_case_record(case)
    assert record
    scan = recorded_scan(record)
    assert scan
    assert scan.source == record.source == str(find_cases([archive]).cases[0].source)
    assert run(command) == 0
    os.utime(archive)  # copied again
    assert run(command) == 0
    assert case.mask.stat().st_mtime_ns == written
    assert "export.zip" in (tmp_path / "out" / "status.csv").read_text()
    assert run(["predict", str(study), *command[2:]]) == 0  # the same images, unpacked by now
    assert case.mask.stat().st_mtime_ns == written
    archive.unlink()
    assert recorded_scan(record) is None


def test_workers_and_a_bad_zip_among_good_ones(study: Path, labelled_model: str, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    zip_folder(study, scans / "1001_20209_2_0.zip")
    write_cine(tmp_path / "beating.nii.gz", cine(SMALL))
    content = (tmp_path / "beating.nii.gz").read_bytes()
    write_zip(scans / "volumes.zip", {"beating.nii.gz": content, "broken.nii.gz": content[:500]})
    (scans / "half.zip").write_bytes((scans / "1001_20209_2_0.zip").read_bytes()[:5000])
    out = tmp_path / "out"
    assert run(["predict", str(scans), "-m", labelled_model, "-o", str(out), "--workers", "2"]) == 3
    assert status(out) == {"1001_20209_2_0": "done", "beating": "done", "broken": "failed"}
    unused = json.loads((out / "run.json").read_text())["unused_files"]
    assert [(Path(item["where"]).name, item["why"][:27]) for item in unused] == [
        ("half.zip", "a zip archive that is incom")
    ]


def test_the_paths_of_a_zip_are_not_stored_if_nobody_wants_them(
    study: Path, labelled_model: str, tmp_path: Path
) -> None:
    archive = zip_folder(study, tmp_path / "clinic" / "export.zip")
    out = tmp_path / "out"
    command = ["predict", str(archive), "-m", labelled_model, "-o", str(out), "--no-paths", "--names", "hash"]
    assert run(command) == 0
    texts = [path.read_text(errors="replace") for path in out.rglob("*") if path.suffix in {".json", ".csv", ".html"}]
    assert not any(word in text for text in texts for word in ("clinic", "JANE", "export.zip"))


def test_the_python_api_reads_zips(study: Path, tmp_path: Path) -> None:
    (scan,) = cardioseg.find_scans(zip_folder(study, tmp_path / "export.zip"))
    assert scan.name == "export"
    assert scan.read().array.shape == (8, 5, 48, 40)


def test_a_file_that_is_damaged_in_its_zip_leaves_the_others(study: Path, tmp_path: Path) -> None:
    archive = zip_folder(study, tmp_path / "export.zip")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 255
    archive.write_bytes(content)
    found = find_cases([archive])
    assert [item.why for item in found.unused] == ["damaged in its archive: copy or download the archive again"]
    assert len(found.cases[0].files) == 39
