"""Experiment: what surrounds the jobs of one organ: its description, the cost measurement and the figures."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from cardioseg.dataset.slices import annotated_with
from cardioseg.dataset.store import Dataset
from cardioseg.files import write_json
from cardioseg.image.preprocess import prepare
from cardioseg.reproduce.cost import measure
from cardioseg.reproduce.figures import write_rhos, write_segmentations
from cardioseg.reproduce.jobs import Protocol
from cardioseg.reproduce.results import BY_TEST, Results, best_rate
from cardioseg.reproduce.samples import read
from cardioseg.training.recipe import Recipe

_SHOWN = "iln"  # the norm of the paper's figures


def command(protocol: Protocol, results: Results) -> str:
    """The command that makes the same run."""
    norms = dict.fromkeys(job.norm for job in results)
    rates = sorted({job.learning_rate for job in results}, reverse=True)
    seeds = sorted({job.seed for job in results})
    options = {
        "organ": protocol.organ.name,
        "norms": ",".join(norms),
        "lrs": ",".join(f"{rate:g}" for rate in rates),
        "folds": protocol.folds,
        "seeds": ",".join(map(str, seeds)),
        "steps-fraction": protocol.steps_fraction,
        "spacing-mm": protocol.spacing_mm,
        "window": protocol.window,
    }
    said = " ".join(f"--{name} {value}" for name, value in options.items() if value is not None)
    return f"cardioseg reproduce DATASET -o TABLES {said}"


def describe(protocol: Protocol, results: Results) -> dict[str, str]:
    """What was run: name -> text, for the head of the tables."""
    recipe = protocol.recipe(next(iter(results)))
    angles = recipe.augmentation.angles
    steps = sorted({result["steps"] for result in results.values()})
    images = sum(v["annotated_slices"] for s in protocol.dataset.manifest["subjects"] for v in s["volumes"])
    return {
        "data": f"{protocol.dataset.name}, {images} images of {len(protocol.dataset.subject_ids)} subjects "
        f"(paper: {protocol.organ.data})",
        "pixels": _pixels(recipe, protocol),
        "rotations": f"{angles.start:g}:{angles.step:g}:{angles.stop:g} degrees, {len(angles.degrees)} angles, "
        f"{100 * protocol.steps_fraction:.3g} % of the grid drawn at random",
        "steps a job": f"{steps[0]} to {steps[-1]}, batch 1, two epochs, learning rate divided by 5 at the second",
        "learning rates": ", ".join(
            f"{rate:g}" for rate in sorted({job.learning_rate for job in results}, reverse=True)
        ),
        "seeds": ", ".join(str(seed) for seed in sorted({job.seed for job in results})),
        "device": protocol.device,
        "ours": "mean ± standard deviation per image of the fold (learning rate); the rate is the best on the test "
        "images, as in the paper, which is optimistic",
        "rate held out": "the same, the rate chosen on a tenth of the training subjects kept out of training",
    }


def _pixels(recipe: Recipe, protocol: Protocol) -> str:
    pixels, spacing_mm = recipe.preprocessing.window or recipe.size, recipe.preprocessing.spacing_mm
    shape = f"{pixels} x {pixels}" + (f", resampled to {spacing_mm:g} mm" if spacing_mm else "")
    paper = "; the paper: 256 x 256" if protocol.window or protocol.spacing_mm else ""
    if not protocol.window:
        return shape + paper
    missed = f"{100 * share_outside(protocol.dataset, recipe):.2f} % of the reference lies outside and counts as missed"
    return f"the central {shape}; {missed}{paper}"


def share_outside(dataset: Dataset, recipe: Recipe) -> float:
    """The share of the reference's pixels, 0 to 1, that lie outside of the recipe's window."""
    inside = everything = 0
    for volume in (volume for subject in dataset.subjects() for volume in subject.volumes):
        reference = np.isin(volume.mask[annotated_with(volume, recipe.structures)], recipe.structures)
        _, undo = prepare(reference.astype(np.uint8), volume.pixel_mm(recipe.nominal_spacing_mm), recipe.preprocessing)
        inside += int(np.count_nonzero(reference[:, *undo.box]))
        everything += int(np.count_nonzero(reference))
    return 1 - inside / everything if everything else 0.0


def measured_cost(protocol: Protocol) -> dict[str, Any]:
    """The cost of ILN, measured once and kept in `cost.json`."""
    path = protocol.folder / "cost.json"
    if not path.is_file():
        write_json(path, asdict(measure(protocol.device)))
    cost: dict[str, Any] = json.loads(path.read_text())
    return cost


def write_figures(protocol: Protocol, results: Results) -> None:
    """Write `figure2` and `figure3` from the ILN job of the first fold that has one, at its best learning rate."""
    shown = [job for job in results if job.norm == _SHOWN]
    if not shown:
        return
    first = min(shown, key=lambda job: (job.seed, job.fold))
    rate = best_rate(results, _SHOWN, first.fold, BY_TEST)
    job = next(job for job in shown if (job.seed, job.fold, job.learning_rate) == (first.seed, first.fold, rate))
    write_segmentations(read(protocol.path(job)), protocol.folder)
    write_rhos(protocol.path(job), protocol.folder, job.seed)
