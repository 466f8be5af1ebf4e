"""Cluster: work on items with the workers of a dask.distributed scheduler. Only this module imports it, when needed.

The work is sent to each worker once, as a plugin, also to workers that join later or restart after they were killed. A
worker process does one item at a time, with as many CPU threads as it has: reading images is not thread-safe.
"""

import json
import logging
import platform
import re
import sys
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from distributed import Client, KilledWorker, WorkerPlugin, as_completed, get_worker

from cardioseg import __version__
from cardioseg.errors import CardiosegError, ResourceError, UsageError
from cardioseg.execution.executor import ItemT, Lost, ResultT, Work
from cardioseg.versions import version_of

_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://[^\s/]+:\d+")
_ANSWER_S, _JOIN_S = 5, 60  # timeouts for the scheduler's answer, and for the first worker
_AHEAD = 2  # items per worker: one in work, one waiting
_SAME = ("numpy", "onnxruntime")  # with other versions, masks may differ in a pixel
_GO_ON = "start it and its workers again, then run the same command again; finished cases are kept"
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Cluster:
    """The workers of a scheduler.

    Attributes:
        client: a connected dask client.
        address: as the user gave it.
        is_here: False.
    """

    client: Any = field(repr=False)
    address: str
    is_here: bool = False

    def threads(self, asked: int) -> int:
        """The number of threads of the smallest worker, unless a number is asked for."""
        return asked or min(self.client.nthreads().values(), default=1)

    def map(self, work: Work[ItemT, ResultT], items: Iterable[ItemT]) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        """Results as they complete.

        Raises:
            ResourceError: the scheduler is gone, or a worker cannot do the work.
        """
        plugin = _WorkPlugin(f"cardioseg-{uuid.uuid4().hex}", work)
        try:
            self.client.register_plugin(plugin)
            self._require_ready(plugin.name)
            yield from self._results(plugin.name, iter(items))
        finally:
            with suppress(Exception):  # if the scheduler ends, so does the plugin
                if self.client.status == "running":
                    self.client.unregister_worker_plugin(plugin.name)

    def _require_ready(self, name: str) -> None:
        for address, error in self.client.run(_prepare_worker, name, on_error="return").items():
            if isinstance(error, BaseException):
                _raise_with_address(error, address)

    def _results(self, name: str, items: Iterator[ItemT]) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        running: dict[Any, ItemT] = {}
        completed: Any = as_completed(loop=self.client.loop)  # type: ignore[no-untyped-call]
        try:
            while True:
                for item in islice(items, max(0, self._capacity() - len(running))):
                    future = self.client.submit(_work_on, name, item, key=f"{name}-{uuid.uuid4().hex}", pure=False)
                    running[future] = item
                    completed.add(future)
                if not running:
                    return
                future = next(completed)
                yield running.pop(future), self._result(future)
        finally:
            with suppress(Exception):
                if running and self.client.status == "running":
                    self.client.cancel(list(running))

    def _capacity(self) -> int:
        try:
            return _AHEAD * max(1, len(self.client.nthreads()))
        except Exception:  # noqa: BLE001 - dask passes on any error of its connection
            raise ResourceError(f"the dask scheduler at {self.address} is gone", _GO_ON) from None

    def _result(self, future: Any) -> Any:  # noqa: ANN401 - dask's, and what the work gives
        try:
            if future.status == "finished":
                return future.result()
            if future.status == "error":
                error = future.exception()
                if isinstance(error, KilledWorker):
                    return Lost(f"each of {error.allowed_failures + 1} workers that began it was killed")
                raise error
        except (OSError, TimeoutError) as error:
            if isinstance(error, CardiosegError):
                raise
        raise ResourceError(f"the dask scheduler at {self.address} is gone", _GO_ON)


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler at an address such as `tcp://host:8786`, or to the one that wrote a scheduler file.

    Raises:
        UsageError: `address` is neither.
        ResourceError: no scheduler answers, it has no workers, or they have other versions than this process.
    """
    endpoint = _endpoint(address)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # errors are reported below
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about versions; the relevant ones are compared below
        try:
            client: Any = Client(**endpoint, timeout=_ANSWER_S, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, TimeoutError, ValueError):
            raise ResourceError(f"no dask scheduler answers at {address}", "start it, or give its address") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_JOIN_S)
        except TimeoutError:
            raise ResourceError(f"the dask scheduler at {address} has no workers", "start some") from None
        _require_same_versions(client.run(_versions, on_error="return"))
        yield Cluster(client, address)


def _endpoint(address: str) -> Mapping[str, str]:
    if _ADDRESS.fullmatch(address):
        return {"address": address}
    try:
        document = json.loads(Path(address).read_text(encoding="utf-8"))
        return {"address": str(document["address"])}
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(
            f"{address} is neither the address nor the file of a dask scheduler", "such as tcp://HOST:8786"
        ) from None


def _require_same_versions(versions: Mapping[str, Any]) -> None:
    ours = _versions()
    for address, theirs in versions.items():
        if isinstance(theirs, BaseException):
            raise ResourceError(f"the worker at {address} cannot load cardioseg", _install_hint()) from None
        for name in ours:
            if name != "host" and theirs[name] != ours[name]:
                difference = f"has {name} {theirs[name]}, this process {ours[name]}"
                raise ResourceError(f"the worker at {address} on {theirs['host']} {difference}", _install_hint())


def _install_hint() -> str:
    return f"install cardioseg {__version__} with the same constraints.txt everywhere"


def _versions() -> dict[str, str]:
    return {
        "host": platform.node(),
        "cardioseg": __version__,
        "python": ".".join(map(str, sys.version_info[:2])),
        **{name: version_of(name) for name in _SAME},
    }


class _WorkPlugin(WorkerPlugin):
    """The work, in each worker."""

    def __init__(self, name: str, work: Work[Any, Any]) -> None:
        self.name, self.work = name, work
        self.is_ready = False

    def prepare(self) -> None:
        if not self.is_ready:
            self.work.prepare()
            self.is_ready = True


def _prepare_worker(name: str, dask_worker: Any) -> None:  # noqa: ANN401 - dask gives it by this name
    dask_worker.plugins[name].prepare()


def _work_on(name: str, item: Any) -> Any:  # noqa: ANN401 - the work's
    worker = get_worker()
    plugin: Any = worker.plugins[name]
    with _ONE_AT_A_TIME:
        try:
            plugin.prepare()
        except CardiosegError as error:
            _raise_with_address(error, worker.address)
        return plugin.work(item)


def _raise_with_address(error: BaseException, address: str) -> None:
    if isinstance(error, CardiosegError):
        raise type(error)(f"the worker at {address}: {error.message}", error.hint) from None
    raise error
