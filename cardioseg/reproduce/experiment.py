"""Experiment: the description, the report, the cost measurement and the figures of one organ's jobs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

import numpy as np

from cardioseg.dataset.slices import annotated_with
from cardioseg.dataset.store import Dataset
from cardioseg.files import write_json
from cardioseg.image.preprocessing import prepare
from cardioseg.reproduce import job_outcome as outcome
from cardioseg.reproduce.cost import measure
from cardioseg.reproduce.job_outcome import TEST, Outcome
from cardioseg.reproduce.job_summary import Results, best_rate
from cardioseg.reproduce.paper import TABLES, norms
from cardioseg.reproduce.paper_figures import write_rhos, write_segmentations
from cardioseg.reproduce.paper_tables import Report
from cardioseg.reproduce.protocol import CHOOSING_SHARE, PILOT_SHARE, Job, Protocol
from cardioseg.reproduce.samples import look_up, read
from cardioseg.reproduce.scored_images import scored_images
from cardioseg.training.recipe import Recipe

_FIGURE_NORM = "iln"  # the norm of the paper's figures


def finished(protocol: Protocol) -> dict[Job, Outcome]:
    """Every finished job in the protocol's folder, of all runs; norms in the order of the paper."""
    paths = [path for path in (protocol.folder / "jobs").glob("*") if outcome.is_finished(path)]
    images = scored_images(protocol) if paths else {}
    outcomes = [outcome.read(path).on(images) for path in paths]
    order = {norm: place for place, norm in enumerate(norms(tuple(TABLES)))}
    outcomes.sort(key=lambda o: (o.job.seed, order[o.job.norm], o.job.fold, -o.job.learning_rate))
    return {outcome.job: outcome for outcome in outcomes}


def report(protocol: Protocol, tables: Sequence[int]) -> Report:
    """The report of all finished jobs in the protocol's folder; the cost of ILN belongs to the last table."""
    results, pilot = finished(protocol), finished(protocol.pilot)
    return Report(
        organ=protocol.organ,
        command=command(protocol, results, pilot),
        steps_fraction=protocol.steps_fraction,
        share_of_paper=share_of_paper(protocol, results),
        header=describe(protocol, results, pilot),
        finished=results,
        tables=tables,
        folds=protocol.folds,
        cost=measured_cost(protocol) if max(TABLES) in tables else None,
        pilot=pilot,
        external=protocol.external.name if protocol.external else None,
    )


def command(protocol: Protocol, results: Results, pilot: Results) -> str:
    """The commands that repeat the run, one per line: norms with the same rates and seeds share a command."""
    norms_of: dict[tuple[str, str], list[str]] = {}
    piloted = {job.norm for job in pilot}
    for norm in dict.fromkeys(job.norm for job in results):
        rates = sorted({job.learning_rate for job in results if job.norm == norm}, reverse=True)
        seeds = sorted({job.seed for job in results if job.norm == norm})
        rate_option = "--rates chosen" if norm in piloted else "--lrs " + ",".join(f"{rate:g}" for rate in rates)
        norms_of.setdefault((rate_option, ",".join(map(str, seeds))), []).append(norm)
    options = {
        "folds": protocol.folds,
        "steps-fraction": protocol.steps_fraction,
        "spacing-mm": protocol.spacing_mm,
        "window": protocol.window,
        "external": protocol.external.name if protocol.external else None,
    }
    given = " ".join(f"--{name} {value}" for name, value in options.items() if value is not None)
    start = f"cardioseg reproduce DATASET -o TABLES --organ {protocol.organ.name}"
    return "\n".join(
        f"{start} --norms {','.join(same)} {rate_option} --seeds {seeds} {given}"
        for (rate_option, seeds), same in norms_of.items()
    )


def describe(protocol: Protocol, results: Results, pilot: Results) -> dict[str, str]:
    """The description of the run for the head of the tables: name -> text."""
    recipe = protocol.recipe(next(iter(results)))
    angles = recipe.augmentation.angles
    steps = sorted({outcome.training.steps for outcome in results.values()})
    images = sum(volume.annotated_slices for record in protocol.dataset.manifest.subjects for volume in record.volumes)
    return {
        "data": f"{protocol.dataset.name}, {images} images of {len(protocol.dataset.subject_ids)} subjects "
        f"(paper: {protocol.organ.data})",
        "pixels": _pixels(recipe, protocol),
        "rotations": f"{angles.start:g}:{angles.step:g}:{angles.stop:g} degrees, {len(angles.degrees)} angles, "
        f"{100 * protocol.steps_fraction:.3g} % of the grid drawn at random",
        "steps a job": f"{steps[0]} to {steps[-1]}, batch 1, two epochs, learning rate divided by 5 at the second",
        "share of the paper's steps": f"{100 * share_of_paper(protocol, results):.0f} % of "
        f"{protocol.organ.updates(len(angles.degrees)):,}, because there are fewer images"
        + (" and a part of the grid" if protocol.steps_fraction < 1 else ""),
        "training subjects": f"{100 * (1 - CHOOSING_SHARE):.0f} % of those of the other folds; the rest is kept out of "
        "training to choose learning rates, also where one rate ran only (paper: all)",
        "initial weights": "standard deviation sqrt(2 / (9 C)); the paper prints 2 / (9 C)",
        "learning rates": _rates(results, pilot),
        "seeds": _seeds(results),
        "device": protocol.device,
        "ours": "mean ± standard deviation over the images of the fold whose reference has the structure"
        + (" (learning rate)" if pilot else ""),
    } | _choices(results)


def share_of_paper(protocol: Protocol, results: Results) -> float:
    """The updates of a job's weights as a share of the paper's, mean over the jobs."""
    angles = protocol.recipe(next(iter(results))).augmentation.angles.degrees
    return fmean(one.training.steps for one in results.values()) / protocol.organ.updates(len(angles))


def _rates(results: Results, pilot: Results) -> str:
    tried = sorted({job.learning_rate for job in pilot or results}, reverse=True)
    listed = ", ".join(f"{rate:g}" for rate in tried)
    if not pilot:
        return listed if len(tried) > 1 else f"{listed} for all norms; it was not chosen from several here"
    return (
        f"of {listed}, each norm runs with the one that was best in a pilot: jobs on fold 1 with "
        f"{100 * PILOT_SHARE:.0f} % of the steps of a job, scored on a tenth of the training subjects kept out of "
        "training. Some of these are test subjects of the other folds, so that the choice is independent of the test "
        "for fold 1 only"
    )


def _seeds(results: Results) -> str:
    seeds = sorted({job.seed for job in results})
    shown = f"; the tables of the paper and of other scanners show seed {seeds[0]}" if len(seeds) > 1 else ""
    return ", ".join(map(str, seeds)) + shown


def _choices(results: Results) -> dict[str, str]:
    """The meaning of the columns if a norm ran with several learning rates, else nothing."""
    if len({(job.norm, job.learning_rate) for job in results}) == len({job.norm for job in results}):
        return {}
    return {
        "ours": "mean ± standard deviation over the images of the fold whose reference has the structure (learning "
        "rate); the rate is the best on the test images, as in the paper, which is optimistic",
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
    """The share of the reference's pixels outside the recipe's window, 0 to 1."""
    inside = total = 0
    for volume in (volume for subject in dataset.subjects() for volume in subject.volumes):
        reference = np.isin(volume.mask[annotated_with(volume, recipe.structures)], recipe.structures)
        _, undo = prepare(reference.astype(np.uint8), volume.pixel_mm(recipe.nominal_spacing_mm), recipe.preprocessing)
        inside += int(np.count_nonzero(reference[:, *undo.box]))
        total += int(np.count_nonzero(reference))
    return 1 - inside / total if total else 0.0


def measured_cost(protocol: Protocol) -> dict[str, Any]:
    """The cost of ILN, which is measured once and stored in `cost.json`."""
    path = protocol.folder / "cost.json"
    if not path.is_file():
        write_json(path, asdict(measure(protocol.device)))
    cost: dict[str, Any] = json.loads(path.read_text())
    return cost


def write_figures(protocol: Protocol, results: Results) -> None:
    """Write `figure2` and `figure3` from the ILN job of the first seed and fold, at its best learning rate."""
    jobs = [job for job in results if job.norm == _FIGURE_NORM]
    if not jobs:
        return
    first = min(jobs, key=lambda job: (job.seed, job.fold))
    rate = best_rate(results, _FIGURE_NORM, first.fold, TEST)
    job = next(job for job in jobs if (job.seed, job.fold, job.learning_rate) == (first.seed, first.fold, rate))
    samples = read(protocol.path(job))
    images, references = look_up(samples, protocol.recipe(job), protocol.dataset)
    write_segmentations(images, references, samples.predictions, protocol.folder)
    write_rhos(*outcome.read_rhos(protocol.path(job)), protocol.folder, job.seed)
