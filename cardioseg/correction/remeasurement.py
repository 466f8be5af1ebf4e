"""Remeasure: masks that somebody edited become numbers, flags and a report again, by the road of predicted ones."""

import time
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from cardioseg import __version__
from cardioseg.cases.case import other_names
from cardioseg.cases.chosen_phases import Choices
from cardioseg.cases.patients import Patients, completed
from cardioseg.cases.scan import is_at_place
from cardioseg.correction.edited_mask import present, read_edited
from cardioseg.correction.kept_review import kept_decision
from cardioseg.correction.moved_extremes import moved_extremes
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.files import first_free, sweep_partials
from cardioseg.image.labels import CONVENTIONS, Convention, Label
from cardioseg.ingest.finding.distinct_names import distinct_names
from cardioseg.ingest.labels.nnunet_dataset_json import stated_convention
from cardioseg.measure.case_measures import Measures
from cardioseg.results.all_cases import every_outcome
from cardioseg.results.case_pictures import remove_pictures, write_pictures
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.catalogue import Catalogue
from cardioseg.results.edits import is_predicted
from cardioseg.results.folder import CaseFolder, ResultsFolder, run_folder_of
from cardioseg.results.ledger import Ledger
from cardioseg.results.mask_files import MaskFolder, case_id, find_masks, no_masks, read_mask
from cardioseg.results.measured_mask import describe
from cardioseg.results.outcome import DONE, FAILED, Outcome, in_one
from cardioseg.results.run_record import RunRecord, read_run_record
from cardioseg.results.run_tables import write_summary


@dataclass(frozen=True)
class MeasureSettings:
    """What a person said of masks to measure.

    Attributes:
        choices: phases that a person chose.
        patients: what a person says of the patients.
        convention: what the numbers in the masks mean; None: as a `dataset.json` beside them says, else as in ACDC.
    """

    choices: Choices = Choices()  # noqa: RUF009 - frozen
    patients: Patients = Patients()  # noqa: RUF009 - frozen
    convention: Convention | None = None


def find_edited(masks: Path, out: Path) -> MaskFolder:
    """The masks at or below `masks`: what `predict` wrote, any folder of NIfTI masks, or one file.

    Those that are called alike are named after the folders that they lie in, too.

    Raises:
        NoInputError: there is none.
        UsageError: the results would be written over those of the prediction.
    """
    if not masks.exists():
        raise NoInputError(f"{masks}: no such file or folder", "give the folder that `cardioseg predict` wrote")
    mask_folder = _with_own_names(find_masks(masks))
    if any((out / name).resolve() == path.resolve().parent for name, path in mask_folder.paths.items()):
        raise UsageError(f"{out} holds the predicted numbers, which would be lost", "give another folder with -o")
    if not mask_folder.paths:
        raise no_masks(masks, "give the folder that `cardioseg predict` wrote")
    return mask_folder


def measure_all(
    mask_folder: MaskFolder,
    out: Path,
    settings: MeasureSettings = MeasureSettings(),
) -> Iterator[Outcome]:
    """Measure every mask, yielding what became of each; the summary is written when the last is done.

    The phases that were found when a mask was predicted stay where nobody chooses others.

    Args:
        mask_folder: the masks.
        out: gets `status.csv`, `measures.csv`, `run.json` and `report.html` of all cases in it, and per case
            `measures.json` and, where the scan is still at its place, `overlay.png`.
        settings: what a person said.

    Raises:
        NoInputError: a `dataset.json` beside the masks does not say what their numbers mean.
        UnusableError: a run's record beside the masks is damaged.
        UsageError: the settings have a convention, and `predict` wrote the masks.
        ResourceError: the disk refuses a write.
    """
    start = time.perf_counter()
    sweep_partials(out)
    convention = _convention(mask_folder, settings)
    labels = _labels(mask_folder, convention)
    results = ResultsFolder(out)
    catalogue, ledger = Catalogue(results, (mask_folder.root,)), Ledger((results.measured_ledger,))
    ledger.begin(RunRecord(), "")
    for name, path in mask_folder.paths.items():
        mask = MeasuredMask(path, (name, *other_names(name, path)), convention)
        with catalogue.folder_of(mask) as folder:
            outcome = _measure(mask, catalogue.naming(mask, folder.case_id), labels, folder, settings)
        ledger.add_outcome(outcome)
        yield outcome
    with every_outcome(results, ledger, is_at_place) as outcomes:
        seconds = time.perf_counter() - start
        write_summary(results, outcomes, _run_record(mask_folder, labels, convention, settings, seconds))
    ledger.remove()


def _convention(mask_folder: MaskFolder, settings: MeasureSettings) -> Convention:
    """What the numbers in the masks mean: as the user says, else as a card beside them says, else as in ACDC.

    Masks of `predict` have the numbers of ACDC.
    """
    if not any(map(is_predicted, mask_folder.paths.values())):
        return settings.convention or stated_convention(mask_folder.root) or CONVENTIONS["acdc"]
    if settings.convention is not None:
        what = f"--labels has no effect: `predict` wrote the masks in {mask_folder.root}"
        raise UsageError(what, "leave out --labels")
    return CONVENTIONS["acdc"]


def _with_own_names(mask_folder: MaskFolder) -> MaskFolder:
    """The same, with names of their own for the masks that are called alike."""
    clashing = [mask_folder.root / item.where for item in mask_folder.clashes]
    names = distinct_names([path.absolute().with_name(case_id(path)) for path in clashing])
    taken = {name.lower() for name in mask_folder.paths}
    own = {first_free(name, taken): path for name, path in zip(names, clashing, strict=True)}
    return MaskFolder(mask_folder.root, mask_folder.paths | own)


@dataclass(frozen=True)
class MeasuredMask:
    """A mask as a case of its own: a predicted one is that of its scan, whoever edited it; another that of its file.

    Attributes:
        path: the mask.
        names: its own name, and others to take where that is another's.
        convention: what its numbers mean, if `predict` did not write it.
    """

    path: Path
    names: tuple[str, ...]
    convention: Convention

    @property
    def source(self) -> str:
        """The mask, as the user gave it."""
        return str(self.path)

    @cached_property
    def input(self) -> str:
        """Which case it is."""
        record = read_case_record(CaseFolder(self.path.parent)) if is_predicted(self.path) else None
        if record and record.content:
            return record.content
        return sha256(str(self.path.absolute()).encode(errors="surrogateescape")).hexdigest()

    @property
    def content(self) -> str:
        """The same: it needs no pixels."""
        return self.input

    def is_also_at(self, record: CaseRecord) -> bool:
        """Whether the mask that a record of this content names is still that of the same case."""
        return record.source is not None and replace(self, path=Path(record.source)).content == self.content


def _labels(mask_folder: MaskFolder, convention: Convention) -> frozenset[Label]:
    """The model's structures; of a plain folder, those that are in any of its masks."""
    folder = run_folder_of(mask_folder.root)
    structures = read_run_record(folder).structures if folder else None
    if structures is not None:
        return structures
    labels: frozenset[Label] = frozenset()
    for path in mask_folder.paths.values():
        with suppress(UnusableError):  # it is said when the mask's turn comes
            labels |= present(read_mask(path, convention))
    return labels


def _measure(
    mask: MeasuredMask, naming: str, labels: frozenset[Label], folder: CaseFolder, settings: MeasureSettings
) -> Outcome:
    """One case, from the mask that is its source to its folder."""
    start, case = time.perf_counter(), Outcome(folder.case_id, mask.path, DONE)
    for path in (folder.record, folder.measures):
        path.unlink(missing_ok=True)
    remove_pictures(folder)
    moments, patients = settings.choices.of(folder.case_id), settings.patients
    try:
        edited = read_edited(mask.path, convention=mask.convention)
        settings.choices.require_within(folder.case_id, moments, edited.mask.phases)
        structures = labels | present(edited.mask)
        earlier = edited.earlier.measures if edited.earlier else Measures()
        wanted = moments.filled(edited.chosen)
        known = edited.acquisition
        asked = patients.asked_of(folder.case_id, has_reference_values=known.has_sex_or_age)
        acquisition = completed(known, asked)
        description = describe(edited.mask, structures, acquisition, wanted, edited.fold_curves_ml, earlier=earlier)
    except UnusableError as error:
        return replace(case, status=FAILED, reason=f"{error.message} ({error.hint or 'repair it, or leave it out'})")
    description.write(folder)
    if edited.image:
        measures, flags = description.measures, description.flags
        write_pictures(folder, edited.image, edited.mask, measures, flags=flags, title=case.case_id)
    moved = moved_extremes(description, wanted)
    decision, reviewed = kept_decision(edited, description.measures)
    own = ("edited" if edited.is_edited else "", _only_rv(mask, structures), reviewed, *edited.remarks)
    remarks = in_one(*own, moved, edited.no_image, patients.remark(acquisition))
    CaseRecord(
        content=mask.content, input=mask.input, source=mask.source, naming=naming, remark=remarks, decision=decision
    ).write(folder)
    return replace(case, reason=in_one(naming, remarks), seconds=time.perf_counter() - start, flags=description.flags)


def _only_rv(mask: MeasuredMask, structures: Set[Label]) -> str:
    """The remark that a mask of one label is read as the RV cavity; nothing else in the mask tells which it is."""
    if is_predicted(mask.path) or structures != {Label.RV_CAVITY} or mask.convention != CONVENTIONS["acdc"]:
        return ""
    rv = Label.RV_CAVITY.value
    return f"its only label is {rv}, measured as the RV cavity: if it is the LV cavity, use --labels mnms"


def _run_record(
    mask_folder: MaskFolder,
    labels: frozenset[Label],
    convention: Convention,
    settings: MeasureSettings,
    seconds: float,
) -> RunRecord:
    return RunRecord(
        version=__version__,
        masks=str(mask_folder.root),
        labels=[label.key for label in sorted(labels)],
        numbers={str(number): label.key for number, label in sorted(convention.items()) if label},
        chosen_phases=settings.choices.document(),
        seconds=round(seconds, 2),
    )
