"""Read subjects: what sources of labelled data are read as, one after the other."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.subject import Source, Subject
from cardioseg.skipped import Skipped


def read_all(sources: Iterable[Source | Skipped]) -> Iterator[Subject | Skipped]:
    """Read one subject after the other."""
    return (source if isinstance(source, Skipped) else source.read() for source in sources)


def read_layout(root: Path, *options: Any, **named: Any) -> Iterator[Subject | Skipped]:
    """Read what `layouts.find` finds, with its options; it raises the same."""
    return read_all(layouts.find(root, *options, **named))
