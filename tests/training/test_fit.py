"""One fold: it learns, repeats bit for bit, and resumes bit for bit from wherever it was killed."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cardioseg.cli.app import run
from cardioseg.dataset.augmentation import Augmentation
from cardioseg.dataset.slices import gather
from cardioseg.dataset.store import Dataset
from cardioseg.errors import UsageError
from cardioseg.training.checkpoint import newest, weights_sha256
from cardioseg.training.fit import Job, fit
from cardioseg.training.journal import StepRecord
from cardioseg.training.recipe import Recipe


class Killed(Exception):  # noqa: N818 - not an error of ours
    pass


def job(discs: Dataset, recipe: Recipe, folder: Path, checkpoint_steps: int = 5) -> Job:
    slices = gather(discs.subjects(), recipe.structures, recipe.size, recipe.preprocessing)
    return Job(recipe, slices, folder, checkpoint_steps=checkpoint_steps)


def stop_at(step: int):  # noqa: ANN201
    def report(record: StepRecord) -> None:
        if record.step >= step:
            raise Killed

    return report


def test_it_learns(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    records: list[StepRecord] = []
    fit(job(discs, tiny, tmp_path, 20), records.append)
    assert records[-1].step == records[-1].steps == 48  # 12 images x 2 angles x 2 epochs
    assert records[-1].loss < records[0].loss / 2
    assert {record.learning_rate for record in records} == {0.1, 0.02}
    assert len(records[-1].rhos) == 22
    assert any(value != 0.5 for value in records[-1].rhos.values())
    header, *rows = (tmp_path / "steps.csv").read_text().splitlines()
    assert header.count("rho/") == 22
    assert [row.split(",")[0] for row in rows] == ["20", "40", "48"]
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.slow
def test_resumed_twice_is_the_same_run(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    whole = fit(job(discs, tiny, tmp_path / "whole"), lambda _: None)
    with pytest.raises(Killed):
        fit(job(discs, tiny, tmp_path / "cut"), stop_at(7))
    with pytest.raises(Killed):
        fit(job(discs, tiny, tmp_path / "cut"), stop_at(37), resume=True)
    resumed = fit(job(discs, tiny, tmp_path / "cut"), lambda _: None, resume=True)
    assert weights_sha256(resumed.network) == weights_sha256(whole.network)
    assert (tmp_path / "cut" / "steps.csv").read_text() == (tmp_path / "whole" / "steps.csv").read_text()


def test_resume_needs_a_run_and_the_same_run(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    one = job(discs, tiny, tmp_path)
    with pytest.raises(UsageError, match="nothing to resume"):
        fit(one, lambda _: None, resume=True)
    with pytest.raises(Killed):
        fit(one, stop_at(10))
    with pytest.raises(UsageError, match="already holds a run"):
        fit(one, lambda _: None)
    with pytest.raises(UsageError, match="another recipe, seed, fold or dataset"):
        fit(replace(one, seed=1), lambda _: None, resume=True)


def test_a_finished_run_resumes_to_itself(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    one = job(discs, tiny.model_copy(update={"augmentation": Augmentation()}), tmp_path)
    first, again = (fit(one, lambda _: None, resume=resume) for resume in (False, True))
    assert weights_sha256(first.network) == weights_sha256(again.network)


def test_killed_process_resumes_to_the_same_weights(discs: Dataset, recipe_file: Path, tmp_path: Path) -> None:
    """SIGKILL for real, through the command line."""

    def arguments(folder: str, *more: str) -> list[str]:
        options = ["-r", str(recipe_file), "--checkpoint-steps", "5", "--fold", "0", "--threads", "1", "-q"]
        return ["train", str(discs.folder), "-o", str(tmp_path / folder), *options, *more]

    command = [sys.executable, "-m", "cardioseg", *arguments("cut")]
    assert run(arguments("whole")) == 0
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not list((tmp_path / "cut" / "fold-0").glob("step-*.pt")):
        assert process.poll() is None
        signal.sigtimedwait([], 0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    cut = newest(tmp_path / "cut" / "fold-0")
    assert run(arguments("cut", "--resume")) == 0
    whole, resumed = (newest(tmp_path / name / "fold-0") for name in ("whole", "cut"))
    assert cut
    assert whole
    assert resumed
    assert cut.step < whole.step == resumed.step
    assert weights_sha256(resumed.network) == weights_sha256(whole.network)
