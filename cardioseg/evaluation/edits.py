"""Edits: the mask that `measure` would measure, read for a comparison, and what to say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.ingest.masks import read_mask
from cardioseg.results.edits import LatestMask, is_predicted, latest_mask


@dataclass(frozen=True)
class ComparedMask:
    """A mask that is compared.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        is_edited: whether `predict` wrote it and somebody edited it since.
        remarks: which file beside the mask is compared in its place, and which others are not and why.
    """

    mask: Cine
    is_edited: bool = False
    remarks: tuple[str, ...] = ()


def read_compared(path: Path, convention: Mapping[int, Label], consequence: str = "") -> ComparedMask:
    """Read a mask; of one that `predict` wrote, its edit.

    Args:
        path: the mask.
        convention: the meaning of its numbers.
        consequence: what to add to the remark that an edit is compared.

    Raises:
        UnusableError: it cannot be read, or holds other labels; or several files hold different edits of it.
    """
    if not is_predicted(path):
        return ComparedMask(read_mask(path, convention))
    latest = latest_mask(path, convention)
    edit = (_in_words(latest, path) + consequence,) if latest.is_edited else ()
    return ComparedMask(latest.mask, latest.is_edited, (*edit, *latest.remarks))


def _in_words(latest: LatestMask, path: Path) -> str:
    if latest.file == path.name:
        return "its mask was edited; the edit is compared"
    return f"{latest.file} is an edit of {path.name} and is compared in its place"
