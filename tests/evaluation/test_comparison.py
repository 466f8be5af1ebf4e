"""Folders against folders, end to end."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cardioseg.errors import NoInputError
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.result import CSV_COLUMNS, write
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest import layouts
from cardioseg.ingest.subject import Skipped, Subject

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
    perfect, shifted = ([one.dice for one in evaluation.scores if one.case_id == case] for case in "ab")
    assert perfect == [1.0, 1.0, 1.0]
    assert all(dice is not None and 0.5 < dice < 1 for dice in shifted)
    assert [summary.slices_both_empty for summary in evaluation.summary] == [4, 2, 2]


def test_reference_and_prediction_are_not_interchangeable_in_ml(folders: tuple[Path, Path]) -> None:
    predicted, reference = folders
    write_mask(predicted / "b" / "mask.nii.gz", np.where(heart() == Label.RV_CAVITY, 0, heart()).astype(np.uint8))
    [rv] = [one for one in evaluate(predicted, reference).scores if (one.case_id, one.label) == ("b", Label.RV_CAVITY)]
    assert rv.dice == 0
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
    assert problems["no_reference/mask.nii.gz"] == "no reference"
    assert problems["no_prediction"] == "no prediction"


def test_a_4d_reference_counts_only_phases_that_were_drawn(tmp_path: Path) -> None:
    cine = np.stack([heart(), np.zeros_like(heart()), heart(1), np.zeros_like(heart())])
    write_cine(tmp_path / "reference" / "a.nii.gz", Cine(cine, GRID))
    everywhere = np.stack([heart(), heart(), heart(1), heart()])
    write_cine(tmp_path / "predicted" / "a" / "mask.nii.gz", Cine(everywhere, GRID))
    evaluation = evaluate(tmp_path / "predicted", tmp_path / "reference")
    assert {(one.volume, one.dice) for one in evaluation.scores} == {("phase00", 1.0), ("phase02", 1.0)}


def test_an_acdc_folder_is_a_reference(tmp_path: Path) -> None:
    patient = tmp_path / "acdc" / "patient001"
    for frame in ("01", "04"):
        write_mask(patient / f"patient001_frame{frame}.nii.gz", heart())
        write_mask(patient / f"patient001_frame{frame}_gt.nii.gz", heart())
        write_mask(tmp_path / "out" / f"patient001_frame{frame}" / "mask.nii.gz", heart())
    (patient / "Info.cfg").write_text("ED: 1\nES: 4\nGroup: NOR\n")
    evaluation = evaluate(tmp_path / "out", tmp_path / "acdc")
    assert evaluation.problems == ()
    assert {(one.subject_id, one.volume, one.dice) for one in evaluation.scores} == {
        ("patient001", "ed", 1.0),
        ("patient001", "es", 1.0),
    }


def test_sunnybrook_contours_are_references(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "sunnybrook"
    subject = next(one for one in layouts.read(source) if isinstance(one, Subject))
    volumes = {volume.phase: volume for volume in subject.volumes}
    grid = subject.volumes[0].grid
    assert grid is not None
    predicted = np.zeros((20, *grid.shape), np.uint8)
    for phase, volume in volumes.items():
        predicted[phase] = volume.mask
    write_cine(tmp_path / subject.volumes[0].case_ids[-1] / "mask.nii.gz", Cine(predicted, grid))
    evaluation = evaluate(tmp_path, source)
    assert {one.dice for one in evaluation.scores} == {1.0}
    assert evaluation.labels == (Label.LV_MYOCARDIUM, Label.LV_CAVITY)
    [cavity] = [one for one in evaluation.summary if one.label == Label.LV_CAVITY]
    assert cavity.slices_scored == dict(subject.counts)["endocardial contours"]
    assert {problem.why for problem in evaluation.problems} == {"no prediction"}


def test_nothing_to_evaluate(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for nowhere in ((tmp_path / "nowhere", folders[1]), (folders[0], tmp_path / "nowhere")):
        with pytest.raises(NoInputError, match="nowhere: no such folder"):
            evaluate(*nowhere)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInputError, match="no NIfTI masks"):
        evaluate(tmp_path / "empty", folders[1])
    with pytest.raises(NoInputError, match="no reference"):
        evaluate(folders[0], tmp_path / "empty")
    (folders[0] / "run.json").write_text(json.dumps({"labels": []}))
    with pytest.raises(NoInputError, match="no label in common"):
        evaluate(*folders)


def test_files_hold_everything(folders: tuple[Path, Path], tmp_path: Path) -> None:
    write_mask(folders[1] / "no_prediction.nii.gz", heart())
    evaluation = evaluate(*folders)
    write(evaluation, tmp_path / "report")
    document = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert document == evaluation.to_json()
    assert "both are empty nothing is scored (8 slices)" in document["protocol"]
    assert document["summary"]["lv_cavity"]["dice_per_slice"]["n"] == 6
    assert document["problems"] == [{"where": "no_prediction", "why": "no prediction"}]
    with (tmp_path / "report" / "evaluation.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert tuple(reader.fieldnames or ()) == CSV_COLUMNS
    assert len([row for row in rows if row["level"] == "volume"]) == 6
    slices = [row for row in rows if (row["level"], row["case_id"], row["label"]) == ("slice", "b", "lv_cavity")]
    assert [row["slice"] for row in slices] == ["0", "1", "2", "3"]
    assert slices[3]["dice"] == ""
    assert np.mean([float(row["dice"]) for row in slices[:3]]) == pytest.approx(
        next(one.dice for one in evaluation.scores if (one.case_id, one.label) == ("b", Label.LV_CAVITY))
    )


def test_problems_are_reported_once(folders: tuple[Path, Path]) -> None:
    write_mask(folders[1] / "deep" / "a_gt.nii.gz", heart())
    problems = evaluate(*folders).problems
    assert len(problems) == len(set(problems))
    assert Skipped("a/mask.nii.gz", "no reference") in problems
