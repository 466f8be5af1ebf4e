"""Listing: every case that lies in a folder of results, those of earlier runs too; the tables are made of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cardioseg.errors import UnusableError
from cardioseg.inference.cases import RUN_FILE
from cardioseg.inference.catalogue import Catalogue
from cardioseg.inference.description import MASK_FILE, read_description
from cardioseg.inference.edits import edit_kept, edited_file
from cardioseg.inference.ledger import Ledger, Outcomes
from cardioseg.inference.outcome import DONE, FAILED, Outcome, in_one

_EARLIER_FILE = ".earlier.jsonl"


@contextmanager
def every_outcome(out: Path, ledger: Ledger, model_sha256: str = "") -> Iterator[Outcomes]:
    """What became of each case in `out`: of those that the ledger does not know, what an earlier run made of them.

    Args:
        out: the folder of all cases.
        ledger: of the present run.
        model_sha256: its model; cases of others are told.

    Raises:
        ResourceError: the file system refuses a write.
    """
    known = ledger.places().keys()
    earlier = Ledger((out / _EARLIER_FILE,))
    earlier.begin({}, "")
    try:
        for name in Catalogue(out).case_ids():
            if name not in known and (outcome := recorded(out / name, model_sha256)):
                earlier.add_outcome(outcome)
        for outcome in _failures(out, ledger):
            earlier.add_outcome(outcome)
        yield Outcomes(Ledger((*earlier.paths, *ledger.paths)))  # what the run says of a case comes last, and counts
    finally:
        earlier.remove()


def recorded(folder: Path, model_sha256: str = "") -> Outcome | None:
    """What an earlier run made of a case; None where its record or its measures cannot be read."""
    record = Catalogue(folder.parent).record(folder.name)
    if record is None:
        return None
    try:
        description = read_description(folder)
    except UnusableError:
        return None
    edited = edited_file(folder / MASK_FILE, record) if record.model_sha256 else ""
    other = "predicted by another model" * bool(model_sha256 and record.model_sha256 not in ("", model_sha256))
    said = in_one(record.naming, edit_kept(edited) if edited else record.remark, other)
    source = None if record.source is None else Path(record.source)
    return Outcome(folder.name, source, DONE, in_one(description.remark, said), flags=description.flags)


def _failures(out: Path, ledger: Ledger) -> Iterator[Outcome]:
    """Cases that failed in earlier runs and that nobody has tried since, as long as their scans are there."""
    places = ledger.places()
    tried = {outcome.source for outcome in Outcomes(ledger)}
    for row in _noted(out):
        name, source = row["case_id"], Path(row["source"]) if row["source"] else None
        if name in places or source is None or source in tried or Catalogue(out).record(name):
            continue
        if source.exists():
            yield Outcome(name, source, FAILED, row["reason"])


def _noted(out: Path) -> list[dict[str, Any]]:
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        rows = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))["failures"]
        return [row for row in rows if {"case_id", "source", "reason"} <= set(row)]
    return []
