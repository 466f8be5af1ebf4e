"""No command uses the network: the suite's guard sees every attempt, and without any network all goes on as ever."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from network_guard import attempts
from small_phantoms import SQUARE as SMALL
from thresholds import write_threshold_model

from cardioseg.phantom import Phantom, write_dicom

ALONE = ("unshare", "--map-root-user", "--net")


def cardioseg(*arguments: object) -> None:
    command = [*ALONE, sys.executable, "-m", "cardioseg", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def _can_unshare() -> None:
    allowed = shutil.which("unshare") and subprocess.run([*ALONE, "true"], capture_output=True, check=False)
    if not allowed or allowed.returncode:
        pytest.skip("this system lets nobody leave its network (unshare --net)")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_the_guard_sees_what_leaves(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one, pytest.raises(PermissionError):
        one.connect((host, 9))
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.org", 443)
    assert len(attempts) == 2
    attempts.clear()


def test_the_guard_lets_this_machine_talk_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert attempts == []


@pytest.mark.usefixtures("_can_unshare")
def test_predict_without_a_network(tmp_path: Path) -> None:
    write_dicom(SMALL, tmp_path / "scans")
    model = write_threshold_model(tmp_path / "model")
    cardioseg("predict", tmp_path / "scans", "-o", tmp_path / "out", "-m", model)
    assert (tmp_path / "out" / "PHANTOM-0001" / "mask.nii.gz").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("_can_unshare")
def test_the_whole_road_without_a_network(tmp_path: Path) -> None:
    from cardioseg.phantom import write_sunnybrook

    write_sunnybrook([Phantom(**{**vars(SMALL), "seed": seed}) for seed in (1, 2)], tmp_path / "labelled")
    (tmp_path / "short.toml").write_text("size = 64\n[optimization]\nepochs = 1\n")
    training = ("-r", tmp_path / "short.toml", "--folds", 2, "-d", "cpu", "--learning-rate", 0.05)
    cardioseg("ingest", tmp_path / "labelled", "-o", tmp_path / "dataset")
    cardioseg("train", tmp_path / "dataset", "-o", tmp_path / "run", *training)
    given = ("--licence", "CC0-1.0")
    cardioseg("export", tmp_path / "run", tmp_path / "dataset", "-o", tmp_path / "model", *given)
    cardioseg("predict", tmp_path / "labelled", "-o", tmp_path / "results", "-m", tmp_path / "model")
    cardioseg("evaluate", tmp_path / "results", tmp_path / "labelled", "-o", tmp_path / "evaluation")
    cardioseg("measure", tmp_path / "results", "-o", tmp_path / "measured")
    cardioseg("inspect", tmp_path / "labelled")
    cardioseg("info")
