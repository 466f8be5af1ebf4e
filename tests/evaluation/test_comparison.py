"""Folders against folders, end to end."""

import csv
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from read_subjects import read_all, read_layout
from sources import at_hand

from cardioseg.dataset.preparation import write_dataset
from cardioseg.errors import NoInputError
from cardioseg.evaluation import comparison
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.nnunet_summary import write_summary
from cardioseg.evaluation.references import find_references
from cardioseg.evaluation.result import MEASURE_COLUMNS, SLICE_COLUMNS, VOLUME_COLUMNS, write
from cardioseg.execution.in_process import Here
from cardioseg.execution.processes import Processes
from cardioseg.image.labels import CONVENTIONS, Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest.labels.structures import Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject
from cardioseg.skipped import Skipped

GRID = Grid((4, 12, 10), (8.0, 1.5, 1.25), (-10.0, 20.0, 30.0))


def heart(shift: int = 0) -> Voxels:
    """Four slices, the last one empty."""
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:3, 2:9, 1:9] = Label.LV_MYOCARDIUM
    mask[:3, 4:8, 4:8] = Label.LV_CAVITY
    mask[:2, 2:9, 1:3] = Label.RV_CAVITY
    return np.roll(mask, shift, axis=1)


def write_mask(path: Path, mask: Voxels, grid: Grid = GRID) -> None:
    write_volume(path, Volume(mask, grid))


def write_prepared(folder: Path, names: Sequence[str] = ("p1",)) -> None:
    annotated = np.ones((len(heart()), len(Label)), np.bool_)
    volume = LabelledVolume(
        "ed", heart(), heart(), annotated, GRID.spacing_mm, ("p1_frame01",), None, ("",) * len(heart()), GRID
    )
    subjects = [Subject(name, (replace(volume, case_ids=(f"{name}_frame01",)),)) for name in names]
    assert len(list(write_dataset(folder, "tiny", "acdc", map(at_hand, subjects)))) == len(names)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    predicted, reference = tmp_path / "predicted", tmp_path / "reference"
    for case, shift in (("a", 0), ("b", 1)):
        write_mask(predicted / case / "mask.nii.gz", heart(shift))
        write_mask(reference / f"{case}_gt.nii.gz", heart())
    return predicted, reference


def test_a_perfect_and_a_shifted_case(folders: tuple[Path, Path]) -> None:
    evaluation = evaluate(*folders)
    assert evaluation.problems == ()
    perfect, shifted = ([one.overlap.dice for one in evaluation.scores if one.case_id == case] for case in "ab")
    assert perfect == [1.0, 1.0, 1.0]
    assert all(dice is not None and 0.5 < dice < 1 for dice in shifted)
    assert [one.slices_both_empty for one in evaluation.summary if one.group == "all"] == [4, 2, 2]


def test_reference_and_prediction_are_not_interchangeable_in_ml(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write_mask(predicted / "b" / "mask.nii.gz", np.where(heart() == Label.RV_CAVITY, 0, heart()).astype(np.uint8))
    [rv] = [one for one in evaluate(predicted, reference).scores if (one.case_id, one.label) == ("b", Label.RV_CAVITY)]
    assert rv.overlap.dice == 0
    assert (rv.reference_ml, rv.predicted_ml) == (pytest.approx(28 * GRID.voxel_ml), 0)


def test_only_what_the_model_segments(folders: tuple[Path, Path]) -> None:
    (folders[0] / "run.json").write_text(json.dumps({"labels": ["lv_cavity"]}))
    assert {one.label for one in evaluate(*folders).scores} == {Label.LV_CAVITY}


def test_only_what_the_references_hold(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    for case in "ab":
        mask = heart()
        write_mask(reference / f"{case}_gt.nii.gz", np.where(mask == Label.LV_CAVITY, mask, 0).astype(np.uint8))
    evaluation = evaluate(predicted, reference)
    assert evaluation.labels == (Label.LV_CAVITY,)
    assert {one.label for one in evaluation.scores} == {Label.LV_CAVITY}


def test_what_cannot_be_compared_is_named_and_the_rest_is_scored(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write_mask(predicted / "no_reference" / "mask.nii.gz", heart())
    write_mask(reference / "no_prediction.nii.gz", heart())
    write_mask(predicted / "moved" / "mask.nii.gz", heart(), Grid(GRID.shape, GRID.spacing_mm))
    write_mask(reference / "moved.nii.gz", heart())
    (reference / "damaged.nii.gz").write_bytes(b"")
    evaluation = evaluate(predicted, reference)
    assert {one.case_id for one in evaluation.scores} == {"a", "b"}
    problems = {problem.where: problem.why for problem in evaluation.problems}
    assert set(problems) == {"no_reference/mask.nii.gz", "no_prediction", "moved", "damaged.nii.gz"}
    assert problems["no_reference/mask.nii.gz"] == "no reference that can be used"
    assert problems["damaged.nii.gz"].startswith("the reference cannot be used: ")
    assert problems["no_prediction"] == "no prediction"


def test_a_4d_reference_counts_only_phases_that_were_drawn(tmp_path: Path) -> None:
    cine = np.stack([heart(), np.zeros_like(heart()), heart(1), np.zeros_like(heart())])
    write_cine(tmp_path / "reference" / "a.nii.gz", Cine(cine, GRID))
    everywhere = np.stack([heart(), heart(), heart(1), heart()])
    write_cine(tmp_path / "predicted" / "a" / "mask.nii.gz", Cine(everywhere, GRID))
    evaluation = evaluate(tmp_path / "predicted", tmp_path / "reference")
    assert {(one.volume, one.overlap.dice) for one in evaluation.scores} == {("ed", 1.0), ("es", 1.0)}


def test_an_acdc_folder_is_a_reference(tmp_path: Path) -> None:
    patient = tmp_path / "acdc" / "patient001"
    for frame in ("01", "04"):
        write_mask(patient / f"patient001_frame{frame}.nii.gz", heart())
        write_mask(patient / f"patient001_frame{frame}_gt.nii.gz", heart())
        write_mask(tmp_path / "out" / f"patient001_frame{frame}" / "mask.nii.gz", heart())
    (patient / "Info.cfg").write_text("ED: 1\nES: 4\nGroup: NOR\n")
    evaluation = evaluate(tmp_path / "out", tmp_path / "acdc")
    assert evaluation.problems == ()
    assert {(one.subject_id, one.volume, one.overlap.dice) for one in evaluation.scores} == {
        ("patient001", "ed", 1.0),
        ("patient001", "es", 1.0),
    }


def test_sunnybrook_contours_are_references(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "sunnybrook"
    subject = next(one for one in read_layout(source) if isinstance(one, Subject))
    volumes = {volume.phase: volume for volume in subject.volumes}
    grid = subject.volumes[0].grid
    assert grid is not None
    predicted = np.zeros((20, *grid.shape), np.uint8)
    for phase, volume in volumes.items():
        predicted[phase] = volume.mask
    write_cine(tmp_path / subject.volumes[0].case_ids[-1] / "mask.nii.gz", Cine(predicted, grid))
    evaluation = evaluate(tmp_path, source)
    assert {one.overlap.dice for one in evaluation.scores} == {1.0}
    assert evaluation.labels == (Label.LV_MYOCARDIUM, Label.LV_CAVITY)
    [cavity] = [one for one in evaluation.summary if (one.label, one.group) == (Label.LV_CAVITY, "all")]
    assert cavity.slices_scored == dict(subject.counts)["endocardial contours"]
    assert {problem.why for problem in evaluation.problems} == {"no prediction"}


def test_nothing_to_evaluate(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for nowhere in ((tmp_path / "nowhere", folders[1]), (folders[0], tmp_path / "nowhere")):
        with pytest.raises(NoInputError, match="nowhere: no such folder"):
            evaluate(*nowhere)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInputError, match="no NIfTI masks"):
        evaluate(tmp_path / "empty", folders[1])
    with pytest.raises(NoInputError, match="empty: no reference labels in it"):
        evaluate(folders[0], tmp_path / "empty")
    (tmp_path / "empty" / "c.nii.gz").write_bytes((folders[1] / "a_gt.nii.gz").read_bytes())
    with pytest.raises(NoInputError, match=r"masks are paired by name: c is a reference, a/mask\.nii\.gz a prediction"):
        evaluate(folders[0], tmp_path / "empty")
    (folders[0] / "run.json").write_text(json.dumps({"labels": []}))
    with pytest.raises(NoInputError, match="no label in common"):
        evaluate(*folders)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_hold_everything(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_mask(folders[1] / "no_prediction.nii.gz", heart())
    evaluation = evaluate(*folders)
    write(evaluation, tmp_path / "report")
    document = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert document == json.loads(json.dumps(evaluation.to_json()))
    assert "both are empty, nothing is scored (8 slices)" in document["protocol"]
    cavity = [one for one in document["summary"] if (one["label"], one["group"]) == ("lv_cavity", "all")]
    assert [one["per_slice"]["dice"]["n"] for one in cavity] == [6]
    assert document["problems"] == [{"where": "no_prediction", "why": "no prediction"}]
    volumes = rows_of(tmp_path / "report" / "evaluation.csv")
    assert (len(volumes), tuple(volumes[0])) == (6, VOLUME_COLUMNS)
    slices = rows_of(tmp_path / "report" / "evaluation_slices.csv")
    assert tuple(slices[0]) == SLICE_COLUMNS
    chosen = [row for row in slices if (row["case_id"], row["label"]) == ("b", "lv_cavity")]
    assert [(row["slice"], row["region"]) for row in chosen] == [
        ("0", "base"), ("1", "mid"), ("2", "apex"), ("3", "outside"),
    ]  # fmt: skip
    assert chosen[3]["dice"] == ""
    assert np.mean([float(row["dice"]) for row in chosen[:3]]) == pytest.approx(
        next(one.overlap.dice for one in evaluation.scores if (one.case_id, one.label) == ("b", Label.LV_CAVITY))
    )


def test_measures_and_their_agreement(tmp_path: Path) -> None:
    for number, rows in enumerate((4, 5, 6, 7)):
        for frame, height in (("01", rows), ("09", rows - 2)):
            mask = np.zeros(GRID.shape, np.uint8)
            mask[:3, 2 : 2 + height, 2:8] = Label.LV_CAVITY
            write_mask(tmp_path / "reference" / f"p{number}_frame{frame}.nii.gz", mask)
            mask[0, 2] = 0
            write_mask(tmp_path / "out" / f"p{number}_frame{frame}" / "mask.nii.gz", mask)
    evaluation = evaluate(tmp_path / "out", tmp_path / "reference")
    row_ml = 6 * GRID.voxel_ml
    expected = {f"p{number}": (3 * rows - 1) * row_ml for number, rows in enumerate((4, 5, 6, 7))}
    assert {
        pair.subject_id: pair.predicted for pair in evaluation.measures if pair.measure == "lv_edv_ml"
    } == pytest.approx(expected)
    agreed = evaluation.agreements["lv_edv_ml"]
    assert (agreed.n, agreed.bias.mean, agreed.sd) == (4, pytest.approx(-row_ml), pytest.approx(0, abs=1e-9))
    assert evaluation.agreements["lv_sv_ml"].bias.mean == pytest.approx(0)
    write(evaluation, tmp_path / "report")
    rows = rows_of(tmp_path / "report" / "evaluation_measures.csv")
    assert (len(rows), tuple(rows[0])) == (16, MEASURE_COLUMNS)


def test_nnunet_reads_the_summary(folders: tuple[Path, Path], tmp_path: Path) -> None:
    evaluation = evaluate(*folders)
    write_summary(evaluation, tmp_path / "summary.json")
    document = json.loads((tmp_path / "summary.json").read_text())
    assert set(document) == {"foreground_mean", "mean", "metric_per_case"}
    assert [case["prediction_file"] for case in document["metric_per_case"]] == ["a", "b"]
    perfect, shifted = (case["metrics"]["3"] for case in document["metric_per_case"])
    assert (perfect["Dice"], perfect["TP"], perfect["FP"], perfect["FN"]) == (1.0, 48, 0, 0)
    assert perfect["TP"] + perfect["TN"] == np.prod(GRID.shape)
    assert document["mean"]["3"]["Dice"] == pytest.approx((1 + shifted["Dice"]) / 2)
    assert document["foreground_mean"]["Dice"] == pytest.approx(
        np.mean([document["mean"][number]["Dice"] for number in "123"])
    )


def test_other_numbers_are_mapped_and_a_swap_is_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    swapped = np.array([0, 3, 2, 1], np.uint8)
    for case in "ab":
        write_mask(tmp_path / "mnms" / case / "mask.nii.gz", swapped[heart()])
    evaluation = evaluate(tmp_path / "mnms", folders[1])
    assert [mistake.where for mistake in evaluation.mistakes] == ["a", "b"]
    assert "--predicted-labels mnms" in evaluation.mistakes[0].why
    mapped = evaluate(tmp_path / "mnms", folders[1], CONVENTIONS["mnms"])
    assert mapped.mistakes == ()
    assert {one.overlap.dice for one in mapped.scores} == {1.0}
    both = evaluate(tmp_path / "mnms", tmp_path / "mnms", CONVENTIONS["mnms"], Meaning(CONVENTIONS["mnms"]))
    assert {one.overlap.dice for one in both.scores} == {1.0}


def test_two_files_need_no_name_in_common(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_mask(tmp_path / "mine.nii.gz", heart())
    evaluation = evaluate(tmp_path / "mine.nii.gz", folders[1] / "a_gt.nii.gz")
    assert evaluation.problems == ()
    assert {(one.case_id, one.overlap.dice) for one in evaluation.scores} == {("a", 1.0)}


def test_the_worst_are_kept(folders: tuple[Path, Path]) -> None:
    assert [pair.case_id for pair in evaluate(*folders).worst] == ["b", "a"]


def test_a_prepared_dataset_is_a_reference(tmp_path: Path) -> None:
    write_prepared(tmp_path / "dataset")
    write_mask(tmp_path / "out" / "p1_frame01" / "mask.nii.gz", heart())
    evaluation = evaluate(tmp_path / "out", tmp_path / "dataset")
    assert {(one.subject_id, one.volume, one.overlap.dice) for one in evaluation.scores} == {("p1", "ed", 1.0)}


def test_nnunet_labels_are_a_reference(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_mask(tmp_path / "Dataset027" / "labelsTr" / "a.nii.gz", heart())
    write_mask(tmp_path / "Dataset027" / "imagesTr" / "a_0000.nii.gz", heart())
    (tmp_path / "Dataset027" / "dataset.json").write_text('{"labels": {"background": 0}}')
    with pytest.raises(NoInputError, match="names no structure"):  # then what do the numbers mean?
        evaluate(folders[0], tmp_path / "Dataset027")
    card = {"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3}}
    (tmp_path / "Dataset027" / "dataset.json").write_text(json.dumps(card))
    evaluation = evaluate(folders[0], tmp_path / "Dataset027")
    assert {one.case_id for one in evaluation.scores} == {"a"}
    assert [problem.where for problem in evaluation.problems] == ["b/mask.nii.gz"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("p1_ED", "p1_ES"), {"ed", "es"}),
        (("p1_frame12", "p1_frame01"), {"ed", "es"}),
        (("p1_phase3", "p1_phase07", "p1_phase_9"), {"ed", "phase07", "es"}),
    ],
)
def test_masks_of_one_subject_are_known_by_their_names(
    tmp_path: Path, names: tuple[str, ...], expected: set[str]
) -> None:
    for rows, name in zip((9, 7, 5), names, strict=False):
        mask = np.zeros(GRID.shape, np.uint8)
        mask[:, :rows] = Label.LV_CAVITY
        write_mask(tmp_path / f"{name}.nii.gz", mask)
    [subject] = read_all(find_references(tmp_path))
    assert isinstance(subject, Subject)
    sizes = {volume.name: int((volume.mask > 0).sum()) for volume in subject.volumes}
    assert (subject.subject_id, set(sizes)) == ("p1", expected)
    assert (max(sizes.values()), min(sizes.values())) == (sizes["ed"], sizes["es"])


def test_a_damaged_subject_of_a_prepared_dataset_is_named(tmp_path: Path) -> None:
    write_prepared(tmp_path / "reference", ("p1", "p2"))
    (tmp_path / "reference" / "subjects" / "p2.npz").write_bytes(b"damaged")
    for name in ("p1", "p2"):
        write_mask(tmp_path / "predicted" / f"{name}_frame01.nii.gz", heart())
    evaluation = evaluate(tmp_path / "predicted", tmp_path / "reference")
    assert {one.subject_id for one in evaluation.scores} == {"p1"}
    assert [one.where for one in evaluation.problems] == ["p2", "p2_frame01.nii.gz"]
    assert "is not what the dataset says" in evaluation.problems[0].why


def test_two_processes_judge_as_one(folders: tuple[Path, Path]) -> None:
    write_mask(folders[0] / "c" / "mask.nii.gz", heart())
    (folders[1] / "d_gt.nii.gz").write_bytes(b"no mask")
    here, shared = (evaluate(*folders, executor=executor) for executor in (Here(), Processes(2)))
    assert shared.to_json() == here.to_json()
    assert [pair.case_id for pair in shared.worst] == [pair.case_id for pair in here.worst] == ["b", "a"]
    assert {one.where for one in here.problems} == {"d_gt.nii.gz", "c/mask.nii.gz"}


def test_a_process_that_is_killed_takes_its_subject_alone(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Source("a", "a", killed)
    found = [bad if one.where == "a" else one for one in find_references(folders[1]) if isinstance(one, Source)]
    monkeypatch.setattr(comparison, "find_references", lambda *_: found)
    evaluation = evaluate(*folders, executor=Processes(2, retries=0))
    assert {one.case_id for one in evaluation.scores} == {"b"}
    assert evaluation.problems[0] == Skipped("a", "the process that worked on it was killed by signal 9")


def killed() -> Subject:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_problems_are_reported_once(folders: tuple[Path, Path]) -> None:
    write_mask(folders[1] / "deep" / "a_gt.nii.gz", heart())
    problems = evaluate(*folders).problems
    assert len(problems) == len(set(problems))
    assert Skipped("a/mask.nii.gz", "no reference that can be used") in problems
