"""Reviewed subjects: predicted cases whose masks a person accepted or corrected in `review`, as labels for training."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cardioseg.cases.scan import recorded_scan
from cardioseg.correction.edited_mask import EditedMask, present, read_edited
from cardioseg.errors import NoInputError, UnusableError
from cardioseg.image.alignment import aligned
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.ingest.dicom.patient_key import patient_key
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.measure.case_measures import Measures
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.edits import edited_file
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.review_record import Decision, Review
from cardioseg.results.run_record import RunRecord, UsedModel, known_run_record
from cardioseg.skipped import Skipped

LAYOUT = "reviewed"
_HASH = 12  # characters
_NOT_RESULTS = "give the folder that `cardioseg predict` wrote and whose cases were saved in `cardioseg review`"
_NOT_REVIEWED = "nobody has reviewed it"
_NO_PLACE = "the results do not say where its scan lies: predict it again without --no-paths"
_LOST = "the network's own mask is lost, so only ED and ES are taken, whatever else was corrected"
_NO_PHASE = "neither its end-diastole nor its end-systole is known"


@dataclass(frozen=True)
class ReviewedCase:
    """A case that a person accepted or corrected.

    Attributes:
        results: the folder of all cases.
        folder: of the case.
        record: of which scan it is.
        review: what the person decided.
    """

    results: ResultsFolder
    folder: CaseFolder
    record: CaseRecord
    review: Review

    @property
    def where(self) -> str:
        """The path of its folder."""
        return str(self.folder.path)

    @property
    def model(self) -> str:
        """The name of the model that predicted it, or the beginning of its hash."""
        model = self._run.model
        return model.name if isinstance(model, UsedModel) else f"model {self.record.model_sha256[:_HASH]}"

    @property
    def structures(self) -> frozenset[Label] | None:
        """The structures that its model segments; None if this is not known."""
        return self._run.structures

    @property
    def _run(self) -> RunRecord:
        """What is known of the run that predicted it; nothing if the last run in the folder used another model."""
        run = known_run_record(self.results)
        return run if run.model_sha256 == self.record.model_sha256 else RunRecord()


@dataclass(frozen=True)
class ReviewedSubjects:
    """The subjects for training in some folders of results.

    Attributes:
        sources: a subject for each case that was accepted or corrected, not yet read; and what is left out, and why.
        models: the names of the models that predicted these cases.
    """

    sources: tuple[Source | Skipped, ...]
    models: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """Where the masks come from, for people who use the dataset."""
        return f"the masks are predictions of {', '.join(self.models)} that a person accepted or corrected"


def find_reviewed(folders: Iterable[Path]) -> ReviewedSubjects:
    """Find the cases that a person accepted or corrected. Of cases with the same images, one becomes a subject.

    Raises:
        NoInputError: a folder does not exist, or holds no results of `predict`.
    """
    cases: list[ReviewedCase] = []
    sources: list[Source | Skipped] = []
    for folder in folders:
        for case in _cases_in(folder):
            if isinstance(case, Skipped):
                sources.append(case)
            else:
                cases.append(case)
    chosen: dict[str, ReviewedCase] = {}
    for case in sorted(cases, key=lambda case: case.review.decision is not Decision.CORRECTED):
        same = chosen.setdefault(case.record.content or case.where, case)
        if same is case:
            sources.append(Source(case.folder.case_id, case.where, partial(_subject, case), _patient(case.record)))
        else:
            sources.append(Skipped(case.where, f"it has the same images as {same.where}, so both are one subject"))
    return ReviewedSubjects(tuple(sources), tuple(sorted({case.model for case in chosen.values()})))


def _patient(record: CaseRecord) -> str | None:
    """The patient key of the scan; None if the scan is not DICOM, or is no longer where it was."""
    scan = recorded_scan(record)
    return patient_key(scan.case.series.headers[0].path) if scan and scan.case.series else None


def _cases_in(folder: Path) -> Iterator[ReviewedCase | Skipped]:
    if not folder.is_dir():
        raise NoInputError(f"{folder}: no such folder")
    results = ResultsFolder(folder)
    cases = results.cases()
    if not cases:
        raise NoInputError(f"{folder} holds no results of `cardioseg predict`", _NOT_RESULTS)
    for case in cases:
        record, where = read_case_record(case), str(case.path)
        if record is None:
            yield Skipped(where, "its record cannot be read: predict it again")
        elif record.review is None:
            yield Skipped(where, _NOT_REVIEWED)
        elif record.review.decision is Decision.EXCLUDED:
            yield Skipped(where, record.review.remark(Measures()))
        else:
            yield ReviewedCase(results, case, record, record.review)


def _subject(case: ReviewedCase) -> Subject:
    if case.record.interrupted:
        raise UnusableError(case.record.interrupted)
    if edit := edited_file(case.folder.mask, case.record):
        hint = "save the case in `cardioseg review` first, or remove the file if it is no edit"
        raise UnusableError(f"{edit} was changed by another program after the review", hint)
    labelled = read_edited(case.folder.mask)
    if labelled.image is None or labelled.earlier is None:
        raise UnusableError(_lost_scan(case.record))
    phases = _phases(case, labelled.mask, labelled.image, labelled.earlier.measures)
    if not phases:
        raise UnusableError(_NO_PHASE)
    structures = case.structures or frozenset(labelled.earlier.curves_ml)
    volumes = (
        _volume(case, labelled, labelled.image, phase, name=name, structures=structures)
        for phase, name in phases.items()
    )
    skipped = (Skipped(case.where, _LOST),) if case.review.changed_voxels is None else ()
    counts = ((f"{case.review.decision} masks", len(phases)),)
    return Subject(case.folder.case_id, tuple(volumes), skipped=skipped, counts=counts)


def _lost_scan(record: CaseRecord) -> str:
    if record.source is None:
        return _NO_PLACE
    relative = "" if Path(record.source).is_absolute() else " (a relative path: start `ingest` where `predict` ran)"
    return f"its scan is no longer in {record.source}, or was changed{relative}: predict it again where it is now"


def _phases(case: ReviewedCase, mask: Cine, image: Cine, measures: Measures) -> Mapping[int, str]:
    """The phases that a person has most likely looked at, and their names: ED, ES, and those that were corrected."""
    moments = {measures.ed_phase: "ed", measures.es_phase: "es"}
    if mask.phases == 1:
        return {0: moments.get(0, "")}
    named = {phase: name for phase, name in moments.items() if phase is not None}
    if not case.review.changed_voxels:
        return named
    predicted = read_mask(case.folder.predicted_mask)
    predicted = aligned(predicted, image.grid, image.grid.rounding_mm) or predicted
    changed = np.flatnonzero((mask.voxels != predicted.voxels).any(axis=(1, 2, 3))).tolist()
    return named | {phase: f"phase{phase:02d}" for phase in changed if phase not in named}


def _volume(
    case: ReviewedCase, labelled: EditedMask, image: Cine, phase: int, *, name: str, structures: frozenset[Label]
) -> LabelledVolume:
    """One phase; a structure that a person added to those of the model is annotated where it was drawn."""
    mask = labelled.mask.phase(phase)
    labels = structures | present(Cine(mask.voxels[None], mask.grid))
    missing = labelled.acquisition.missing
    annotated = annotation(len(mask.voxels), labels)
    annotated[list(missing)] = False
    source = f"{case.folder.case_id}/{case.folder.mask.name}"
    return LabelledVolume(
        name=name,
        image=image.voxels[phase],
        mask=mask.voxels.astype(np.uint8),
        annotated=annotated,
        spacing_mm=image.grid.spacing_mm,
        case_ids=(case.folder.case_id,),
        phase=phase if image.phases > 1 else None,
        sources=tuple("" if index in missing else source for index in range(len(mask.voxels))),
        grid=image.grid,
    )
