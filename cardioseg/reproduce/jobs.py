"""Jobs: trains and scores one network per job, once; a job that was interrupted continues where it stopped."""

import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cardioseg import __version__
from cardioseg.dataset.run_folder import FoldFolder
from cardioseg.errors import NoInputError
from cardioseg.files import write_json
from cardioseg.ingest.labels.subject import Subject
from cardioseg.reproduce import job_outcome as outcome
from cardioseg.reproduce import samples
from cardioseg.reproduce.job_outcome import CHOOSING, EXTERNAL, TEST, Outcome, Training
from cardioseg.reproduce.protocol import Job, Protocol
from cardioseg.training.checkpoint import newest, steps_done, weights_sha256
from cardioseg.training.crossval import network_of, slices_for
from cardioseg.training.fit import Job as Fitting
from cardioseg.training.fit import fit
from cardioseg.training.validation import validate

STARTED_FILE = "started.json"


def progress(protocol: Protocol, job: Job) -> float:
    """The share of a job that is done, 0 to 1, as its folders show; 1 if the result is there."""
    if outcome.is_finished(protocol.path(job)):
        return 1.0
    folder = protocol.unfinished(job)
    try:
        steps = json.loads((folder / STARTED_FILE).read_text())["steps"]
    except FileNotFoundError:
        return 0.0
    return float(min(0.99, steps_done(folder) / steps))


def run(protocol: Protocol, job: Job) -> Outcome:
    """Train and score one job, or read its outcome if it is finished; an interrupted job is resumed.

    Raises:
        NoInputError: no slice of the dataset has the organ's label.
    """
    folder = protocol.path(job)
    if not outcome.is_finished(folder):
        _train_and_score(protocol, job, folder)
    shutil.rmtree(protocol.unfinished(job), ignore_errors=True)
    return outcome.read(folder)


def _train_and_score(protocol: Protocol, job: Job, folder: Path) -> None:
    start = time.perf_counter()
    fold, choosing = protocol.fold(job)
    recipe, subject, unfinished = protocol.recipe(job), protocol.dataset.subject, protocol.unfinished(job)
    slices = slices_for(recipe, map(subject, sorted(set(fold.train) - set(choosing))))
    if not len(slices):
        raise NoInputError(f"no slice of {protocol.dataset.folder} has {protocol.organ.label} annotated")
    fitting = Fitting(recipe, slices, unfinished, job.fold, job.seed, protocol.device)
    write_json(unfinished / STARTED_FILE, {"steps": fitting.steps})
    trained = fit(fitting, lambda _: None, resume=newest(unfinished) is not None)
    network = network_of(trained, recipe)
    subjects: dict[str, Iterable[Subject]] = {CHOOSING: map(subject, choosing)}
    if not protocol.is_pilot:
        subjects[TEST] = map(subject, fold.validation)
        samples.write(samples.draw(network, recipe, map(subject, fold.validation), _rng(job)), folder)
        outcome.write_rhos(FoldFolder(unfinished).steps, folder)
    if protocol.external:
        subjects[EXTERNAL] = protocol.external.subjects()
    scores = {part: tuple(validate(network, recipe, of_part)) for part, of_part in subjects.items()}
    seconds = round(time.perf_counter() - start, 1)
    training = Training(trained.step, len(slices), seconds, weights_sha256(trained.network), __version__)
    outcome.write(Outcome(job, training, scores), folder)


def _rng(job: Job) -> np.random.Generator:
    """The generator that chooses the example images: the same images for every norm."""
    return np.random.default_rng([job.seed, job.fold])
