"""Skipped: what was found and not used, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cardioseg.errors import CardiosegError


@dataclass(frozen=True)
class Skipped:
    """Something in a source that was not used, and why. `where` is a path or an id as the user knows it."""

    where: str
    why: str

    @classmethod
    def of(cls, path: Path, error: CardiosegError) -> "Skipped":
        """A file that cannot be used, and what to do."""
        return cls(str(path), ": ".join(filter(None, [error.message.removeprefix(f"{path}: "), error.hint])))


def reasons(skipped: Iterable[Skipped]) -> str:
    """Why several parts of one source were not used, equal reasons said once."""
    return "; ".join(dict.fromkeys(item.why for item in skipped))
