"""Predict: one case from its files to its folder under OUT. A pure unit of work: nothing outside that folder changes.

Any process on any machine of one file system may do it; while one does, others that begin the same case wait.

The commit record `case.json` is written last. A case is done when its record verifies: same model, same input, same
version, same chosen phases, all formats that are asked for, and the masks on disk are those that were written. A mask
that somebody edited is never written over unless that is asked for.
"""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from cardioseg import __version__
from cardioseg.errors import UnusableError
from cardioseg.files import make_folder, sha256, sweep_partials, turn, write_json
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.inference.cases import RECORD_FILE, Case
from cardioseg.inference.description import (
    MASK_FILE,
    Description,
    acquisition_of,
    describe,
    read_description,
)
from cardioseg.inference.edited import is_edited
from cardioseg.inference.formats import DICOM_SEG, NIFTI, SEG_FILES, write_segs
from cardioseg.inference.outcome import DONE, FAILED, Outcome
from cardioseg.inference.segment import segment
from cardioseg.inference.session import Model
from cardioseg.measure.curves import Moments
from cardioseg.report.pictures import write_pictures

_OUT_OF_MEMORY = "out of memory, even slice by slice (end other programs, or predict it where there is more)"
_ANOTHER = "a scan from elsewhere has its name here (rename one, give another folder with -o, or --overwrite it)"
_KEPT = "its mask was edited and is kept; the numbers are those from before: `cardioseg measure` gives the new ones"


def predict_case(
    case: Case,
    model: Model,
    out: Path,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda *_: None,
    *,
    formats: Collection[str] = (NIFTI,),
    moments: Moments = Moments(),  # noqa: B008 - frozen
) -> Outcome:
    """Segment, measure and draw one case into `out/<case_id>`, unless that is done already.

    Args:
        case: what to read.
        model: what to run.
        out: the folder of all cases.
        overwrite: do it again even if it is done, or edited by hand.
        report: called with the number of slices done and of all.
        formats: what to write of the mask.
        moments: phases that a person chose.

    Raises:
        ResourceError: the disk refuses a write; no later case would fare better.
    """
    folder = out / case.case_id
    make_folder(out)
    with turn(out / f".{case.case_id}.lock"):  # who comes second finds it done
        if not overwrite and (finished := _finished(case, model, folder, formats, moments)):
            return finished
        if not overwrite and _is_another(case, folder):
            return Outcome(f"{case.case_id}-2", case.source, FAILED, _ANOTHER)
        sweep_partials(folder)
        for name in (RECORD_FILE, *SEG_FILES.values()):
            (folder / name).unlink(missing_ok=True)
        try:
            return _predict(case, model, folder, report, formats=formats, moments=moments)
        except UnusableError as error:
            return Outcome(case.case_id, case.source, FAILED, _failure(error, case))
        except MemoryError:
            return Outcome(case.case_id, case.source, FAILED, _OUT_OF_MEMORY)


def _predict(
    case: Case,
    model: Model,
    folder: Path,
    report: Callable[[int, int], None],
    *,
    formats: Collection[str],
    moments: Moments,
) -> Outcome:
    start = time.perf_counter()
    cine = case.read()
    moments.require_within(cine.phases)
    found = segment(_acquired(cine, case.missing), model, report)
    mask = _restored(found.mask, cine, case.missing)
    description = describe(mask, model.card.structures, acquisition_of(case), moments, found.fold_curves_ml)
    _write(case, cine, mask, description, folder)
    remark = write_segs(case, mask, description.measures, model, folder) if DICOM_SEG in formats else ""
    remark = case.without_paths(remark)
    record = _record(case, model, folder, moments) | {"formats": sorted(formats), "remark": remark, "unit": case.unit}
    write_json(folder / RECORD_FILE, record)
    return _outcome(case, description, remark, time.perf_counter() - start)


def _acquired(cine: Cine, missing: Collection[int]) -> Cine:
    """Without the slices that were not acquired: on black the network sees what it likes, and nothing lies over it."""
    if not missing:
        return cine
    voxels = np.delete(cine.voxels, list(missing), axis=1)
    return Cine(voxels, replace(cine.grid, shape=voxels.shape[1:]), cine.times_ms)


def _restored(mask: Cine, cine: Cine, missing: Collection[int]) -> Cine:
    """A mask of the acquired slices on the grid of all; the others hold nothing."""
    if not missing:
        return mask
    voxels = np.zeros(cine.voxels.shape, mask.voxels.dtype)
    voxels[:, np.setdiff1d(np.arange(cine.grid.shape[0]), list(missing))] = mask.voxels
    return Cine(voxels, cine.grid, cine.times_ms)


def _finished(case: Case, model: Model, folder: Path, formats: Collection[str], moments: Moments) -> Outcome | None:
    """What an earlier run made of the case, if its record verifies for this one or the mask was edited since."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text())
        expected = _record(case, model, folder, moments)
        description = read_description(folder)
        if set(formats) <= set(record["formats"]) and record.items() >= expected.items():
            return _outcome(case, description, record["remark"])
    except (OSError, UnusableError, ValueError, LookupError, TypeError, AttributeError):  # not what we write
        return None
    return _outcome(case, description, _KEPT) if is_edited(folder / MASK_FILE) else None


def _is_another(case: Case, folder: Path) -> bool:
    """Whether the folder holds a case of the same name from another unit."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text())
        return bool(record["unit"] != case.unit and record["input"] != case.fingerprint())
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _outcome(case: Case, description: Description, remark: str, seconds: float = 0.0) -> Outcome:
    reason = "; ".join(filter(None, [description.remark, remark]))
    return Outcome(case.case_id, case.source, DONE, reason, seconds, description.flags)


def _failure(error: UnusableError, case: Case) -> str:
    """Why a case failed, and what to do."""
    inspect = f"`cardioseg inspect {quote(str(case.source))}` says more; export the series again, or leave it out"
    remedy = error.hint or (inspect if case.series else "convert it again from its source, or leave it out")
    return f"{error.message} ({remedy})"


def _write(case: Case, cine: Cine, mask: Cine, description: Description, folder: Path) -> None:
    if case.is_4d:
        write_cine(folder / MASK_FILE, mask)
    else:
        write_volume(folder / MASK_FILE, mask.phase(0))
    description.write(folder)
    write_pictures(folder, cine, mask, description.measures, flags=description.flags, title=case.case_id)


def _record(case: Case, model: Model, folder: Path, moments: Moments) -> dict[str, Any]:
    written = [folder / name for name in (MASK_FILE, *SEG_FILES.values()) if (folder / name).exists()]
    return {
        "cardioseg": __version__,
        "model_sha256": model.card.sha256,
        "input": case.fingerprint(),
        "chosen_phases": asdict(moments),
        "sha256": {path.name: sha256(path) for path in written},
    }
