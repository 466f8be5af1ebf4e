"""Remeasure: masks that somebody edited become numbers, flags and a report again, by the road of predicted ones."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.files import sweep_partials
from cardioseg.image.labels import Label
from cardioseg.inference.cases import RUN_FILE
from cardioseg.inference.description import MEASURES_FILE, describe
from cardioseg.inference.edited import present, read_edited, source_beside, sources
from cardioseg.inference.outcome import DONE, FAILED, Outcome, write_summary
from cardioseg.ingest.masks import MaskFolder, find_masks, no_masks, predicted_labels, read_mask
from cardioseg.measure.curves import Moments
from cardioseg.report.pictures import remove_pictures, write_pictures


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


def measure_all(found: MaskFolder, out: Path, moments: Moments) -> Iterator[Outcome]:
    """Measure every mask, yielding what became of each; the summary is written when the last is done.

    Args:
        found: the masks.
        out: gets `status.csv`, `measures.csv`, `run.json`, `report.html` and per case `measures.json` and, where the
            scan is still at its place, `overlay.png`.
        moments: phases that a person chose, for every case.

    Raises:
        UnusableError: a run's record beside the masks is damaged.
        ResourceError: the disk refuses a write.
    """
    start = time.perf_counter()
    sweep_partials(out)
    labels = _labels(found)
    scans = sources(_run_folder(found.root))
    outcomes = [Outcome(Path(item.where).name, Path(item.where), FAILED, item.why) for item in found.clashes]
    yield from outcomes
    for case_id, path in found.paths.items():
        scan = scans.get(case_id) or source_beside(path)
        outcomes.append(_measure(path, scan, labels, out / case_id, moments))
        yield outcomes[-1]
    write_summary(out, outcomes, _describe(found, labels, moments, time.perf_counter() - start))


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


def _measure(path: Path, scan: Path | None, labels: frozenset[Label], folder: Path, moments: Moments) -> Outcome:
    """One case, from the mask that is its source to its folder."""
    start, case = time.perf_counter(), Outcome(folder.name, path, DONE)
    (folder / MEASURES_FILE).unlink(missing_ok=True)
    remove_pictures(folder)
    try:
        one = read_edited(path, scan)
        known = labels | present(one.mask)
        description = describe(one.mask, known, one.acquisition, moments, one.fold_curves_ml)
    except UnusableError as error:
        return replace(case, status=FAILED, reason=f"{error.message} ({error.hint or 'repair it, or leave it out'})")
    description.write(folder)
    if one.image:
        measures, flags = description.measures, description.flags
        write_pictures(folder, one.image, one.mask, measures, flags=flags, title=case.case_id)
    no_picture = "no picture: its scan is gone" * bool(scan and not one.image)
    reason = "; ".join(filter(None, ["edited" * one.is_edited, description.remark, no_picture]))
    return replace(case, reason=reason, seconds=time.perf_counter() - start, flags=description.flags)


def _describe(found: MaskFolder, labels: frozenset[Label], moments: Moments, seconds: float) -> dict[str, Any]:
    return {
        "version": __version__,
        "masks": str(found.root),
        "labels": [label.key for label in sorted(labels)],
        "chosen_phases": asdict(moments),
        "seconds": round(seconds, 2),
    }
