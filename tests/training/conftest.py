"""A tiny labelled dataset: bright discs on grey noise, learnt in seconds."""

from pathlib import Path

import numpy as np
import pytest
from sources import at_hand

from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.training.recipe import Recipe, parse_recipe

TINY = """
labels = ["lv_cavity"]
norm = "iln"
size = 32
[augmentation]
angles = { start = 0, stop = 10, step = 10 }
flip = true
[optimization]
learning_rate = 0.1
epochs = 2
"""


def disc_subject(number: int, slices: int = 3, pixels: int = 40) -> Subject:
    """One volume of discs; the last slice has no annotation."""
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[:pixels, :pixels]
    images, masks = [], []
    for _ in range(slices):
        row, column = rng.uniform(16, 24, 2)
        disc = (rows - row) ** 2 + (columns - column) ** 2 < 36
        images.append(100 + 80 * disc + rng.normal(0, 10, disc.shape))
        masks.append(np.where(disc, Label.LV_CAVITY, 0).astype(np.uint8))
    annotated = np.zeros((slices, len(Label)), bool)
    annotated[:-1, [Label.BACKGROUND, Label.LV_CAVITY]] = True
    volume = LabelledVolume(
        "ed", np.stack(images).astype(np.int16), np.stack(masks), annotated, None, (f"s{number}",), None, ("",) * slices
    )
    return Subject(f"s{number}", (volume,))


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six subjects of two annotated slices each."""
    folder = tmp_path_factory.mktemp("discs")
    list(write_dataset(folder, "discs", "made", (at_hand(disc_subject(i)) for i in range(6))))
    return open_dataset(folder)


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """A recipe of a few steps."""
    return parse_recipe(TINY, "tiny")


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """The tiny recipe as a file."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path
