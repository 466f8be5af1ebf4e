"""Predict: one case from its files to its folder under OUT. A pure unit of work: nothing outside that folder changes.

Any process on any machine of one file system may do it; while one does, others that begin the same case wait.

A case is its content, so its folder is never given to another scan of the same name; see `Catalogue`. The commit record
`case.json` is written last. A case is done when its record verifies: same model, same scan, same version, same chosen
phases, all formats that are asked for, and the masks on disk are those that were written. A mask that somebody edited
is never written over unless that is asked for.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote

from cardioseg import __version__
from cardioseg.cases.case import Case
from cardioseg.cases.chosen_phases import said
from cardioseg.cases.patients import Patients, completed, given
from cardioseg.cases.scan import OTHER_HEADER, Scan
from cardioseg.cases.written_case import format_hashes, write_case
from cardioseg.correction.kept_review import kept_review, signed_by
from cardioseg.correction.renewed_correction import has_its_files, renew
from cardioseg.errors import UnusableError
from cardioseg.files import make_folder, sweep_partials
from cardioseg.image.labels import Label
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model
from cardioseg.measure.curves import Moments
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.case_record import CaseRecord, RecordedGrid, read_case_record
from cardioseg.results.catalogue import Catalogue
from cardioseg.results.description import Description, read_description
from cardioseg.results.edits import correction_kept, edit_kept, edited_file
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.formats import refers_to_images, remove_objects
from cardioseg.results.measured_mask import describe
from cardioseg.results.outcome import DONE, FAILED, Outcome, in_one

Report = Callable[[int, int], None]

_PATIENT_KEPT = "what is now said of its patient counts for an edited case if you give it to `cardioseg measure`"
_OUT_OF_MEMORY = "out of memory, even slice by slice (end other programs, or use a machine with more memory)"


def predict_case(
    case: Case,
    model: Model,
    out: Path,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    report: Report = lambda *_: None,
    *,
    catalogue: Catalogue | None = None,
) -> Outcome:
    """Segment, measure and draw one case into a folder of its own in `out`, unless that is done already.

    Args:
        case: what to read.
        model: what to run.
        out: the folder of all cases.
        settings: what a person asked for.
        report: called with the number of slices done and of all.
        catalogue: what lies in `out`, where several cases share it.

    Raises:
        ResourceError: the disk refuses a write; no later case would fare better.
    """
    make_folder(out)
    scan, catalogue = Scan(case), catalogue or Catalogue(ResultsFolder(out))
    try:
        with catalogue.folder_of(scan) as folder:
            return _settled(scan, model, folder, settings, catalogue, report=report)
    except UnusableError as error:
        return Outcome(catalogue.free_name(scan), case.source, FAILED, _failure(error, case))
    except MemoryError:
        return Outcome(catalogue.free_name(scan), case.source, FAILED, _OUT_OF_MEMORY)


def _settled(
    scan: Scan, model: Model, folder: CaseFolder, settings: Settings, catalogue: Catalogue, *, report: Report
) -> Outcome:
    """What became of a case: found done, predicted, or failed."""
    failed = Outcome(folder.case_id, scan.case.source, FAILED)
    try:
        asked = _asked(scan, model, folder, settings, catalogue)
        if earlier := _found(scan, folder, settings, asked, catalogue.folder):
            return earlier
        settings.choices.require_within(folder.case_id, Moments(**asked.chosen_phases), scan.cine.phases)
        return _predicted(scan, model, folder, asked, settings.patients, report=report)
    except UnusableError as error:
        return replace(failed, reason=_failure(error, scan.case))
    except MemoryError:
        return replace(failed, reason=_OUT_OF_MEMORY)


def _asked(scan: Scan, model: Model, folder: CaseFolder, settings: Settings, catalogue: Catalogue) -> CaseRecord:
    """The record of the case as far as it can be said before the scan is read; what earlier runs were asked counts."""
    name, earlier = folder.case_id, read_case_record(folder) or CaseRecord()
    chosen_before = Moments() if earlier.is_corrected else Moments(**earlier.chosen_phases)
    return CaseRecord(
        input=scan.input,
        source=scan.source if settings.paths else None,
        run=catalogue.run,
        naming=catalogue.naming(scan, name),
        cardioseg=__version__,
        model_sha256=model.card.sha256,
        chosen_phases=asdict(settings.choices.of(name, chosen_before)),
        formats=tuple(sorted({*settings.formats, *earlier.formats})),
        patient=settings.patients.with_earlier(name, earlier.patient),
    )


def _found(
    scan: Scan, folder: CaseFolder, settings: Settings, asked: CaseRecord, results: ResultsFolder
) -> Outcome | None:
    """What an earlier run made of the case, if its record verifies for this one or a person changed it since."""
    record = read_case_record(folder)
    if record is None:
        return None
    edited, outdated = edited_file(folder.mask, record), ""
    if (edited or record.is_corrected) and not settings.discard_edits:
        _described(folder, edited or folder.mask.name)
        outdated = OTHER_HEADER if edited and scan.has_other_header(record) else ""
        remade = "" if edited or record.interrupted else renew(results, folder, record, scan, asked.formats)
        description = read_description(folder)
        record = read_case_record(folder) or record
        decided = record.interrupted or (edit_kept(edited) if edited else correction_kept(record, description))
        why = in_one(decided, remade, outdated)
        is_new = settings.patients.with_earlier(folder.case_id, record.patient) != record.patient
        kept = in_one(why, _PATIENT_KEPT if is_new else "")
    elif edited or record.is_corrected or settings.overwrite or not _verifies(record, asked, folder, scan):
        return None
    else:
        try:
            description, kept = read_description(folder), ""
        except UnusableError:  # it is written anew
            return None
    naming = record.naming if record.source == asked.source else asked.naming
    is_in_its_place = record.input == asked.input and folder.case_id == scan.names[0]
    run = record.run if is_in_its_place else asked.run
    changes = {"source": asked.source, "run": run, "naming": naming, "outdated": outdated}
    found = {} if outdated else {"input": asked.input}  # while the measures are those of the old header, it is compared
    updated = record.model_copy(update=changes | found)
    if updated != record:  # the scan was moved, or exported again
        updated.write(folder)
    remark = kept or in_one(record.reviewed(description.measures), record.remark)
    return _outcome(scan.case, folder.case_id, description, in_one(naming or asked.naming, remark))


def _described(folder: CaseFolder, edited: str) -> Description:
    """The description of an edited case, which cannot be made anew without losing the edit."""
    try:
        return read_description(folder)
    except UnusableError as error:
        hint = "--discard-edits predicts it again; the edit is lost"
        raise UnusableError(f"{edited} was edited and is kept, but {error.message}", hint) from None


def _verifies(record: CaseRecord, asked: CaseRecord, folder: CaseFolder, scan: Scan) -> bool:
    """Whether an earlier run did what is asked for, and what it wrote is there."""
    same = ("cardioseg", "model_sha256")
    if record.interrupted or any(getattr(record, name) != getattr(asked, name) for name in same):
        return False
    if not _has_phases(record, asked, folder):
        return False
    if not set(asked.formats) <= set(record.formats) or asked.patient != record.patient:
        return False
    if not has_its_files(folder, record):
        return False
    if record.input == asked.input:
        return True
    return not refers_to_images(record.formats) and record.header == scan.header


def _has_phases(record: CaseRecord, asked: CaseRecord, folder: CaseFolder) -> bool:
    """Whether the phases that are chosen now were chosen before, or are those of both ventricles anyway."""
    if record.chosen_phases == asked.chosen_phases:
        return True
    try:
        measures = read_description(folder).measures
    except UnusableError:
        return False
    ventricles = [asdict(measures.moments(label)) for label in (Label.LV_CAVITY, Label.RV_CAVITY)]
    return all(
        phase == record.chosen_phases.get(name)
        or (phase is not None and {beat[name] for beat in ventricles} - {None} == {phase})
        for name, phase in asked.chosen_phases.items()
    )


def _predicted(
    scan: Scan, model: Model, folder: CaseFolder, asked: CaseRecord, patients: Patients, *, report: Report
) -> Outcome:
    start = time.perf_counter()
    case, cine, moments = scan.case, scan.cine, Moments(**asked.chosen_phases)
    segmented = segment(cine, model, report, missing=case.missing)
    mask = segmented.mask
    stack = case.series.stack if case.series else None
    acquisition = completed(case.acquisition, asked.patient, stack)
    description = describe(mask, model.card.structures, acquisition, moments, segmented.fold_curves_ml)
    earlier = read_case_record(folder) or CaseRecord()
    review, lost = kept_review(folder, earlier, mask, description.measures)
    _clear(folder)
    author = signed_by(model.card.name, model.card.sha256, review)
    remark = write_case(folder, scan, mask, description, author, formats=asked.formats)
    remark = in_one(remark, said(moments), given(asked.patient), patients.remark(acquisition), lost)
    said_of_scan = {"content": scan.content, "header": scan.header, "grid": RecordedGrid.of(mask.grid)}
    written = {"remark": remark, "sha256": format_hashes(folder), "review": review}
    record = asked.model_copy(update=said_of_scan | written)
    scan.require_unchanged()
    record.write(folder)
    remarks = in_one(asked.naming, record.reviewed(description.measures), remark)
    return _outcome(case, folder.case_id, description, remarks, time.perf_counter() - start)


def _clear(folder: CaseFolder) -> None:
    """Remove what an earlier run wrote. Its mask stays until the new one replaces it."""
    sweep_partials(folder.path)
    for path in (folder.record, folder.predicted_mask):
        path.unlink(missing_ok=True)
    remove_objects(folder)


def _outcome(case: Case, name: str, description: Description, remarks: str, seconds: float = 0.0) -> Outcome:
    return Outcome(name, case.source, DONE, remarks, seconds, description.flags)


def _failure(error: UnusableError, case: Case) -> str:
    """Why a case failed, and what to do."""
    inspect = f"`cardioseg inspect {quote(str(case.source))}` says more; export the series again, or leave it out"
    remedy = error.hint or (inspect if case.series else "convert it again from its source, or leave it out")
    return f"{error.message} ({remedy})"
