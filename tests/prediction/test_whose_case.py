"""Whose case a folder of OUT is: that of the scan with these pixels, whatever folders and files are called."""

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cohorts.hearts import tree
from pydicom import dcmread
from pydicom.uid import generate_uid
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cases.case_search import Search, find_cases
from cardioseg.cli.app import run
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine
from cardioseg.inference.session import Model, open_model
from cardioseg.phantom import cine, write_dicom
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.outcome import Outcome

LARGE = replace(SMALL, seed=2, lv_radius_mm=30.0)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_threshold_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(model_path: Path) -> Model:
    return open_model(model_path)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two patients, each in a folder of its own, whose files are called alike."""
    for name, phantom in (("A", SMALL), ("B", LARGE)):
        write_cine(tmp_path / name / "sax.nii.gz", cine(phantom))
    return tmp_path


def predict(model: Model, out: Path, *sources: Path, **options: bool) -> list[Outcome]:
    return list(predict_all(Search(sources, out), model, out, Settings(**options)))


def table(out: Path, name: str = "measures.csv") -> dict[str, dict[str, str]]:
    with (out / name).open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def edit(mask: Path) -> bytes:
    """Paint a slice as an editor would."""
    image = read_cine(mask)
    image.voxels[:, 2] = 0
    write_cine(mask, image)
    return mask.read_bytes()


def test_two_patients_under_one_name_are_two_cases(model: Model, scans: Path) -> None:
    out = scans / "out"
    (first,) = predict(model, out, scans / "A" / "sax.nii.gz")
    edited, before = edit(out / "sax" / "mask.nii.gz"), table(out)["sax"]
    (second,) = predict(model, out, scans / "B" / "sax.nii.gz")
    assert (first.case_id, second.case_id) == ("sax", "B_sax")
    assert second.reason.endswith("named B_sax, because another scan here is named sax")
    assert (out / "sax" / "mask.nii.gz").read_bytes() == edited
    measured, status = table(out), table(out, "status.csv")
    assert list(measured) == list(status) == ["B_sax", "sax"]
    assert measured["sax"] == before
    assert measured["B_sax"]["lv_edv_ml"] != before["lv_edv_ml"]
    assert {name: row["source"] for name, row in status.items()} == {
        "sax": str(scans / "A" / "sax.nii.gz"), "B_sax": str(scans / "B" / "sax.nii.gz"),
    }  # fmt: skip
    assert "its mask was edited and is kept" in status["sax"]["reason"]
    assert json.loads((out / "run.json").read_text())["cases"]["done"] == 2
    page = (out / "report.html").read_text()
    assert "2 cases" in page
    assert page.count("B_sax") >= 2


def test_it_stays_so_in_whatever_order_they_come_again(model: Model, scans: Path) -> None:
    out = scans / "out"
    for name in "AB":
        predict(model, out, scans / name / "sax.nii.gz")
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*")}
    for sources in (["B"], ["A"], ["B", "A"]):
        again = predict(model, out, *(scans / name / "sax.nii.gz" for name in sources))
        assert {outcome.source: outcome.case_id for outcome in again} == {
            scans / name / "sax.nii.gz": {"A": "sax", "B": "B_sax"}[name] for name in sources
        }
        assert {outcome.seconds for outcome in again} == {0}
        assert list(table(out)) == ["B_sax", "sax"]
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*")} == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_scan_in_the_same_place_is_another_case(model: Model, scans: Path, overwrite: bool) -> None:
    """Even if size and time of the file are those of the first."""
    out, inbox = scans / "out", scans / "inbox" / "sax.nii"
    for phantom in (SMALL, LARGE):
        write_cine(inbox, cine(phantom))
        os.utime(inbox, ns=(0, 0))
        predict(model, out, inbox, overwrite=overwrite)
    measured = table(out)
    assert list(measured) == ["inbox_sax", "sax"]
    assert measured["inbox_sax"]["lv_edv_ml"] != measured["sax"]["lv_edv_ml"]
    reason = table(out, "status.csv")["inbox_sax"]["reason"]
    assert "if that was an incomplete copy of this scan, delete sax from the results and run again" in reason


def test_a_copy_a_moved_scan_and_a_renamed_one_are_the_same_case(model: Model, scans: Path) -> None:
    out, other = scans / "out", scans / "archive" / "2024"
    predict(model, out, scans / "A" / "sax.nii.gz")
    edited = edit(out / "sax" / "mask.nii.gz")
    shutil.copytree(scans / "A", other)
    (copied,) = predict(model, out, other / "sax.nii.gz")
    shutil.rmtree(scans / "A")
    (other / "sax.nii.gz").rename(other / "heart.nii.gz")
    (renamed,) = predict(model, out, other)
    assert [copied.case_id, renamed.case_id] == ["sax", "sax"]
    assert "named sax, because these images had this name before" in renamed.reason
    assert (out / "sax" / "mask.nii.gz").read_bytes() == edited
    assert list(table(out)) == ["sax"]
    assert table(out, "status.csv")["sax"]["source"] == str(other / "heart.nii.gz")
    (out / "sax").rename(out / "anna")
    (moved,) = predict(model, out, other)
    assert moved.case_id == "anna"
    assert list(table(out)) == ["anna"]


def test_what_was_exported_again_is_the_same_case(model: Model, tmp_path: Path) -> None:
    """With other UIDs, names and order of files, and once in other numbers."""
    out = tmp_path / "out"
    write_dicom(SMALL, tmp_path / "first" / "sax")
    (first,) = predict(model, out, tmp_path / "first" / "sax")
    uids = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    for number, path in enumerate(sorted((tmp_path / "first").rglob("sax_cine/*.dcm"), reverse=True)):
        dataset = dcmread(path)
        for name, uid in uids.items():
            setattr(dataset, name, uid)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        (tmp_path / "again" / "sax").mkdir(parents=True, exist_ok=True)
        dataset.save_as(tmp_path / "again" / "sax" / f"{number:05d}")
    (again,) = predict(model, out, tmp_path / "again" / "sax")
    assert (again.case_id, again.seconds) == (first.case_id, 0)
    image = cine(SMALL)
    write_cine(tmp_path / "short.nii.gz", image)
    write_cine(tmp_path / "float" / "short.nii.gz", Cine(image.voxels.astype("f4"), image.grid, image.times_ms))
    names = [
        predict(model, tmp_path / "other", tmp_path / name)[0].case_id
        for name in ("short.nii.gz", "float/short.nii.gz")
    ]
    assert names == ["short", "short"]


def test_other_geometry_of_the_same_pixels_is_measured_anew(model: Model, scans: Path) -> None:
    out, path = scans / "out", scans / "A" / "sax.nii.gz"
    predict(model, out, path)
    before, image = table(out)["sax"], cine(SMALL)
    write_cine(path, Cine(image.voxels, replace(image.grid, spacing_mm=(8.0, 6.0, 6.0)), image.times_ms))
    (outcome,) = predict(model, out, path)
    assert (outcome.case_id, outcome.seconds > 0) == ("sax", True)
    assert float(table(out)["sax"]["lv_edv_ml"]) == pytest.approx(float(before["lv_edv_ml"]) / 2, abs=0.02)


def test_cases_of_one_call_are_told_apart_by_their_folders(model: Model, tmp_path: Path) -> None:
    for folder, phantom in (("mnms", SMALL), ("mnms2", LARGE)):
        write_cine(tmp_path / folder / "sax_ed.nii.gz", cine(phantom))
        write_dicom(phantom, tmp_path / "dicom" / folder / "CINESAX")
    files = [tmp_path / name / "sax_ed.nii.gz" for name in ("mnms", "mnms2")]
    assert [case.case_id for case in find_cases(files).cases] == ["mnms_sax_ed", "mnms2_sax_ed"]
    studies = []
    for name in ("mnms", "mnms2"):
        studies.append(tmp_path / name / "CINE")
        next((tmp_path / "dicom" / name).rglob("sax_cine")).rename(studies[-1])
    assert [case.case_id for case in find_cases(studies).cases] == ["mnms_CINE", "mnms2_CINE"]
    assert [case.case_id for case in find_cases([studies[1]]).cases] == ["CINE"]


def test_a_failure_takes_no_name_of_another(model: Model, scans: Path) -> None:
    out = scans / "out"
    predict(model, out, scans / "A" / "sax.nii.gz")
    (scans / "C").mkdir()
    (scans / "C" / "sax.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    (failed,) = predict(model, out, scans / "C" / "sax.nii.gz")
    assert (failed.case_id, failed.status) == ("C_sax", "failed")
    status = table(out, "status.csv")
    assert {name: row["status"] for name, row in status.items()} == {"sax": "done", "C_sax": "failed"}
    predict(model, out, scans / "B" / "sax.nii.gz")
    assert list(table(out, "status.csv")) == ["B_sax", "C_sax", "sax"]  # it is still to be looked at
    shutil.copy(scans / "B" / "sax.nii.gz", scans / "C" / "sax.nii.gz")
    predict(model, out, scans / "C" / "sax.nii.gz")
    assert {row["status"] for row in table(out, "status.csv").values()} == {"done"}


def test_a_scan_that_is_damaged_later_keeps_its_numbers(model: Model, scans: Path) -> None:
    out, path = scans / "out", scans / "A" / "sax.nii.gz"
    predict(model, out, path)
    before = table(out)["sax"]
    path.write_bytes(path.read_bytes()[:-100])
    (failed,) = predict(model, out, path, overwrite=True)
    assert (failed.status, failed.case_id) == ("failed", "A_sax")
    assert table(out)["sax"] == before


def test_tables_are_the_same_however_the_work_is_shared(model_path: Path, scans: Path) -> None:
    def cardioseg(out: str, *sources: str, more: tuple[str, ...] = ()) -> None:
        paths = [str(scans / source / "sax.nii.gz") for source in sources]
        assert run(["predict", *paths, "-o", str(scans / out), "-m", str(model_path), "-q", *more]) == 0

    for out in ("one", "workers", "parts"):
        cardioseg(out, "A")
        shutil.copytree(scans / "A", scans / f"A of {out}")  # its place is not what tells it apart
    write_cine(scans / "C" / "sax.nii.gz", cine(replace(SMALL, seed=3)))
    cardioseg("one", "B", "C")
    cardioseg("workers", "B", "C", more=("--workers", "2"))
    for part in ("2/2", "1/2"):
        cardioseg("parts", "B", "C", more=("--part", part))
    assert run(["gather", str(scans / "parts"), "-q"]) == 0
    assert list(table(scans / "one")) == ["B_sax", "C_sax", "sax"]
    assert tree(scans / "workers") == tree(scans / "one")
    assert tree(scans / "parts") == tree(scans / "one")


def test_hashed_names_of_two_patients_and_who_is_who(model_path: Path, scans: Path) -> None:
    out = scans / "out"
    for name in "AB":
        path = str(scans / name / "sax.nii.gz")
        options = ["-m", str(model_path), "-q", "--names", "hash", "--no-paths"]
        assert run(["predict", path, "-o", str(out), *options]) == 0
    own = json.loads((scans / "out.names.json").read_text())["cases"]
    assert sorted(own.values()) == ["B_sax", "sax"]
    measured = {own[name]: row for name, row in table(out).items()}
    assert measured["sax"]["lv_edv_ml"] != measured["B_sax"]["lv_edv_ml"]
    assert "sax" not in (out / "status.csv").read_text().replace("case-", "")


def test_measuring_two_results_into_one_folder(model: Model, scans: Path) -> None:
    for name in "AB":
        predict(model, scans / f"results {name}", scans / name / "sax.nii.gz")
        assert run(["measure", str(scans / f"results {name}"), "-o", str(scans / "measured"), "-q"]) == 0
    measured = table(scans / "measured")
    assert list(measured) == ["results_B_sax", "sax"]
    for case, name in (("sax", "A"), ("results_B_sax", "B")):
        assert measured[case] == table(scans / f"results {name}")["sax"] | {"case_id": case}
    edit(scans / "results B" / "sax" / "mask.nii.gz")
    assert run(["measure", str(scans / "results B"), "-o", str(scans / "measured"), "-q"]) == 0
    again = table(scans / "measured")
    assert list(again) == list(measured)
    assert again["sax"] == measured["sax"]
    assert again["results_B_sax"]["lv_edv_ml"] != measured["results_B_sax"]["lv_edv_ml"]


def test_copies_in_one_run_are_cases_that_say_so(
    model_path: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy in another folder, one under another name, and an export with ids of its own."""
    (scans / "B").rename(scans / "others")
    shutil.copytree(scans / "A", scans / "C")
    shutil.copy(scans / "A" / "sax.nii.gz", scans / "C" / "heart.nii.gz")
    out, command = scans / "out", ["-m", str(model_path), "-o", str(scans / "out")]
    assert run(["predict", *(str(scans / name) for name in ("A", "C", "others")), *command]) == 0
    assert "cases with the same images: A_sax, C_sax, heart; each is kept as a separate case" in capsys.readouterr().err
    status = table(out, "status.csv")
    assert status["A_sax"]["reason"].endswith("; has the same images as C_sax, heart")
    assert status["heart"]["reason"].endswith("; has the same images as A_sax, C_sax")
    assert "the same images" not in status["others_sax"]["reason"]
    assert "the same images as C_sax, heart" in (out / "report.html").read_text()
    shutil.rmtree(out / "C_sax")
    shutil.rmtree(scans / "C")
    assert run(["predict", str(scans / "A"), *command, "-q"]) == 0
    assert "the same images" not in capsys.readouterr().err
    assert table(out, "status.csv")["A_sax"]["reason"].endswith("; has the same images as heart")


def test_a_copy_under_the_name_of_its_scan_is_a_case_where_no_source_is_stored(model: Model, scans: Path) -> None:
    """Two patients changed places, so the large heart in folder A has a case named B; then it is copied to folder B."""
    a, b, out = scans / "A", scans / "B", scans / "out"
    predict(model, out, a, b)
    a.rename(scans / "C")
    b.rename(a)
    (scans / "C").rename(b)
    predict(model, out, a, b)
    shutil.copy(a / "sax.nii.gz", b / "sax.nii.gz")
    for _ in range(2):
        copies = predict(model, out, a, b, paths=False)
        assert len({outcome.case_id for outcome in copies}) == 2
        assert len({table(out)[outcome.case_id]["lv_edv_ml"] for outcome in copies}) == 1
        assert len(table(out)) == 3


def test_a_copy_in_a_folder_of_its_scans_name_is_a_case_where_no_source_is_stored(model: Model, scans: Path) -> None:
    """The copy A/sax may be called A_sax, as the scan in the file A_sax is."""
    out, scan = scans / "out", scans / "A_sax.nii.gz"
    shutil.copy(scans / "A" / "sax.nii.gz", scan)
    predict(model, out, scan, paths=False)
    copies = predict(model, out, scan, scans / "A", paths=False)
    assert len({outcome.case_id for outcome in copies}) == 2 == len(table(out))


def test_masks_that_are_copies_or_called_alike_are_each_a_case(model: Model, scans: Path) -> None:
    """In one call, and in several into one folder."""
    a, b = (outcome.case_id for outcome in predict(model, scans / "results", scans / "A", scans / "B"))
    masks, out = scans / "masks", scans / "measured"
    for place, case in (("first", a), ("second", a), ("x/first", b)):
        (masks / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(scans / "results" / case / "mask.nii.gz", masks / f"{place}.nii.gz")
    expected = {name: row["lv_edv_ml"] for name, row in table(scans / "results").items()}
    whose = {"masks_first": a, "second": a, "x_first": b}
    assert run(["measure", str(masks), "-o", str(scans / "at once"), "-q"]) == 0
    measured = {name: row["lv_edv_ml"] for name, row in table(scans / "at once").items()}
    assert measured == {name: expected[case] for name, case in whose.items()}
    for place in ("first", "second", "x/first"):
        assert run(["measure", str(masks / f"{place}.nii.gz"), "-o", str(out), "-q"]) == 0
    before = {name: row["lv_edv_ml"] for name, row in table(out).items()}
    whose = {"first": a, "second": a, "x_first": b}
    assert before == {name: expected[case] for name, case in whose.items()}
    assert "named x_first, because another scan here is named first" in table(out, "status.csv")["x_first"]["reason"]
    assert run(["measure", str(masks), "-o", str(out), "-q"]) == 0
    assert {name: row["lv_edv_ml"] for name, row in table(out).items()} == before
    sources = {name: row["source"] for name, row in table(out, "status.csv").items()}
    places = {"first": "first", "second": "second", "x_first": "x/first"}
    assert sources == {name: str(masks / f"{place}.nii.gz") for name, place in places.items()}


def test_a_case_of_another_model_is_told(model: Model, scans: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = open_model(write_threshold_model(tmp_path_factory.mktemp("other"), brighter=0.01))
    out = scans / "out"
    predict(other, out, scans / "A" / "sax.nii.gz")
    predict(model, out, scans / "B" / "sax.nii.gz")
    reasons = {name: row["reason"] for name, row in table(out, "status.csv").items()}
    assert "predicted by another model" in reasons["sax"]
    assert "another model" not in reasons["B_sax"]
