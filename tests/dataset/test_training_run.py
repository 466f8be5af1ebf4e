"""A run on disk is read as it was written, or it is said what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from drawing import noise_subject
from sources import at_hand

from cardioseg.dataset.folds import Fold
from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.run_folder import RunFolder
from cardioseg.dataset.store import MANIFEST, Dataset, open_dataset
from cardioseg.dataset.training_run import Run, RunDescription, read_run
from cardioseg.errors import UsageError
from cardioseg.files import sha256
from cardioseg.image.labels import Label

EARLY: dict[str, Any] = {  # as the first version wrote it
    "cardioseg": "0.1.0",
    "dataset": "noise",
    "dataset_sha256": 64 * "d",
    "subjects_sha256": 64 * "5",
    "folds": 2,
    "seed": 7,
    "held_out": [],
    "recipe": {"labels": ["lv_cavity"], "norm": "iln"},
}
FOLDS = [{"index": 0, "train": ["a"], "validation": ["b"], "proof": {}}]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    list(
        write_dataset(tmp_path / "dataset", "noise", "made", map(at_hand, [noise_subject("a"), noise_subject("b", 1)]))
    )
    return open_dataset(tmp_path / "dataset")


@pytest.fixture
def run(tmp_path: Path, dataset: Dataset) -> RunFolder:
    folder = RunFolder(tmp_path)
    folder.description.write_text(json.dumps(EARLY | {"dataset_sha256": sha256(dataset.folder / MANIFEST)}))
    folder.folds.write_text(json.dumps(FOLDS))
    return folder


def test_an_early_run_is_read(run: RunFolder, dataset: Dataset) -> None:
    read = read_run(run.path, dataset)
    assert read.folds == (Fold(0, ("a",), ("b",)),)
    assert read.description.structures == (Label.LV_CAVITY,)
    assert (read.description.steps, read.description.initial_model) == (None, None)
    assert read.description.nominal_spacing_mm is None


def test_a_recipe_has_the_hash_that_cards_and_evaluations_name(tmp_path: Path) -> None:
    hashes = {
        steps: Run(RunFolder(tmp_path), RunDescription.model_validate(EARLY | limit), ()).recipe_sha256
        for steps, limit in {0: dict[str, int](), 7: {"steps": 7}}.items()
    }
    assert {steps: digest[:16] for steps, digest in hashes.items()} == {0: "aabd0a4197ec0fe0", 7: "16ccf6f6a1d5835f"}


def test_a_description_is_written_as_ever() -> None:
    begun = {"steps": 3, "initial_model": {"name": "sax", "sha256": "a", "licence": "CC0-1.0"}}
    for settings in (EARLY, begun | EARLY):
        assert json.dumps(RunDescription.model_validate(settings).document()) == json.dumps(settings)


@pytest.mark.parametrize("name", ["training.json", "folds.json"])
def test_a_folder_that_lacks_a_file_is_no_run(run: RunFolder, dataset: Dataset, name: str) -> None:
    assert run.is_run
    (run.path / name).unlink()
    assert not run.is_run
    with pytest.raises(UsageError, match="is not a training run"):
        read_run(run.path, dataset)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"seed": "x"}, "seed"),
        ({"folds": None}, "folds"),
        ({"recipe": 3}, "recipe"),
        ({"recipe": {"labels": [[]]}}, "recipe"),
        ({"recipe": {"labels": ["lv_cavity"], "nominal_spacing_mm": "wide"}}, "recipe"),
        ({"initial_model": {"name": "sax"}}, "initial_model.sha256"),
    ],
)
def test_damaged_settings_are_said_with_their_place(
    run: RunFolder, dataset: Dataset, change: dict[str, Any], place: str
) -> None:
    run.description.write_text(json.dumps(json.loads(run.description.read_text()) | change))
    with pytest.raises(UsageError, match=rf"training\.json is damaged at {place}"):
        read_run(run.path, dataset)


@pytest.mark.parametrize(
    ("content", "said"),
    [("[{}]", "at 0.index"), ("{", "damaged$"), ('[{"index": 0, "train": 3, "validation": []}]', "at 0.train")],
)
def test_damaged_folds_are_said_with_their_place(run: RunFolder, dataset: Dataset, content: str, said: str) -> None:
    run.folds.write_text(content)
    with pytest.raises(UsageError, match=r"folds\.json is damaged( |$)") as caught:
        read_run(run.path, dataset)
    assert said.rstrip("$") in caught.value.message
