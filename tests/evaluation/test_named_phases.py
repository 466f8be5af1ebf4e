"""Named phases: references of one phase in a plain folder, beside 4D predictions of all phases."""

from pathlib import Path

import numpy as np
import pytest
from slicer_files import one_layer
from small_phantoms import SMALL

import cardioseg
from cardioseg.errors import NoInputError
from cardioseg.evaluation.comparison import evaluate
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.phantom import cine
from cardioseg.phantom import reference as truth_of
from cardioseg.skipped import Skipped

TRUTH = truth_of(SMALL)
CAVITY_ML = (TRUTH.voxels == Label.LV_CAVITY).sum((1, 2, 3)) * TRUTH.grid.voxel_ml
ED, ES = int(CAVITY_ML.argmax()), int(CAVITY_ML.argmin())
NAME_IT = (
    "the prediction p1 has 8 phases, and nothing says which of them the reference is: "
    "name the file of the reference p1_phaseNN_gt.nii.gz, where NN is the phase, counted from 0"
)


def write_reference(path: Path, phase: int) -> None:
    write_volume(path, TRUTH.phase(phase))


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    """The true masks of two cases with all phases, and of one with a single phase."""
    for case in ("p1", "p2"):
        write_cine(tmp_path / "predicted" / case / "mask.nii.gz", TRUTH)
    write_volume(tmp_path / "predicted" / "flat" / "mask.nii.gz", TRUTH.phase(ED))
    return tmp_path / "predicted"


@pytest.fixture
def references(tmp_path: Path) -> Path:
    """ED and ES of one case, named by their phases."""
    write_reference(tmp_path / "references" / f"p1_phase{ED:02d}_gt.nii.gz", ED)
    write_reference(tmp_path / "references" / f"p1_phase{ES}.nii.gz", ES)
    return tmp_path / "references"


def dices(predicted: Path, references: Path) -> dict[str, float | None]:
    """Of the LV cavity, by volume."""
    scores = evaluate(predicted, references).scores
    return {score.volume: score.overlap.dice for score in scores if score.label == Label.LV_CAVITY}


def problems(predicted: Path, references: Path) -> dict[str, str]:
    """Without the predictions that no reference belongs to; another pair keeps the evaluation from being empty."""
    write_cine(references / "p2_gt.nii.gz", TRUTH)
    found = evaluate(predicted, references).problems
    return {problem.where: problem.why for problem in found if problem.why != "no reference"}


def test_two_phases_of_a_subject_are_compared_with_the_same_phases(predicted: Path, references: Path) -> None:
    evaluation = evaluate(predicted, references)
    assert {problem.where for problem in evaluation.problems} == {"p2/mask.nii.gz", "flat/mask.nii.gz"}
    assert {(score.subject_id, score.case_id, score.volume, score.phase) for score in evaluation.scores} == {
        ("p1", "p1", "ed", ED),
        ("p1", "p1", "es", ES),
    }
    assert {score.overlap.dice for score in evaluation.scores} == {1.0}


def test_ejection_fraction_is_compared(predicted: Path, references: Path) -> None:
    [ef] = [pair for pair in cardioseg.evaluate(predicted, references).measures if pair.measure == "lv_ef_percent"]
    expected = 100 * (CAVITY_ML[ED] - CAVITY_ML[ES]) / CAVITY_ML[ED]
    assert (ef.subject_id, ef.reference, ef.predicted) == ("p1", pytest.approx(expected), pytest.approx(expected))


def test_a_wrong_number_in_the_name_is_another_phase(predicted: Path, references: Path) -> None:
    (references / f"p1_phase{ES}.nii.gz").rename(references / f"p1_phase{ES - 1}.nii.gz")
    dice = dices(predicted, references)
    both = [np.count_nonzero(TRUTH.voxels[phase] == Label.LV_CAVITY) for phase in (ES, ES - 1)]
    shared = np.count_nonzero((TRUTH.voxels[ES] == Label.LV_CAVITY) & (TRUTH.voxels[ES - 1] == Label.LV_CAVITY))
    assert dice == {"ed": 1.0, "es": pytest.approx(2 * shared / sum(both))}
    assert dice["es"] != 1.0


def test_a_prediction_of_the_same_name_comes_first(predicted: Path, references: Path) -> None:
    write_volume(predicted / f"p1_phase{ES}" / "mask.nii.gz", TRUTH.phase(ED))
    dice = dices(predicted, references)
    assert dice["ed"] == 1.0
    assert dice["es"] is not None
    assert dice["es"] < 1


def test_a_phase_that_the_prediction_does_not_have(predicted: Path, references: Path) -> None:
    write_reference(references / "p1_phase30_gt.nii.gz", ES)
    why = "the prediction has the phases 0 to 7; the reference is phase 30"
    assert list(problems(predicted, references).values()) == [why]


@pytest.mark.parametrize("name", ["p1_ed_gt", "p1_ES", "p1_frame01_gt", "p1_gt"])
def test_a_name_without_a_phase(predicted: Path, tmp_path: Path, name: str) -> None:
    write_reference(tmp_path / "references" / f"{name}.nii.gz", ED)
    assert list(problems(predicted, tmp_path / "references").values()) == [NAME_IT]
    (tmp_path / "references" / f"{name}.nii.gz").rename(tmp_path / "references" / f"p1_phase{ED:02d}_gt.nii.gz")
    assert problems(predicted, tmp_path / "references") == {}


def test_a_4d_prediction_whose_whole_name_is_that_of_the_reference(predicted: Path, references: Path) -> None:
    """The end of such a name is not a phase of it, for instance in `trial_phase2`."""
    (predicted / "p1").rename(predicted / f"p1_phase{ES}")
    [why] = [why for where, why in problems(predicted, references).items() if where.startswith(f"p1_phase{ES} ")]
    assert f"name the file of the reference p1_phase{ES}_phaseNN_gt.nii.gz" in why


def test_a_prediction_of_one_phase_may_be_another_one(predicted: Path, references: Path) -> None:
    write_reference(references / f"flat_phase{ED:02d}_gt.nii.gz", ED)
    assert problems(predicted, references) == {
        f"flat_phase{ED:02d} phase{ED:02d}": "the prediction flat has one phase, and its name does not say which: "
        f"if it is the phase of the reference, name it flat_phase{ED:02d}"
    }


def test_two_references_of_one_phase(predicted: Path, references: Path) -> None:
    write_reference(references / f"p1_phase00{ES}.nii.gz", ES)
    found = problems(predicted, references)
    assert set(found.values()) == {f"2 references are phase {ES} of p1: keep one of them"}
    assert len(found) == 2


def test_two_files(predicted: Path, references: Path) -> None:
    """The phase counts, if the rest of the reference's name is that of the prediction."""
    file = references / f"p1_phase{ES}.nii.gz"
    assert set(dices(predicted / "p1" / "mask.nii.gz", file).values()) == {1.0}
    write_volume(references.parent / "p1.nii.gz", TRUTH.phase(ES))
    assert set(dices(references.parent / "p1.nii.gz", file).values()) == {1.0}
    write_cine(references.parent / "mine.nii.gz", TRUTH)
    with pytest.raises(NoInputError) as error:
        evaluate(references.parent / "mine.nii.gz", file)
    assert "name the file of the reference mine_phaseNN_gt.nii.gz" in error.value.hint


def test_all_phases_of_a_4d_reference_beside_others(predicted: Path, references: Path) -> None:
    """A 4D reference is paired as before, whatever its name."""
    write_cine(references / "p1_ed.nii.gz", Cine(TRUTH.voxels, TRUTH.grid))
    assert set(problems(predicted, references).values()) == {"no prediction"}
    assert Skipped("p1_ed phase03", "no prediction") in evaluate(predicted, references).problems


def test_segmentations_of_3d_slicer(predicted: Path, tmp_path: Path) -> None:
    """They are paired as boxes; such a reference has no scan either."""
    one_layer(tmp_path / "references" / f"p1_phase{ES:02d}.seg.nrrd", TRUTH.voxels[ES], TRUTH.grid)
    evaluation = evaluate(predicted, tmp_path / "references")
    assert {score.overlap.dice for score in evaluation.scores} == {1.0}
    assert not any(pair.reference.has_scan for pair in evaluation.worst)
    one_layer(tmp_path / "references" / "p1_ed.seg.nrrd", TRUTH.voxels[ED], TRUTH.grid)
    [why] = problems(predicted, tmp_path / "references").values()
    assert "name the file of the reference p1_phaseNN_gt.nrrd, where" in why
    (tmp_path / "references" / "p1_ed.seg.nrrd").rename(tmp_path / "references" / f"p1_phase{ED:02d}_gt.nrrd")
    assert problems(predicted, tmp_path / "references") == {}


@pytest.fixture
def acdc(tmp_path: Path) -> Path:
    """A patient as ACDC has it: frames counted from 1, with their images."""
    patient = tmp_path / "acdc" / "patient001"
    scan = cine(SMALL)
    for phase in (ED, ES):
        write_volume(patient / f"patient001_frame{phase + 1:02d}.nii.gz", scan.phase(phase))
        write_volume(patient / f"patient001_frame{phase + 1:02d}_gt.nii.gz", TRUTH.phase(phase))
    (patient / "Info.cfg").write_text(f"ED: {ED + 1}\nES: {ES + 1}\nGroup: NOR\n")
    return tmp_path / "acdc"


PAIR = Cine(TRUTH.voxels[[ED, ES]], TRUTH.grid)


@pytest.mark.parametrize(
    ("name", "mask"),
    [("patient001_4d", TRUTH), ("patient001", TRUTH), ("patient001", PAIR)],
    ids=["4d", "cine", "pair"],
)
def test_the_frames_of_acdc_are_phases_of_the_whole_cine(name: str, mask: Cine, acdc: Path, tmp_path: Path) -> None:
    write_cine(tmp_path / "predicted" / name / "mask.nii.gz", mask)
    assert dices(tmp_path / "predicted", acdc) == {"ed": 1, "es": 1}
    write_cine(tmp_path / "turned" / name / "mask.nii.gz", Cine(mask.voxels[::-1], mask.grid))
    wrong = dices(tmp_path / "turned", acdc)
    assert all(dice is not None and dice < 1 for dice in wrong.values())


def test_a_frame_of_acdc_that_was_predicted_alone_comes_first(acdc: Path, tmp_path: Path) -> None:
    write_cine(tmp_path / "predicted" / "patient001_4d" / "mask.nii.gz", Cine(TRUTH.voxels[::-1], TRUTH.grid))
    for phase in (ED, ES):
        write_volume(tmp_path / "predicted" / f"patient001_frame{phase + 1:02d}" / "mask.nii.gz", TRUTH.phase(phase))
    assert dices(tmp_path / "predicted", acdc) == {"ed": 1, "es": 1}


def test_a_single_phase_of_an_acdc_patient_is_refused(acdc: Path, tmp_path: Path) -> None:
    write_volume(tmp_path / "predicted" / "patient001" / "mask.nii.gz", TRUTH.phase(ED))
    with pytest.raises(NoInputError, match="the prediction patient001 has one phase, and its name does not say which"):
        evaluate(tmp_path / "predicted", acdc)
