"""Processes: results come as they complete, few items are drawn ahead, and a killed process costs its item alone."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import active_children
from pathlib import Path
from threading import Barrier

import pytest

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.execution.executor import Executor, Lost, cores, in_order
from cardioseg.execution.in_process import Here
from cardioseg.execution.processes import Processes
from cardioseg.files import atomic_path


@dataclass(frozen=True)
class Doubling:
    """Doubles numbers. 13 is refused, 17 a bug; at -1 its process is killed always, at -2 the first time."""

    folder: Path
    refuses: bool = False
    dies: bool = False

    def prepare(self) -> None:
        if self.refuses:
            raise ResourceError("not here", "go elsewhere")
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / f"prepared-{os.getpid()}").touch()

    def __call__(self, item: int) -> int:
        if item == 13:
            raise UnusableError("13", "take another")
        if item == 17:
            raise ZeroDivisionError("17")
        again = self.folder / "again"
        if item == -1 or (item == -2 and not again.exists()):
            again.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * item


@dataclass(frozen=True)
class Writing:
    """Writes at once what is even, and what is odd for a minute."""

    folder: Path

    def prepare(self) -> None: ...

    def __call__(self, item: int) -> int:
        with atomic_path(self.folder / f"{item}.txt") as partial:
            partial.touch()
            time.sleep(60 * (item % 2))
        return item


class Reading:
    """Reads the environment."""

    def prepare(self) -> None: ...

    def __call__(self, item: str) -> str | None:
        return os.environ.get(item)


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    yield
    assert not active_children()


def test_every_executor_gives_the_same(tmp_path: Path) -> None:
    executors: list[Executor] = [Here(), Processes(2)]
    for executor in executors:
        assert sorted(executor.map(Doubling(tmp_path), iter(range(5)))) == [(i, 2 * i) for i in range(5)]
        assert list(executor.map(Doubling(tmp_path), [])) == []
    assert len({path.name for path in tmp_path.glob("prepared-*")} - {f"prepared-{os.getpid()}"}) == 2


@dataclass(frozen=True)
class Waiting:
    """Item 0 is done when item 2 is."""

    folder: Path

    def prepare(self) -> None:
        """Nothing is needed."""

    def __call__(self, item: int) -> int:
        (self.folder / f"item-{item}").touch()
        while item == 0 and not (self.folder / "item-2").exists():
            time.sleep(0.01)
        return -item


def test_results_can_come_in_the_order_of_the_items(tmp_path: Path) -> None:
    assert next(iter(Processes(2).map(Waiting(tmp_path), range(4)))) == (1, -1)
    for path in tmp_path.iterdir():
        path.unlink()
    assert list(in_order(Processes(2), Waiting(tmp_path), range(4))) == [(i, -i) for i in range(4)]


def test_processes_start_with_variables_that_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDIOSEG_A", "the user's")
    pool = Processes(1, environment={"CARDIOSEG_A": "ours", "CARDIOSEG_B": "ours"})
    values = dict(pool.map(Reading(), ["CARDIOSEG_A", "CARDIOSEG_B"]))
    assert values == {"CARDIOSEG_A": "the user's", "CARDIOSEG_B": "ours"}
    assert "CARDIOSEG_B" not in os.environ


def test_processes_that_start_at_the_same_time_leave_the_program_as_it_was(tmp_path: Path) -> None:
    program, together = sys.modules["__main__"], Barrier(4)

    def double(item: int) -> list[tuple[int, object]]:
        together.wait()
        return list(Processes(1, environment={"CARDIOSEG_B": "ours"}).map(Doubling(tmp_path), [item]))

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(double, range(4)))
    assert results == [[(item, 2 * item)] for item in range(4)]
    assert sys.modules["__main__"] is program
    assert "CARDIOSEG_B" not in os.environ


def test_threads_are_shared() -> None:
    assert (Here().threads(0), Here().threads(3)) == (cores(), 3)
    assert [Processes(2).threads(asked) for asked in (1, 4, 5)] == [1, 2, 2]
    assert (Here().is_here, Processes(2).is_here) == (True, False)


def test_items_are_drawn_as_they_are_needed(tmp_path: Path) -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            drawn.append(number)
            yield number

    results = Processes(2).map(Doubling(tmp_path), items())
    next(results)
    assert len(drawn) <= 2 * 2 + 2
    results.close()  # type: ignore[attr-defined]


def test_a_killed_process_costs_its_item_alone(tmp_path: Path) -> None:
    results = dict(Processes(2).map(Doubling(tmp_path), [1, -1, -2, 3]))
    assert results == {1: 2, 3: 6, -2: -4, -1: Lost("killed by signal 9")}


def test_errors_come_through_and_end_the_rest(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="13") as caught:
        list(Processes(2).map(Doubling(tmp_path), [1, 13, *range(100, 200)]))
    assert caught.value.hint == "take another"
    with pytest.raises(ZeroDivisionError) as bug:
        list(Processes(1).map(Doubling(tmp_path), [17]))
    assert "in __call__" in bug.value.__notes__[0]


def test_what_is_half_written_goes_with_its_process(tmp_path: Path) -> None:
    results = Processes(2).map(Writing(tmp_path), [1, 2, 4])
    assert [next(results)[0], next(results)[0]] == [2, 4]
    while not list(tmp_path.glob(".*")):
        time.sleep(0.01)
    results.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.txt", "4.txt"]


def test_a_process_that_cannot_begin(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="not here"):
        list(Processes(1).map(Doubling(tmp_path, refuses=True), [1]))
    with pytest.raises(ResourceError, match="could not be started: it was killed by signal 9"):
        list(Processes(1, retries=0).map(Doubling(tmp_path, dies=True), [1]))
