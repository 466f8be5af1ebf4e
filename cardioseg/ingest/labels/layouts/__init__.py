"""Layouts: the ways in which labelled data lies on disk, each read into subjects. One file a layout."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol

from cardioseg.errors import NoInputError, UsageError
from cardioseg.ingest.labels.layouts import acdc, mnms, nnunet, pairs, sunnybrook
from cardioseg.ingest.labels.layouts.drawn import Convention
from cardioseg.ingest.labels.subject import Source, Subject, read_all
from cardioseg.skipped import Skipped

NO_NUMBERS = "leave it out: its labels have a meaning of their own"


class Layout(Protocol):
    """What each module here offers. A bad subject becomes Skipped when it is read and never stops the others."""

    NAME: str
    LOOKS_FOR: str  # what `recognises` needs, for the person whose folder it does not recognise

    def recognises(self, root: Path, /) -> bool:
        """Whether the folder lies in this layout; looks at names and CSV headers only."""

    def misses(self, root: Path, /) -> Iterator[str]:
        """What a folder that it does not recognise has of this layout, and what it lacks; a sentence each."""

    def find(self, root: Path, convention: Convention | None = None, /) -> Iterator[Source | Skipped]:
        """Yield the subjects below `root`, not yet read; `convention`: the meaning of numbers, if it is another one."""


LAYOUTS: tuple[Layout, ...] = (sunnybrook, acdc, mnms, pairs, nnunet)


def detect(root: Path) -> Layout | None:
    """The first layout that recognises the folder, if any."""
    return next((layout for layout in LAYOUTS if layout.recognises(root)), None)


def find(root: Path, layout: str = "auto", convention: Convention | None = None) -> Iterator[Source | Skipped]:
    """Find the subjects below `root` in a layout given by name, or in the one that recognises it.

    Args:
        root: a folder.
        layout: a layout's name, or `auto`.
        convention: the meaning of the numbers in its masks; None: the layout's own.

    Raises:
        UsageError: there is no layout of that name, or a convention is given and its masks have no numbers.
        NoInputError: the folder does not exist, or is not in the layout.
    """
    names = [known.NAME for known in LAYOUTS]
    if layout not in ("auto", *names):
        raise UsageError(f"there is no layout {layout!r}", f"known: auto, {', '.join(names)}")
    if not root.is_dir():
        raise NoInputError(f"{root}: no such folder", "give the folder that holds the file" * root.is_file())
    tried = [known for known in LAYOUTS if layout in ("auto", known.NAME)]
    chosen = next((known for known in tried if known.recognises(root)), None)
    if chosen is None:
        missed = {known: [f"{known.NAME}: {miss}" for miss in known.misses(root)] for known in tried}
        meant = [known for known in tried if missed[known]] or tried
        looked_for = "; ".join(f"{known.NAME} is {known.LOOKS_FOR}" for known in meant)
        raise NoInputError(f"{root}: no labelled data in a known layout", looked_for, list(chain(*missed.values())))
    if convention is not None and chosen is sunnybrook:
        raise UsageError(f"--labels has no effect: {root} holds contours", NO_NUMBERS)
    return chosen.find(root, convention)


def read(root: Path, layout: str = "auto", convention: Convention | None = None) -> Iterator[Subject | Skipped]:
    """Read what `find` finds, one subject in memory at a time; it raises the same."""
    return read_all(find(root, layout, convention))
