"""`evaluate` as somebody calls it for the first time: arguments in the wrong order, cases under other names."""

import json
from pathlib import Path

import pytest

from cardioseg.cli.app import run
from cardioseg.dataset.store import FORMAT
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.phantom import Phantom, reference

MASK = reference(Phantom(slices=5, phases=4, rows=48, columns=48, spacing_mm=(16.0, 5.0, 5.0), ed_phase=0))


def write_masks(folder: Path, prefix: str = "") -> Path:
    for phase, name in ((0, "ed"), (2, "es")):
        write_volume(folder / f"{prefix}a_{name}.nii.gz", Volume(MASK.voxels[phase], MASK.grid))
    return folder


def test_other_names_are_shown_from_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks, labels = write_masks(tmp_path / "masks", "seg_"), write_masks(tmp_path / "labels")
    assert run(["evaluate", str(masks), str(labels)]) == 4
    hint = capsys.readouterr().err.splitlines()[-1]
    assert hint.startswith("hint: masks are paired by name: a_ed ed is a reference, seg_a_ed.nii.gz a prediction;")


def test_arguments_in_the_wrong_order_without_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "dataset.json").write_text(json.dumps({"format": FORMAT}))
    assert run(["evaluate", str(tmp_path / "dataset"), str(write_masks(tmp_path / "results"))]) == 4
    assert "hint: give the predicted masks first and the reference last" in capsys.readouterr().err


def test_arguments_in_the_wrong_order_look_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dice is the same, but the sign of every bias is not."""
    labels, results = write_masks(tmp_path / "labels"), write_masks(tmp_path / "results")
    (results / "run.json").write_text(json.dumps({"labels": ["lv_cavity", "lv_myocardium", "rv_cavity"]}))
    assert run(["evaluate", str(labels), str(results)]) == 0
    assert "looks wrong: results: `cardioseg predict` wrote the reference" in capsys.readouterr().err
    assert run(["evaluate", str(results), str(labels)]) == 0
    assert "looks wrong" not in capsys.readouterr().err
