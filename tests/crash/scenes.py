"""The commands that are killed, made small: four hearts of five slices, a network of full width on 16 x 16 pixels."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

from small_phantoms import SQUARE_SIZE
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, cine, write_sunnybrook

# Imported before the forks, like all that a command would import; torch._dynamo is what an optimizer imports.
for module in (
    "onnxruntime", "torch._dynamo", "torch.utils.tensorboard", "cardioseg.prediction.cohort_prediction",
    "cardioseg.ingest.labels.layouts", "cardioseg.reproduce.paper_figures", "cardioseg.reproduce.pool",
    "cardioseg.training.crossval", "matplotlib.figure", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
):  # fmt: skip
    import_module(module)
import_module("cardioseg.reproduce.paper_figures")._DPI = 40  # drawing is most of what `reproduce` costs here

RECIPE = """
labels = ["lv_cavity"]
norm = "iln"
size = 16
[augmentation]
angles = { start = 0, stop = 0, step = 10 }
grid_fraction = 0.25
[optimization]
learning_rate = 0.1
epochs = 2
"""


@dataclass(frozen=True)
class Scene:
    """A command to kill: `again(out)` gives its arguments for a first or a further run into `out`."""

    name: str
    again: Callable[[Path], list[str]]
    moment: str = ""  # kill while a file is being written whose name matches; else at any moment


def scenes(folder: Path) -> dict[str, Scene]:
    """The commands by name; `folder` gets what they read."""
    hearts = [Phantom(seed=seed, **SQUARE_SIZE) for seed in range(1, 5)]
    write_sunnybrook(hearts, folder / "labelled")
    for number, heart in enumerate(hearts[:2]):
        write_cine(folder / "scans" / f"heart-{number}.nii.gz", cine(heart))
    (folder / "tiny.toml").write_text(RECIPE)
    model, dataset = write_threshold_model(folder / "model"), str(folder / "dataset")
    assert run(["ingest", str(folder / "labelled"), "-o", dataset, "-q"]) == 0

    def train(out: Path) -> list[str]:
        how = ["-r", str(folder / "tiny.toml"), "--folds", "2", "--fold", "0", "--checkpoint-steps", "2", "-q"]
        return ["train", dataset, "-o", str(out), *how, *["--resume"] * (out / "training.json").exists()]

    def ingest(out: Path) -> list[str]:
        return ["ingest", str(folder / "labelled"), "-o", str(out), "-q"]

    def predict(out: Path) -> list[str]:
        return ["predict", str(folder / "scans"), "-o", str(out), "-m", str(model), "--threads", "1", "-q"]

    def reproduce(out: Path) -> list[str]:
        few = ["--lrs", "0.1", "--norms", "iln", "--folds", "2", "--steps-fraction", "0.002", "--spacing-mm", "16"]
        return ["reproduce", dataset, "--organ", "lv", "-o", str(out), "--tables", "2", *few, "-d", "cpu", "-q"]

    every = [Scene("train", train), Scene("train, in a checkpoint", train, r"\.partial\.step-.*\.pt$")]
    every += [Scene("ingest", ingest), Scene("predict", predict), Scene("reproduce", reproduce)]
    return {scene.name: scene for scene in every}
