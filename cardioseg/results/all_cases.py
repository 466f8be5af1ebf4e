"""All cases: every case in a folder of results, also of earlier runs, for the tables."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cardioseg.archive.member_paths import exists
from cardioseg.errors import UnusableError
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import read_description
from cardioseg.results.edits import edit_kept, edited_file
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.ledger import OTHER, UNUSED, Ledger, Outcomes
from cardioseg.results.outcome import DONE, FAILED, Outcome, in_one
from cardioseg.results.run_record import RunRecord, known_run_record

IsAtPlace = Callable[[CaseRecord], bool]


@contextmanager
def every_outcome(
    folder: ResultsFolder, ledger: Ledger, is_at_place: IsAtPlace, model_sha256: str = ""
) -> Iterator[Outcomes]:
    """What became of each case in a folder: of those that the ledger does not know, what an earlier run made of them.

    Args:
        folder: of all cases.
        ledger: of the present run.
        is_at_place: whether the scan of a record still lies where the record says.
        model_sha256: the model of the present run; cases of others are told.

    Raises:
        ResourceError: the file system refuses a write.
    """
    listed, searched = ledger.places().keys(), _searched(ledger)
    earlier = Ledger((folder.earlier_ledger,))
    earlier.begin(RunRecord(), "")
    try:
        for case in folder.cases():
            if case.case_id not in listed and (outcome := recorded(case, model_sha256)):
                earlier.add_outcome(_without_lost_place(outcome, case, searched, is_at_place))
        for outcome in _failures(folder, ledger):
            earlier.add_outcome(outcome)
        both = Ledger((*earlier.paths, *ledger.paths))  # what the run says of a case comes last, and counts
        yield Outcomes(both, _of_same_images(folder))
    finally:
        earlier.remove()


def same_images(folder: ResultsFolder) -> list[list[str]]:
    """The names of the cases that hold the same images as another: of copies each is a case."""
    names: dict[str, list[str]] = defaultdict(list)
    for case in folder.cases():
        if (record := read_case_record(case)) and record.content:
            names[record.content].append(case.case_id)
    return [equal_names for equal_names in names.values() if len(equal_names) > 1]


def _of_same_images(folder: ResultsFolder) -> dict[str, str]:
    """Case -> which others hold the same images; nothing of cases that are alone."""
    return {
        name: f"has the same images as {', '.join(other for other in names if other != name)}"
        for names in same_images(folder)
        for name in names
    }


def _searched(ledger: Ledger) -> set[Path]:
    """Where the run found anything."""
    noted = {Path(item["where"]) for kind in (OTHER, UNUSED) for item in ledger.all(kind)}
    return noted | {outcome.source for outcome in Outcomes(ledger) if outcome.source}


def _without_lost_place(
    outcome: Outcome, case: CaseFolder, searched: Collection[Path], is_at_place: IsAtPlace
) -> Outcome:
    """What is said of an earlier case, without a place where the run found other images than the case's own.

    A case of `measure` whose mask is gone says so.
    """
    record = read_case_record(case)
    if record and not record.model_sha256 and outcome.source and not exists(outcome.source):
        return replace(outcome, reason=in_one(outcome.reason, "its mask is gone: an earlier run measured it"))
    if outcome.source not in searched or record is None or not record.model_sha256 or is_at_place(record):
        return outcome
    lost = f"its scan is no longer in {outcome.source}"
    return replace(outcome, source=None, reason=in_one(outcome.reason, lost))


def recorded(case: CaseFolder, model_sha256: str = "") -> Outcome | None:
    """What an earlier run made of a case; None where its record or its measures cannot be read."""
    record = read_case_record(case)
    if record is None:
        return None
    try:
        description = read_description(case)
    except UnusableError:
        return None
    edited = edited_file(case.mask, record) if record.model_sha256 else ""
    is_of_other_model = model_sha256 and record.model_sha256 not in ("", model_sha256)
    other_model = "predicted by another model" if is_of_other_model else ""
    reviewed = record.reviewed(description.measures)
    remark = in_one(record.interrupted or (edit_kept(edited) if edited else record.remark), record.outdated)
    remarks = in_one(record.naming, reviewed, remark, other_model)
    source = None if record.source is None else Path(record.source)
    return Outcome(case.case_id, source, DONE, remarks, flags=description.flags)


def _failures(folder: ResultsFolder, ledger: Ledger) -> Iterator[Outcome]:
    """Cases that failed in earlier runs and that nobody has tried since, as long as their scans are there."""
    listed = ledger.places()
    tried = {outcome.source for outcome in Outcomes(ledger)}
    for failure in known_run_record(folder).failures:
        source = Path(failure.source) if failure.source else None
        if failure.case_id in listed or source is None or source in tried:
            continue
        if read_case_record(folder.case(failure.case_id)) is None and exists(source):
            yield Outcome(failure.case_id, source, FAILED, failure.reason)
