"""Listing: every case that lies in a folder of results, those of earlier runs too; the tables are made of it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cardioseg.errors import UnusableError
from cardioseg.inference.cases import RUN_FILE
from cardioseg.inference.catalogue import Catalogue
from cardioseg.inference.description import read_description
from cardioseg.inference.ledger import OTHER, UNUSED, Ledger, Outcomes
from cardioseg.inference.outcome import DONE, FAILED, Outcome, in_one
from cardioseg.inference.scan import recorded_scan
from cardioseg.results.edits import edit_kept, edited_file
from cardioseg.results.record import MASK_FILE

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
    known, searched = ledger.places().keys(), _searched(ledger)
    earlier = Ledger((out / _EARLIER_FILE,))
    earlier.begin({}, "")
    try:
        for name in Catalogue(out).case_ids():
            if name not in known and (outcome := recorded(out / name, model_sha256)):
                earlier.add_outcome(_without_lost_place(outcome, out, searched))
        for outcome in _failures(out, ledger):
            earlier.add_outcome(outcome)
        both = Ledger((*earlier.paths, *ledger.paths))  # what the run says of a case comes last, and counts
        yield Outcomes(both, _of_same_images(out))
    finally:
        earlier.remove()


def same_images(out: Path) -> list[list[str]]:
    """The names of the cases in `out` that hold the same images as another: of copies each is a case."""
    catalogue = Catalogue(out)
    names: dict[str, list[str]] = defaultdict(list)
    for name in catalogue.case_ids():
        if (record := catalogue.record(name)) and record.content:
            names[record.content].append(name)
    return [alike for alike in names.values() if len(alike) > 1]


def _of_same_images(out: Path) -> dict[str, str]:
    """Case -> which others hold the same images; nothing of cases that are alone."""
    return {
        name: f"the same images as {', '.join(other for other in alike if other != name)}"
        for alike in same_images(out)
        for name in alike
    }


def _searched(ledger: Ledger) -> set[Path]:
    """Where the run found anything."""
    noted = {Path(item["where"]) for kind in (OTHER, UNUSED) for item in ledger.all(kind)}
    return noted | {outcome.source for outcome in Outcomes(ledger) if outcome.source}


def _without_lost_place(outcome: Outcome, out: Path, searched: Collection[Path]) -> Outcome:
    """What is said of an earlier case, without a place where the run found other images than the case's own."""
    record = Catalogue(out).record(outcome.case_id)
    if outcome.source not in searched or record is None or not record.model_sha256 or recorded_scan(record):
        return outcome
    lost = f"its scan is no longer in {outcome.source}"
    return replace(outcome, source=None, reason=in_one(outcome.reason, lost))


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
