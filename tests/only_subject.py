"""Only subject: what a folder with the labels of one subject is read as."""

from pathlib import Path
from typing import Any

from read_subjects import read_layout

from cardioseg.ingest.labels.subject import Subject
from cardioseg.skipped import Skipped


def subject(root: Path, **options: Any) -> Subject:
    """The one subject of a folder; `options` are those of `read_layout`."""
    (only,) = read_layout(root, **options)
    assert isinstance(only, Subject), only
    return only


def why(root: Path) -> str:
    """Why the one subject cannot be used."""
    (only,) = read_layout(root)
    assert isinstance(only, Skipped), only
    return only.why
