"""From folders of scans to OUT: cases found, done once, done again after a change, and a bad one among them."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cases.case import Findings
from cardioseg.cases.case_search import Search, find_cases
from cardioseg.cases.chosen_phases import Choices
from cardioseg.errors import NoInputError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, read_volume, write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.inference.segmentation import Segmentation
from cardioseg.inference.session import Model, open_model
from cardioseg.measure.curves import Moments
from cardioseg.phantom import Phantom, cine, reference, truth, write_dicom
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.outcome import Outcome


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return open_model(model_folder)


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM study, a 4D and a 3D NIfTI, a reference mask, a text file and an unreadable NIfTI."""
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(SMALL, folder)
    beating = cine(SMALL)
    write_cine(folder / "nifti" / "beating.nii.gz", beating)
    write_volume(folder / "nifti" / "still.nii", beating.phase(0))
    write_volume(folder / "nifti" / "still_gt.nii.gz", reference(SMALL).phase(0))
    (folder / "notes.txt").write_text("nothing to see")
    (folder / "nifti" / "broken.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    return folder


@pytest.fixture(scope="session")
def done(scans: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Findings, list[Outcome]]:
    out = tmp_path_factory.mktemp("out")
    findings = find_cases([scans])
    return out, findings, list(predict_all(findings, model, out))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_cases_are_named_by_the_users_own_names(done: tuple[Path, Findings, list[Outcome]]) -> None:
    _, findings, _ = done
    assert sorted(case.case_id for case in findings.cases) == ["PHANTOM-0001", "beating", "broken", "still"]
    assert [item.why.split(":")[0] for item in findings.others] == ["localizer"]
    assert [Path(item.where).name for item in findings.unused] == ["notes.txt"]


def test_masks_lie_on_the_scanners_grid(done: tuple[Path, Findings, list[Outcome]], scans: Path) -> None:
    out, _, _ = done
    mask = read_cine(out / "PHANTOM-0001" / "mask.nii.gz")
    assert mask.voxels.shape == (8, 5, 48, 40)
    assert mask.grid.matches(SMALL.grid)
    assert read_cine(out / "still" / "mask.nii.gz").voxels.shape == (1, 5, 48, 40)
    beating = read_cine(out / "beating" / "mask.nii.gz")
    assert np.array_equal(beating.voxels, mask.voxels)
    assert beating.grid.matches(read_cine(scans / "nifti" / "beating.nii.gz").grid)


def test_tables_say_what_became_of_each_case(done: tuple[Path, Findings, list[Outcome]]) -> None:
    out, _, outcomes = done
    status = {row["case_id"]: row for row in read_csv(out / "status.csv")}
    assert {name for name, row in status.items() if row["status"] == "done"} == {"PHANTOM-0001", "beating", "still"}
    assert status["broken"]["status"] == "failed"
    assert status["broken"]["reason"]
    assert not (out / "broken").exists()
    assert [outcome.status for outcome in outcomes].count("failed") == 1
    measured = {row["case_id"]: row for row in read_csv(out / "measures.csv")}
    assert set(measured) == {"PHANTOM-0001", "beating", "still"}
    assert measured["still"]["lv_edv_ml"] == measured["still"]["lv_esv_ml"] == ""
    assert measured["still"]["lv_volume_ml"] != ""
    assert measured["beating"]["lv_volume_ml"] == ""
    run = json.loads((out / "run.json").read_text())
    assert run["labels"] == ["lv_cavity"]
    assert run["cases"] == {"done": 3, "failed": 1, "flagged": 3}
    assert (out / "report.html").read_text().count("data:image/png") == 3


def test_a_second_run_skips_what_is_done(done: tuple[Path, Findings, list[Outcome]], scans: Path, model: Model) -> None:
    out, findings, _ = done
    before = {path: path.stat().st_mtime_ns for path in out.rglob("mask.nii.gz")}
    again = list(predict_all(find_cases([scans]), model, out))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("mask.nii.gz")} == before
    assert all(outcome.seconds == 0 for outcome in again)
    assert len(again) == len(findings.cases)


def test_it_is_done_again_when_mask_or_model_changed(
    model: Model, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write_volume(tmp_path / "scans" / "a.nii.gz", cine(SMALL).phase(0))
    findings = find_cases([tmp_path / "scans"])

    def seconds(used: Model, overwrite: bool = False) -> float:
        (outcome,) = predict_all(findings, used, tmp_path / "out", Settings(overwrite))
        return outcome.seconds

    assert seconds(model) > 0
    assert seconds(model) == 0
    assert seconds(model, overwrite=True) > 0
    mask = tmp_path / "out" / "a" / "mask.nii.gz"
    mask.write_bytes(mask.read_bytes()[:-8])
    assert seconds(model) > 0
    other = write_threshold_model(tmp_path_factory.mktemp("other"), ["lv_cavity"], brighter=0.1)
    assert seconds(open_model(other)) > 0


def test_the_same_scan_gives_the_same_bytes(model: Model, tmp_path: Path) -> None:
    write_volume(tmp_path / "a.nii.gz", cine(SMALL).phase(0))
    for out in ("one", "two"):
        list(predict_all(find_cases([tmp_path / "a.nii.gz"]), model, tmp_path / out))
    for file in ("mask.nii.gz", "measures.json", "overlay.png", "case.json"):
        assert (tmp_path / "one" / "a" / file).read_bytes() == (tmp_path / "two" / "a" / file).read_bytes()


def test_a_wide_gap_in_the_stack_fails_that_case_alone(model: Model, tmp_path: Path) -> None:
    write_dicom(SMALL, tmp_path / "scans")
    other = write_dicom(Phantom(**{**vars(SMALL), "slices": 9, "seed": 2}), tmp_path / "scans")
    from pydicom import dcmread

    for path in other.glob("*"):
        if 2 * 8 < dcmread(path).InstanceNumber <= 6 * 8:
            path.unlink()
    outcomes = {o.case_id: o for o in predict_all(find_cases([tmp_path / "scans"]), model, tmp_path / "out")}
    assert outcomes["PHANTOM-0001"].status == "done"
    assert outcomes["PHANTOM-0002"].status == "failed"
    assert "missing" in outcomes["PHANTOM-0002"].reason
    assert f"`cardioseg inspect {other}` says more" in outcomes["PHANTOM-0002"].reason


def test_a_missing_slice_is_bridged_and_flagged(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom import dcmread

    seven = Phantom(**{**vars(SMALL), "slices": 7, "spacing_mm": (12.0, 6.0, 6.0)})
    for path in write_dicom(seven, tmp_path / "scans").glob("*"):
        if 3 * 8 < dcmread(path).InstanceNumber <= 4 * 8:  # slice 3
            path.unlink()
    perfect, acquired = reference(seven), [0, 1, 2, 4, 5, 6]

    def on_what_was_acquired(image: Cine, *_: object) -> Segmentation:
        assert image.voxels.any((0, 2, 3)).tolist() == [True] * 6
        return Segmentation(Cine(perfect.voxels[:, acquired], image.grid, image.times_ms))

    monkeypatch.setattr("cardioseg.inference.segmentation._segment", on_what_was_acquired)
    (outcome,) = predict_all(find_cases([tmp_path / "scans"]), model, tmp_path / "out")
    assert [(flag.kind, flag.slice) for flag in outcome.flags if flag.kind == "missing slice"] == [("missing slice", 3)]
    assert {flag.kind for flag in outcome.flags} <= {"missing slice", "base not covered", "apex not covered"}
    mask = read_cine(tmp_path / "out" / outcome.case_id / "mask.nii.gz")
    assert mask.voxels.any((0, 2, 3)).tolist() == [True, True, True, False, True, True, False]
    assert mask.grid.matches(seven.grid)
    (row,) = read_csv(tmp_path / "out" / "measures.csv")
    assert float(row["lv_edv_ml"]) == pytest.approx(truth(seven).measures["lv_edv_ml"], rel=0.05)


def test_the_body_and_the_heart_rate_in_dicom(model: Model, tmp_path: Path) -> None:
    from pydicom import dcmread

    for path in write_dicom(SMALL, tmp_path / "scans").glob("*"):
        dataset = dcmread(path)
        dataset.PatientSize, dataset.PatientWeight, dataset.HeartRate = "1.80", "80", "60"
        dataset.save_as(path)
    list(predict_all(find_cases([tmp_path / "scans"]), model, tmp_path / "out"))
    (row,) = read_csv(tmp_path / "out" / "measures.csv")
    assert (row["bsa_m2"], row["heart_rate_bpm"]) == ("2.0", "60.0")
    assert float(row["cardiac_output_l_per_min"]) == pytest.approx(0.06 * float(row["lv_sv_ml"]), abs=0.01)
    assert row["cardiac_index_l_per_min_per_m2"] != ""


def test_a_height_in_centimetres_is_flagged_and_nothing_indexed_to_it(model: Model, tmp_path: Path) -> None:
    from pydicom import dcmread

    for path in write_dicom(SMALL, tmp_path / "scans").glob("*"):
        dataset = dcmread(path)
        dataset.PatientSize, dataset.PatientWeight, dataset.SliceThickness = "180", "80", "9"
        dataset.save_as(path)
    list(predict_all(find_cases([tmp_path / "scans"]), model, tmp_path / "out"))
    (row,) = read_csv(tmp_path / "out" / "measures.csv")
    assert (row["bsa_m2"], row["lv_edv_index_ml_per_m2"]) == ("", "")
    assert {"implausible value", "slices far apart", "gaps between slices"} <= set(row["flags"].split("; "))
    sampling = [row[name] for name in ("slice_count", "slice_step_mm", "slice_thickness_mm", "phase_count")]
    assert sampling == [str(SMALL.slices), f"{SMALL.spacing_mm[0]}", "9.0", str(SMALL.phases)]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Height is impossible for a person" in page
    assert f"gaps of {SMALL.spacing_mm[0] - 9:.1f} mm were not imaged" in page


def test_nifti_slices_that_lie_far_apart_are_flagged(model: Model, tmp_path: Path) -> None:
    image = cine(SMALL)
    for name, step_mm in (("near", 10.0), ("far", 17.7)):
        grid = replace(image.grid, spacing_mm=(step_mm, *image.grid.pixel_mm))
        write_cine(tmp_path / f"{name}.nii.gz", replace(image, grid=grid))
    list(predict_all(find_cases([tmp_path]), model, tmp_path / "out"))
    rows = {row["case_id"]: row for row in read_csv(tmp_path / "out" / "measures.csv")}
    assert "slices far apart" in rows["far"]["flags"]
    assert "slices far apart" not in rows["near"]["flags"]
    assert (rows["far"]["slice_step_mm"], rows["far"]["slice_thickness_mm"]) == ("17.7", "")
    assert "17.7 mm from slice to slice (limit 12 mm)" in (tmp_path / "out" / "report.html").read_text()


def test_results_inside_the_scans_are_no_scans(model: Model, tmp_path: Path) -> None:
    write_volume(tmp_path / "a.nii.gz", cine(SMALL).phase(0))
    for _ in range(2):
        parts = list(Search([tmp_path], tmp_path / "results"))
        assert [case.case_id for part in parts for case in part.cases] == ["a"]
        assert not any(part.unused for part in parts)
        list(predict_all(Search([tmp_path], tmp_path / "results"), model, tmp_path / "results"))
    assert [case.case_id for part in Search([tmp_path], tmp_path / "elsewhere") for case in part.cases] == ["a"]
    assert len(find_cases([tmp_path / "a.nii.gz", tmp_path / "results" / ".." / "a.nii.gz"]).cases) == 1


@pytest.mark.parametrize(
    ("fill", "spacing", "complaint"), [(0, 1.5, "same value"), (None, 0.0016, "0.0016 x 0.0016 mm")]
)
def test_what_cannot_be_a_heart_fails(
    model: Model, tmp_path: Path, fill: int | None, spacing: float, complaint: str
) -> None:
    image = cine(SMALL).phase(0)
    grid = replace(image.grid, spacing_mm=(8.0, spacing, spacing))
    voxels = image.voxels if fill is None else np.full_like(image.voxels, fill)
    write_volume(tmp_path / "a.nii.gz", Volume(voxels, grid))
    (outcome,) = predict_all(find_cases([tmp_path]), model, tmp_path / "out")
    assert outcome.status == "failed"
    assert complaint in outcome.reason


def test_nothing_to_segment(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no image files"):
        find_cases([tmp_path])
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(NoInputError, match="1 unusable file"):
        find_cases([tmp_path])
    with pytest.raises(NoInputError, match="no such file or folder"):
        find_cases([tmp_path / "nowhere"])


def test_a_folder_of_reference_masks_alone_is_called_so(tmp_path: Path) -> None:
    write_volume(
        tmp_path / "p1" / "p1_ed_gt.nii.gz", Volume(np.zeros((2, 8, 8), np.uint8), Grid((2, 8, 8), (8.0, 1.0, 1.0)))
    )
    with pytest.raises(NoInputError, match=r"no short-axis cine in .*: only reference masks \(\*_gt\)"):
        find_cases([tmp_path])


def test_what_is_missing_is_remarked(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def blank(image: Cine, *_: object) -> Segmentation:
        mask = np.zeros(image.voxels.shape, np.uint8)
        mask[2:, 1:3, 10:20, 10:20] = Label.LV_CAVITY
        return Segmentation(Cine(mask, image.grid, image.times_ms))

    write_cine(tmp_path / "a.nii.gz", cine(SMALL))
    write_volume(tmp_path / "b.nii.gz", cine(SMALL).phase(0))
    monkeypatch.setattr("cardioseg.inference.segmentation._segment", blank)
    for _ in range(2):  # the second time from disk
        outcomes = {o.case_id: o for o in predict_all(find_cases([tmp_path]), model, tmp_path / "out")}
        assert {o.status for o in outcomes.values()} == {"done"}
        assert (
            outcomes["a"].text == "3 flags: slices far apart, no LV cavity (phase 0), slice extent (slice 1, phase 2)"
        )
        assert outcomes["b"].text == "2 flags: slices far apart, no LV cavity"
    rows = {row["case_id"]: row for row in read_csv(tmp_path / "out" / "measures.csv")}
    assert (rows["a"]["flag_count"], rows["a"]["flags"]) == ("3", "slices far apart; no LV cavity; slice extent")
    flags = json.loads((tmp_path / "out" / "a" / "measures.json").read_text())["flags"]
    assert flags[1] == {
        "kind": "no LV cavity", "reason": "the mask is empty at 2 of 8 phases", "phase": 0, "slice": None,
        "places": [],
    }  # fmt: skip
    assert "the mask is empty at 2 of 8 phases" in (tmp_path / "out" / "report.html").read_text()


def test_an_edited_mask_is_kept(model: Model, tmp_path: Path) -> None:
    write_volume(tmp_path / "scans" / "a.nii.gz", cine(SMALL).phase(0))
    findings, out = find_cases([tmp_path / "scans"]), tmp_path / "out"
    list(predict_all(findings, model, out))
    path = out / "a" / "mask.nii.gz"
    edited = read_volume(path)
    edited.voxels[2] = 0
    write_volume(path, edited)
    before = path.read_bytes()
    for moments, overwrite in ((Moments(), False), (Moments(0), False), (Moments(), True)):
        (outcome,) = predict_all(findings, model, out, Settings(overwrite, choices=Choices(moments)))
        assert "its mask was edited and is kept" in outcome.reason
        assert "--discard-edits predicts the case again" in outcome.reason
        assert path.read_bytes() == before
    (outcome,) = predict_all(findings, model, out, Settings(discard_edits=True))
    assert "edited" not in outcome.reason
    assert path.read_bytes() != before


def test_it_is_done_again_where_its_measures_are_gone_or_other_phases_are_chosen(model: Model, tmp_path: Path) -> None:
    write_cine(tmp_path / "scans" / "a.nii.gz", cine(SMALL))
    findings, out = find_cases([tmp_path / "scans"]), tmp_path / "out"

    def predict(moments: Moments = Moments()) -> Outcome:  # noqa: B008
        (outcome,) = predict_all(findings, model, out, Settings(choices=Choices(moments)))
        return outcome

    assert predict().seconds > 0
    (out / "a" / "measures.json").write_text("{}")
    assert predict().seconds > 0
    assert predict(Moments(2, 5)).seconds > 0
    assert predict(Moments(2, 5)).seconds == 0
    (row,) = read_csv(out / "measures.csv")
    assert (row["ed_phase"], row["es_phase"], row["lv_ed_phase"]) == ("2", "5", "2")
    assert json.loads((out / "run.json").read_text())["chosen_phases"] == {"ed_phase": 2, "es_phase": 5}
    beyond = predict(Moments(2, 8))
    assert (beyond.status, beyond.reason) == ("failed", "there is no phase 8 (it has the phases 0 to 7: change --es)")


def test_a_second_run_keeps_the_timings(model: Model, tmp_path: Path) -> None:
    for name in "ab":
        write_volume(tmp_path / "scans" / f"{name}.nii.gz", cine(SMALL).phase(0))
    findings, out = find_cases([tmp_path / "scans"]), tmp_path / "out"

    def seconds() -> dict[str, float]:
        list(predict_all(findings, model, out))
        timings: dict[str, float] = json.loads((out / "run.json").read_text())["seconds_by_case"]
        return timings

    first = seconds()
    assert min(first[name] for name in "ab") > 0
    (out / "b" / "case.json").unlink()
    second = seconds()
    assert second["a"] == first["a"]
    assert second["b"] > 0
    (out / "run.json").write_text("[")
    assert seconds() == {}


def test_a_failure_says_what_to_do(done: tuple[Path, Findings, list[Outcome]]) -> None:
    (broken,) = [outcome for outcome in done[2] if outcome.status == "failed"]
    assert broken.reason.endswith("(convert it again from its source, or leave it out)")


def test_the_body_beside_a_nifti(model: Model, tmp_path: Path) -> None:
    write_cine(tmp_path / "patient001" / "patient001_4d.nii.gz", cine(SMALL))
    (tmp_path / "patient001" / "Info.cfg").write_text("Height: 180.0\nWeight: 80.0\n")
    list(predict_all(find_cases([tmp_path / "patient001"]), model, tmp_path / "out"))
    (row,) = read_csv(tmp_path / "out" / "measures.csv")
    assert float(row["bsa_m2"]) == pytest.approx(2.0)
    assert float(row["lv_edv_index_ml_per_m2"]) == pytest.approx(float(row["lv_edv_ml"]) / 2, abs=0.01)
