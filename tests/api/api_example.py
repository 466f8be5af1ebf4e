"""The example of docs/api.md: what the page shows, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

from scripts import script

from cardioseg.phantom import Phantom

PAGE = script(Path(__file__).parents[2] / "docs" / "api" / "page.py")
SMALL = Phantom(slices=6, phases=8, rows=48, columns=40, spacing_mm=(14.0, 6.0, 6.0))


@dataclass(frozen=True)
class Example:
    """What the page shows and what its blocks print when they are run as they stand.

    Attributes:
        text: the page.
        shown: what it says that each block prints.
        printed: what each block prints.
        folder: where they ran: it holds `demo` and `results`.
    """

    text: str
    shown: list[str]
    printed: list[str]
    folder: Path
