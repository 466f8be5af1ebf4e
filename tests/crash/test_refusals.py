"""The disk refuses at every write of a command in turn: exit code 6, one line, and what was there is there still."""

import errno
import os
from collections.abc import Callable
from itertools import count, cycle
from pathlib import Path

import pytest
from small_phantoms import SQUARE_SIZE as SMALL
from untrained import write_model

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, cine, write_sunnybrook

REFUSALS = {
    errno.ENOSPC: "no space left on the device",
    errno.EACCES: "permission denied",
    errno.EROFS: "read-only file system",
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refuse_at(monkeypatch: pytest.MonkeyPatch, number: int, code: int) -> list[Path]:
    """Let the write with this number fail when it is to be published; returns the list of those that were begun."""
    begun: list[Path] = []
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        begun.append(Path(target))
        if len(begun) == number:
            raise OSError(code, os.strerror(code))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return begun


def refused_everywhere(command: Callable[[], list[str]], out: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Run a command over its own earlier results, each time with another write refused; the number of writes."""
    assert run(command()) == 0
    for number, code in zip(count(1), cycle(REFUSALS)):
        before = files(out)
        with pytest.MonkeyPatch.context() as patch:
            begun = refuse_at(patch, number, code)
            ended = run(command())
        if len(begun) < number:
            assert ended == 0
            return number - 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert ended == 6
        assert error == f"error: cannot write {begun[number - 1]}: {REFUSALS[code]}"
        after = files(out)
        assert not [name for name in after if ".partial." in name or name.endswith(".lock")]
        refused = str(begun[number - 1].relative_to(out))
        gone = refused.endswith((".png", ".gif"))  # a picture of an earlier mask is taken away before the new one
        if begun[number - 1] not in begun[number:]:  # training's log is written once more at its end
            assert after.get(refused) in (before.get(refused), None if gone else before.get(refused))
    raise AssertionError


def test_ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sunnybrook([Phantom(seed=seed, **SMALL) for seed in (1, 2)], tmp_path / "labelled")
    out = tmp_path / "dataset"
    assert refused_everywhere(lambda: ["ingest", str(tmp_path / "labelled"), "-o", str(out), "-q"], out, capsys) == 3


@pytest.mark.slow
def test_predict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cine(tmp_path / "scans" / "heart.nii.gz", cine(Phantom(**SMALL)))
    out = tmp_path / "out"
    model = write_model(tmp_path / "model")
    command = ["predict", str(tmp_path / "scans"), "-o", str(out), "-m", str(model), "--overwrite", "-q"]
    assert refused_everywhere(lambda: command, out, capsys) == 10


@pytest.mark.slow
def test_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sunnybrook([Phantom(seed=seed, **SMALL) for seed in (1, 2)], tmp_path / "labelled")
    dataset, out, runs = tmp_path / "dataset", tmp_path / "runs", count()
    assert run(["ingest", str(tmp_path / "labelled"), "-o", str(dataset), "-q"]) == 0
    recipe = 'labels = ["lv_cavity"]\nnorm = "iln"\nsize = 16\n[augmentation]\ngrid_fraction = 0.25\n'
    (tmp_path / "tiny.toml").write_text(recipe + "[optimization]\nepochs = 1\n")
    how = ["-r", str(tmp_path / "tiny.toml"), "--folds", "2", "--checkpoint-steps", "1", "-q"]
    writes = refused_everywhere(lambda: ["train", str(dataset), "-o", str(out / str(next(runs))), *how], out, capsys)
    assert writes >= 8  # run, folds and scores; steps, checkpoints and validation of each fold
