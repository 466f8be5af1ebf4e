"""Executor: what maps work over items, wherever that runs."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_ItemT_contra = TypeVar("_ItemT_contra", contravariant=True)
_ResultT_co = TypeVar("_ResultT_co", covariant=True)


class Work(Protocol[_ItemT_contra, _ResultT_co]):
    """What is done with each item: a frozen dataclass that can be pickled. It is sent to each process once."""

    def prepare(self) -> None:
        """Make this process ready, before its first item.

        Raises:
            ResourceError: the work cannot be done here.
        """

    def __call__(self, item: _ItemT_contra, /) -> _ResultT_co:
        """The result of one item."""


@dataclass(frozen=True)
class Lost:
    """In place of a result: each process that worked on the item was killed.

    Attributes:
        why: how it ended, in a few words.
    """

    why: str

    @property
    def reason(self) -> str:
        """The same as a sentence."""
        return f"the process that worked on it was {self.why}"


class Executor(Protocol):
    """Where work is done."""

    @property
    def is_here(self) -> bool:
        """Whether work is done in this process, so that it can report how far it is."""

    def threads(self, asked: int) -> int:
        """How many CPU threads each piece of work may use, of `asked` for all (0: of all cores)."""

    def map(self, work: Work[ItemT, ResultT], items: Iterable[ItemT]) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        """The result of each item, as they complete. Items are drawn as they are needed, a few ahead.

        Raises:
            Exception: what the work raises; no other item is begun then.
        """


def in_order(
    executor: Executor, work: Work[ItemT, ResultT], items: Iterable[ItemT]
) -> Iterator[tuple[ItemT, ResultT | Lost]]:
    """As `executor.map`, in the order of the items: what is done early waits for its turn."""
    early: dict[int, tuple[ItemT, ResultT | Lost]] = {}
    due = 0
    for (number, item), result in executor.map(_Numbered(work), enumerate(items)):
        early[number] = item, result
        while due in early:
            yield early.pop(due)
            due += 1


@dataclass(frozen=True)
class _Numbered(Generic[ItemT, ResultT]):
    """Work on items that have a number."""

    work: Work[ItemT, ResultT]

    def prepare(self) -> None:
        self.work.prepare()

    def __call__(self, numbered: tuple[int, ItemT]) -> ResultT:
        return self.work(numbered[1])


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
