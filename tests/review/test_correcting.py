"""Correcting without a browser: what the application writes of a correction, and what it refuses."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corrections import PORT, TOKEN, ask, correction, told
from highdicom.seg import segread
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.locks import sole_writer
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.phantom import reference, write_dicom
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.request_guard import Application
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults

FORMATS = "nifti,dicom-seg,dicom-sr,rtstruct"
BASAL = 4


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM case with objects for the PACS; tests copy it."""
    folder = tmp_path_factory.mktemp("predicted")
    write_dicom(SMALL, folder / "scans" / "heart")
    model = write_threshold_model(folder / "model")
    arguments = ["predict", str(folder / "scans"), "-o", str(folder / "results"), "-m", str(model), "-q"]
    assert run([*arguments, "--format", FORMATS]) == 0
    return folder


@pytest.fixture
def folder(predicted: Path, tmp_path: Path) -> Path:
    """Results that a test may change; the scans stay where they are."""
    shutil.copytree(predicted / "results", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def app(folder: Path) -> Application:
    return app_of(folder)


def app_of(folder: Path, **options: Any) -> Application:
    return create_app(ReviewedResults(ResultsFolder(folder), **options), PORT, TOKEN)


def without_base(mask: np.ndarray) -> np.ndarray:
    """The mask without its basal slice, and with a wider cavity in another."""
    now = mask.copy()
    now[:, BASAL] = 0
    plane = now[0, 2]
    plane[plane == Label.LV_MYOCARDIUM] = Label.LV_CAVITY
    return now


def save(app: Application, folder: Path, change: Any = without_base, **said: Any) -> dict[str, Any]:
    """Correct and save the case; returns the document before."""
    document: dict[str, Any] = told(ask(app, "/api/cases/heart"))
    before = read_cine(folder / "heart" / "mask.nii.gz").voxels
    sent = correction(document["version"], before, change(before), **({"decision": "corrected"} | said))
    answer = told(ask(app, "/api/cases/heart/review", sent))
    assert told(ask(app, "/api/tables", {})) == {"later": ""}
    assert answer["version"] == told(ask(app, "/api/cases/heart"))["version"]
    return document


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def test_numbers_at_once_are_those_of_measure(app: Application, folder: Path, tmp_path: Path) -> None:
    document = told(ask(app, "/api/cases/heart"))
    before = read_cine(folder / "heart" / "mask.nii.gz").voxels
    sent = correction(document["version"], before, without_base(before))
    at_once = told(ask(app, "/api/cases/heart/measures", sent))
    save(app, folder)
    after = told(ask(app, "/api/cases/heart"))
    shown = {row["key"]: row["value"] for row in after["measures"]}
    assert {row["key"]: row["value"] for row in at_once["measures"]}.items() <= shown.items()
    assert {"lv_edv_ml", "lv_ef_percent", "rv_esv_ml", "lv_mass_g"} <= {row["key"] for row in at_once["measures"]}
    assert at_once["curves_ml"] == after["curves_ml"] != document["curves_ml"]
    assert run(["measure", str(folder), "-o", str(tmp_path / "measured"), "-q"]) == 0
    for name in ("measures.csv", "segments.csv"):
        own, measured = ((place / name).read_text() for place in (folder, tmp_path / "measured"))
        assert own == measured
    own, measured = (
        json.loads((place / "heart" / "measures.json").read_text()) for place in (folder, tmp_path / "measured")
    )
    assert own == measured
    assert "corrected in review" in rows(tmp_path / "measured" / "status.csv")["heart"]["reason"]


def test_a_structure_that_the_model_does_not_know_counts_at_once(predicted: Path, tmp_path: Path) -> None:
    model, out = write_threshold_model(tmp_path / "model", ["lv_cavity"]), tmp_path / "results"
    assert run(["predict", str(predicted / "scans"), "-o", str(out), "-m", str(model), "-q"]) == 0
    app = app_of(out)
    before = read_cine(out / "heart" / "mask.nii.gz").voxels
    measures = (out / "heart" / "measures.json").read_bytes()
    now = before.copy()
    now[:, 1:3, 2:6, 2:6] = Label.RV_CAVITY
    now[0, 1:3, 2:9, 2:9] = Label.RV_CAVITY
    version = told(ask(app, "/api/cases/heart"))["version"]
    at_once = told(ask(app, "/api/cases/heart/measures", correction(version, before, now)))
    save(app, out, lambda _: now)
    after = told(ask(app, "/api/cases/heart"))
    assert at_once["curves_ml"] == after["curves_ml"]
    assert {row["key"]: row["value"] for row in at_once["measures"]}.items() <= {
        row["key"]: row["value"] for row in after["measures"]
    }.items()
    assert "rv_ef_percent" in {row["key"] for row in at_once["measures"]}
    save(app, out, lambda _: before)
    assert (out / "heart" / "measures.json").read_bytes() == measures


def test_everything_that_is_written_says_so(app: Application, folder: Path) -> None:
    old = {path.name: path.read_bytes() for path in (folder / "heart").iterdir()}
    before = rows(folder / "measures.csv")["heart"]
    save(app, folder, initials="AB", note="base one slice\ntoo high")
    now, review = rows(folder / "measures.csv")["heart"], rows(folder / "review.csv")["heart"]
    assert (before["review"], now["review"]) == ("", "corrected")
    assert (review["decision"], review["initials"]) == ("corrected", "AB")
    assert review["note"] == "base one slice too high"
    change = float(now["lv_edv_ml"]) - float(before["lv_edv_ml"])
    assert float(review["lv_edv_ml_change"]) == pytest.approx(change, abs=0.011) != 0
    assert float(review["lv_edv_ml_predicted"]) == float(before["lv_edv_ml"])
    changed = read_cine(folder / "heart" / "mask.nii.gz").voxels
    kept = read_cine(folder / "heart" / "mask_predicted.nii.gz").voxels
    assert int(review["changed_voxels"]) == np.count_nonzero(changed != kept)
    assert (folder / "heart" / "mask_predicted.nii.gz").read_bytes() == old["mask.nii.gz"]
    segmentation = segread(folder / "heart" / "seg_ed.dcm")
    assert {item.SegmentAlgorithmType for item in segmentation.SegmentSequence} == {"SEMIAUTOMATIC"}
    assert "corrected end-diastole" in segmentation.SeriesDescription
    numbers = {item.SegmentLabel: item.SegmentNumber for item in segmentation.SegmentSequence}
    drawn = segmentation.get_volume(segment_numbers=[numbers["LV cavity"]]).array[..., 0]
    ed_phase = int(now["lv_ed_phase"])
    assert np.count_nonzero(drawn) == np.count_nonzero(changed[ed_phase] == Label.LV_CAVITY)
    report = (folder / "report.html").read_text()
    assert "corrected in review by AB" in report
    assert "base one slice too high" in report
    assert all(
        (folder / "heart" / name).read_bytes() != old[name] for name in ("overlay.png", "sr.dcm", "rtstruct_ed.dcm")
    )


def test_undone_it_has_the_very_bytes_of_before(app: Application, folder: Path) -> None:
    old = {path.name: path.read_bytes() for path in (folder / "heart").iterdir()}
    first = read_cine(folder / "heart" / "mask.nii.gz").voxels
    save(app, folder, ed_phase=1)
    assert told(ask(app, "/api/cases/heart"))["by_hand"] == {"ed_phase": 1, "es_phase": None}
    save(app, folder, lambda _: first)
    now = {path.name: path.read_bytes() for path in (folder / "heart").iterdir()}
    assert now.keys() == old.keys()
    assert [
        name
        for name in old
        if name.endswith(("nii.gz", "json", "png")) and name != "case.json" and now[name] != old[name]
    ] == []
    assert rows(folder / "review.csv")["heart"]["decision"] == "accepted"


def test_predict_keeps_it_and_can_throw_it_away(predicted: Path, app: Application, folder: Path) -> None:
    mask = (folder / "heart" / "mask.nii.gz").read_bytes()
    save(app, folder, initials="AB")
    corrected = {path.name: path.read_bytes() for path in (folder / "heart").iterdir()}
    again = ["predict", str(predicted / "scans"), "-o", str(folder), "-m", str(predicted / "model"), "-q"]
    for options in ([], ["--overwrite"], ["--ed", "1"]):
        assert run([*again, *options]) == 0
        assert {path.name: path.read_bytes() for path in (folder / "heart").iterdir()} == corrected
        assert "the correction is kept" in rows(folder / "status.csv")["heart"]["reason"]
        assert rows(folder / "review.csv")["heart"]["initials"] == "AB"
    assert run([*again, "--format", "seg-nrrd"]) == 0
    assert (folder / "heart" / "mask.seq.nrrd").is_file() or (folder / "heart" / "mask_ed.seg.nrrd").is_file()
    assert (folder / "heart" / "mask.nii.gz").read_bytes() == corrected["mask.nii.gz"]
    assert run([*again, "--discard-edits"]) == 0
    assert (folder / "heart" / "mask.nii.gz").read_bytes() == mask
    assert not (folder / "heart" / "mask_predicted.nii.gz").exists()
    assert not (folder / "review.csv").exists()


def test_predicted_again_a_decision_stays_with_its_mask_alone(predicted: Path, app: Application, folder: Path) -> None:
    save(app, folder, lambda mask: mask, decision="excluded", note="no breath hold")
    again = ["predict", str(predicted / "scans"), "-o", str(folder), "-q", "--overwrite", "-m"]
    assert run([*again, str(predicted / "model")]) == 0
    assert rows(folder / "measures.csv")["heart"]["review"] == "excluded"
    assert "excluded in review: no breath hold" in rows(folder / "status.csv")["heart"]["reason"]
    assert run([*again[:-2], "-m", str(predicted / "model")]) == 0  # nothing is left to do
    assert "excluded in review: no breath hold" in rows(folder / "status.csv")["heart"]["reason"]
    record = folder / "heart" / "case.json"
    document = json.loads(record.read_text())
    document["sha256"]["mask.nii.gz"] = "0" * 64  # as if another model had drawn the mask
    (folder / "heart" / "mask.nii.gz").write_bytes(b"")
    record.write_text(json.dumps(document))
    assert run([*again, str(predicted / "model")]) == 0
    assert rows(folder / "measures.csv")["heart"]["review"] == ""
    assert "its earlier review no longer counts" in rows(folder / "status.csv")["heart"]["reason"]


def test_a_scan_that_is_gone(predicted: Path, tmp_path: Path) -> None:
    shutil.copytree(predicted, tmp_path / "moved")
    folder = tmp_path / "moved" / "results"
    record = folder / "heart" / "case.json"
    record.write_text(record.read_text().replace(str(predicted / "scans"), str(tmp_path / "gone")))
    save(app_of(folder), folder)
    left = {path.name for path in (folder / "heart").iterdir()}
    assert left == {"case.json", "mask.nii.gz", "mask_predicted.nii.gz", "measures.json"}
    assert "the scan is no longer where it was" in rows(folder / "status.csv")["heart"]["reason"]


def test_accepted_where_the_scan_is_gone_it_keeps_its_pictures(predicted: Path, tmp_path: Path) -> None:
    shutil.copytree(predicted / "results", tmp_path / "results")
    folder = tmp_path / "results"
    record = folder / "heart" / "case.json"
    record.write_text(record.read_text().replace(str(predicted / "scans"), str(tmp_path / "gone")))
    old = {path.name: path.read_bytes() for path in (folder / "heart").iterdir() if path != record}
    save(app_of(folder), folder, lambda mask: mask, initials="AB")
    assert {path.name: path.read_bytes() for path in (folder / "heart").iterdir() if path != record} == old
    assert "accepted in review by AB" in rows(folder / "status.csv")["heart"]["reason"]


def test_edited_with_another_program(app: Application, folder: Path) -> None:
    """What is saved without a stroke is the edit: from now on the numbers are its own."""
    path = folder / "heart" / "mask.nii.gz"
    mask = read_cine(path)
    write_cine(path, replace(mask, voxels=without_base(mask.voxels)))
    assert "was edited after" in told(ask(app, "/api/cases/heart"))["remarks"][0]
    save(app, folder, lambda voxels: voxels)
    review = rows(folder / "review.csv")["heart"]
    assert (review["decision"], review["changed_voxels"]) == ("corrected", "")
    assert float(review["lv_edv_ml_change"]) != 0
    assert not (folder / "heart" / "mask_predicted.nii.gz").exists()  # the other program wrote over it
    remarks = told(ask(app, "/api/cases/heart"))["remarks"]
    assert not any("was edited after" in remark for remark in remarks)
    status, content = ask(app, "/api/cases/heart/predicted/0")
    assert (status, json.loads(content)["message"].partition(":")[0]) == (409, "the network's own mask is lost")


def test_edited_in_a_file_of_its_own(app: Application, folder: Path) -> None:
    """The network's mask is still that of its own file, and is kept when the edit is saved."""
    path = folder / "heart" / "mask.nii.gz"
    network, content = read_cine(path), path.read_bytes()
    write_cine(path.with_name("edited.nii.gz"), replace(network, voxels=without_base(network.voxels)))
    version = told(ask(app, "/api/cases/heart"))["version"]
    shown, predicted = (ask(app, f"/api/cases/heart/{name}/0?version={version}")[1] for name in ("masks", "predicted"))
    assert predicted == network.voxels[0].astype(np.uint8).tobytes() != shown
    told(ask(app, "/api/cases/heart/review", {"version": version, "decision": "corrected"}))
    np.testing.assert_array_equal(read_cine(path).voxels, without_base(network.voxels))
    assert (folder / "heart" / "mask_predicted.nii.gz").read_bytes() == content


def test_an_edit_cannot_be_accepted(app: Application, folder: Path) -> None:
    path = folder / "heart" / "mask.nii.gz"
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_edited"], document["has_network_mask"]) == (False, True)
    mask = read_cine(path)
    write_cine(path, replace(mask, voxels=without_base(mask.voxels)))
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_edited"], document["has_network_mask"]) == (True, False)  # it was written over
    sent = {"version": document["version"], "decision": "accepted"}
    status, content = ask(app, "/api/cases/heart/review", sent)
    assert (status, json.loads(content)["message"]) == (
        409,
        "nothing was saved: the mask was edited in another program, so nobody can accept it as the network drew it",
    )
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == files
    save(app, folder, lambda voxels: voxels)
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_edited"], document["has_network_mask"]) == (False, False)


def test_an_edit_of_a_correction_leaves_the_mask_of_the_network(app: Application, folder: Path) -> None:
    save(app, folder)
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_edited"], document["has_network_mask"]) == (False, True)
    path = folder / "heart" / "mask.nii.gz"
    mask = read_cine(path)
    mask.voxels[0, 0] = 0
    write_cine(path, mask)
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_edited"], document["has_network_mask"]) == (True, True)


def test_accepted_and_excluded(app: Application, folder: Path) -> None:
    old = (folder / "heart" / "mask.nii.gz").read_bytes()
    save(app, folder, lambda mask: mask, decision="corrected")
    assert rows(folder / "review.csv")["heart"]["decision"] == "accepted"  # nothing was changed
    save(app, folder, lambda mask: mask, decision="excluded", note="no breath hold")
    assert rows(folder / "measures.csv")["heart"]["review"] == "excluded"
    assert "excluded in review: no breath hold" in rows(folder / "status.csv")["heart"]["reason"]
    assert (folder / "heart" / "mask.nii.gz").read_bytes() == old


def test_phases_by_hand(app: Application, folder: Path) -> None:
    save(app, folder, lambda mask: mask, ed_phase=2, es_phase=5)
    measures = rows(folder / "measures.csv")["heart"]
    assert (measures["lv_ed_phase"], measures["rv_es_phase"]) == ("2", "5")
    before = json.loads((folder / "heart" / "case.json").read_text())["review"]["predicted"]
    reason = rows(folder / "status.csv")["heart"]["reason"]
    assert f"corrected in review: LV ED phase {before['lv_ed_phase']} → 2, LV ES phase" in reason
    assert float(rows(folder / "review.csv")["heart"]["rv_es_phase_predicted"]) == before["rv_es_phase"]
    document = told(ask(app, "/api/cases/heart"))
    status, content = ask(
        app, "/api/cases/heart/review", {"version": document["version"], "ed_phase": 99, "decision": "corrected"}
    )
    assert (status, json.loads(content)["message"]) == (409, "there is no phase 99")


def test_what_is_refused(app: Application, folder: Path) -> None:
    everything = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    version = told(ask(app, "/api/cases/heart"))["version"]

    def plane(**values: Any) -> dict[str, Any]:
        return {"version": version, "decision": "corrected", "planes": [{"phase": 0, "slice": 0, "runs": []} | values]}

    malformed = [
        b"", b"[]", b"{", b"\xff" * 9, b"[" * 100_000, {}, {"version": version}, plane(runs=[0, 1]), plane(phase=8),
        plane(slice=5), plane(phase=-1), plane(runs=[0, 1, 4]), plane(runs=[0, 0, 1]), plane(runs=[5, 2, 1, 6, 1, 1]),
        plane(runs=[1919, 2, 1]), plane(runs=[0.5, 1, 1]), plane(runs="abc"), plane(runs=[1 << 40, 1, 1]),
        plane() | {"initials": "x" * 17}, plane() | {"note": "x" * 2001}, plane() | {"decision": "burn"},
        plane() | {"ed_phase": -1}, plane() | {"folder": "../.."},
    ]  # fmt: skip
    for content in malformed:
        assert ask(app, "/api/cases/heart/review", content)[0] == 400, content
    refused = {
        413: [ask(app, "/api/cases/heart/review", b" " * (16 * 1024**2 + 1))],
        409: [ask(app, "/api/cases/heart/review", plane() | {"version": "old"})],
        401: [ask(app, "/api/cases/heart/review", plane(), token="")],
        403: [
            ask(app, "/api/cases/heart/review", plane(), origin="http://elsewhere"),
            ask(app, "/api/cases/heart/review", plane(), origin="null"),
            ask(app, "/api/cases/heart/review", plane(), host="attacker.example"),
            ask(app, "/api/cases/heart/review", plane(), sec_fetch_site="cross-site"),
        ],
        405: [
            ask(app, "/api/cases/heart/review", json.dumps(plane()).encode(), content_type="text/plain"),
            ask(app, "/api/cases/heart/review", plane(), method="PUT"),
            ask(app, "/api/cases/heart", plane()),
            ask(app, "/api/cases/heart/review"),
        ],
        404: [ask(app, f"/api/cases/{name}/review", plane()) for name in ("nobody", "..", "%2e%2e", "")],
    }  # fmt: skip
    for status, answers in refused.items():
        assert [answer[0] for answer in answers] == [status] * len(answers)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == everything


@pytest.mark.parametrize("name", ["initials", "note"])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", " \t=1"])
def test_what_a_spreadsheet_would_compute_is_refused(app: Application, folder: Path, name: str, text: str) -> None:
    version = told(ask(app, "/api/cases/heart"))["version"]
    sent = {"version": version, "decision": "accepted", name: text}
    status, content = ask(app, "/api/cases/heart/review", sent)
    refused = f"nothing was saved: the {name} may not begin with {text.strip()[0]}"
    assert (status, json.loads(content)["message"]) == (400, refused)
    assert not (folder / "review.csv").exists()
    assert told(ask(app, "/api/cases/heart"))["version"] == version


def test_read_only(folder: Path) -> None:
    app = app_of(folder, is_read_only=True)
    document = told(ask(app, "/api/cases/heart"))
    assert (document["is_writable"], document["why_read_only"]) == (False, "the page was started with --read-only")
    sent = {"version": document["version"], "decision": "accepted"}
    status, content = ask(app, "/api/cases/heart/review", sent)
    assert (status, json.loads(content)["message"]) == (409, "nothing was saved")
    assert not (folder / "review.csv").exists()


def test_two_tabs(app: Application, folder: Path) -> None:
    document = save(app, folder)
    sent = {"version": document["version"], "decision": "accepted"}
    for path in ("review", "measures"):
        status, content = ask(app, f"/api/cases/heart/{path}", sent if path == "review" else {"version": "old"})
        assert status == 409
        assert "was changed meanwhile" in json.loads(content)["message"]


def test_while_another_run_writes(app: Application, folder: Path) -> None:
    version = told(ask(app, "/api/cases/heart"))["version"]
    with sole_writer(folder):
        told(ask(app, "/api/cases/heart/review", {"version": version, "decision": "accepted"}))
        later = told(ask(app, "/api/tables", {}))["later"]
        assert later.startswith("measures.csv and report.html are written later")
        assert not (folder / "review.csv").exists()
    ReviewedResults(ResultsFolder(folder))
    assert rows(folder / "review.csv")["heart"]["decision"] == "accepted"


def test_a_hundred_requests_at_once(app: Application, folder: Path) -> None:
    before = read_cine(folder / "heart" / "mask.nii.gz").voxels
    version = told(ask(app, "/api/cases/heart"))["version"]
    sent = correction(version, before, without_base(before), decision="corrected")

    def send(number: int) -> int:
        return ask(
            app,
            f"/api/cases/heart/{'measures' if number % 2 else 'review'}",
            sent if number % 2 == 0 else {key: sent[key] for key in ("version", "planes")},
        )[0]

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(send, range(100)))
    assert statuses[::2].count(200) == 1  # the others came with a version of before
    assert set(statuses) == {200, 409}
    np.testing.assert_array_equal(read_cine(folder / "heart" / "mask.nii.gz").voxels, without_base(before))


@pytest.mark.parametrize("write", [1, 4, 14])
def test_killed_within_a_save(predicted: Path, folder: Path, write: int) -> None:
    """Killed at any write: the mask is the old one or the new one, and a second save succeeds."""
    before = read_cine(folder / "heart" / "mask.nii.gz").voxels
    now = without_base(before)
    program = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
import numpy as np
import cardioseg.files
from corrections import ask, correction, told
from test_correcting import app_of, without_base
from cardioseg.image.nifti import read_cine, write_cine
left = [{write}]
replace = Path.replace
def cut(self, target):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return replace(self, target)
Path.replace = cut
folder = Path({str(folder)!r})
app = app_of(folder)
version = told(ask(app, "/api/cases/heart"))["version"]
before = read_cine(folder / "heart" / "mask.nii.gz").voxels
sent = correction(version, before, without_base(before), decision="corrected")
told(ask(app, "/api/cases/heart/review", sent))
told(ask(app, "/api/tables", {{}}))
"""
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=False)
    assert ended.returncode in (-signal.SIGKILL, 0), ended.stderr
    left = read_cine(folder / "heart" / "mask.nii.gz").voxels
    assert np.array_equal(left, before) or np.array_equal(left, now)
    again = ["predict", str(predicted / "scans"), "-o", str(folder), "-m", str(predicted / "model"), "-q"]
    assert run(again) == 0  # nobody loses the correction by a run of predict
    np.testing.assert_array_equal(read_cine(folder / "heart" / "mask.nii.gz").voxels, left)
    app = app_of(folder)
    version = told(ask(app, "/api/cases/heart"))["version"]
    sent = correction(version, left, now, decision="corrected")
    told(ask(app, "/api/cases/heart/review", sent))
    told(ask(app, "/api/tables", {}))
    np.testing.assert_array_equal(read_cine(folder / "heart" / "mask.nii.gz").voxels, now)
    np.testing.assert_array_equal(read_cine(folder / "heart" / "mask_predicted.nii.gz").voxels, before)
    assert rows(folder / "review.csv")["heart"]["decision"] == "corrected"
    assert list(folder.rglob("*-*_partial*")) == []


def test_planes_are_counted_anew_as_the_whole_mask_is() -> None:
    mask = reference(SMALL)
    heart = LabelledCine(mask, STRUCTURES, Acquisition(missing=(3,)))
    voxels = mask.voxels.copy()
    voxels[2, 1], voxels[5, 4, 10:20] = 0, Label.RV_CAVITY
    changed = heart.with_planes(voxels, [(2, 1), (5, 4)])
    expected = LabelledCine(replace(mask, voxels=voxels), STRUCTURES, Acquisition(missing=(3,)))
    assert changed.curves_ml == expected.curves_ml != heart.curves_ml
    assert changed.mask.voxels is voxels


def test_links_out_of_the_folder_are_not_written_through(app: Application, folder: Path, tmp_path: Path) -> None:
    version = told(ask(app, "/api/cases/heart"))["version"]
    outside = tmp_path / "outside.nii.gz"
    shutil.copy(folder / "heart" / "mask.nii.gz", outside)
    (folder / "heart" / "mask_predicted.nii.gz").symlink_to(outside)
    status, content = ask(app, "/api/cases/heart/review", {"version": version, "decision": "accepted"})
    assert (status, json.loads(content)["message"]) == (
        409, "heart is not opened: a link in it leads out of the results folder"
    )  # fmt: skip
    (folder / "heart" / "mask_predicted.nii.gz").unlink()
    table = tmp_path / "outside.csv"
    table.write_text("untouched")
    (folder / "measures.csv").unlink()
    (folder / "measures.csv").symlink_to(table)
    save(app, folder)
    assert table.read_text() == "untouched"
    assert rows(folder / "measures.csv")["heart"]["review"] == "corrected"
