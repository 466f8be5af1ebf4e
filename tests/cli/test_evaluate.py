"""`evaluate` from the command line: one prediction, several, a cross validation, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sources import at_hand

from cardioseg.cli.app import run
from cardioseg.dataset.preparation import write_dataset
from cardioseg.export.card import read_card
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest.labels.subject import LabelledVolume, Subject

GRID = Grid((4, 40, 40), (8.0, 1.5, 1.5))
TINY = """
labels = ["lv_cavity"]
size = 32
[augmentation]
angles = { start = 0, stop = 0 }
[optimization]
learning_rate = 0.1
epochs = 1
"""


def disc(row: int, column: int = 20) -> Voxels:
    """A cylinder, with nothing on the last slice."""
    rows, columns = np.mgrid[:40, :40]
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:3, (rows - row) ** 2 + (columns - column) ** 2 < 64] = Label.LV_CAVITY
    return mask


def write_masks(folder: Path, shift: int, cases: int = 6) -> Path:
    for number in range(cases):
        for name, start in (("ed", 18), ("es", 20)):
            path = folder / f"p{number}_{name}.nii.gz"
            write_volume(path, Volume(disc(start + shift * (number % 3)), GRID))
    return folder


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return write_masks(tmp_path / "reference", 0)


def test_tables_and_files(reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predicted = write_masks(tmp_path / "unet", 2)
    assert run(["evaluate", str(predicted), str(reference), "-o", str(tmp_path / "out"), "--nnunet"]) == 0
    seen = capsys.readouterr()
    assert "outside" in seen.out
    assert "LV EDV" in seen.out
    assert f"open {tmp_path / 'out' / 'evaluation.html'}" in seen.err
    expected = {"evaluation.html", "evaluation.json", "evaluation.csv", "summary.json"}
    assert expected <= {path.name for path in (tmp_path / "out").iterdir()}
    assert run(["evaluate", str(predicted), str(reference), "--json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["agreement"]["lv_edv_ml"]["n"] == 6


def test_several_are_tested_against_each_other(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (str(write_masks(tmp_path / name, shift)) for name, shift in (("one", 1), ("other", 3)))
    arguments = ["evaluate", one, other, str(reference), "--compare"]
    assert run([*arguments, "-o", str(tmp_path / "out")]) == 0
    assert "p (Holm)" in capsys.readouterr().out
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.json")}
    assert written == {"comparison.json", "one/evaluation.json", "other/evaluation.json"}
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["systems"]) == {"one", "other"}
    assert document["tests"][0]["first_mean"] > document["tests"][0]["second_mean"]


def test_per_subject_is_one_number_and_too_few_subjects_are_named(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (str(write_masks(tmp_path / name, shift)) for name, shift in (("one", 1), ("other", 3)))
    for path in reference.glob("p[3-5]_*"):
        path.unlink()
    assert run(["evaluate", one, other, str(reference), "--compare", "--json"]) == 3
    seen = capsys.readouterr()
    document = json.loads(seen.out)
    [test] = [test for test in document["tests"] if test["metric"] == "dice"]
    [row] = [row for row in document["systems"]["one"]["summary"] if row["group"] == "all"]
    assert test["first_mean"] == pytest.approx(row["per_subject"]["dice"]["mean"])
    said = document.get("warning", "")
    assert "too few subjects: in 2 of 2 tests no corrected p below 0.05 is possible" in said
    assert f"warning: {said}" in seen.err.splitlines()


def test_systems_of_other_subjects_cannot_be_tested(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (write_masks(tmp_path / name, 1) for name in ("one", "other"))
    for number in range(6):
        for path in (other if number < 3 else one).glob(f"p{number}_*"):
            path.unlink()
    out = tmp_path / "out"
    assert run(["evaluate", str(one), str(other), str(reference), "--compare", "-o", str(out), "-q"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert "not compared in one: p5_ed ed: no prediction" in said
    assert [line for line in said if "not tested" in line] == [
        "not tested: one and other: they have no subject in common"
    ]
    assert json.loads((out / "comparison.json").read_text())["problems"][0]["where"] == "one and other"


def test_folders_of_one_name_are_told_apart(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = [str(write_masks(tmp_path / name / "masks", 1)) for name in ("a", "b")]
    assert run(["evaluate", *pair, str(reference), "--compare", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["systems"]) == 2
    assert run(["evaluate", *pair, str(reference), "--compare", "-q", "-o", str(tmp_path / "out")]) == 0
    assert len(list((tmp_path / "out").glob("*/evaluation.json"))) == 2


def test_a_swap_is_said_and_a_missing_case_leaves_with_3(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predicted = write_masks(tmp_path / "swapped", 0, cases=5)
    for path in predicted.iterdir():
        write_volume(path, Volume(np.where(disc(18) > 0, Label.RV_CAVITY, 0).astype(np.uint8), GRID))
    assert run(["evaluate", str(predicted), str(reference)]) == 3
    seen = capsys.readouterr()
    assert "looks wrong: p0_ed ed: its labels look swapped" in seen.err
    assert "not compared: p5_ed ed: no prediction" in seen.err
    numbers = ["--predicted-labels", "mnms"]
    assert run(["evaluate", str(predicted), str(reference), *numbers, "-q"]) == 3
    assert "looks wrong" not in capsys.readouterr().err


def test_predicted_labels_are_of_masks_that_predict_did_not_write(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, foreign = (write_masks(tmp_path / name, 0) for name in ("own", "foreign"))
    (own / "run.json").write_text(json.dumps({"labels": ["lv_cavity"]}))
    for path in foreign.iterdir():
        write_volume(path, Volume(np.where(disc(18) > 0, 1, 0).astype(np.uint8), GRID))  # 1 is the LV in M&Ms
    numbers = ["--predicted-labels", "mnms", "--compare", "--json"]
    assert run(["evaluate", str(own), str(foreign), str(reference), *numbers]) == 0
    systems = json.loads(capsys.readouterr().out)["systems"]
    dice = {
        name: row["per_volume"]["dice"]["mean"]
        for name, document in systems.items()
        for row in document["summary"]
        if (row["group"], row["label"]) == ("all", "lv_cavity")
    }
    assert dice["own"] == 1.0
    assert dice["foreign"] > 0.8


def one_goes_wrong(folder: Path, how: str) -> None:
    path = folder / "p0_ed.nii.gz"
    mask, smaller = disc(18), Grid((4, 30, 40), GRID.spacing_mm)
    if how == "shape":
        write_volume(path, Volume(mask[:, :30], smaller))
    if how == "place":
        write_volume(path, Volume(mask, replace(GRID, origin_mm=(5.0, 0.0, 0.0))))
    if how == "label":
        mask[0, 0, 0] = 7
        write_volume(path, Volume(mask, GRID))
    if how == "4D":
        write_cine(path, Cine(np.stack([mask] * 3), GRID))
    if how == "damage":
        path.write_bytes(b"no")
    if how == "absence":
        path.unlink()


@pytest.mark.parametrize(
    ("side", "how", "line"),
    [
        (
            "predicted",
            "shape",
            "p0_ed ed: the prediction has the shape (4, 30, 40), the reference (4, 40, 40): resample the",
        ),
        (
            "predicted",
            "place",
            "p0_ed ed: the prediction has the reference's shape, but its first voxel lies 5.00 mm away",
        ),
        (
            "predicted",
            "label",
            "p0_ed.nii.gz: the prediction cannot be used: the mask holds the label 7; the known labels are [0,",
        ),
        (
            "predicted",
            "4D",
            "p0_ed ed: the prediction p0_ed has 3 phases, and nothing says which of them the reference is: name the",
        ),
        ("predicted", "damage", "p0_ed.nii.gz: the prediction cannot be used: not a readable NIfTI file"),
        ("predicted", "absence", "p0_ed ed: no prediction"),
        (
            "reference",
            "4D",
            "p0_ed: the prediction has one phase, the reference several; which of these it belongs to is unknown",
        ),
        ("reference", "absence", "p0_ed.nii.gz: no reference"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], side: str, how: str, line: str
) -> None:
    write_masks(tmp_path / "predicted", 0, cases=2)
    for path in [*reference.glob("p[2-5]*")]:
        path.unlink()
    one_goes_wrong(tmp_path / side, how)
    assert run(["evaluate", str(tmp_path / "predicted"), str(reference), "--json"]) == 3
    seen = capsys.readouterr()
    [said] = seen.err.splitlines()
    assert said.startswith(f"not compared: {line}")
    rest = {(row["case_id"], row["volume"]) for row in json.loads(seen.out)["volumes"]}
    assert rest == {("p0_es", "es"), ("p1_ed", "ed"), ("p1_es", "es")}


@pytest.mark.parametrize("how", ["label", "damage"])
def test_a_reference_that_cannot_be_used_is_named(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    predicted = write_masks(tmp_path / "predicted", 0)
    one_goes_wrong(reference, how)
    assert run(["evaluate", str(predicted), str(reference)]) == 3
    why, consequence = capsys.readouterr().err.splitlines()
    assert why.startswith("not compared: p0_ed.nii.gz: the reference cannot be used: ")
    assert consequence == "not compared: p0_ed.nii.gz: no reference that can be used"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["empty", "reference"], "empty: no NIfTI masks in it"),
        (["reference", "empty"], "empty: no reference labels in it"),
        (["reference", "nowhere"], "nowhere: no such folder"),
        (["reference", "empty", "reference", "--compare"], "empty: no NIfTI masks in it"),
    ],
)
def test_an_empty_folder(
    arguments: list[str], line: str, reference: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run(["evaluate", *arguments]) == 4
    assert capsys.readouterr().err.splitlines()[0] == f"error: {line}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{a}"], "Missing argument 'PREDICTED...'"),
        (["{a}", "{a}", "{a}"], "--compare"),
        (["{a}", "{a}", "--compare"], "two predictions or more"),
        (["{a}", "{a}", "{a}", "--compare"], "given twice"),
        (["{a}", "{a}", "--labels", "bananas"], "no label convention bananas"),
        (["{a}", "{a}", "--int8"], "--int8 applies to training runs only"),
        (["{a}", "{dataset}", "--labels", "acdc"], "--labels has no effect"),
    ],
)
def test_usage(
    arguments: list[str], message: str, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "dataset"
    assert list(write_dataset(dataset, "discs", "made", [at_hand(labelled(0))]))
    assert run(["evaluate", *(argument.format(a=reference, dataset=dataset) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err


def labelled(number: int) -> Subject:
    mask = disc(18 + number % 3, 19)
    image = (mask * 40 + np.random.default_rng(number).normal(60, 9, mask.shape)).astype(np.int16)
    annotated = np.ones((4, len(Label)), np.bool_)
    volume = LabelledVolume(
        "ed", image, mask, annotated, GRID.spacing_mm, (f"p{number}_frame01",), None, ("",) * 4, GRID
    )
    return Subject(f"p{number}", (volume,))


@pytest.mark.slow
def test_a_cross_validation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, recipe, folder = tmp_path / "dataset", tmp_path / "tiny.toml", tmp_path / "run"
    assert list(write_dataset(dataset, "discs", "made", (at_hand(labelled(i)) for i in range(4))))
    recipe.write_text(TINY)
    train = ["train", str(dataset), "-o", str(folder), "-r", str(recipe), "--folds", "2", "-q"]
    assert run([*train, "--fold", "0"]) == 0
    assert run(["evaluate", str(folder), str(dataset)]) == 3
    seen = capsys.readouterr()
    for option in ("--labels", "--predicted-labels"):
        assert run(["evaluate", str(folder), str(dataset), option, "mnms"]) == 2
    assert "have no effect" in capsys.readouterr().err
    assert (
        "evaluated: seed 0, 1 of 2 folds, 2 unseen subjects; no subject and none of their 8 slices was in" in seen.err
    )
    assert "not compared: fold 1: not finished" in seen.err
    assert run([*train, "--resume"]) == 0
    assert run(["evaluate", str(folder), str(dataset), "-o", str(tmp_path / "out"), "-q"]) == 0
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert {row["subject_id"] for row in document["volumes"]} == {"p0", "p1", "p2", "p3"}
    assert run(["evaluate", str(folder), str(dataset), "-o", str(tmp_path / "shared"), "-q", "--workers", "2"]) == 0
    assert json.loads((tmp_path / "shared" / "evaluation.json").read_text()) == document
    assert (folder / "fold-1" / "model" / "card.json").is_file()
    export = ["export", str(folder), str(dataset), "-o", str(tmp_path / "model"), "--licence", "CC0-1.0", "-q"]
    assert run([*export, "--evaluation", str(tmp_path / "out")]) == 0
    metrics = read_card(tmp_path / "model").metrics
    expected = next(row["per_volume"]["dice"] for row in document["summary"] if row["group"] == "all")
    of_volumes = [one for one in metrics if one.protocol.endswith("mean over volumes in 3D, ED")]  # there is no ES
    assert [one.mean for one in of_volumes if one.metric == "Dice"] == [expected["mean"]]
    assert {(one.label, one.metric) for one in metrics} >= {("lv_edv_ml", "bias"), ("lv_cavity", "HD95 (mm)")}
    assert "seed 0, 2 folds, 4 unseen subjects" in (tmp_path / "model" / "README.md").read_text()
    assert run([*export, "--fold", "0", "--evaluation", str(tmp_path / "out")]) == 0
    assert "by the networks of its cross validation, seed 0" in (tmp_path / "model" / "README.md").read_text()
    capsys.readouterr()
    assert run([*export, "--evaluation", str(tmp_path)]) == 2
    assert run([*export, "--int8", "--evaluation", str(tmp_path / "out")]) == 2
    assert "belongs to another model" in capsys.readouterr().err
    assert run(["evaluate", str(folder), str(dataset), "-o", str(tmp_path / "int8"), "-q", "--int8"]) == 0
    assert run([*export, "--int8", "--evaluation", str(tmp_path / "int8")]) == 0
    assert "other name; convolutions in 8-bit integers" not in (tmp_path / "model" / "README.md").read_text()
    assert "was in training; convolutions in 8-bit integers:" in (tmp_path / "model" / "README.md").read_text()
    assert run([*export, "--evaluation", str(tmp_path)]) == 2
    assert "is not an evaluation" in capsys.readouterr().err
    assert list(write_dataset(tmp_path / "other", "discs", "made", (at_hand(labelled(i)) for i in range(3))))
    assert run(["evaluate", str(folder), str(tmp_path / "other")]) == 2
    assert "trained on another dataset" in capsys.readouterr().err
    assert run(["evaluate", str(folder), str(tmp_path / "nowhere")]) == 4
