"""Fit: train one fold. A run that was killed at any moment resumes and gives the same weights."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from cardioseg.dataset.slices import Slices
from cardioseg.dataset.training_batches import Epoch
from cardioseg.errors import UsageError
from cardioseg.network.unet import UNet
from cardioseg.training.checkpoint import Checkpoint, newest, save, weights_sha256
from cardioseg.training.journal import Journal, StepRecord
from cardioseg.training.optimization import learning_rate
from cardioseg.training.recipe import Recipe
from cardioseg.training.step import step_of

LOG_STEPS = 20


@dataclass(frozen=True)
class Job:
    """One fold to be fitted.

    Attributes:
        recipe: the recipe.
        slices: the training slices.
        folder: the folder for checkpoints and logs.
        fold: the fold's number.
        seed: the seed of all randomness.
        device: a torch device name.
        checkpoint_steps: steps between checkpoints; one more is written at the end.
        limit: number of steps, over which the learning rate's schedule is spread; None: that of the recipe's epochs.
        initial: the weights to start from; None: random weights.
    """

    recipe: Recipe
    slices: Slices
    folder: Path
    fold: int = 0
    seed: int = 0
    device: str = "cpu"
    checkpoint_steps: int = 200
    limit: int | None = None
    initial: Mapping[str, Tensor] | None = field(default=None, repr=False)

    @property
    def identity(self) -> str:
        """A hash of everything that determines the weights, except the machine and its number of threads."""
        described = f"{self.recipe.model_dump_json()} {self.fold} {self.seed} {self.slices.source}"
        described += "" if self.limit is None else f" {self.limit}"
        described += "" if self.initial is None else f" {weights_sha256(self.initial)}"
        return sha256(described.encode()).hexdigest()

    @property
    def steps(self) -> int:
        """Number of steps of the whole run."""
        return self.limit or self.epoch(0).steps * self.recipe.optimization.epochs

    def epoch(self, number: int) -> Epoch:
        """The batches of an epoch."""
        settings = self.recipe
        key = (self.seed, self.fold, number)
        return Epoch(self.slices, settings.augmentation, settings.optimization.batch_size, key)


def fit(job: Job, report: Callable[[StepRecord], None], resume: bool = False) -> Checkpoint:
    """Train to the last step of the job; returns the final checkpoint.

    Args:
        job: the fold to fit.
        report: called at every logged step.
        resume: resume from the newest checkpoint in `job.folder`.

    Raises:
        UsageError: there is nothing to resume, or only another run; or, without `resume`, the folder has a run already.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is reproducible only with this
    torch.use_deterministic_algorithms(True)
    # Filling costs 3 % of a step, and nothing here reads memory that was not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    done = _start(job, resume)
    if done and done.step == job.steps:
        return done
    run = _Run(job, done.step if done else 0)
    if done:
        run.network.load_state_dict(done.network)
        run.advance.weights.load_state_dict(done.optimizer)
    try:
        return run.until_done(report)
    finally:
        run.journal.close()


def _start(job: Job, resume: bool) -> Checkpoint | None:
    checkpoint = newest(job.folder)
    if resume and checkpoint is None:
        raise UsageError(f"nothing to resume in {job.folder}", "leave out --resume to start")
    if not resume and checkpoint is not None:
        raise UsageError(f"{job.folder} already holds a run", "--resume continues it; or choose another folder")
    if checkpoint and checkpoint.identity != job.identity:
        differs = "another recipe, seed, fold or dataset, or another number of steps"
        raise UsageError(f"the run in {job.folder} had {differs}", "choose another folder")
    return checkpoint


class _Run:
    """A running job: its network, the step that advances it, its journal, and the number of steps done."""

    def __init__(self, job: Job, step: int) -> None:
        recipe = job.recipe
        generator = torch.Generator().manual_seed(job.seed)
        self.job = job
        self.step = step
        self.network = UNet(len(recipe.labels) + 1, recipe.norm, generator, recipe.literal_std).to(job.device)
        if job.initial is not None:
            self.network.load_state_dict(job.initial)
        self.advance = step_of(self.network, recipe.optimization)
        self.slices = job.slices.to(job.device)
        self.journal = Journal(job.folder, step)
        self._losses: list[Tensor] = []
        self._since = time.perf_counter()

    def until_done(self, report: Callable[[StepRecord], None]) -> Checkpoint:
        self.network.train()
        while self.step < self.job.steps:
            number, offset = divmod(self.step, self.job.epoch(0).steps)
            epoch = replace(self.job.epoch(number), slices=self.slices)
            for pairs in epoch.order()[offset : offset + self.job.steps - self.step]:
                self._losses.append(self.advance(*epoch.batch(pairs), self._rate(self.step)))
                self.step += 1
                checkpoint_due = self.step % self.job.checkpoint_steps == 0
                if checkpoint_due or self.step % LOG_STEPS == 0 or self.step == self.job.steps:
                    self._log(number, report)
                if checkpoint_due and self.step < self.job.steps:
                    self._save()
        return self._save()

    def _rate(self, step: int) -> float:
        """The learning rate; the schedule's epochs are those of the data, unless the run has a limit."""
        settings, steps = self.job.recipe.optimization, self.job.steps
        return learning_rate(settings, step * settings.epochs // steps, step / steps)

    def _log(self, epoch: int, report: Callable[[StepRecord], None]) -> None:
        images = len(self._losses) * self.job.recipe.optimization.batch_size
        images_per_s = images / (time.perf_counter() - self._since)
        mean_loss = float(torch.stack(self._losses).mean())
        rate = self._rate(self.step - 1)
        record = StepRecord(self.step, self.job.steps, epoch, mean_loss, rate, images_per_s, _rhos(self.network))
        self._losses.clear()
        self._since = time.perf_counter()
        self.journal.add(record)
        report(record)

    def _save(self) -> Checkpoint:
        self.journal.flush()
        state = {name: tensor.detach().cpu().clone() for name, tensor in self.network.state_dict().items()}
        checkpoint = Checkpoint(self.step, state, self.advance.weights.state_dict(), self.job.identity)
        save(self.job.folder, checkpoint)
        return checkpoint


def _rhos(network: UNet) -> dict[str, float]:
    rhos = network.rhos()
    names = [f"rho/{name}" + (f".{i}" if len(rho) > 1 else "") for name, rho in rhos.items() for i in range(len(rho))]
    values = torch.cat(list(rhos.values())).tolist() if rhos else []  # all at once: each reading waits for the GPU
    return dict(zip(names, values, strict=True))
