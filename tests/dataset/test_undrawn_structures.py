"""A structure that a volume does not draw is not background: no training slice, ignored by nnU-Net, not listed."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from sources import at_hand

from cardioseg.cli.app import run
from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.slices import gather, undrawn
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.ingest.labels.subject import LabelledVolume, Subject, annotation

SIZE = 16
RECIPE = f"""
labels = ["rv_cavity", "lv_myocardium", "lv_cavity"]
norm = "iln"
size = {SIZE}
[augmentation]
angles = {{ start = 0, stop = 0, step = 10 }}
flip = false
[optimization]
learning_rate = 0.1
epochs = 1
"""


def volume(name: str, *, with_rv: bool) -> LabelledVolume:
    """Three slices: 6 pixels of the LV, 8 of the wall on each; 5 of the RV on the last two, as above the base."""
    mask = np.zeros((3, SIZE, SIZE), np.uint8)
    mask[:, 4, :6], mask[:, 5, :8] = Label.LV_CAVITY, Label.LV_MYOCARDIUM
    mask[1:, 6, :5] = Label.RV_CAVITY * with_rv
    image = np.random.default_rng(sum(name.encode())).integers(0, 99, mask.shape).astype(np.int16)
    spacing_mm = (8.0, 1.0, 1.0)
    return LabelledVolume(name, image, mask, annotation(3, STRUCTURES), spacing_mm, (name,), None, ("",) * 3)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A subject with all structures, one whose ES has no RV, and one without an RV."""
    folder = tmp_path_factory.mktemp("mixed")
    drawn = {"all": (True, True), "ed_only": (True, False), "never": (False, False)}
    subjects = [
        Subject(name, tuple(volume(f"{name}{i}", with_rv=with_rv) for i, with_rv in enumerate(phases)))
        for name, phases in drawn.items()
    ]
    list(write_dataset(folder, "mixed", "made", map(at_hand, subjects)))
    return open_dataset(folder)


def test_an_undrawn_structure_is_not_taught_as_background(mixed: Dataset) -> None:
    slices = gather(mixed.subjects(), STRUCTURES, SIZE, Preprocessing())
    volumes = 3  # those with an RV; each has a first slice on which there is none, rightly
    assert len(slices) == 3 * volumes
    counts = np.bincount(slices.targets.numpy().ravel()).tolist()
    assert counts[1:] == [2 * 5 * volumes, 3 * 8 * volumes, 3 * 6 * volumes]
    assert len(gather(mixed.subjects(), [Label.LV_CAVITY], SIZE, Preprocessing())) == 18


def test_how_many_slices_are_left_out(mixed: Dataset) -> None:
    found = undrawn(mixed.subjects(), STRUCTURES)
    assert (found.slices, found.subjects, found.labels) == (9, 2, (Label.RV_CAVITY,))
    assert found.sentence.startswith("9 slices of 2 subjects not used for training: ")
    assert undrawn(mixed.subjects(), [Label.LV_CAVITY]).sentence == ""


def test_train_says_it(mixed: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "all.toml"
    recipe.write_text(RECIPE)
    options = ["-o", str(tmp_path / "run"), "-r", str(recipe), "--folds", "1", "--steps", "1"]
    assert run(["train", str(mixed.folder), *options]) == 0
    assert "9 slices of 2 subjects not used for training" in capsys.readouterr().err


def test_the_manifest_lists_what_is_drawn(mixed: Dataset) -> None:
    listed = {record.subject_id: [each.labels for each in record.volumes] for record in mixed.manifest.subjects}
    left = (Label.LV_MYOCARDIUM, Label.LV_CAVITY)
    assert listed == {"all": [STRUCTURES, STRUCTURES], "ed_only": [STRUCTURES, left], "never": [left, left]}


def test_nnunet_ignores_what_is_not_drawn(mixed: Dataset, tmp_path: Path) -> None:
    assert run(["ingest", str(mixed.folder), "-o", str(tmp_path), "--format", "nnunet", "--folds", "2"]) == 0

    def counts(case: str) -> list[int]:
        mask = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "labelsTr" / f"{case}.nii.gz"))
        return np.bincount(mask.ravel(), minlength=5).tolist()

    whole = 3 * SIZE**2
    assert counts("all_all0") == [whole - 10 - 24 - 18, 10, 24, 18, 0]
    assert counts("ed_only_ed_only1") == counts("never_never0") == [0, 0, 24, 18, whole - 24 - 18]
