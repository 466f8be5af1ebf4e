"""`train` from the command line: how far it is, how long it takes, how many steps, and what to do after Ctrl-C."""

import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from cardioseg.cli.app import run
from cardioseg.dataset.slices import gather
from cardioseg.dataset.store import Dataset
from cardioseg.training.checkpoint import newest, weights_sha256
from cardioseg.training.fit import Job, fit
from cardioseg.training.journal import StepRecord
from cardioseg.training.optimization import learning_rate
from cardioseg.training.recipe import Recipe


def train(discs: Dataset, recipe_file: Path, folder: Path, *more: str) -> int:
    return run(["train", str(discs.folder), "-o", str(folder), "-r", str(recipe_file), "--folds", "2", *more])


def test_so_many_steps_are_trained(
    discs: Dataset, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(discs, recipe_file, tmp_path, "--steps", "7", "--fold", "0") == 0
    assert "-o MODEL --licence ... --fold 0` exports the model" in capsys.readouterr().err
    found = newest(tmp_path / "fold-0")
    assert found is not None
    assert found.step == 7
    assert json.loads((tmp_path / "training.json").read_text())["steps"] == 7
    assert train(discs, recipe_file, tmp_path, "--resume", "--fold", "1", "-q") == 2  # another number of steps


def job(discs: Dataset, recipe: Recipe, folder: Path, limit: int | None = None) -> Job:
    slices = gather(discs.subjects(), recipe.structures, recipe.size, recipe.preprocessing)
    return Job(recipe, slices, folder, limit=limit)


def test_without_a_number_of_steps_a_job_is_what_it_was(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    """Its identity decides whether old checkpoints can be resumed."""
    whole = job(discs, tiny, tmp_path)
    described = f"{tiny.model_dump_json()} 0 0 {whole.slices.source}"
    assert whole.identity == sha256(described.encode()).hexdigest()
    assert whole.steps == 48
    assert replace(whole, limit=48).identity != whole.identity


@pytest.mark.parametrize("schedule", ["divide", "cosine", "restarts"])
def test_the_schedule_is_spread_over_the_steps(discs: Dataset, tiny: Recipe, tmp_path: Path, schedule: str) -> None:
    settings, limit = tiny.optimization.model_copy(update={"schedule": schedule}), 9
    recipe = tiny.model_copy(update={"optimization": settings})
    records: list[StepRecord] = []
    fit(replace(job(discs, recipe, tmp_path, limit), checkpoint_steps=1), records.append)
    assert [record.step for record in records] == list(range(1, limit + 1))
    for step, record in enumerate(records):
        epoch = 0 if step < limit / 2 else 1
        assert record.learning_rate == learning_rate(settings, epoch, step / limit)


@pytest.mark.slow
def test_of_as_many_steps_as_its_epochs_have_it_is_the_same_run(discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    whole, limited = (fit(job(discs, tiny, tmp_path / str(limit), limit), lambda _: None) for limit in (None, 48))
    assert weights_sha256(whole.network) == weights_sha256(limited.network)


def test_the_total_is_known_from_the_beginning(
    discs: Dataset, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(discs, recipe_file, tmp_path) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fold ")]
    assert lines[:1] == ["fold 0: 24 steps"]
    assert "left at" in lines[1]
    assert lines[2] == "fold 1: 24 steps"
    assert train(discs, recipe_file, tmp_path, "--resume", "-q") == 0
    assert capsys.readouterr().err == ""


def test_there_is_a_line_a_minute(
    discs: Dataset,
    recipe_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By a clock that is 70 s later each time it is read."""
    clock = SimpleNamespace(monotonic=partial(next, count(0, 70)))  # other threads keep theirs
    monkeypatch.setattr("cardioseg.cli.train_progress.time", clock)
    assert train(discs, recipe_file, tmp_path, "--fold", "0") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fold 0: step ")]
    assert lines
    assert all("of 24, loss" in line for line in lines)


def test_an_interrupt_before_the_first_checkpoint(
    discs: Dataset,
    recipe_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cardioseg.training.crossval.fit", interrupted)
    assert train(discs, recipe_file, tmp_path / "run") == 130
    said = capsys.readouterr().err
    assert f"-o {tmp_path / 'run'} " in said
    assert "--folds 2 --resume` starts fold 0 again (no checkpoint yet)" in said


def _listen_to_interrupts() -> None:
    """Undo what a shell does to the processes it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_after_an_interrupt_the_command_that_is_said_goes_on(discs: Dataset, recipe_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    options = ["-r", str(recipe_file), "--folds", "2", "--fold", "0", "--steps", "4000", "--checkpoint-steps", "5"]
    command = [sys.executable, "-m", "cardioseg", "train", str(discs.folder), "-o", str(folder), *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    settings = {"stderr": subprocess.PIPE, "text": True, "env": environment, "preexec_fn": _listen_to_interrupts}
    process = subprocess.Popen(command, **settings)
    while not list((folder / "fold-0").glob("step-*.pt")):
        assert process.poll() is None
        signal.sigtimedwait([], 0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    [hint] = [line for line in said.splitlines() if line.startswith("hint: ")]
    again = shlex.split(hint.split("`")[1])
    assert again == ["cardioseg", *command[3:], "--resume"]
    done = newest(folder / "fold-0")
    assert done is not None
    process = subprocess.Popen([sys.executable, "-m", *again], **settings)
    assert process.stderr is not None
    first = next(line for line in process.stderr if line.startswith("fold "))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert first == f"fold 0: 4,000 steps, {done.step} of them done\n"
    assert said.count("--resume") == 1


def test_what_goes_on_depends_on_the_checkpoints(tmp_path: Path) -> None:
    from cardioseg.cli.train_command import _next_command

    asked = ["cardioseg", "train", "d", "-o", "r"]
    assert _next_command(asked, tmp_path, [0, 1]) == "`cardioseg train d -o r` starts the run again"
    (tmp_path / "training.json").touch()
    none_yet = "`cardioseg train d -o r --resume` starts fold 0 again (no checkpoint yet)"
    assert _next_command(asked, tmp_path, [0, 1]) == none_yet
    assert _next_command([*asked, "--resume"], tmp_path, [0, 1]) == none_yet
    for file in (f"step-0000005-{16 * '0'}.pt", "validation.csv"):
        (tmp_path / "fold-0").mkdir(exist_ok=True)
        (tmp_path / "fold-0" / file).touch()
        newest_first = "`cardioseg train d -o r --resume` continues from the newest checkpoint"
        assert _next_command(asked, tmp_path, [0]) == newest_first
    assert "starts fold 1 again" in _next_command(asked, tmp_path, [0, 1])


def test_a_recipe_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_bytes('norm = "iln"  # größe'.encode("latin-1"))
    assert run(["train", str(tmp_path), "-o", str(tmp_path / "run"), "-r", str(tmp_path / "mine.toml")]) == 2
    assert "is not UTF-8 text" in capsys.readouterr().err
