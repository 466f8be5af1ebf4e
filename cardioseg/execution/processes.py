"""Processes: work on items in parallel processes of this machine. If one is killed, only its item is affected.

Each process is spawned, gets the work once and then one item at a time through a pipe. It ignores Ctrl-C, which its
parent handles, and ends with its parent.

The standard library's pools cannot do this: when one process is killed, `concurrent.futures` gives up all items and
`multiprocessing.Pool` waits for ever for the item that was lost.
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
from threading import Lock, Thread
from types import FrameType, ModuleType
from typing import Any, Generic

from cardioseg.errors import CardiosegError, ResourceError
from cardioseg.execution.executor import ItemT, Lost, ResultT, Work, cores
from cardioseg.files import remove_partials

_FEWER = "run the same command again with fewer --workers to continue"
_starting = Lock()  # what a start changes for all of this process is changed by one thread at a time


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Attributes:
        workers: number of processes.
        retries: how often an item is repeated if its process was killed.
        environment: environment variables for the processes, unless they are set already.
        is_here: False.
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
            ResourceError: processes are killed before they start work.
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
    """One call of `map`: its items, waiting and in work."""

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
        idle = next((worker for worker in self._crew if not worker.task), None)
        if idle is None and len(self._crew) < self._pool.workers:
            idle = _Worker(self._work, self._pool.environment)
            self._crew.append(idle)
        return idle

    def _collect(self, worker: "_Worker[ItemT]") -> Iterator[tuple[ItemT, ResultT | Lost]]:
        task = worker.task
        if task is None:
            return
        try:
            is_done, result = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._replace_killed(worker, task)
            return
        if not is_done:
            raise result
        if worker.is_ready:
            worker.task = None
            yield task.item, result
        worker.is_ready = True

    def _replace_killed(self, worker: "_Worker[ItemT]", task: "_Task[ItemT]") -> Iterator[tuple[ItemT, Lost]]:
        """Give the item of a killed process to another one, or give it up."""
        self._crew.remove(worker)
        why = worker.ending()
        task.deaths += 1
        if task.deaths <= self._pool.retries:
            self._ready.appendleft(task)
        elif worker.is_ready:
            yield task.item, Lost(why)
        else:
            raise ResourceError(f"a worker could not be started: it was {why}", _FEWER)


class _Worker(Generic[ItemT]):
    """A process, seen from its parent; it is ready once it has its work."""

    def __init__(self, work: Work[Any, Any], environment: Mapping[str, str]) -> None:
        context = get_context("spawn")
        self.connection, child_connection = context.Pipe()
        self.process = context.Process(target=_serve, args=(child_connection,), daemon=True)
        self.task: _Task[ItemT] | None = None
        self.is_ready = False
        with _starting, _with_environment(environment), _without_main():
            self.process.start()
        child_connection.close()
        self._send(work)

    def take(self, task: _Task[ItemT]) -> None:
        """Hand out an item."""
        self.task = task
        self._send(task.item)

    def stop(self) -> None:
        """End the process and its current item."""
        if self.task:
            self.process.terminate()
        else:
            self.connection.close()
        self.process.join()
        self.connection.close()

    def ending(self) -> str:
        """How the process ended."""
        self.connection.close()
        self.process.join()
        code = self.process.exitcode or 0
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def _send(self, message: object) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it was killed; reading from it shows that
            self.connection.send(message)


@contextmanager
def _with_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Set missing environment variables while a process starts: some variables are read only then."""
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
    """In the process: work on items from the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit)
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
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        connection.send((False, _with_traceback(error)))


def _exit(number: int, _frame: FrameType | None) -> None:
    """Exit on a signal, without an exception, because callbacks may swallow it."""
    remove_partials()
    os._exit(128 + number)


def _with_traceback(error: BaseException) -> BaseException:
    """The error; if it is a bug, with its traceback as a note."""
    if not isinstance(error, CardiosegError):
        error.add_note("".join(traceback.format_exception(error)))
    return error


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    remove_partials()
    os._exit(1)
