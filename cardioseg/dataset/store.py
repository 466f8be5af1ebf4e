"""The prepared dataset on disk: `dataset.json` and one compressed `.npz` per subject, readable with NumPy alone.

`subjects/<subject_id>.npz` contains, for volume number i, `image_i` (slice, row, column), `mask_i` (`Label` values,
uint8) and `annotated_i` (slice, Label) bool; `dataset.json` describes each volume and its source.
"""

import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import ValidationError

from cardioseg.dataset.damage import damaged
from cardioseg.dataset.manifest import FORMAT, VERSION, Manifest, SubjectRecord, VolumeRecord
from cardioseg.errors import NoInputError, UnusableError, reason_of
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject

MANIFEST = "dataset.json"
_AGAIN = "run `cardioseg ingest` again"


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset: its folder and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The name of the dataset's source."""
        return self.manifest.name

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Subjects in sorted order."""
        return tuple(record.subject_id for record in self.manifest.subjects)

    @property
    def patient_of(self) -> dict[str, str]:
        """The patient of each subject: its own id, unless it is one of several studies of a patient."""
        records = self.manifest.subjects
        return {
            record.subject_id: record.subject_id if record.patient is None else record.patient for record in records
        }

    def subject(self, subject_id: str) -> Subject:
        """Read one subject.

        Raises:
            UnusableError: no such subject, or its file does not match the manifest.
        """
        record = next((record for record in self.manifest.subjects if record.subject_id == subject_id), None)
        if record is None:
            raise UnusableError(f"{self.folder}: no subject {subject_id}")
        return _read_subject(self.folder, record)

    def subjects(self) -> Iterator[Subject]:
        """Read the subjects one by one."""
        return (self.subject(subject_id) for subject_id in self.subject_ids)

    def content_sha256(self) -> str:
        """A hash of the subjects' pixels, labels and spacings, independent of their compression."""
        digest = sha256()
        for subject in self.subjects():
            for volume in subject.volumes:
                identity = (subject.subject_id, volume.name, volume.spacing_mm, volume.image.dtype, volume.image.shape)
                digest.update(repr(identity).encode(errors="surrogatepass"))
                for array in (volume.image, volume.mask, volume.annotated):
                    digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def sources(self) -> Iterator[Source]:
        """The subjects, not yet read; their patient is that of `patient_of`."""
        patient_of = self.patient_of
        for record in self.manifest.subjects:
            name = record.subject_id
            yield Source(name, name, partial(_read_subject, self.folder, record), patient_of[name])


def is_dataset(folder: Path) -> bool:
    """Whether the folder is a prepared dataset by its `dataset.json`; other tools write files of this name, too."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT


def open_dataset(folder: Path) -> Dataset:
    """Open a prepared dataset.

    Raises:
        NoInputError: the folder is not a prepared dataset.
        UnusableError: its manifest is damaged or of another version.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        hint = "`cardioseg ingest SOURCE -o DATASET` writes one"
        raise NoInputError(f"{folder} is not a prepared dataset", hint) from None
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {reason_of(error)}") from None
    except (ValueError, RecursionError) as error:
        raise UnusableError(damaged(path, error), _AGAIN) from None
    if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
        raise UnusableError(f"{folder} is not a version {VERSION} dataset", _AGAIN)
    try:
        return Dataset(folder, Manifest.model_validate(manifest))
    except ValidationError as error:
        raise UnusableError(damaged(path, error), _AGAIN) from None


def _read_subject(folder: Path, record: SubjectRecord) -> Subject:
    path = folder / record.file
    try:
        content = path.read_bytes()
    except OSError:
        raise UnusableError(f"{path} cannot be read", _AGAIN) from None
    if sha256(content).hexdigest() != record.sha256:
        raise UnusableError(f"{path} is not what the dataset says", _AGAIN)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            volumes = tuple(_volume(i, described, arrays) for i, described in enumerate(record.volumes))
    except (LookupError, TypeError, ValueError, EOFError, BadZipFile, zlib.error):
        raise UnusableError(f"{path} is damaged", _AGAIN) from None
    return Subject(record.subject_id, volumes, record.group)


def _volume(i: int, described: VolumeRecord, arrays: Any) -> LabelledVolume:  # noqa: ANN401 - NpzFile is untyped
    return LabelledVolume(
        name=described.name,
        image=arrays[f"image_{i}"],
        mask=arrays[f"mask_{i}"],
        annotated=arrays[f"annotated_{i}"],
        spacing_mm=described.spacing_mm,
        case_ids=described.case_ids,
        phase=described.phase,
        sources=described.sources,
        grid=described.grid.grid() if described.grid else None,
    )
