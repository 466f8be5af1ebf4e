"""Processes: items side by side on this machine, a process each. One that is killed takes a single item with it.

Each process is spawned, gets the work once and then one item at a time through a pipe. It leaves Ctrl-C to its parent
and does not outlive it.
"""

import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread
from types import FrameType, ModuleType
from typing import Any, Generic

from cardioseg.errors import CardiosegError, ResourceError
from cardioseg.execution.executor import ItemT, Lost, ResultT, Work, cores
from cardioseg.files import remove_partials

_FEWER = "start again to go on, with fewer --workers"


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Attributes:
        workers: how many.
        retries: how often an item is done again whose process was killed.
        environment: variables that the processes start with, where they are not set already.
        is_here: no.
    """

    workers: int
    retries: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    is_here: bool = False

    def threads(self, asked: int) -> int:
        """An equal share for each process."""
        return max(1, (asked or cores()) // self.workers)

    def map(self, work: Work[ItemT, ResultT], items: Iterable[ItemT]) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        """Results as they complete.

        Raises:
            ResourceError: processes die before they have begun.
        """
        crew: list[_Worker[ItemT]] = []
        try:
            yield from _Round(self, work, iter(items), crew).results()
        finally:
            for worker in crew:
                worker.stop()


@dataclass
class _Task(Generic[ItemT]):
    item: ItemT
    deaths: int = 0


class _Round(Generic[ItemT, ResultT]):
    """One map: its items, those that wait and those that are being worked on."""

    def __init__(
        self, pool: Processes, work: Work[ItemT, ResultT], items: Iterator[ItemT], crew: "list[_Worker[ItemT]]"
    ) -> None:
        self._pool, self._work, self._items, self._crew = pool, work, items, crew
        self._ready: deque[_Task[ItemT]] = deque()
        self._is_drawn = False

    def results(self) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        while True:
            self._hand_out()
            busy = {worker.connection: worker for worker in self._crew if worker.task}
            may_draw = not self._is_drawn and len(self._ready) < self._pool.workers
            if not busy and not may_draw:
                return
            finished = wait(list(busy), 0 if may_draw else None) if busy else []
            for connection in finished:
                yield from self._collect(busy[connection])  # type: ignore[index]
            if not finished and may_draw:
                self._draw()

    def _draw(self) -> None:
        try:
            self._ready.append(_Task(next(self._items)))
        except StopIteration:
            self._is_drawn = True

    def _hand_out(self) -> None:
        while self._ready and (worker := self._idle()):
            worker.take(self._ready.popleft())

    def _idle(self) -> "_Worker[ItemT] | None":
        found = next((worker for worker in self._crew if not worker.task), None)
        if found is None and len(self._crew) < self._pool.workers:
            found = _Worker(self._work, self._pool.environment)
            self._crew.append(found)
        return found

    def _collect(self, worker: "_Worker[ItemT]") -> Iterator[tuple[ItemT, ResultT | Lost]]:
        task = worker.task
        if task is None:
            return
        try:
            is_done, result = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._mourn(worker, task)
            return
        if not is_done:
            raise result
        if worker.is_ready:
            worker.task = None
            yield task.item, result
        worker.is_ready = True

    def _mourn(self, worker: "_Worker[ItemT]", task: "_Task[ItemT]") -> Iterator[tuple[ItemT, Lost]]:
        """A process has died: its item is given to another one, or given up."""
        self._crew.remove(worker)
        why = worker.fate()
        task.deaths += 1
        if task.deaths <= self._pool.retries:
            self._ready.appendleft(task)
        elif worker.is_ready:
            yield task.item, Lost(why)
        else:
            raise ResourceError(f"a worker could not be started: it was {why}", _FEWER)


class _Worker(Generic[ItemT]):
    """One process, from this side; it is ready once it has got its work."""

    def __init__(self, work: Work[Any, Any], environment: Mapping[str, str]) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.task: _Task[ItemT] | None = None
        self.is_ready = False
        with _set(environment), _without_main():
            self.process.start()
        theirs.close()
        self._send(work)

    def take(self, task: _Task[ItemT]) -> None:
        """Hand out an item."""
        self.task = task
        self._send(task.item)

    def stop(self) -> None:
        """End the process, and what it works on."""
        if self.task:
            self.process.terminate()
        else:
            self.connection.close()
        self.process.join()
        self.connection.close()

    def fate(self) -> str:
        """How a process that has gone ended."""
        self.connection.close()
        self.process.join()
        code = self.process.exitcode or 0
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def _send(self, what: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died: that is seen when it is read from
            self.connection.send(what)


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    """Set what is not set, for as long as a process is started: some variables are read then, and not again."""
    new = {name: value for name, value in environment.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


@contextmanager
def _without_main() -> Iterator[None]:
    """Let a process start without the program that starts it: a script without a `main` would begin anew there."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _serve(connection: "Connection[Any, Any]") -> None:
    """In a process: do what comes through the pipe until there is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    Thread(target=_follow_parent, daemon=True).start()
    try:
        work = connection.recv()
        work.prepare()
        connection.send((True, None))
        while True:
            item = connection.recv()
            connection.send((True, work(item)))
    except EOFError:
        return
    except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
        connection.send((False, _portable(error)))


def _leave(number: int, _frame: FrameType | None) -> None:
    """Told to go. Not by an exception: one that arrives in a callback is swallowed."""
    remove_partials()
    os._exit(128 + number)


def _portable(error: BaseException) -> BaseException:
    """An error with what a person needs to find its cause, where that is a bug."""
    if not isinstance(error, CardiosegError):
        error.add_note("".join(traceback.format_exception(error)))
    return error


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    remove_partials()
    os._exit(1)
