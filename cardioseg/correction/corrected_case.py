"""Corrected case: a predicted case whose mask or phases a person corrected, measured and written again.

The record is written first, with what was predicted, then the mask, and the record again at the end: whoever is killed
in between leaves an edited mask, which no program overwrites unasked, and what it takes to save the case again.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cardioseg.cases.patients import Patients, given
from cardioseg.cases.scan import OTHER_HEADER, recorded_scan
from cardioseg.cases.written_case import format_hashes, write_case
from cardioseg.correction.corrected_mask import Corrected, describe_corrected
from cardioseg.correction.kept_review import signed_by
from cardioseg.correction.missing_slices import drawn_in_missing
from cardioseg.correction.moved_extremes import moved_extremes
from cardioseg.errors import UnusableError
from cardioseg.files import write_bytes
from cardioseg.image.nifti import is_4d, write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.measure.curves import Moments
from cardioseg.report.dicom_object import Author
from cardioseg.results.case_pictures import remove_pictures
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import edited_file
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.formats import ALWAYS, refers_to_images, remove_objects
from cardioseg.results.mask_files import files_beside
from cardioseg.results.outcome import in_one
from cardioseg.results.review_record import BegunSave, Decision, Review
from cardioseg.results.run_record import UsedModel, known_run_record

_NO_SCAN = "no pictures and no DICOM objects of the reviewed mask: the scan is no longer where it was"
_NAMELESS = "model"
_REMEDY = "Shift+D or Shift+S in `review` sets other phases, for both ventricles"


@dataclass(frozen=True)
class Judgement:
    """What a person decided about a case.

    Attributes:
        decision: of the person.
        initials: may be empty.
        note: may be empty.
    """

    decision: Decision
    initials: str = ""
    note: str = ""


def save_review(results: ResultsFolder, folder: CaseFolder, corrected: Corrected, judgement: Judgement) -> None:
    """Write a reviewed case: the mask, if it was corrected, its measures, pictures and objects, and the record.

    The caller holds the lock of the case and writes the tables afterwards.

    Args:
        results: the folder of all cases.
        folder: of the case.
        corrected: the case as the person left it.
        judgement: what the person decided.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: there is no such phase, or the case cannot be read.
    """
    record = read_case_record(folder)
    if record is None:
        raise UnusableError(f"{folder.case_id} has no record", "run `cardioseg predict` again")
    review = _review(corrected, judgement)
    author = author_of(results, record, review)
    if _is_changed(folder, record, corrected):
        description = describe_corrected(corrected, read_description(folder))
        _begin(folder, record, corrected)
        _write_mask(folder, corrected)
        written = _renew_files(folder, record, corrected.mask, description, author)
        remark = in_one(written, remark_of(record, corrected.mask, description, corrected.moments))
    else:
        remark = _sign(folder, record, corrected, author)
    changes = {"review": review, "chosen_phases": asdict(corrected.moments), "remark": remark, "outdated": ""}
    ended = {"begun_save": None, "sha256": format_hashes(folder)}
    record.model_copy(update=changes | ended).write(folder)
    if not review.is_corrected:
        folder.predicted_mask.unlink(missing_ok=True)


def _is_changed(folder: CaseFolder, record: CaseRecord, corrected: Corrected) -> bool:
    """Whether the case needs other measures: by strokes, phases, another program's edit, or a save that was killed."""
    by_hand = record.review.by_hand if record.review else asdict(Moments())
    is_drawn = not np.array_equal(corrected.mask.voxels, corrected.saved.voxels)
    return (
        is_drawn or asdict(corrected.by_hand) != by_hand or bool(edited_file(folder.mask, record) or record.begun_save)
    )


def _begin(folder: CaseFolder, record: CaseRecord, corrected: Corrected) -> None:
    """Remember what was predicted before anything is written over it, for the day when this save is killed."""
    prediction, kept = corrected.prediction, folder.predicted_mask
    if prediction.mask is not None and not corrected.is_as_predicted and not kept.is_file():
        write_bytes(kept, folder.mask.read_bytes())
    begun = BegunSave(predicted=prediction.measures.document(), predicted_phases=asdict(prediction.chosen))
    record.model_copy(update={"begun_save": begun}).write(folder)


def remark_of(record: CaseRecord, mask: Cine, description: Description, chosen: Moments) -> str:
    """What to say of the patient of a case, of drawings that have no effect, and of phases that are no extremes now."""
    patients = Patients(with_reference_values=record.patient.with_reference_values)
    acquisition = description.acquisition
    in_vain = drawn_in_missing(mask, acquisition.missing)
    moved = moved_extremes(description, chosen, remedy=_REMEDY)
    return in_one(given(record.patient), patients.remark(acquisition), in_vain, moved)


def _sign(folder: CaseFolder, record: CaseRecord, corrected: Corrected, author: Author) -> str:
    """Write the objects that say who answers for a mask that is as it was; returns the remark of the case."""
    scan = recorded_scan(record) if refers_to_images(record.formats) else None
    if scan is None or scan.has_other_header(record):
        return record.remark
    description = read_description(folder)
    mask = corrected.mask
    written = write_case(folder, scan, mask, description, author, formats=other_formats(record.formats))
    return in_one(written, remark_of(record, mask, description, corrected.moments))


def _review(corrected: Corrected, judgement: Judgement) -> Review:
    prediction, by_hand = corrected.prediction, corrected.by_hand
    changed = None
    if prediction.mask is not None:
        changed = int(np.count_nonzero(corrected.mask.voxels != prediction.mask.voxels))
    is_corrected = changed != 0 or bool(by_hand.known)
    decision = judgement.decision
    if decision is not Decision.EXCLUDED:
        decision = Decision.CORRECTED if is_corrected else Decision.ACCEPTED
    return Review(
        decision=decision,
        initials=judgement.initials,
        time=datetime.now().astimezone().isoformat(timespec="seconds"),
        note=judgement.note,
        changed_voxels=changed,
        predicted=prediction.measures.document() if is_corrected else {},
        predicted_phases=asdict(prediction.chosen) if is_corrected else {},
        by_hand=asdict(by_hand),
    )


def _write_mask(folder: CaseFolder, corrected: Corrected) -> None:
    """Write a mask that was changed; the network's own is kept beside it, and comes back with its very bytes."""
    kept = folder.predicted_mask
    if corrected.is_as_predicted:
        if kept.is_file():
            write_bytes(folder.mask, kept.read_bytes())
        return
    if np.array_equal(corrected.mask.voxels, corrected.saved.voxels) and not files_beside(folder.mask):
        return  # it lies there already
    write_as(folder.mask, corrected.mask)


def write_as(path: Path, mask: Cine) -> None:
    """Write a mask over one that lies there: a 4D image if that is one, else a 3D one."""
    if is_4d(path):
        write_cine(path, mask)
    else:
        write_volume(path, mask.phase(0))


def _renew_files(folder: CaseFolder, record: CaseRecord, mask: Cine, description: Description, author: Author) -> str:
    """Write measures, pictures and objects again.

    Where the scan is gone or has another header, pictures and objects of the old mask are removed.

    Returns:
        What cannot be written and why, or nothing.
    """
    scan = recorded_scan(record)
    has_other_header = scan is not None and scan.has_other_header(record)
    if scan is not None and not has_other_header:
        return write_case(folder, scan, mask, description, author, formats=other_formats(record.formats))
    description.write(folder)
    remove_pictures(folder)
    remove_objects(folder)
    return OTHER_HEADER if has_other_header else _NO_SCAN


def author_of(results: ResultsFolder, record: CaseRecord, review: Review) -> Author:
    """The model of a case, whose name the last run of `predict` knows if it used the same, and the person."""
    model = known_run_record(results).model
    name = model.name if isinstance(model, UsedModel) and model.sha256 == record.model_sha256 else _NAMELESS
    return signed_by(name, record.model_sha256, review)


def other_formats(formats: Collection[str]) -> list[str]:
    """All formats but that of the mask itself."""
    return [name for name in formats if name != ALWAYS]
