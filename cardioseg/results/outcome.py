"""Outcome: what became of one case, and how many cases became what."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cardioseg.image.flag import Flag
from cardioseg.wording import counted

DONE, FAILED = "done", "failed"
STATUS_COLUMNS = ("case_id", "source", "status", "reason")


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case_id: the case.
        source: where it lies, as the user gave it; None where that is not to be said.
        status: `done` or `failed`.
        reason: why it failed and what to do; or remarks on a case that is done, without its flags; or empty.
        seconds: time it took; 0 where it had been done before.
        flags: why a human must look at it.
    """

    case_id: str
    source: Path | None
    status: str
    reason: str = ""
    seconds: float = 0.0
    flags: tuple[Flag, ...] = ()

    @property
    def text(self) -> str:
        """The flags and the reason in one line."""
        return in_one(_flagged(self.flags), self.reason)

    def row(self) -> dict[str, str]:
        """For `status.csv`."""
        source = "" if self.source is None else str(self.source)
        return dict(zip(STATUS_COLUMNS, (self.case_id, source, self.status, self.text), strict=True))


@dataclass
class Tally:
    """How many cases are done, failed, and flagged among those that are done."""

    done: int = 0
    failed: int = 0
    flagged: int = 0

    def count(self, outcome: Outcome) -> None:
        """One more."""
        self.done += outcome.status == DONE
        self.failed += outcome.status != DONE
        self.flagged += bool(outcome.flags)


def _flagged(flags: Collection[Flag]) -> str:
    """`2 flags: missing slice (slice 3), open ring (slice 5, phase 7)`, or nothing."""
    kinds = dict.fromkeys(flag.kind + (f" ({flag.place})" if flag.place else "") for flag in flags)
    return f"{counted(len(flags), 'flag')}: {', '.join(kinds)}" if flags else ""


def in_one(*remarks: str) -> str:
    """Several remarks as one; empty ones are left out."""
    return "; ".join(filter(None, remarks))
