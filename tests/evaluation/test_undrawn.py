"""References that do not draw a structure at a phase, or do not say which phases are ED and ES."""

from pathlib import Path

import numpy as np
import pytest

from cardioseg.cli.app import run
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.result import Evaluation
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume, Voxels

LV, RV, MYO = Label.LV_CAVITY, Label.RV_CAVITY, Label.LV_MYOCARDIUM
GRID = Grid((4, 12, 14), (8.0, 2.0, 2.0))


def heart(width: int, slices: int = 4) -> Voxels:
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:slices, 1:9, 6:14] = MYO
    mask[:slices, 3:7, 7 : 7 + width] = LV
    mask[:slices, 3:7, : width - 1] = RV
    return mask


BEAT = np.stack([heart(6), heart(5), heart(3)])  # ED is phase 0, ES phase 2


def write_beat(folder: Path, case: str = "p1") -> Path:
    write_cine(folder / f"{case}.nii.gz", Cine(BEAT, GRID))
    return folder


def write_reference(folder: Path, masks: dict[int, Voxels], case: str = "p1") -> Path:
    for phase, mask in masks.items():
        write_volume(folder / f"{case}_phase{phase:02d}_gt.nii.gz", Volume(mask, GRID))
    return folder


def without(mask: Voxels, *labels: Label) -> Voxels:
    return np.where(np.isin(mask, labels), 0, mask).astype(np.uint8)


def measured(evaluation: Evaluation) -> dict[str, float]:
    """The measures of the reference of the only subject."""
    return {pair.measure: pair.reference for pair in evaluation.measures}


def test_a_structure_that_is_drawn_at_one_phase_has_no_ejection_fraction(tmp_path: Path) -> None:
    predicted = write_beat(tmp_path / "predicted")
    reference = write_reference(tmp_path / "reference", {0: BEAT[0], 2: without(BEAT[2], RV)})
    evaluation = evaluate(predicted, reference)
    values = measured(evaluation)
    assert {name for name in values if name.startswith("rv")} == {"rv_edv_ml"}
    assert values["lv_ef_percent"] == pytest.approx(50)
    assert {(score.volume, score.label): score.overlap.dice for score in evaluation.scores} == {
        **{("ed", label): 1.0 for label in (RV, MYO, LV)},
        **{("es", label): 1.0 for label in (MYO, LV)},
    }
    [left_out] = evaluation.left_out
    assert left_out.where == "p1 es"
    assert left_out.why == (
        "the reference has no RV cavity here, which counts as not drawn: it is not compared, and gives no measures "
        "(the prediction has 1.0 mL of RV cavity there)"
    )
    assert "does not have at all counts as not drawn" in evaluation.protocol
    assert {pair.reference.name for pair in evaluation.worst} == {"ed", "es"}


def test_a_subject_without_a_structure_that_others_have(tmp_path: Path) -> None:
    predicted = write_beat(write_beat(tmp_path / "predicted"), "p2")
    reference = write_reference(tmp_path / "reference", {0: BEAT[0], 2: BEAT[2]})
    write_reference(reference, {0: without(BEAT[0], RV), 2: without(BEAT[2], RV)}, "p2")
    evaluation = evaluate(predicted, reference)
    assert evaluation.agreements["rv_edv_ml"].n == 1
    assert [line.where for line in evaluation.left_out] == ["p2 ed", "p2 es"]
    assert all(score.overlap.dice == 1 for score in evaluation.scores)


def test_a_single_slice_may_be_empty_rightly(tmp_path: Path) -> None:
    """Beyond a structure, Dice is 0 if the prediction has it; still, no ventricle has a volume of 0 mL."""
    one = Grid((1, *GRID.shape[1:]), GRID.spacing_mm)
    for folder, masks in {"predicted": BEAT, "reference": np.stack([BEAT[0], without(BEAT[2], RV)])}.items():
        for name, mask in zip(("ed", "es"), (masks[0], masks[-1]), strict=True):
            write_volume(tmp_path / folder / f"p1_{name}.nii.gz", Volume(mask[:1], one))
    evaluation = evaluate(tmp_path / "predicted", tmp_path / "reference")
    assert {score.volume: score.overlap.dice for score in evaluation.scores if score.label == RV} == {"ed": 1, "es": 0}
    assert {name for name in measured(evaluation) if name.startswith("rv")} == {"rv_edv_ml"}


def test_a_reference_of_the_myocardium_alone_says_nothing_of_ed_and_es(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The myocardium keeps its volume over the beat: its mass must not be that of end-systole."""
    predicted = write_beat(tmp_path / "predicted")
    masks = {phase: without(BEAT[phase], LV, RV) for phase in (0, 2)}
    reference = write_reference(tmp_path / "reference", masks)
    assert measured(evaluate(predicted, reference)) == {}
    assert run(["evaluate", str(predicted), str(reference)]) == 0
    assert "left out: p1: nothing says which of its 2 reference volumes are ED and ES" in capsys.readouterr().err
    for phase, name in ((0, "ed"), (2, "es")):
        write_volume(tmp_path / "named" / f"p1_{name}.nii.gz", Volume(masks[phase], GRID))
        write_volume(tmp_path / "apart" / f"p1_{name}.nii.gz", Volume(BEAT[phase], GRID))
    of_ed = np.count_nonzero(masks[0]) * GRID.voxel_ml * 1.05
    assert measured(evaluate(tmp_path / "apart", tmp_path / "named")) == {"lv_mass_g": pytest.approx(of_ed)}


def test_a_negative_ejection_fraction_looks_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference that draws end-diastole on a part of its slices takes it for end-systole."""
    predicted = write_beat(tmp_path / "predicted")
    reference = write_reference(tmp_path / "reference", {0: heart(6, slices=1), 2: BEAT[2]})
    assert run(["evaluate", str(predicted), str(reference)]) == 0
    assert (
        "looks wrong: p1: LV EF (%) of the prediction is \N{MINUS SIGN}100.0 at the reference's ED and ES: these are "
        "swapped, or the reference is not drawn completely at one of them"
    ) in capsys.readouterr().err
