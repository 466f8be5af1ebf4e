"""`evaluate` compares the mask that `measure` measures: an edit beside the predicted mask, where it clearly is one."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from review.corrections import save_case
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.result import Evaluation
from cardioseg.export.card_figures import read_figures
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine
from cardioseg.phantom import Phantom, write_nifti

HEART = Phantom(slices=7, phases=8, rows=64, columns=64, spacing_mm=(12.0, 4.0, 4.0))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan's true labels, and what `predict` makes of the scan."""
    folder = tmp_path_factory.mktemp("study")
    scan, mask = write_nifti(HEART, folder / "scans")
    (folder / "labels").mkdir()
    shutil.copyfile(mask, folder / "labels" / scan.name)
    model = write_threshold_model(folder / "model")
    assert run(["predict", str(scan), "-o", str(folder / "results"), "-m", str(model), "-q"]) == 0
    return folder


@pytest.fixture
def results(study: Path, tmp_path: Path) -> Path:
    shutil.copytree(study / "results", tmp_path / "results")
    return tmp_path / "results"


def mask_in(results: Path) -> Path:
    [mask] = results.glob("*/mask.nii.gz")
    return mask


def halved(path: Path) -> Cine:
    """The mask without the LV cavity of its first three slices."""
    mask = read_cine(path)
    voxels = mask.voxels.astype(np.uint8)
    voxels[:, :3][voxels[:, :3] == Label.LV_CAVITY] = Label.BACKGROUND
    return Cine(voxels, mask.grid, mask.times_ms)


def write_edit(mask: Path, name: str) -> Path:
    """An edit of the mask beside it, as an editor saves it."""
    temporary, edit = mask.parents[1] / "temporary.nii.gz", mask.with_name(name)
    write_cine(temporary, halved(mask))
    sitk.WriteImage(sitk.ReadImage(str(temporary)), str(edit))
    temporary.unlink()
    later = mask.stat().st_mtime + 10
    os.utime(edit, (later, later))
    return edit


def dice_of(found: Evaluation) -> list[float | None]:
    return [score.overlap.dice for score in found.scores if score.label == Label.LV_CAVITY]


@pytest.mark.parametrize("name", ["mask_edited.nii.gz", "mask_edited.nii", "Segmentation.nrrd"])
def test_the_edit_is_compared_and_named_once(
    study: Path, results: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = study / "results" / mask_in(results).parent.name
    edited_in_place = evaluate(results, study / "labels")
    write_edit(mask_in(results), name)
    found = evaluate(results, study / "labels")
    assert dice_of(found) != dice_of(edited_in_place)
    write_cine(mask_in(results), halved(saved / "mask.nii.gz"))
    (mask_in(results).parent / name).unlink()
    assert dice_of(found) == dice_of(evaluate(results, study / "labels"))
    write_edit(saved / "mask.nii.gz", name)
    try:
        assert run(["evaluate", str(study / "results"), str(study / "labels")]) == 0
    finally:
        (saved / name).unlink()
    [line] = [line for line in capsys.readouterr().err.splitlines() if name in line]
    assert line.startswith(f"edit: {saved.name}: {name} is an edit of mask.nii.gz and is compared in its place")
    assert "measures.csv has the numbers from before" in line


def test_evaluate_and_measure_read_the_same_mask(study: Path, results: Path, tmp_path: Path) -> None:
    write_edit(mask_in(results), "mask_edited.nii.gz")
    assert run(["measure", str(results), "-o", str(tmp_path / "measured"), "-q"]) == 0
    [path] = (tmp_path / "measured").glob("*/measures.json")
    measured = json.loads(path.read_text())
    found = evaluate(results, study / "labels")
    scores = {score.phase: score for score in found.scores if score.label == Label.LV_CAVITY}
    assert len(scores) == HEART.phases
    for phase, volume_ml in enumerate(measured["curves_ml"]["lv_cavity"]):
        assert scores[phase].predicted_ml == pytest.approx(volume_ml, abs=0.01)
    assert found.reported == {}


def test_what_is_not_clearly_an_edit_is_named_and_not_compared(
    study: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dice_of(evaluate(results, study / "labels"))
    edit = write_edit(mask_in(results), "mask_old.nii.gz")
    earlier = mask_in(results).stat().st_mtime - 10
    os.utime(edit, (earlier, earlier))
    assert dice_of(evaluate(results, study / "labels")) == before
    assert run(["evaluate", str(results), str(study / "labels")]) == 0
    [line] = [line for line in capsys.readouterr().err.splitlines() if "mask_old" in line]
    assert "mask_old.nii.gz in the same folder is not used: it is not newer than mask.nii.gz" in line


def test_two_different_edits_are_not_compared(study: Path, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_edit(mask_in(results), "mask_edited.nii.gz")
    write_cine(mask_in(results), Cine(np.zeros_like(halved(mask_in(results)).voxels), halved(mask_in(results)).grid))
    later = mask_in(results).stat().st_mtime + 10
    os.utime(mask_in(results).with_name("mask_edited.nii.gz"), (later, later))
    assert run(["evaluate", str(results), str(study / "labels")]) == 4
    assert "mask.nii.gz and mask_edited.nii.gz hold different edits" in capsys.readouterr().err


def test_a_reference_that_predict_wrote_is_read_with_its_edit(
    study: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A colleague corrected the masks: the corrected ones are the reference."""
    assert set(dice_of(evaluate(study / "results", results))) == {1.0}
    write_edit(mask_in(results), "mask_edited.nii.gz")
    assert run(["evaluate", str(study / "results"), str(results)]) == 0
    [line] = [line for line in capsys.readouterr().err.splitlines() if "mask_edited" in line]
    assert line.startswith(f"edit: reference {mask_in(results).parent.name}: mask_edited.nii.gz is an edit of")
    assert all((dice or 0) < 1 for dice in dice_of(evaluate(study / "results", results)))


WARNING = "a person corrected 1 of 1 predicted mask: these results are not the model's own"


def correct_in_review(results: Path) -> None:
    mask = mask_in(results)
    save_case(results, mask.parent.name, lambda _: halved(mask).voxels, decision="corrected")


@pytest.mark.parametrize("change", [correct_in_review, lambda results: write_edit(mask_in(results), "mask_new.nii.gz")])
def test_results_of_corrected_masks_are_said_not_to_be_the_models(
    study: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], object]
) -> None:
    untouched = evaluate(results, study / "labels")
    assert (untouched.corrected, untouched.correction_warning) == ((), "")
    change(results)
    out, name = tmp_path / "evaluation", mask_in(results).parent.name
    assert run(["evaluate", str(results), str(study / "labels"), "-o", str(out)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert f"warning: {WARNING}" in said
    [edit] = [line for line in said if line.startswith(f"edit: {name}: ")]
    document = json.loads((out / "evaluation.json").read_text())
    assert document["correction_warning"] == WARNING
    [remark] = document["edits"]
    assert edit == f"edit: {name}: {remark['why']}"
    page = (out / "evaluation.html").read_text()
    assert WARNING[1:].replace("'", "&#39;") in page
    assert remark["why"].partition("`")[0] in page
    with pytest.raises(UsageError, match="is not the model's own: a person corrected some of its masks"):
        read_figures(out, document["origin"]["model_sha256"], (), "", "float32")
    both = [str(results), str(study / "results"), str(study / "labels"), "--compare", "-o", str(tmp_path / "both")]
    assert run(["evaluate", *both, "-q"]) == 0
    [warning] = [line for line in capsys.readouterr().err.splitlines() if WARNING in line]
    assert warning.startswith("warning in results")
    assert WARNING.replace("'", "&#39;") in (tmp_path / "both" / "comparison.html").read_text()


def test_a_corrected_reference_is_named_and_not_counted(study: Path, results: Path) -> None:
    correct_in_review(results)
    found = evaluate(study / "results", results)
    [edit] = found.edits
    assert edit.where.startswith("reference ")
    assert edit.why == "its mask was corrected by a person in `review`"
    assert found.correction_warning == ""


def test_a_case_that_a_person_excluded_is_compared_and_named(study: Path, results: Path) -> None:
    case = sorted(results.glob("*/mask.nii.gz"))[0].parent.name
    save_case(results, case, decision="excluded")
    found = evaluate(results, study / "labels")
    [remark] = found.edits
    assert (remark.where, remark.why) == (case, "a person excluded this case in `review`; it is compared all the same")
    assert {score.case_id for score in found.scores} == {path.parent.name for path in results.glob("*/mask.nii.gz")}
    assert found.correction_warning == ""
