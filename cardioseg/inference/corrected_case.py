"""Corrected case: a predicted case whose mask or phases a person corrected, measured and written again.

The mask is written first and the record last: whoever is killed in between leaves an edited mask, which no program
overwrites unasked.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.files import write_bytes
from cardioseg.image.labels import Label
from cardioseg.image.nifti import is_4d, write_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.inference.edited_mask import present
from cardioseg.inference.measured_mask import describe
from cardioseg.inference.patients import Patients
from cardioseg.inference.scan import Scan, recorded_scan
from cardioseg.inference.written_case import format_hashes, write_case
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.report.dicom_object import Author, Touch
from cardioseg.results.case_pictures import remove_pictures
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import is_edited, latest_mask
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.formats import ALWAYS, format_files
from cardioseg.results.mask_files import read_mask
from cardioseg.results.outcome import in_one
from cardioseg.results.review_record import Decision, Review
from cardioseg.results.run_record import UsedModel, known_run_record

_NO_SCAN = "no pictures and no DICOM objects of the reviewed mask: the scan is no longer where it was"
_NAMELESS = "model"


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


@dataclass(frozen=True)
class Prediction:
    """What the network, and whoever ran it, had made of a case before it was corrected.

    Attributes:
        mask: `Label` values (phase, slice, row, column); None if it is lost because another program wrote over it.
        measures: of that mask.
        chosen: phases that a person chose for `predict`.
    """

    mask: Cine | None
    measures: Measures
    chosen: Moments


def read_prediction(folder: CaseFolder) -> Prediction:
    """What was predicted of a case, whether it was corrected since or not.

    Raises:
        UnusableError: there are no measures, or the mask cannot be read.
    """
    record, measures = read_case_record(folder) or CaseRecord(), read_description(folder).measures
    chosen = Moments(**record.chosen_phases)
    if record.review and record.is_corrected:
        measures, chosen = Measures.from_document(record.review.predicted), Moments(**record.review.predicted_phases)
    if folder.predicted_mask.is_file():
        return Prediction(read_mask(folder.predicted_mask), measures, chosen)
    has_other_voxels = record.is_corrected and record.review is not None and record.review.changed_voxels != 0
    is_lost = has_other_voxels or is_edited(folder.mask, record)  # a person may have changed the phases alone
    return Prediction(None if is_lost else read_mask(folder.mask), measures, chosen)


def describe_corrected(
    mask: Cine,
    before: Description,
    prediction: Prediction,
    by_hand: Moments = Moments(),  # noqa: B008 - frozen
) -> Description:
    """Measure and judge a corrected mask as `cardioseg measure` does: the phases stay where nobody chose others.

    Args:
        mask: `Label` values (phase, slice, row, column).
        before: of the case until now.
        prediction: what it was corrected from.
        by_hand: phases that the person chose.

    Raises:
        UnusableError: a chosen phase is not in the mask.
    """
    is_as_predicted = prediction.mask is not None and np.array_equal(mask.voxels, prediction.mask.voxels)
    folds = before.fold_curves_ml if is_as_predicted else ()
    moments = by_hand.filled(prediction.chosen)
    described = describe(
        mask, structures_of(mask, before), before.acquisition, moments, folds, earlier=prediction.measures
    )
    return described if is_as_predicted else _with_folds(described, before)


def _with_folds(description: Description, before: Description) -> Description:
    """The networks' curves stay in the file for the day when the correction is undone; no number comes from them."""
    return Description(**{**vars(description), "fold_curves_ml": before.fold_curves_ml})


def structures_of(mask: Cine, description: Description) -> frozenset[Label]:
    """The structures of the model and of the mask."""
    return frozenset(description.curves_ml) | present(mask)


def save_review(results: ResultsFolder, folder: CaseFolder, mask: Cine, by_hand: Moments, judgement: Judgement) -> None:
    """Write a reviewed case: the mask, if it was corrected, its measures, pictures and objects, and the record.

    The caller holds the lock of the case and writes the tables afterwards.

    Args:
        results: the folder of all cases.
        folder: of the case.
        mask: `Label` values as the person left them, on the grid of the case's mask, with the times of the scan.
        by_hand: phases that the person chose.
        judgement: what the person decided.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: there is no such phase, or the case cannot be read.
    """
    record = read_case_record(folder)
    if record is None:
        raise UnusableError(f"{folder.case_id} has no record", "run `cardioseg predict` again")
    before, prediction = read_description(folder), read_prediction(folder)
    description = describe_corrected(mask, before, prediction, by_hand)
    review = _review(mask, prediction, by_hand, judgement)
    _write_mask(folder, mask, prediction)
    said_of_patient = Patients(with_reference_values=bool(record.patient.get("with_reference_values")))
    remark = _renew_files(folder, record, mask, description, author_of(results, record, review))
    remark = in_one(remark, said_of_patient.remark(description.acquisition))
    chosen = asdict(by_hand.filled(prediction.chosen))
    changes = {"review": review, "chosen_phases": chosen, "remark": remark, "sha256": format_hashes(folder)}
    record.model_copy(update=changes).write(folder)
    if not review.is_corrected:
        folder.predicted_mask.unlink(missing_ok=True)


def _review(mask: Cine, prediction: Prediction, by_hand: Moments, judgement: Judgement) -> Review:
    changed = None if prediction.mask is None else int(np.count_nonzero(mask.voxels != prediction.mask.voxels))
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
        predicted=prediction.measures.as_row() if is_corrected else {},
        predicted_phases=asdict(prediction.chosen) if is_corrected else {},
        by_hand=asdict(by_hand),
    )


def _write_mask(folder: CaseFolder, mask: Cine, prediction: Prediction) -> None:
    """Write a mask that was changed; the network's own is kept beside it, and comes back with its very bytes."""
    latest = latest_mask(folder.mask)
    if np.array_equal(latest.mask.voxels, mask.voxels) and latest.file == folder.mask.name:
        return
    kept = folder.predicted_mask
    if prediction.mask is not None and not kept.is_file():
        write_bytes(kept, folder.mask.read_bytes())
    if prediction.mask is not None and np.array_equal(prediction.mask.voxels, mask.voxels):
        write_bytes(folder.mask, kept.read_bytes())
    elif is_4d(folder.mask):
        write_cine(folder.mask, mask)
    else:
        write_volume(folder.mask, mask.phase(0))


def _renew_files(folder: CaseFolder, record: CaseRecord, mask: Cine, description: Description, author: Author) -> str:
    """Write measures, pictures and objects again; where the scan is gone, those of the old mask are removed.

    Returns:
        What cannot be written and why, or nothing.
    """
    scan = recorded_scan(record)
    if scan is not None:
        return write_case(folder, scan, mask, description, author, formats=_others(record.formats))
    description.write(folder)
    remove_pictures(folder)
    for path in format_files(folder):
        if path != folder.mask:
            path.unlink(missing_ok=True)
    return _NO_SCAN


def renew_formats(
    results: ResultsFolder, folder: CaseFolder, record: CaseRecord, scan: Scan, formats: Collection[str]
) -> str:
    """Write a corrected case in formats that nobody asked for before; without new ones, nothing is done.

    Returns:
        What cannot be written and why, or nothing.
    """
    if set(formats) <= set(record.formats) or record.review is None:
        return record.remark
    mask, description = read_mask(folder.mask), read_description(folder)
    author = author_of(results, record, record.review)
    remark = write_case(folder, scan, mask, description, author, formats=_others(formats))
    changes = {"formats": tuple(sorted(formats)), "remark": remark, "sha256": format_hashes(folder)}
    record.model_copy(update=changes).write(folder)
    return remark


def author_of(results: ResultsFolder, record: CaseRecord, review: Review) -> Author:
    """The model of a case, whose name the last run of `predict` knows if it used the same, and the person."""
    model = known_run_record(results).model
    name = model.name if isinstance(model, UsedModel) and model.sha256 == record.model_sha256 else _NAMELESS
    touch = Touch.CORRECTED if review.is_corrected else Touch.ACCEPTED
    if review.decision is Decision.EXCLUDED and not review.is_corrected:
        touch = Touch.NONE
    return Author(name, record.model_sha256, touch, review.initials)


def _others(formats: Collection[str]) -> list[str]:
    """All formats but that of the mask itself."""
    return [name for name in formats if name != ALWAYS]
