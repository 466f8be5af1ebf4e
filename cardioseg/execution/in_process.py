"""In process: one item after another, in this process."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cardioseg.execution.executor import ItemT, ResultT, Work, cores


@dataclass(frozen=True)
class Here:
    """This process."""

    is_here: bool = True

    def threads(self, asked: int) -> int:
        """All cores, unless a number is asked for."""
        return asked or cores()

    def map(self, work: Work[ItemT, ResultT], items: Iterable[ItemT]) -> Iterator[tuple[ItemT, ResultT]]:
        """Results in the order of the items."""
        work.prepare()
        for item in items:
            yield item, work(item)
