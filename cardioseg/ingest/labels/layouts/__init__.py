"""Layouts of labelled data on disk, each read into subjects. One module per layout."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol

from cardioseg.archive.member_paths import is_archive
from cardioseg.errors import NoInputError, UsageError
from cardioseg.ingest.labels.layouts import acdc, cvi42, dicomseg, mnms, nnunet, pairs, rtstruct, sunnybrook
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import Source
from cardioseg.skipped import Skipped

NO_EFFECT = "leave it out: its labels have a meaning of their own"


class Layout(Protocol):
    """The interface of each module here. A bad subject becomes Skipped when it is read and never stops the others."""

    NAME: str
    HAS_NUMBERS: bool  # whether its labels are masks, whose numbers need a meaning
    HAS_NAMES: bool  # whether its contours or labels have names that a person may have chosen
    LOOKS_FOR: str  # what `recognises` needs; shown if it does not recognise a folder

    def recognises(self, root: Path, /) -> bool:
        """Whether the folder has this layout; only names and CSV headers are looked at."""

    def misses(self, root: Path, /) -> Iterator[str]:
        """Which parts of this layout a folder that is not recognised has and lacks; one sentence each."""

    def find(self, root: Path, meaning: Meaning = AS_USUAL, /) -> Iterator[Source | Skipped]:
        """Yield the subjects below `root`, not yet read; `meaning`: of numbers and names, if not the usual."""


LAYOUTS: tuple[Layout, ...] = (sunnybrook, acdc, mnms, pairs, nnunet, cvi42, rtstruct, dicomseg)


def detect(root: Path) -> Layout | None:
    """The first layout that recognises the folder, if any."""
    return next((layout for layout in LAYOUTS if layout.recognises(root)), None)


def find(root: Path, layout: str = "auto", meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Find the subjects below `root` in a layout given by name, or in the one that recognises it.

    Args:
        root: a folder.
        layout: a layout's name, or `auto`.
        meaning: what the numbers and names of the labels mean.

    Raises:
        UsageError: there is no layout of that name, or a meaning is given for numbers or names that it does not have.
        NoInputError: the folder does not exist, or is not in the layout.
    """
    layout_names = [candidate.NAME for candidate in LAYOUTS]
    if layout not in ("auto", *layout_names):
        raise UsageError(f"there is no layout {layout!r}", f"known: auto, {', '.join(layout_names)}")
    if is_archive(root):
        raise NoInputError(
            f"{root}: a zip archive; labelled data are read from folders", "unpack it and give the folder"
        )
    if not root.is_dir():
        hint = "give the folder that holds the file" if root.is_file() else ""
        raise NoInputError(f"{root}: no such folder", hint)
    candidates = [candidate for candidate in LAYOUTS if layout in ("auto", candidate.NAME)]
    recognised = next((candidate for candidate in candidates if candidate.recognises(root)), None)
    if recognised is None:
        misses = [[f"{candidate.NAME}: {miss}" for miss in candidate.misses(root)] for candidate in candidates]
        nearly = [candidate for candidate, missed in zip(candidates, misses, strict=True) if missed] or candidates
        looked_for = "; ".join(f"{candidate.NAME} is {candidate.LOOKS_FOR}" for candidate in nearly)
        raise NoInputError(f"{root}: no labelled data in a known layout", looked_for, list(chain(*misses)))
    if meaning.numbers is not None and not recognised.HAS_NUMBERS:
        raise UsageError(f"--labels has no effect: the labels in {root} have no numbers", NO_EFFECT)
    if meaning.names is not None and not recognised.HAS_NAMES:
        raise UsageError(f"--structures has no effect: the labels in {root} have no names", NO_EFFECT)
    return recognised.find(root, meaning)
