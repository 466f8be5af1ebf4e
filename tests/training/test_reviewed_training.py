"""Training on corrected masks: predict, correct in `review`, ingest, train, export, and predict with the new model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from review.corrections import save_case
from small_phantoms import SQUARE
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Voxels
from cardioseg.phantom import cine

FILMS = ("a", "b", "c")


def without_wall(mask: Voxels) -> Voxels:
    """At one phase and slice, the myocardium becomes cavity."""
    now = mask.copy()
    now[0, 2][mask[0, 2] == Label.LV_MYOCARDIUM] = Label.LV_CAVITY
    return now


def test_a_model_is_trained_on_corrected_masks(recipe_file: Path, tmp_path: Path) -> None:
    scans, results, dataset = tmp_path / "scans", tmp_path / "results", tmp_path / "dataset"
    for seed, name in enumerate(FILMS):
        write_cine(scans / f"{name}.nii.gz", cine(replace(SQUARE, seed=seed)))
    model = write_threshold_model(tmp_path / "thresholds")
    assert run(["predict", str(scans), "-o", str(results), "-m", str(model), "-q", "--format", "nifti"]) == 0
    for name in FILMS:
        save_case(results, name, without_wall, decision="corrected")
    assert run(["ingest", str(results), "--reviewed", "-o", str(dataset), "-q"]) == 0
    training = tmp_path / "run"
    options = ["-r", str(recipe_file), "--folds", "3", "--steps", "3", "-q"]
    assert run(["train", str(dataset), "-o", str(training), *options]) == 0
    folds = json.loads((training / "folds.json").read_text())
    assert sorted(name for fold in folds for name in fold["validation"]) == list(FILMS)
    exported = tmp_path / "model"
    assert run(["export", str(training), str(dataset), "-o", str(exported), "--licence", "CC0-1.0", "-q"]) == 0
    assert json.loads((exported / "card.json").read_text())["training"]["dataset"] == "results"
    assert run(["predict", str(scans), "-o", str(tmp_path / "new"), "-m", str(exported), "-q"]) == 0
    assert np.isin(read_cine(tmp_path / "new" / "a" / "mask.nii.gz").voxels, [0, Label.LV_CAVITY]).all()
