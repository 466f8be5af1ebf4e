"""An evaluation on the subjects of the model's training says so, where the results name this dataset."""

import json
from pathlib import Path

import numpy as np
import pytest
from sources import at_hand

from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.store import MANIFEST
from cardioseg.evaluation.comparison import evaluate
from cardioseg.files import sha256
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.ingest.labels.subject import LabelledVolume, Subject, annotation

GRID = Grid((2, 12, 14), (8.0, 2.0, 2.0))
MASK = np.zeros(GRID.shape, np.uint8)
MASK[:, 3:7, 3:7] = Label.LV_CAVITY


def labelled(name: str) -> Subject:
    annotated = annotation(len(MASK), STRUCTURES)
    volume = LabelledVolume("ed", MASK * 9, MASK, annotated, GRID.spacing_mm, (name,), None, ("",) * 2, GRID)
    return Subject(name, (volume,))


@pytest.mark.parametrize(
    ("is_same_dataset", "held_out", "seen"),
    [(True, [], "2"), (True, ["p1"], "1 of 2"), (True, ["p1", "p2"], ""), (False, [], ""), (None, [], "")],
)
def test_subjects_of_the_training_are_told(
    is_same_dataset: bool | None, held_out: list[str], seen: str, tmp_path: Path
) -> None:
    dataset, results = tmp_path / "dataset", tmp_path / "results"
    list(write_dataset(dataset, "hearts", "made", [at_hand(labelled("p1")), at_hand(labelled("p2"))]))
    for name in ("p1", "p2"):
        write_volume(results / name / "mask.nii.gz", Volume(MASK, GRID))
    model: dict[str, object] = {"name": "new", "sha256": "a" * 64, "licence": "CC0-1.0"}
    if is_same_dataset is not None:  # a run of an earlier version does not say it
        digest = sha256(dataset / MANIFEST) if is_same_dataset else "b" * 64
        model |= {"dataset_sha256": digest, "held_out": held_out}
    (results / "run.json").write_text(json.dumps({"model": model, "labels": ["lv_cavity"]}))
    said = [(mistake.where, mistake.why) for mistake in evaluate(results, dataset).mistakes]
    why = f"this model was trained on dataset, and {seen} subjects that are compared were not held out of its training"
    assert said == ([("new", f"{why}: these numbers are no test of the model")] if seen else [])
