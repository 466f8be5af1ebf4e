"""Skipped: what was found and not used, and why."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """Something in a source that was not used, and why. `where` is a path or an id as the user knows it."""

    where: str
    why: str


def reasons(skipped: Iterable[Skipped]) -> str:
    """Why several parts of one source were not used, equal reasons said once."""
    return "; ".join(dict.fromkeys(item.why for item in skipped))
