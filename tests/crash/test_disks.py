"""A disk that is full, may only be read, or belongs to someone else: real ones, where root may mount them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_phantoms import SQUARE_SIZE as SMALL
from thresholds import write_threshold_model
from trees import tree

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, cine, reference, write_sunnybrook

POWERLESS = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")  # root as anybody else: permissions hold for it
FREE_KB = (0, 8, 40)  # nothing fits; the first small files do; a case does, and not all tables


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this system mounts nothing: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans, their masks, labelled scans, a prepared dataset and a model."""
    folder = tmp_path_factory.mktemp("given")
    hearts = [Phantom(seed=seed, **SMALL) for seed in (1, 2)]
    write_sunnybrook(hearts, folder / "labelled")
    short = Phantom(**{**SMALL, "phases": 2})
    write_cine(folder / "scans" / "heart.nii.gz", cine(short))
    write_cine(folder / "masks" / "heart.nii.gz", reference(short))
    write_threshold_model(folder / "model")
    assert run(["ingest", str(folder / "labelled"), "-o", str(folder / "dataset"), "-q"]) == 0
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    if os.geteuid():
        pytest.skip("only root mounts disks")
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", str(place)], check=True)


def commands(given: Path, out: Path) -> dict[str, list[str]]:
    scans, masks, model, dataset = (str(given / name) for name in ("scans", "masks", "model", "dataset"))
    return {
        "predict": ["predict", scans, "-o", str(out), "-m", model, "-q", "--overwrite"],
        "ingest": ["ingest", str(given / "labelled"), "-o", str(out), "-q"],
        "train": ["train", dataset, "-o", str(out), "--folds", "2", "-q"],
        "reproduce": ["reproduce", dataset, "--organ", "lv", "-o", str(out), "-q"],
        "measure": ["measure", masks, "-o", str(out), "-q"],
        "evaluate": ["evaluate", masks, masks, "-o", str(out), "-q"],
        "demo": ["demo", "-o", str(out), "-q"],
    }


def fill(disk: Path, but_kb: int) -> None:
    """Leave no more than so much of a disk."""
    room = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - but_kb * 1024)))


def only_error(said: str) -> str:
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize("name", ["predict", "ingest"])
def test_full(name: str, given: Path, disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = commands(given, disk / "out")[name]
    assert run(command) == 0
    before = tree(disk / "out")
    for free_kb in FREE_KB:
        fill(disk, free_kb)
        capsys.readouterr()
        ended = run(command)
        if free_kb == 0:
            assert ended == 6
        assert ended in {0, 6}
        if ended:
            # SimpleITK, which writes the masks, does not say why it fails.
            why = r": (no space left on the device|the written file is incomplete)$"
            assert re.search(why, only_error(capsys.readouterr().err))
        after = tree(disk / "out")
        assert not [path for path in after if ".partial." in path]
        # Of a case that is done again, the record and the pictures are taken away first.
        assert all(path.endswith((".json", ".png", ".gif")) for path in before.keys() - after.keys())
        results = [path for path in after if not path.startswith(".")]  # the ledger of a run that was cut
        assert {path: after[path] for path in results} == {path: before[path] for path in results}
        (disk / "filler").unlink()
    assert run(command) == 0
    assert tree(disk / "out") == before


TORCH = [pytest.param(name, marks=pytest.mark.slow) for name in ("train", "reproduce")]


@pytest.mark.parametrize("name", ["predict", "ingest", "measure", "evaluate", "demo", *TORCH])
def test_only_to_be_read(name: str, given: Path, disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mount("-o", "remount,ro", str(disk))
    assert run(commands(given, disk / "out")[name]) == 6
    assert only_error(capsys.readouterr().err).endswith(": read-only file system")


@pytest.mark.parametrize("name", ["ingest", pytest.param("train", marks=pytest.mark.slow)])
def test_without_permission(name: str, given: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    powerless = POWERLESS if os.geteuid() == 0 else ()
    if powerless and subprocess.run([*powerless, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root cannot be made like anybody else here")
    command = [*powerless, sys.executable, "-m", "cardioseg", *commands(given, tmp_path / "closed" / "out")[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert only_error(done.stderr).endswith(": permission denied")
    assert not list((tmp_path / "closed").iterdir())
