"""From edited masks to numbers: what a person changes in an editor counts, what is beside the masks is remembered."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from thresholds import THREE, write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.cases.chosen_phases import Choices
from cardioseg.correction.remeasurement import MeasureSettings, find_edited, measure_all
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.inference.segmentation import Segmentation
from cardioseg.inference.session import open_model
from cardioseg.measure.curves import Moments
from cardioseg.phantom import Phantom, cine, reference, write_dicom
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.results.outcome import Outcome

SMALL = Phantom(slices=8, phases=8, rows=48, columns=48, spacing_mm=(12.0, 5.0, 5.0), ed_phase=0)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(SMALL, folder)
    write_cine(folder / "nifti" / "beating.nii.gz", cine(SMALL))
    (folder / "nifti" / "Info.cfg").write_text("Height: 180.0\nWeight: 80.0\n")
    return folder


@pytest.fixture(scope="module")
def predicted(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a network that never errs writes."""
    out = tmp_path_factory.mktemp("predicted")
    model = open_model(write_threshold_model(tmp_path_factory.mktemp("model")))
    with pytest.MonkeyPatch.context() as patch:
        perfect = Segmentation(reference(SMALL))
        patch.setattr("cardioseg.inference.segmentation._segment", lambda *_: perfect)
        list(predict_all(find_cases([scans]), model, out))
    return out


@pytest.fixture
def masks(predicted: Path, tmp_path: Path) -> Path:
    """A copy to edit."""
    return Path(shutil.copytree(predicted, tmp_path / "masks"))


def remeasure(masks: Path, out: Path, moments: Moments = Moments()) -> dict[str, Outcome]:  # noqa: B008
    settings = MeasureSettings(Choices(moments))
    return {outcome.case_id: outcome for outcome in measure_all(find_edited(masks, out), out, settings)}


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "measures.csv").open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def test_untouched_masks_measure_as_they_were_predicted(predicted: Path, tmp_path: Path) -> None:
    outcomes = remeasure(predicted, tmp_path)
    assert {name: outcome.reason for name, outcome in outcomes.items()} == {"PHANTOM-0001": "", "beating": ""}
    assert rows(tmp_path) == rows(predicted)
    for case in outcomes:
        for file in ("measures.json", "overlay.png"):
            assert (tmp_path / case / file).read_bytes() == (predicted / case / file).read_bytes()
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["labels"] == list(THREE)
    assert run["cases"] == {"done": 2, "failed": 0, "flagged": 0}
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 2


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_an_edit_changes_the_numbers(masks: Path, tmp_path: Path, kind: type[np.generic]) -> None:
    """As an editor saves it: read, painted, and written in a type of its own."""
    path = masks / "beating" / "mask.nii.gz"
    image = sitk.ReadImage(str(path))
    labels = sitk.GetArrayFromImage(image)
    before = float(rows(masks)["beating"]["lv_edv_ml"])
    painted = int((labels[0, 4] == Label.LV_MYOCARDIUM).sum())
    labels[0, 4][labels[0, 4] == Label.LV_MYOCARDIUM] = Label.LV_CAVITY
    edited = sitk.GetImageFromArray(labels.astype(kind), isVector=False)
    edited.CopyInformation(image)
    sitk.WriteImage(edited, str(path))
    outcomes = remeasure(masks, tmp_path / "out")
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert outcomes["beating"].reason.startswith("edited")
    assert outcomes["PHANTOM-0001"].reason == ""
    after = float(rows(tmp_path / "out")["beating"]["lv_edv_ml"])
    assert after - before == pytest.approx(painted * SMALL.grid.voxel_ml, abs=0.02)
    assert float(rows(tmp_path / "out")["beating"]["bsa_m2"]) == pytest.approx(2.0)
    assert (tmp_path / "out" / "beating" / "overlay.png").read_bytes() != (
        masks / "beating" / "overlay.png"
    ).read_bytes()


def test_one_case_and_one_file(masks: Path, tmp_path: Path) -> None:
    for number, part in enumerate(("beating", "beating/mask.nii.gz")):
        out = tmp_path / str(number)
        assert list(remeasure(masks / part, out)) == ["beating"]
        assert rows(out)["beating"] == rows(masks)["beating"]
        assert (out / "beating" / "overlay.png").is_file()


def test_chosen_phases(predicted: Path, tmp_path: Path) -> None:
    outcomes = remeasure(predicted / "beating", tmp_path, Moments(1, 2))
    assert rows(tmp_path)["beating"]["rv_es_phase"] == "2"
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    outcomes = remeasure(predicted, tmp_path, Moments(8, 2))
    assert {outcome.reason for outcome in outcomes.values()} == {
        "there is no phase 8 (it has the phases 0 to 7: change --ed)"
    }


def test_error_bars_last_until_an_edit(masks: Path, tmp_path: Path) -> None:
    path = masks / "beating" / "measures.json"
    document = json.loads(path.read_text())
    members = [{"lv_cavity": [edv, 90, 60, 50, 50, 60, 90, 95]} for edv in (100, 110)]
    path.write_text(json.dumps(document | {"fold_curves_ml": members}))
    remeasure(masks / "beating", tmp_path / "out")
    assert rows(tmp_path / "out")["beating"]["lv_edv_sd_ml"] == "7.07"
    mask = masks / "beating" / "mask.nii.gz"
    write_cine(mask, Cine(read_cine(mask).voxels[..., ::-1], SMALL.grid))
    remeasure(masks / "beating", tmp_path / "out")
    assert rows(tmp_path / "out")["beating"]["lv_edv_sd_ml"] == ""


def test_a_plain_folder_of_masks(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    mask = reference(SMALL)
    write_cine(masks / "patient001_4d.nii.gz", mask)
    write_volume(masks / "patient001_frame01_gt.nii.gz", mask.phase(0))
    write_volume(masks / "patient001_frame01.nii.gz", cine(SMALL).phase(0))
    (masks / "Info.cfg").write_text("Height: 180.0\nWeight: 80.0\n")
    outcomes = remeasure(masks, tmp_path / "out")
    names = "patient001_4d", "patient001_frame01"
    assert {name: outcome.reason for name, outcome in outcomes.items()} == dict.fromkeys(names, "")
    measured = rows(tmp_path / "out")
    assert measured["patient001_4d"]["lv_edv_index_ml_per_m2"] != ""
    assert measured["patient001_frame01"]["lv_volume_ml"] == measured["patient001_4d"]["lv_edv_ml"]
    assert not (tmp_path / "out" / "patient001_4d" / "overlay.png").exists()
    assert (tmp_path / "out" / "patient001_frame01" / "overlay.png").is_file()


def test_a_case_whose_mask_is_gone_says_so(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cine(tmp_path / "masks" / f"{name}.nii.gz", reference(SMALL))
    remeasure(tmp_path / "masks", tmp_path / "out")
    (tmp_path / "masks" / "b.nii.gz").unlink()
    remeasure(tmp_path / "masks", tmp_path / "out")
    with (tmp_path / "out" / "status.csv").open(newline="") as file:
        reasons = {row["case_id"]: row["reason"] for row in csv.DictReader(file)}
    assert "its mask is gone: an earlier run measured it" in reasons["b"]
    assert "gone" not in reasons["a"]


def test_a_card_beside_several_patients_belongs_to_none(tmp_path: Path) -> None:
    for name in ("patient001_4d", "patient002_4d"):
        write_cine(tmp_path / "masks" / f"{name}.nii.gz", reference(SMALL))
    (tmp_path / "masks" / "Info.cfg").write_text("Height: 180.0\nWeight: 80.0\n")
    remeasure(tmp_path / "masks", tmp_path / "out")
    assert {row["bsa_m2"] for row in rows(tmp_path / "out").values()} == {""}


def in_other_numbers(tmp_path: Path, *numbers: int) -> Outcome:
    """A plain mask of a heart, with other numbers for background, RV cavity, myocardium and LV cavity."""
    heart = reference(SMALL)
    write_cine(tmp_path / "plain" / "p1.nii.gz", Cine(np.array(numbers, np.uint8)[heart.voxels], heart.grid))
    return remeasure(tmp_path / "plain", tmp_path / "out")["p1"]


def test_exchanged_cavities_are_refused(tmp_path: Path) -> None:
    outcome = in_other_numbers(tmp_path, 0, 3, 2, 1)
    assert outcome.status == "failed"
    assert "the myocardium lies around label 1, so that this is the LV cavity" in outcome.reason
    assert "say what the numbers mean: with --labels, or with a file dataset.json" in outcome.reason


def test_other_orders_are_refused(tmp_path: Path) -> None:
    said = "its numbers seem to mean 1 LV myocardium, 2 LV cavity, 3 RV cavity, by how its structures lie"
    assert said in in_other_numbers(tmp_path, 0, 3, 1, 2).reason


def test_an_edit_that_exchanges_the_cavities_is_refused(masks: Path, tmp_path: Path) -> None:
    path = masks / "beating" / "mask.nii.gz"
    mask = read_cine(path)
    write_cine(path, Cine(np.array((0, 3, 2, 1), np.uint8)[mask.voxels], mask.grid))
    assert "exchange the numbers 1 and 3" in remeasure(masks, tmp_path / "out")["beating"].reason


OTHER_NUMBERS = {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 2: Label.RV_CAVITY}


@pytest.mark.parametrize("says", ["option", "card"])
def test_other_numbers_are_measured_as_what_they_mean(says: str, tmp_path: Path) -> None:
    """Without myocardium, nothing in such a mask shows that label 1 is the LV."""
    heart = reference(SMALL)
    write_cine(tmp_path / "plain" / "p1.nii.gz", Cine(np.array((0, 2, 0, 1), np.uint8)[heart.voxels], heart.grid))
    settings = MeasureSettings(convention=OTHER_NUMBERS if says == "option" else None)
    if says == "card":
        labels = {"background": 0, "LV cavity": 1, "RV cavity": 2}
        (tmp_path / "plain" / "dataset.json").write_text(json.dumps({"labels": labels}))
    out = tmp_path / "out"
    (outcome,) = measure_all(find_edited(tmp_path / "plain", out), out, settings)
    assert (outcome.status, outcome.reason) == ("done", "")
    heart.voxels[heart.voxels == Label.LV_MYOCARDIUM] = Label.BACKGROUND
    write_cine(tmp_path / "ours" / "p1.nii.gz", heart)
    remeasure(tmp_path / "ours", tmp_path / "expected")
    assert rows(out) == rows(tmp_path / "expected")
    assert json.loads((out / "run.json").read_text())["numbers"] == {"1": "lv_cavity", "2": "rv_cavity"}


def test_masks_of_predict_have_their_own_numbers(masks: Path, tmp_path: Path) -> None:
    settings = MeasureSettings(convention=OTHER_NUMBERS)
    with pytest.raises(UsageError, match="has no effect: `predict` wrote the masks"):
        list(measure_all(find_edited(masks, tmp_path / "out"), tmp_path / "out", settings))
    (masks / "dataset.json").write_text('{"labels": {"background": 0, "LV cavity": 1, "RV cavity": 3}}')
    assert {outcome.status for outcome in remeasure(masks, tmp_path / "out").values()} == {"done"}


@pytest.mark.parametrize(("numbers", "is_said"), [((0, 0, 0, 1), True), ((0, 0, 0, 3), False), ((0, 1, 2, 3), False)])
def test_a_single_label_1_may_be_the_lv(numbers: tuple[int, ...], is_said: bool, tmp_path: Path) -> None:
    outcome = in_other_numbers(tmp_path, *numbers)
    assert outcome.status == "done"
    assert ("its only label is 1, measured as the RV cavity" in outcome.reason) == is_said


def test_only_structures_that_somebody_drew_are_judged(tmp_path: Path) -> None:
    mask = reference(SMALL)
    mask.voxels[mask.voxels != Label.LV_CAVITY] = Label.BACKGROUND
    write_cine(tmp_path / "masks" / "a.nii.gz", mask)
    assert remeasure(tmp_path / "masks", tmp_path / "out")["a"].flags == ()
    write_cine(tmp_path / "masks" / "b.nii.gz", reference(SMALL))
    assert {flag.kind for flag in remeasure(tmp_path / "masks", tmp_path / "out")["a"].flags} == {
        "no RV cavity", "no LV myocardium",
    }  # fmt: skip


def damage(masks: Path, how: str) -> None:
    path = masks / "beating" / "mask.nii.gz"
    mask = read_cine(path)
    if how == "label":
        mask.voxels[0, 0, 0, 0] = 9
        write_cine(path, mask)
    if how == "one phase":
        write_volume(path, mask.phase(0))
    if how == "cropped":
        shape = (8, 48, 40)
        write_cine(path, Cine(mask.voxels[..., 4:-4], type(mask.grid)(shape, mask.grid.spacing_mm)))
    if how == "broken":
        path.write_bytes(path.read_bytes()[:-30])
    if how == "measures":
        (masks / "beating" / "measures.json").write_text("[]")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (
            "label",
            "the mask holds the label 9; the known labels are [0, 1, 2, 3] (labels are 0 background, 1 RV cavity",
        ),
        ("one phase", "has 1 phase but its scan has 8 (save the mask of all phases as one 4D image)"),
        ("cropped", "does not lie on its scan's grid (save it on the grid of the scan)"),
        ("broken", "mask.nii.gz: damaged or truncated (repair it, or leave it out)"),
        ("measures", "measures.json: not a file that predict wrote (predict the case again, or remove the file)"),
    ],
)
def test_what_cannot_be_measured_fails_alone(masks: Path, tmp_path: Path, how: str, reason: str) -> None:
    (tmp_path / "out" / "beating").mkdir(parents=True)
    (tmp_path / "out" / "beating" / "measures.json").write_text("from an earlier run")
    damage(masks, how)
    outcomes = remeasure(masks, tmp_path / "out")
    assert outcomes["PHANTOM-0001"].status == "done"
    assert outcomes["beating"].status == "failed"
    assert reason in outcomes["beating"].reason
    assert "\n" not in outcomes["beating"].reason
    assert not (tmp_path / "out" / "beating" / "measures.json").exists()
    assert list(rows(tmp_path / "out")) == ["PHANTOM-0001"]


def test_a_scan_that_is_gone_or_another_costs_the_picture_only(masks: Path, tmp_path: Path) -> None:
    changes = {"beating": {"input": "another", "content": "another"}, "PHANTOM-0001": {"source": str(masks / "moved")}}
    for name, change in changes.items():
        record = masks / name / "case.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | change))
    outcomes = remeasure(masks, tmp_path / "out")
    for name, outcome in outcomes.items():
        assert (outcome.status, outcome.reason) == ("done", "no picture: its scan is gone")
        assert not (tmp_path / "out" / name / "overlay.png").exists()
    assert rows(tmp_path / "out") == rows(masks)
    for name in changes:
        record = masks / name / "case.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"source": None}))
    assert {outcome.reason for outcome in remeasure(masks, tmp_path / "out").values()} == {""}


def test_missing_slices_are_remembered(masks: Path, tmp_path: Path) -> None:
    path = masks / "beating" / "measures.json"
    document = json.loads(path.read_text())
    gap = {"kind": "missing slice", "reason": "slice 3 was not acquired", "phase": None, "slice": 3}
    for index, status in ((3, "done"), (8, "failed")):
        document["acquisition"] |= {"missing": [index], "flags": [gap]}
        path.write_text(json.dumps(document))
        outcome = remeasure(masks / "beating", tmp_path / "out")["beating"]
        assert outcome.status == status
    assert "fewer slices than its scan" in outcome.reason
    document["acquisition"]["missing"] = [3]
    path.write_text(json.dumps(document))
    mask = read_cine(masks / "beating" / "mask.nii.gz")
    mask.voxels[:, 3] = Label.BACKGROUND
    write_cine(masks / "beating" / "mask.nii.gz", mask)
    outcome = remeasure(masks / "beating", tmp_path / "out")["beating"]
    assert [flag.kind for flag in outcome.flags] == ["missing slice"]
    whole, filled = (float(rows(folder)["beating"]["lv_edv_ml"]) for folder in (masks, tmp_path / "out"))
    assert filled == pytest.approx(whole, rel=0.03)


def test_masks_that_clash(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_cine(tmp_path / folder / "a.nii.gz", reference(SMALL))
    outcomes = remeasure(tmp_path, tmp_path / "out")
    assert {name: outcome.status for name, outcome in outcomes.items()} == {"one_a": "done", "two_a": "done"}
    assert list(rows(tmp_path / "out")) == ["one_a", "two_a"]


def test_nothing_to_measure(tmp_path: Path, masks: Path) -> None:
    with pytest.raises(NoInputError, match="no such file or folder"):
        find_edited(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInputError, match="no NIfTI masks in it"):
        find_edited(tmp_path / "empty", tmp_path / "out")
    for part, out in ((masks, masks), (masks / "beating", masks)):
        with pytest.raises(UsageError, match="holds the predicted numbers"):
            find_edited(part, out)
    (masks / "run.json").write_text("[]")
    with pytest.raises(UnusableError, match=r"run\.json"):
        remeasure(masks, tmp_path / "out")


def test_an_empty_mask(tmp_path: Path) -> None:
    write_cine(tmp_path / "masks" / "a.nii.gz", Cine(np.zeros((8, *SMALL.grid.shape), np.uint8), SMALL.grid))
    outcome = remeasure(tmp_path / "masks", tmp_path / "out")["a"]
    assert outcome.status == "done"
    assert rows(tmp_path / "out")["a"]["lv_edv_ml"] == ""
