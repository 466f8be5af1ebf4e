"""Preparation: read and write each subject with an executor, and write the manifest at the end."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from cardioseg import __version__
from cardioseg.dataset.manifest import FORMAT, VERSION, Manifest, PreparedGrid, SubjectRecord, VolumeRecord
from cardioseg.dataset.same_patient import remarks, same_patients
from cardioseg.dataset.store import MANIFEST, open_dataset
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.execution.executor import Executor, Lost
from cardioseg.execution.in_process import Here
from cardioseg.files import safe_name, sweep_partials, write_bytes, write_json
from cardioseg.image.labels import STRUCTURES
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject
from cardioseg.skipped import Skipped, reasons


@dataclass(frozen=True)
class Prepared:
    """A subject that was written.

    Attributes:
        record: its entry in the manifest.
        skipped: parts of its source that were not used.
        counts: the counts of its layout.
        unknown_moments: why none of its volumes is called ED or ES, or "".
    """

    record: SubjectRecord
    skipped: tuple[Skipped, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    unknown_moments: str = ""


@dataclass(frozen=True)
class Preparation:
    """Reads a subject and writes it into `folder`."""

    folder: Path

    def prepare(self) -> None:
        """Do nothing."""

    def __call__(self, source: Source) -> Prepared | Skipped:
        """Read and write the subject; a subject without a volume is skipped."""
        subject = source.read()
        if isinstance(subject, Skipped):
            return subject
        if not subject.volumes:
            return Skipped(source.where, reasons(subject.skipped) or "it has no volume")
        record = _write_subject(self.folder, subject)
        return Prepared(record, subject.skipped, subject.counts, subject.unknown_moments)


def write_dataset(
    folder: Path,
    name: str,
    layout: str,
    sources: Iterable[Source | Skipped],
    executor: Executor = Here(),  # noqa: B008 - frozen
    *,
    remark: str = "",
) -> Iterator[Prepared | Skipped]:
    """Write the subjects of a layout and yield the outcome of each; the manifest is written last.

    Writing the same source again gives the same bytes on any machine; subjects that are no longer in it are removed.

    Args:
        folder: where to write.
        name: of the dataset.
        layout: of its sources.
        sources: the subjects, not yet read, and what is left out.
        executor: reads and writes the subjects.
        remark: what else the manifest says of where the labels come from; nothing if it is empty.

    Raises:
        NoInputError: the source has no subject with a volume.
        UsageError: it has a subject twice.
    """
    sweep_partials(folder)
    previous = _files_in_manifest(folder)
    records: list[SubjectRecord] = []
    skipped: list[Skipped] = []
    patient_keys: dict[str, str | None] = {}
    for source, result in executor.map(Preparation(folder), _unique_sources(sources, skipped)):
        outcome = Skipped(source.where, result.reason) if isinstance(result, Lost) else result
        skipped += [outcome] if isinstance(outcome, Skipped) else outcome.skipped
        if isinstance(outcome, Prepared):
            records.append(outcome.record)
            patient_keys[outcome.record.subject_id] = source.patient
        yield outcome
    if not records:
        raise _nothing_found(skipped)
    origin = {"name": name, "layout": layout} | ({"remark": remark} if remark else {})
    _write_manifest(folder, origin, _with_patients(records, patient_keys), tuple(remarks(patient_keys)), skipped)
    for file in previous - {record.file for record in records}:
        (folder / file).unlink(missing_ok=True)


def _nothing_found(skipped: list[Skipped]) -> NoInputError:
    problems = [f"{item.where}: {item.why}" for item in skipped]
    if not problems:
        return NoInputError("no labelled subject was found", "does the folder hold masks or contours?")
    first, remaining = problems[0], len(problems) - 1
    more = f" (and {remaining} more that cannot be used)" if remaining else ""
    return NoInputError(f"no labelled subject can be used: {first}{more}", reasons=problems)


def _unique_sources(sources: Iterable[Source | Skipped], skipped: list[Skipped]) -> Iterator[Source]:
    """The sources of subjects, each once; skipped parts are added to `skipped`."""
    files: set[str] = set()
    for source in sources:
        if isinstance(source, Skipped):
            skipped.append(source)
            continue
        file = _file(source.subject_id).lower()  # many file systems ignore case
        if file in files:
            raise UsageError(
                f"subject {source.subject_id} is in the sources twice", "rename one of them, or prepare two datasets"
            )
        files.add(file)
        yield source


def _with_patients(records: list[SubjectRecord], keys: Mapping[str, str | None]) -> list[SubjectRecord]:
    """The records; each that shares its patient with others names the patient."""
    patients = same_patients(keys)
    return [
        record.model_copy(update={"patient": patients[record.subject_id]}) if record.subject_id in patients else record
        for record in records
    ]


def _write_manifest(
    folder: Path,
    origin: Mapping[str, str],
    records: list[SubjectRecord],
    patient_remarks: Sequence[Skipped],
    skipped: list[Skipped],
) -> None:
    said = {"patient_remarks": patient_remarks} if patient_remarks else {}
    in_order = sorted(skipped, key=lambda left_out: (left_out.where, left_out.why))
    subjects = sorted(records, key=lambda record: record.subject_id)
    head = {"format": FORMAT, "version": VERSION, "cardioseg": __version__, **origin}
    manifest = Manifest.model_validate(head | said | {"subjects": tuple(subjects), "skipped": tuple(in_order)})
    write_json(folder / MANIFEST, manifest.document())


def _files_in_manifest(folder: Path) -> set[str]:
    """The files of an earlier dataset in the folder; files that no manifest lists are never removed."""
    try:
        return {record.file for record in open_dataset(folder).manifest.subjects}
    except (NoInputError, UnusableError):
        return set()


def _write_subject(folder: Path, subject: Subject) -> SubjectRecord:
    arrays: dict[str, Any] = {}
    for i, volume in enumerate(subject.volumes):
        arrays |= {f"image_{i}": volume.image, f"mask_{i}": volume.mask, f"annotated_{i}": volume.annotated}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    file = _file(subject.subject_id)
    write_bytes(folder / file, stream.getvalue())
    return SubjectRecord(
        subject_id=subject.subject_id,
        group=subject.group,
        file=file,
        sha256=sha256(stream.getvalue()).hexdigest(),
        volumes=tuple(_describe(volume) for volume in subject.volumes),
    )


def _file(subject_id: str) -> str:
    """The file name: the subject's id if this is a safe name in ASCII, else a safe form of it with a hash."""
    name = safe_name(subject_id.encode("ascii", "replace").decode())
    if name != subject_id:
        name += "-" + sha256(subject_id.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"subjects/{name}.npz"


def _describe(volume: LabelledVolume) -> VolumeRecord:
    slices, rows, columns = volume.image.shape
    return VolumeRecord(
        name=volume.name,
        shape=(slices, rows, columns),
        spacing_mm=volume.spacing_mm,
        phase=volume.phase,
        labels=volume.drawn_labels,
        annotated_slices=int(volume.drawn[:, STRUCTURES].any(axis=1).sum()),
        case_ids=volume.case_ids,
        sources=volume.sources,
        grid=PreparedGrid.of(volume.grid) if volume.grid else None,
    )
