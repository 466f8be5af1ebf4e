"""Labelled sources: what `ingest` finds in the folders that it is given, labelled data or reviewed results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardioseg.errors import NoInputError, UsageError

if TYPE_CHECKING:
    from cardioseg.ingest.labels.subject import Source
    from cardioseg.skipped import Skipped

_ANYWHERE = ("dicomseg", "rtstruct")  # layouts that read objects in any subfolder, also those that `predict` wrote


@dataclass(frozen=True)
class LabelledSources:
    """The subjects in some folders.

    Attributes:
        found: subjects, not yet read, and what is left out.
        layout: the name of their layout in the manifest.
        remark: what else the manifest says of their labels.
    """

    found: "Sequence[Source | Skipped]"
    layout: str
    remark: str = ""


def refuse_options(layout: str, labels: str | None, structures: Path | None, given: str, hint: str) -> None:
    """Refuse the options that say what labels mean where they have no effect.

    Args:
        layout: as given with --layout, and so on.
        labels: likewise.
        structures: likewise.
        given: the option because of which they have no effect.
        hint: what to do.

    Raises:
        UsageError: one of them is given.
    """
    if layout != "auto" or labels or structures:
        raise UsageError(f"--layout, --labels and --structures have no effect with {given}", hint)


def find_reviewed_results(folders: Sequence[Path]) -> LabelledSources:
    """Find the cases that a person accepted or corrected in `review`; raises as `find_reviewed`."""
    from cardioseg.correction.reviewed_subjects import LAYOUT, find_reviewed

    reviewed = find_reviewed(folders)
    return LabelledSources(reviewed.sources, LAYOUT, reviewed.remark)


def find_labelled_data(
    folders: Sequence[Path], layout: str, labels: str | None, structures: Path | None
) -> LabelledSources:
    """Find the subjects in labelled data.

    Raises:
        NoInputError: a folder is in no known layout, or it holds results of `predict` that look like labelled data.
        UsageError: an option is unknown or has no effect.
    """
    from cardioseg.ingest.labels import layouts
    from cardioseg.ingest.labels.structures import meaning_of

    meaning = meaning_of(labels, structures)
    found: list[Source | Skipped] = []
    for folder in folders:
        try:
            subjects = layouts.find(folder, layout, meaning)
        except NoInputError:
            _refuse_results(folder)
            raise
        recognised = layouts.detect(folder) if layout == "auto" else None
        if (recognised.NAME if recognised else layout) in _ANYWHERE:
            _refuse_results(folder)
        found += subjects
    return LabelledSources(found, layout)


def _refuse_results(folder: Path) -> None:
    from cardioseg.results.folder import results_below

    if results := results_below(folder):
        hint = (
            f"to train on the masks that a person saved in `cardioseg review`: cardioseg ingest {results.path} "
            "--reviewed; to use other labels, give a folder without these results"
        )
        raise NoInputError(f"{results.path} was written by `cardioseg predict`: predicted masks are no labels", hint)
