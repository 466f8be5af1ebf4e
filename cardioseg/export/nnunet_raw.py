"""nnU-Net raw: a prepared dataset as nnU-Net's second version takes it, with the folds of `train`.

`imagesTr/<case>_0000.nii.gz`, `labelsTr/<case>.nii.gz`, `dataset.json` and `splits_final.json`. nnU-Net looks for the
splits in its folder of preprocessed data. A case is one phase of one subject; all cases of a subject are in the same
fold.

What no expert annotated has nnU-Net's ignore label, which its loss and its scores leave out: slices without any
annotation, and on slices where only some of the structures are annotated, all pixels but those of these. A structure
that is drawn on no slice of a volume with several slices does not count as annotated there.

Source: nnU-Net's documentation, dataset_format.md, ignore_label.md and manual_data_splits.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.dataset.folds import divide, hashes_of
from cardioseg.dataset.store import Dataset
from cardioseg.errors import UnusableError, UsageError
from cardioseg.files import first_free, safe_name, write_json
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.skipped import Skipped

IGNORE = "ignore"
CARD, SPLITS = "dataset.json", "splits_final.json"
_NO_SPACING = "the distance between its pixels is not known"
_NOTHING_DRAWN = "no expert annotated anything on it"


@dataclass(frozen=True)
class WrittenSubject:
    """What was written of a subject.

    Attributes:
        subject_id: of the subject.
        cases: the names of its cases.
        ignored_slices: slices that have the ignore label, wholly or in part.
        skipped: volumes that cannot be cases.
    """

    subject_id: str
    cases: tuple[str, ...]
    ignored_slices: int
    skipped: tuple[Skipped, ...]


def numbers_of(dataset: Dataset) -> dict[Label, int]:
    """The number of each structure that is drawn anywhere in the dataset, in nnU-Net's masks: from 1, no gaps.

    The subjects are read: the manifest of an older version also lists structures that were not drawn.
    """
    drawn = {label for subject in dataset.subjects() for volume in subject.volumes for label in volume.drawn_labels}
    return {label: number for number, label in enumerate(sorted(drawn), start=1)}


def write_raw(dataset: Dataset, folder: Path, name: str, folds: int, seed: int) -> Iterator[WrittenSubject]:
    """Write the dataset and yield each subject when it is written; the splits and `dataset.json` are written last.

    Args:
        dataset: what to write.
        folder: an empty one, or one that is not there yet.
        name: of the dataset, for people.
        folds: how many.
        seed: of the folds.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: a subject's file is damaged, or no volume can be a case.
        UsageError: there are files in the folder, or there are fewer subjects than folds.
    """
    if folder.exists() and any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*")):
        raise UsageError(f"{folder} is not empty", "nnU-Net would train on its files, too: give another folder")
    divided = divide(hashes_of(dataset.subjects()), folds, seed, patient_of=dataset.patient_of)
    numbers, taken = numbers_of(dataset), set[str]()
    written = []
    for subject in dataset.subjects():
        written.append(_write_subject(folder, subject, numbers, taken))
        yield written[-1]
    cases = {subject.subject_id: subject.cases for subject in written}
    if not any(cases.values()):
        raise UnusableError(f"{dataset.folder}: none of its volumes can be a case of nnU-Net")
    write_json(
        folder / SPLITS,
        [{"train": _cases_of(fold.train, cases), "val": _cases_of(fold.validation, cases)} for fold in divided],
    )
    has_ignored = any(subject.ignored_slices for subject in written)
    write_json(folder / CARD, _card(name, numbers, sum(map(len, cases.values())), has_ignored=has_ignored))


def masked(volume: LabelledVolume, numbers: Mapping[Label, int]) -> NDArray[np.uint8]:
    """The mask of a volume in nnU-Net's numbers; the ignore label is the highest.

    Args:
        volume: whose mask it is.
        numbers: as `numbers_of` gives them.
    """
    ignored, drawn = len(numbers) + 1, volume.drawn
    by_label = np.full((len(volume.mask), len(Label)), ignored, np.uint8)  # (slice, Label)
    for label, number in numbers.items():
        by_label[drawn[:, label], label] = number
    by_label[drawn[:, list(numbers)].all(axis=1), Label.BACKGROUND] = 0
    return np.asarray(by_label[np.arange(len(volume.mask))[:, None, None], volume.mask])


def _write_subject(folder: Path, subject: Subject, numbers: Mapping[Label, int], taken: set[str]) -> WrittenSubject:
    cases: list[str] = []
    skipped: list[Skipped] = []
    ignored_slices = 0
    for volume in subject.volumes:
        name = f"{subject.subject_id}_{volume.name}" if volume.name else subject.subject_id
        if not volume.drawn_labels or volume.spacing_mm is None:
            skipped.append(Skipped(name, _NO_SPACING if volume.drawn_labels else _NOTHING_DRAWN))
            continue
        case, mask, grid = first_free(safe_name(name), taken), masked(volume, numbers), volume.grid_or_nominal()
        write_volume(folder / "imagesTr" / f"{case}_0000.nii.gz", Volume(volume.image, grid))
        write_volume(folder / "labelsTr" / f"{case}.nii.gz", Volume(mask, grid))
        cases.append(case)
        ignored_slices += int((mask > len(numbers)).any(axis=(1, 2)).sum())
    return WrittenSubject(subject.subject_id, tuple(cases), ignored_slices, tuple(skipped))


def _cases_of(subject_ids: Sequence[str], cases: Mapping[str, Sequence[str]]) -> list[str]:
    return [case for subject_id in subject_ids for case in cases[subject_id]]


def _card(name: str, numbers: Mapping[Label, int], count: int, *, has_ignored: bool) -> dict[str, Any]:
    ignored = {IGNORE: len(numbers) + 1} if has_ignored else {}
    return {
        "name": name,
        "channel_names": {"0": "cine MR"},  # any name but CT: each image is normalised by itself
        "labels": {"background": 0} | {label.title: number for label, number in numbers.items()} | ignored,
        "numTraining": count,
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "SimpleITKIO",
    }
