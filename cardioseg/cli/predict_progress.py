"""Predict progress: bars on a terminal; without a terminal, one line per minute."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardioseg.cli import console
from cardioseg.cli.case_tables import say_outcome

if TYPE_CHECKING:
    from rich.progress import Progress

    from cardioseg.cases.case import Case, Findings
    from cardioseg.cases.case_search import Search
    from cardioseg.results.outcome import Outcome

_EVERY_S = 60
_SHOWN = 10


class Watch:
    """Progress over cases whose number is not known before all of them are found.

    Args:
        search: where the cases come from; it is passed on as it goes.
        bars: on the terminal.
        quiet: whether only failures are said.
        lines: whether a line is said every minute.
    """

    def __init__(self, search: "Search", bars: "Progress", quiet: bool, lines: bool) -> None:
        from cardioseg.results.outcome import Tally

        self.tally: Tally = Tally()
        self.sources, self.digest = search.sources, search.digest
        self._search, self._bars, self._quiet, self._lines = search, bars, quiet, lines
        self._cases = bars.add_task("cases", total=len(search), note="")
        self._slices = bars.add_task("", total=None, visible=False, note="")
        self._start = self._said = time.monotonic()
        self._unused = 0

    def __iter__(self) -> "Iterator[Findings]":
        for findings in self._search:
            for item in findings.unused:
                self._unused += 1
                if self._unused <= _SHOWN:
                    console.say(f"not used: {item.where}: {item.why}", self._quiet)
            yield findings
        if self._unused > _SHOWN:
            console.say(f"not used: {self._unused - _SHOWN} more", self._quiet)

    def report(self, case: "Case", done: int, of: int) -> None:
        """So many slices of a case are done."""
        self._bars.update(self._slices, description=case.case_id, completed=done, total=of, visible=True)

    def count(self, outcome: "Outcome") -> None:
        """A case is done, or has failed."""
        self.tally.count(outcome)
        say_outcome(outcome, self._quiet)
        done = self.tally.done + self.tally.failed
        self._bars.update(self._cases, completed=done, total=self._search.expected, note=self._note())
        if self._lines and time.monotonic() - self._said >= _EVERY_S:
            self._said = time.monotonic()
            console.say(self.summary())

    def summary(self) -> str:
        """How far it is, in a line."""
        done = self.tally.done + self.tally.failed
        left_s = (time.monotonic() - self._start) / max(done, 1) * (self._search.expected - done)
        return f"{done} of about {self._search.expected} cases, {self._note()}, {console.duration(left_s)} left"

    def _note(self) -> str:
        done = self.tally.done + self.tally.failed
        a_minute = 60 * done / max(time.monotonic() - self._start, 1e-3)
        failed = f"{self.tally.failed} failed, " if self.tally.failed else ""
        return f"{failed}{a_minute:.1f} a minute"


@contextmanager
def watched(search: "Search", quiet: bool, as_json: bool) -> "Iterator[Watch]":
    """Show the progress while the body runs."""
    with console.progress(quiet or as_json, "note") as bars:
        yield Watch(search, bars, quiet, lines=bars.disable and not (quiet or as_json))
