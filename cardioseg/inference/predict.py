"""Predict: one case from its files to its folder under OUT. A pure unit of work: nothing outside that folder changes.

The commit record `case.json` is written last. A case is done when its record verifies: same model, same input, same
version, all formats that are asked for, and the masks on disk are those that were written.
"""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.errors import UnusableError
from cardioseg.files import sha256, sweep_partials, write_json
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.inference.cases import RECORD_FILE, Case
from cardioseg.inference.formats import DICOM_SEG, NIFTI, SEG_FILES, write_segs
from cardioseg.inference.segment import segment
from cardioseg.inference.session import Model
from cardioseg.measure.curves import volume_curves_ml
from cardioseg.measure.ventricles import VentricleMeasures, measure
from cardioseg.report.html import CaseReport
from cardioseg.report.overlays import write_overlay

MASK_FILE = "mask.nii.gz"
MEASURES_FILE = "measures.json"
OVERLAY_FILE = "overlay.png"

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case: the case.
        status: `done` or `failed`.
        reason: why it failed; or a remark on a case that is done, or empty.
        seconds: time it took; 0 where it had been done before.
    """

    case: Case
    status: str
    reason: str = ""
    seconds: float = 0.0


def predict_case(
    case: Case,
    model: Model,
    out: Path,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda *_: None,
    *,
    formats: Collection[str] = (NIFTI,),
) -> Outcome:
    """Segment, measure and draw one case into `out/<case_id>`, unless that is done already.

    Args:
        case: what to read.
        model: what to run.
        out: the folder of all cases.
        overwrite: do it again even if it is done.
        report: called with the number of slices done and of all.
        formats: what to write of the mask.

    Raises:
        ResourceError: the disk refuses a write; no later case would fare better.
    """
    folder = out / case.case_id
    if not overwrite and is_done(case, model, folder, formats):
        return Outcome(case, DONE, _remark(folder))
    start = time.perf_counter()
    sweep_partials(folder)
    for name in (RECORD_FILE, *SEG_FILES.values()):
        (folder / name).unlink(missing_ok=True)
    try:
        cine = case.read()
    except UnusableError as error:
        return Outcome(case, FAILED, str(error))
    mask = segment(cine, model, report)
    measures = _write(case, cine, mask, model, folder)
    remark = write_segs(case, mask, measures, model, folder) if DICOM_SEG in formats else ""
    record = _record(case, model, folder) | {"formats": sorted(formats), "remark": remark}
    write_json(folder / RECORD_FILE, record)
    return Outcome(case, DONE, _remark(folder), time.perf_counter() - start)


def is_done(case: Case, model: Model, folder: Path, formats: Collection[str] = (NIFTI,)) -> bool:
    """Whether the folder's record verifies for this case and model, and holds these formats or more."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text())
        expected = _record(case, model, folder)
        return set(formats) <= set(record["formats"]) and record.items() >= expected.items()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # a record that is not what we write
        return False


def case_report(outcome: Outcome, out: Path) -> CaseReport:
    """What the report shows of a case, from its files."""
    case_id = outcome.case.case_id
    if outcome.status != DONE:
        return CaseReport(case_id, outcome.status, outcome.reason)
    document = json.loads((out / case_id / MEASURES_FILE).read_text())
    curves = {Label[key.upper()]: curve for key, curve in document["curves_ml"].items()}
    measures = VentricleMeasures(**document["measures"])
    overlay = out / case_id / OVERLAY_FILE
    return CaseReport(case_id, DONE, outcome.reason, measures, curves, tuple(document["times_ms"]), overlay)


def _remark(folder: Path) -> str:
    """What a reader of the results must know: a structure or a format that is missing."""
    curves = json.loads((folder / MEASURES_FILE).read_text())["curves_ml"]
    missing = {key: sum(value == 0 for value in curve) for key, curve in curves.items()}
    remarks = [
        f"no {Label[key.upper()].title}"
        + (f" at {count} of {len(curves[key])} phases" if count < len(curves[key]) else "")
        for key, count in missing.items()
        if count
    ]
    return "; ".join(filter(None, [*remarks, json.loads((folder / RECORD_FILE).read_text())["remark"]]))


def _write(case: Case, cine: Cine, mask: Cine, model: Model, folder: Path) -> VentricleMeasures:
    measures = measure(mask, model.card.structures)
    curves = volume_curves_ml(mask, model.card.structures)
    if case.is_4d:
        write_cine(folder / MASK_FILE, mask)
    else:
        write_volume(folder / MASK_FILE, mask.phase(0))
    document: dict[str, Any] = {
        "measures": measures.as_row(),
        "curves_ml": {label.key: [round(value, 3) for value in curve] for label, curve in curves.items()},
        "times_ms": [round(value, 3) for value in cine.times_ms],
    }
    write_json(folder / MEASURES_FILE, document)
    write_overlay(
        folder / OVERLAY_FILE,
        cine,
        mask,
        ed_phase=measures.ed_phase,
        es_phase=measures.es_phase,
        title=case.case_id,
    )
    return measures


def _record(case: Case, model: Model, folder: Path) -> dict[str, Any]:
    written = [folder / name for name in (MASK_FILE, *SEG_FILES.values()) if (folder / name).exists()]
    return {
        "cardioseg": __version__,
        "model_sha256": model.card.sha256,
        "input": case.fingerprint(),
        "sha256": {path.name: sha256(path) for path in written},
    }
