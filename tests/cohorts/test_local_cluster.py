"""Sixty hearts on a real cluster: workers and the scheduler are killed, or see no files, and nothing is lost."""

import csv
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("distributed")

from cohorts.hearts import tree, write_hearts
from cohorts.local_cluster import cluster
from thresholds import write_threshold_model

from cardioseg.cli.app import run

COUNT = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_hearts(folder / "scans", COUNT)
    write_threshold_model(folder / "model", ["lv_cavity"])
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, bytes]:
    assert predict(folder, folder / "whole") == 0
    return tree(folder / "whole")


def predict(folder: Path, out: Path, *more: str) -> int:
    return run(["predict", str(folder / "scans"), "-o", str(out), "-m", str(folder / "model"), "-q", *more])


def kill_midway(out: Path, process: int) -> Thread:
    """Kill a process when a quarter of the cases is done."""

    def wait_and_kill() -> None:
        while len(list(out.glob("*/case.json"))) < COUNT // 4:
            time.sleep(0.01)
        os.kill(process, signal.SIGKILL)

    killer = Thread(target=wait_and_kill)
    killer.start()
    return killer


@pytest.mark.slow
def test_a_worker_is_killed_midway(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    with cluster(3) as three:
        killer = kill_midway(tmp_path, three.workers[0])
        assert predict(folder, tmp_path, "--cluster", three.address) == 0
        killer.join()
    with (tmp_path / "status.csv").open(newline="") as file:
        status = [(row["case_id"], row["status"]) for row in csv.DictReader(file)]
    assert status == [(f"heart-{number:02d}", "done") for number in range(COUNT)]
    assert tree(tmp_path) == whole


@pytest.mark.slow
def test_the_scheduler_is_killed_midway(
    folder: Path, whole: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster(3) as three:
        killer = kill_midway(tmp_path, three.scheduler)
        assert predict(folder, tmp_path, "--cluster", three.address) == 6
        killer.join()
    assert "is gone" in capsys.readouterr().err
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/case.json")}
    assert COUNT // 4 <= len(before) < COUNT
    assert predict(folder, tmp_path, "--workers", "2") == 0
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert tree(tmp_path) == whole


def unshared() -> list[str]:
    """A program that runs another one where the scans are not to be seen."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("mount namespaces are not to be had here (unshare -rm)")
    return [unshare, "-rm", "sh", "-c"]


@pytest.mark.parametrize("what", ["scans", "out"])
def test_workers_without_the_files(what: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In another mount namespace the folder is there, but it is another, empty one."""
    out = tmp_path / "out"
    hidden, named = (folder, folder / "scans") if what == "scans" else (tmp_path, out)
    with cluster(1, *unshared(), f'mount -t tmpfs none {hidden} && exec "$0" "$@"') as one:
        assert predict(folder, out, "--cluster", one.address) == 6
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("error: the worker at tcp://127.0.0.1:")
    assert f"{named} does not exist on " in lines[0]
    assert lines[1:] == ["hint: every worker needs the same files at the same paths"]
    assert not out.exists()
