"""A dask cluster of real processes: work is done there, killed workers cost nothing, and what is wrong is one line."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("distributed")

from cohorts.halving import Halving
from cohorts.local_cluster import Started, cluster

from cardioseg.cli.app import run
from cardioseg.errors import ResourceError, UnusableError, UsageError
from cardioseg.execution import cluster as module
from cardioseg.execution.cluster import connected
from cardioseg.execution.executor import Lost


@pytest.fixture(scope="module")
def two() -> Iterator[Started]:
    with cluster(2) as started:
        yield started


def test_work_is_done_by_the_workers(two: Started) -> None:
    with connected(two.address) as there:
        assert (there.is_here, there.threads(0), there.threads(3)) == (False, 1, 3)
        results = dict(there.map(Halving(), iter(range(12))))
        assert {item: half for item, (half, _) in results.items()} == {item: item // 2 for item in range(12)}  # type: ignore[misc]
        assert {pid for _, pid in results.values()} <= set(two.workers)  # type: ignore[misc]
        assert list(there.map(Halving(), [])) == []


def test_a_scheduler_file_will_do(two: Started, tmp_path: Path) -> None:
    (tmp_path / "scheduler.json").write_text(json.dumps({"address": two.address}))
    with connected(str(tmp_path / "scheduler.json")) as there:
        assert len(list(there.map(Halving(), [4]))) == 1


def test_errors_come_through(two: Started) -> None:
    with connected(two.address) as there:
        with pytest.raises(UnusableError, match="13") as caught:
            list(there.map(Halving(), [13]))
        assert caught.value.hint == "take another"
        with pytest.raises(ResourceError, match=r"the worker at tcp://.*: nothing can be seen here"):
            list(there.map(Halving(refuses=True), [1]))


def test_other_versions_are_refused(two: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__version__", "0.0.0")
    with pytest.raises(ResourceError, match=r"has cardioseg .*, this process 0\.0\.0"), connected(two.address):
        pass


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "http://a:1", "host:8786", __file__, "/nowhere.json"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="neither the address nor the file of a dask scheduler"), connected(address):
        pass


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(ResourceError, match=f"no dask scheduler answers at {address}"), connected(address):
            pass
        assert time.monotonic() - start < 30


def test_workers_and_a_cluster_are_one_too_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write = tmp_path / "out"
    command = ["predict", str(tmp_path), "-o", str(write), "--cluster", "tcp://127.0.0.1:1", "--workers", "2"]
    assert run(command) == 2
    assert "give one of them" in capsys.readouterr().err
    assert not write.exists()


@pytest.mark.slow
def test_what_kills_its_workers_is_given_up() -> None:
    with cluster(1) as one, connected(one.address) as there:
        results = dict(there.map(Halving(), [-1, 8]))
        assert isinstance(results[-1], Lost)
        assert results[8][0] == 4  # type: ignore[index]


@pytest.mark.slow
def test_the_scheduler_is_gone() -> None:
    with cluster(1) as one, connected(one.address) as there:
        results = there.map(Halving(), iter(range(10**6)))
        next(results)
        killer = Thread(target=os.kill, args=(one.scheduler, signal.SIGKILL))
        killer.start()
        with pytest.raises(ResourceError, match=r"scheduler at .* is gone"):
            for _ in results:
                pass
