"""Executor: the interface that maps work over items, in any place."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
_ItemT_contra = TypeVar("_ItemT_contra", contravariant=True)
_ResultT_co = TypeVar("_ResultT_co", covariant=True)


class Work(Protocol[_ItemT_contra, _ResultT_co]):
    """The work on each item: a frozen dataclass that can be pickled. It is sent to each process once."""

    def prepare(self) -> None:
        """Prepare this process, before its first item.

        Raises:
            ResourceError: this process cannot do the work.
        """

    def __call__(self, item: _ItemT_contra, /) -> _ResultT_co:
        """The result of one item."""


@dataclass(frozen=True)
class Lost:
    """Replaces the result if each process that worked on the item was killed.

    Attributes:
        why: how the process ended, in a few words.
    """

    why: str

    @property
    def reason(self) -> str:
        """`why` as a sentence."""
        return f"the process that worked on it was {self.why}"


class Executor(Protocol):
    """Does work on items."""

    @property
    def is_here(self) -> bool:
        """Whether work is done in this process, so that it can report its progress."""

    def threads(self, asked: int) -> int:
        """CPU threads for each piece of work, if `asked` threads may be used in total (0: all cores)."""

    def map(self, work: Work[ItemT, ResultT], items: Iterable[ItemT]) -> Iterator[tuple[ItemT, ResultT | Lost]]:
        """The result of each item, in the order of completion. Items are drawn as needed, a few ahead.

        Raises:
            Exception: the exception of the work; no further item is started.
        """


def in_order(
    executor: Executor, work: Work[ItemT, ResultT], items: Iterable[ItemT]
) -> Iterator[tuple[ItemT, ResultT | Lost]]:
    """As `executor.map`, but in the order of the items: early results wait."""
    early: dict[int, tuple[ItemT, ResultT | Lost]] = {}
    due = 0
    for (number, item), result in executor.map(_Numbered(work), enumerate(items)):
        early[number] = item, result
        while due in early:
            yield early.pop(due)
            due += 1


@dataclass(frozen=True)
class _Numbered(Generic[ItemT, ResultT]):
    """Work on numbered items."""

    work: Work[ItemT, ResultT]

    def prepare(self) -> None:
        self.work.prepare()

    def __call__(self, numbered: tuple[int, ItemT]) -> ResultT:
        return self.work(numbered[1])


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
