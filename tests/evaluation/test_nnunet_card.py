"""nnU-Net's `dataset.json` says what numbers mean, of references and of predictions; a bad one stops `evaluate`."""

import json
from pathlib import Path

import numpy as np
import pytest

from cardioseg.cli.app import run
from cardioseg.evaluation.comparison import evaluate
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.phantom import Phantom, cine, reference

HEART = Phantom(slices=5, phases=4, rows=48, columns=48, spacing_mm=(16.0, 5.0, 5.0), ed_phase=0)
IMAGE, MASK = cine(HEART), reference(HEART)
LV_FIRST = {"background": 0, "LV": 1, "MYO": 2, "RV": 3}
NUMBERS = np.array([0, 3, 2, 1], np.uint8)  # of each label, as `LV_FIRST` has them


def write_masks(folder: Path, *, lv_first: bool = False) -> Path:
    for phase, name in ((0, "ed"), (2, "es")):
        voxels = MASK.voxels[phase]
        write_volume(folder / f"a_{name}.nii.gz", Volume(NUMBERS[voxels] if lv_first else voxels, MASK.grid))
    return folder


def write_dataset(folder: Path, card: str, *, images: bool = True) -> Path:
    """nnU-Net's dataset with the LV cavity as 1 and this card."""
    write_masks(folder / "labelsTr", lv_first=True)
    if images:
        for phase, name in ((0, "ed"), (2, "es")):
            write_volume(folder / "imagesTr" / f"a_{name}_0000.nii.gz", Volume(IMAGE.voxels[phase], IMAGE.grid))
    (folder / "dataset.json").write_text(card, encoding="latin-1")
    return folder


def dice(predicted: Path, labelled: Path) -> set[float | None]:
    found = evaluate(predicted, labelled)
    assert not found.problems
    return {score.overlap.dice for score in found.scores}


BAD = {
    "": "is broken: it is no valid JSON from line 1, column 1, on",
    "{": "is broken: it is no valid JSON",
    "\xff": "is broken: it is no valid JSON",
    "[]": "names no structure besides the background",
    "null": "names no structure besides the background",
    "{}": "names no structure besides the background",
    '{"labels": {}}': "names no structure besides the background",
    '{"labels": {"background": 0}}': "names no structure besides the background",
    '{"labels": ["background", "LV", "MYO", "RV"]}': 'its "labels" are no names with numbers',
    '{"labels": null}': 'its "labels" are no names with numbers',
    '{"labels": {"background": 0, "tumour": 1}}': "label 1 is called 'tumour', which does not tell",
    '{"labels": {"background": 0, "LV": 1.5}}': "label 1.5 is called 'LV', which does not tell",
    '{"labels": {"background": 0, "LV": null}}': "label None is called 'LV', which does not tell",
    '{"labels": {"background": 0, "LV": [1, 2]}}': "label [1, 2] is called 'LV', a region of several numbers",
    '{"labels": {"background": 0, "LV": 1, "RV": 1}}': "label 1 is called 'RV', but it is the LV cavity already",
    '{"labels": {"background": 0, "LV": 1, "LVC": 3}}': "label 3 is called 'LVC', but another label is the LV cavity",
    '{"labels": {"background": 0, "LV": 0}}': "label 0 is called 'LV', but it is the background already",
    '{"labels": {"background": 1, "LV": 2}}': "label 1 is called 'background', but 0 is the background",
    '{"labels": {"background": 0, "LV": 1, "MYO": 2, "LV": 3}}': "contradicts itself: it has 'LV' twice",
}


@pytest.mark.parametrize("images", [True, False], ids=["with images", "masks alone"])
@pytest.mark.parametrize(("card", "said"), BAD.items(), ids=map(repr, BAD))
def test_a_bad_card_stops_with_one_line(
    tmp_path: Path, card: str, said: str, images: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    predicted, labelled = write_masks(tmp_path / "p"), write_dataset(tmp_path / "r", card, images=images)
    for given in (labelled, labelled / "labelsTr"):
        assert run(["evaluate", str(predicted), str(given)]) == 4
        error, hint = capsys.readouterr().err.splitlines()
        assert error.startswith(f"error: {labelled / 'dataset.json'}")
        assert said in error
        assert hint.startswith("hint: --labels acdc or --labels mnms says what the numbers mean")


@pytest.mark.parametrize("card", BAD, ids=map(repr, BAD))
def test_an_option_says_what_a_bad_card_does_not(tmp_path: Path, card: str) -> None:
    predicted, labelled = write_masks(tmp_path / "p"), write_dataset(tmp_path / "r", card)
    assert run(["evaluate", str(predicted), str(labelled), "--labels", "mnms", "-o", str(tmp_path / "o"), "-q"]) == 0
    document = json.loads((tmp_path / "o" / "evaluation.json").read_text())
    assert {row["dice"] for row in document["volumes"]} == {1.0}


@pytest.mark.parametrize("fields", [{}, {"file_ending": ".nii.gz"}, {"numTraining": 99}], ids=repr)
@pytest.mark.parametrize("images", [True, False], ids=["with images", "masks alone"])
def test_a_sound_card_gives_the_numbers_their_meaning(tmp_path: Path, images: bool, fields: dict[str, object]) -> None:
    card = json.dumps({"labels": LV_FIRST, **fields})
    predicted, labelled = write_masks(tmp_path / "p"), write_dataset(tmp_path / "r", card, images=images)
    assert dice(predicted, labelled) == {1.0}
    assert dice(predicted, labelled / "labelsTr") == {1.0}


def test_a_card_beside_predictions_gives_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """nnUNetv2_predict copies the card into its output."""
    predicted, labelled = write_masks(tmp_path / "p", lv_first=True), write_masks(tmp_path / "r")
    (predicted / "dataset.json").write_text(json.dumps({"labels": LV_FIRST}))
    assert dice(predicted, labelled) == {1.0}
    (predicted / "dataset.json").write_text("{}")
    assert run(["evaluate", str(predicted), str(labelled)]) == 4
    assert "hint: --predicted-labels acdc or" in capsys.readouterr().err
