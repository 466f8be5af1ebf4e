"""Board: a live table of many jobs on stderr, with the time left; on no terminal, a line a finished job."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import fmean
from typing import TYPE_CHECKING, Generic, TypeVar

from cardioseg.cli.console import duration

if TYPE_CHECKING:
    from rich.table import Table

JobT = TypeVar("JobT")
_REFRESHES_PER_S = 0.5


class Board(Generic[JobT]):
    """What is done and what is left.

    Args:
        places: each job's row and column.
        progress: how much of a job is done, 0 to 1.
    """

    def __init__(self, places: Mapping[JobT, tuple[str, str]], progress: Callable[[JobT], float]) -> None:
        self._places = places
        self._progress = progress
        self._since = time.monotonic()
        self._at_start = sum(map(progress, places))

    def summary(self) -> str:
        """Jobs done, and the time left by the speed since the start."""
        done = [self._progress(job) for job in self._places]
        gained = sum(done) - self._at_start
        left = (time.monotonic() - self._since) * (len(done) - sum(done)) / gained if gained > 0 else None
        return f"{done.count(1)} of {len(done)} jobs done" + (f", {duration(left)} left" if left is not None else "")

    def __rich__(self) -> "Table":
        """A row and a column a place; a cell says how much of its jobs is done."""
        from rich.table import Table

        rows, columns = (list(dict.fromkeys(place[axis] for place in self._places.values())) for axis in (0, 1))
        table = Table("", *columns, caption=self.summary(), caption_justify="left")
        for row in rows:
            table.add_row(row, *(self._cell((row, column)) for column in columns))
        return table

    def _cell(self, place: tuple[str, str]) -> str:
        done = [self._progress(job) for job, here in self._places.items() if here == place]
        if not done or not any(done):
            return ""
        return "done" if min(done) == 1 else f"{100 * fmean(done):.0f} %"


@contextmanager
def live(board: "Board[JobT]", quiet: bool) -> Iterator[bool]:
    """Show the board while the body runs, where stderr is a terminal; yields whether it is shown."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield False
        return
    with Live(get_renderable=board.__rich__, console=console, refresh_per_second=_REFRESHES_PER_S):
        yield True
