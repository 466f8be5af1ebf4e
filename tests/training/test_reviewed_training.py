"""Training on corrected masks: predict, correct in `review`, ingest, train, export, and predict with the new model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from review.corrections import PORT, TOKEN, ask, correction, told
from small_phantoms import SQUARE
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.phantom import cine
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults

FILMS = ("a", "b", "c")


def test_a_model_is_trained_on_corrected_masks(recipe_file: Path, tmp_path: Path) -> None:
    scans, results, dataset = tmp_path / "scans", tmp_path / "results", tmp_path / "dataset"
    for seed, name in enumerate(FILMS):
        write_cine(scans / f"{name}.nii.gz", cine(replace(SQUARE, seed=seed)))
    model = write_threshold_model(tmp_path / "thresholds")
    assert run(["predict", str(scans), "-o", str(results), "-m", str(model), "-q", "--format", "nifti"]) == 0
    app = create_app(ReviewedResults(ResultsFolder(results)), PORT, TOKEN)
    for name in FILMS:
        before = read_cine(results / name / "mask.nii.gz").voxels
        now = before.copy()
        now[0, 2][before[0, 2] == Label.LV_MYOCARDIUM] = Label.LV_CAVITY
        version = told(ask(app, f"/api/cases/{name}"))["version"]
        told(ask(app, f"/api/cases/{name}/review", correction(version, before, now, decision="corrected")))
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
