"""Layouts: the ways in which labelled data lies on disk, each read into subjects. One file a layout."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from cardioseg.errors import NoInputError, UsageError
from cardioseg.ingest.layouts import acdc, mnms, pairs, sunnybrook
from cardioseg.ingest.subject import Skipped, Source, Subject, read_all


class Layout(Protocol):
    """What each module here offers. A bad subject becomes Skipped when it is read and never stops the others."""

    NAME: str
    LOOKS_FOR: str  # what `recognises` needs, for the person whose folder it does not recognise

    def recognises(self, root: Path, /) -> bool:
        """Whether the folder lies in this layout; looks at names and CSV headers only."""

    def find(self, root: Path, /) -> Iterator[Source | Skipped]:
        """Yield the subjects below `root`, not yet read."""


LAYOUTS: tuple[Layout, ...] = (sunnybrook, acdc, mnms, pairs)


def detect(root: Path) -> Layout | None:
    """The first layout that recognises the folder, if any."""
    return next((layout for layout in LAYOUTS if layout.recognises(root)), None)


def find(root: Path, layout: str = "auto") -> Iterator[Source | Skipped]:
    """Find the subjects below `root` in a layout given by name, or in the one that recognises it.

    Raises:
        UsageError: there is no layout of that name.
        NoInputError: the folder does not exist, or is not in the layout.
    """
    names = [known.NAME for known in LAYOUTS]
    if layout not in ("auto", *names):
        raise UsageError(f"there is no layout {layout!r}", f"known: auto, {', '.join(names)}")
    if not root.is_dir():
        raise NoInputError(f"{root}: no such folder", "give the folder that holds the file" * root.is_file())
    tried = names if layout == "auto" else [layout]
    chosen = next((known for known in LAYOUTS if known.NAME in tried and known.recognises(root)), None)
    if chosen is None:
        looked_for = "; ".join(f"{known.NAME} is {known.LOOKS_FOR}" for known in LAYOUTS if known.NAME in tried)
        raise NoInputError(f"{root}: no labelled data in a known layout", looked_for)
    return chosen.find(root)


def read(root: Path, layout: str = "auto") -> Iterator[Subject | Skipped]:
    """Read what `find` finds, one subject in memory at a time; it raises the same."""
    return read_all(find(root, layout))
