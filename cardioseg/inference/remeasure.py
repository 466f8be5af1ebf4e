"""Remeasure: masks that somebody edited become numbers, flags and a report again, by the road of predicted ones."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.files import sweep_partials
from cardioseg.image.labels import Label
from cardioseg.inference.cases import RUN_FILE, other_names
from cardioseg.inference.catalogue import Catalogue
from cardioseg.inference.chosen_phases import Choices
from cardioseg.inference.description import MEASURES_FILE, describe
from cardioseg.inference.edited import is_predicted, present, read_edited, source_of
from cardioseg.inference.extremes import moved_extremes
from cardioseg.inference.ledger import Ledger
from cardioseg.inference.listing import every_outcome
from cardioseg.inference.outcome import DONE, FAILED, Outcome, in_one, write_summary
from cardioseg.inference.record import RECORD_FILE, Record, read_record
from cardioseg.ingest.labels.mask_files import MaskFolder, find_masks, no_masks, predicted_labels, read_mask
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.report.case_pictures import remove_pictures, write_pictures

_LEDGER_FILE = ".measured.jsonl"


def find_edited(masks: Path, out: Path) -> MaskFolder:
    """The masks at or below `masks`: what `predict` wrote, any folder of NIfTI masks, or one file.

    Raises:
        NoInputError: there is none.
        UsageError: the results would be written over those of the prediction.
    """
    if not masks.exists():
        raise NoInputError(f"{masks}: no such file or folder", "give the folder that `cardioseg predict` wrote")
    found = find_masks(masks)
    if any((out / case_id).resolve() == path.resolve().parent for case_id, path in found.paths.items()):
        raise UsageError(f"{out} holds the predicted numbers, which would be lost", "give another folder with -o")
    if not found.paths and not found.clashes:
        raise no_masks(masks, "give the folder that `cardioseg predict` wrote")
    return found


def measure_all(
    found: MaskFolder, out: Path, moments: Moments, by_case: Mapping[str, Moments] | None = None
) -> Iterator[Outcome]:
    """Measure every mask, yielding what became of each; the summary is written when the last is done.

    The phases that were found when a mask was predicted stay where nobody chooses others.

    Args:
        found: the masks.
        out: gets `status.csv`, `measures.csv`, `run.json` and `report.html` of all cases in it, and per case
            `measures.json` and, where the scan is still at its place, `overlay.png`.
        moments: phases that a person chose, for every case.
        by_case: phases that a person chose for single cases, by their names in `out`.

    Raises:
        UnusableError: a run's record beside the masks is damaged.
        ResourceError: the disk refuses a write.
    """
    start = time.perf_counter()
    sweep_partials(out)
    labels, choices = _labels(found), Choices(moments, by_case or {})
    catalogue, ledger = Catalogue(out, (found.root,)), Ledger((out / _LEDGER_FILE,))
    ledger.begin({}, "")
    for item in found.clashes:
        outcome = Outcome(Path(item.where).name, Path(item.where), FAILED, item.why)
        ledger.add_outcome(outcome)
        yield outcome
    for case_id, path in found.paths.items():
        mask = MeasuredMask(path, (case_id, *other_names(case_id, path)))
        with catalogue.folder_of(mask) as folder:
            outcome = _measure(mask, catalogue.naming(mask, folder.name), labels, folder, choices)
        ledger.add_outcome(outcome)
        yield outcome
    with every_outcome(out, ledger) as outcomes:
        write_summary(out, outcomes, _describe(found, labels, choices, time.perf_counter() - start))
    ledger.remove()


@dataclass(frozen=True)
class MeasuredMask:
    """A mask as a case of its own: a predicted one is that of its scan, whoever edited it; another that of its file.

    Attributes:
        path: the mask.
        names: its own name, and others to take where that is another's.
    """

    path: Path
    names: tuple[str, ...]

    @property
    def source(self) -> str:
        """The mask, as the user gave it."""
        return str(self.path)

    @cached_property
    def input(self) -> str:
        """Which case it is."""
        record = read_record(self.path.parent) if is_predicted(self.path) else None
        if record and record.content:
            return record.content
        return sha256(str(self.path.absolute()).encode(errors="surrogateescape")).hexdigest()

    @property
    def content(self) -> str:
        """The same: it needs no pixels."""
        return self.input

    def is_also_at(self, record: Record) -> bool:
        """Whether the mask that a record of this content names is still that of the same case."""
        return record.source is not None and replace(self, path=Path(record.source)).content == self.content


def _run_folder(masks: Path) -> Path:
    """The folder of all cases, where `masks` is one case of it or one case's mask."""
    folders = [masks, *masks.absolute().parents[:2]]
    return next((folder for folder in folders if (folder / RUN_FILE).is_file()), masks)


def _labels(found: MaskFolder) -> frozenset[Label]:
    """The model's structures; of a plain folder, those that are in any of its masks."""
    known = predicted_labels(_run_folder(found.root))
    if known is not None:
        return known
    labels: frozenset[Label] = frozenset()
    for path in found.paths.values():
        with suppress(UnusableError):  # it is said when the mask's turn comes
            labels |= present(read_mask(path))
    return labels


def _measure(mask: MeasuredMask, naming: str, labels: frozenset[Label], folder: Path, choices: Choices) -> Outcome:
    """One case, from the mask that is its source to its folder."""
    start, case = time.perf_counter(), Outcome(folder.name, mask.path, DONE)
    for name in (RECORD_FILE, MEASURES_FILE):
        (folder / name).unlink(missing_ok=True)
    remove_pictures(folder)
    moments = choices.of(folder.name)
    try:
        edited = read_edited(mask.path)
        known = labels | present(edited.mask)
        earlier = edited.earlier.measures if edited.earlier else Measures()
        wanted = moments.filled(edited.chosen)
        description = describe(edited.mask, known, edited.acquisition, wanted, edited.fold_curves_ml, earlier=earlier)
    except UnusableError as error:
        return replace(case, status=FAILED, reason=f"{error.message} ({error.hint or 'repair it, or leave it out'})")
    description.write(folder)
    if edited.image:
        measures, flags = description.measures, description.flags
        write_pictures(folder, edited.image, edited.mask, measures, flags=flags, title=case.case_id)
    gone = "no picture: its scan is gone" * bool(source_of(mask.path) and not edited.image)
    moved = moved_extremes(edited.earlier.curves_ml, description, moments) if edited.earlier else ""
    said = in_one("edited" * edited.is_edited, *edited.remarks, moved, gone)
    Record(mask.content, input=mask.input, source=mask.source, naming=naming, remark=said).write(folder)
    reason = in_one(naming, said, description.remark)
    return replace(case, reason=reason, seconds=time.perf_counter() - start, flags=description.flags)


def _describe(found: MaskFolder, labels: frozenset[Label], choices: Choices, seconds: float) -> dict[str, Any]:
    return {
        "version": __version__,
        "masks": str(found.root),
        "labels": [label.key for label in sorted(labels)],
        "chosen_phases": choices.document(),
        "seconds": round(seconds, 2),
    }
