"""Training on corrected masks: predict, correct in `review`, ingest and train."""

import json
from dataclasses import replace
from pathlib import Path

from review.corrections import save_case
from small_phantoms import SQUARE
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Voxels
from cardioseg.phantom import cine
from cardioseg.training.checkpoint import newest

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
    training, options = tmp_path / "run", ["-r", str(recipe_file), "--folds", "3", "--fold", "0", "--steps", "3", "-q"]
    assert run(["train", str(dataset), "-o", str(training), *options]) == 0
    [fold] = [fold for fold in json.loads((training / "folds.json").read_text()) if fold["index"] == 0]
    assert sorted([*fold["train"], *fold["validation"]]) == list(FILMS)
    checkpoint = newest(training / "fold-0")
    assert checkpoint
    assert checkpoint.step == 3
