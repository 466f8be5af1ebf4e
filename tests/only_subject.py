"""Only subject: what a folder with the labels of one subject is read as."""

from pathlib import Path
from typing import Any

from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.subject import Subject
from cardioseg.skipped import Skipped


def subject(root: Path, **options: Any) -> Subject:
    """The one subject of a folder; `options` are those of `layouts.read`."""
    (only,) = layouts.read(root, **options)
    assert isinstance(only, Subject), only
    return only


def why(root: Path) -> str:
    """Why the one subject cannot be used."""
    (only,) = layouts.read(root)
    assert isinstance(only, Skipped), only
    return only.why
