"""Folds: divide subjects for cross validation, and prove that training and validation share no patient or image."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from types import MappingProxyType

import numpy as np

from cardioseg.errors import UsageError
from cardioseg.ingest.labels.subject import Subject

_EACH_A_PATIENT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Fold:
    """The subjects that one network is trained on, and the subjects that it is validated on.

    Attributes:
        index: 0-based.
        train: subject ids.
        validation: subject ids.
        left_out: ids of subjects that are in neither, because they are duplicates of subjects in `train`.
    """

    index: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def split(
    subject_ids: Sequence[str],
    folds: int,
    seed: int,
    held_out: Iterable[str] = (),
    patient_of: Mapping[str, str] = _EACH_A_PATIENT,
) -> tuple[Fold, ...]:
    """Divide patients at random into `folds` groups whose sizes differ by one at most; each is validated once.

    A single fold trains on all subjects except `held_out` and validates on these.

    Args:
        subject_ids: the subjects.
        folds: number of folds.
        seed: random seed.
        held_out: ids of subjects that are in no fold's training.
        patient_of: the patients of subjects that are studies of one patient; each other subject is a patient.

    Raises:
        UsageError: fewer patients than folds, less than one fold, a held-out subject that does not exist, or that is
            of the same patient as another subject.
    """
    if folds < 1:
        raise UsageError(f"{folds} folds were asked for; at least 1 is needed")
    held_out = sorted(set(held_out))
    unknown = [subject_id for subject_id in held_out if subject_id not in subject_ids]
    if unknown:
        raise UsageError(f"no subject {unknown[0]} in the dataset")
    remaining = sorted(set(subject_ids) - set(held_out))
    _refuse_divided(held_out, remaining, patient_of)
    patients = sorted({patient_of.get(subject_id, subject_id) for subject_id in remaining})
    if len(patients) < folds:
        noun = "subject" if len(patients) == len(remaining) else "patient"
        needs = f"1 fold needs at least 1 {noun}" if folds == 1 else f"{folds} folds need at least {folds} {noun}s"
        raise UsageError(f"{needs}, the dataset has {len(patients)}")
    if folds == 1:
        return (Fold(0, tuple(remaining), tuple(held_out)),)
    groups = np.array_split(np.random.default_rng([seed, folds]).permutation(patients), folds)
    parts = [tuple(one for one in remaining if patient_of.get(one, one) in group) for group in groups]
    return tuple(Fold(i, tuple(sorted(set(remaining) - set(part))), part) for i, part in enumerate(parts))


def _refuse_divided(held_out: Sequence[str], remaining: Sequence[str], patient_of: Mapping[str, str]) -> None:
    """Refuse to hold out only some of the studies of a patient."""
    for kept, other in product(held_out, remaining):
        if patient_of.get(kept, kept) == patient_of.get(other, other):
            hint = f"hold out all of them: --hold-out {','.join(sorted({*held_out, other}))}"
            raise UsageError(f"{kept} is held out, but {other} is of the same patient", hint)


def pixel_hashes(subject: Subject) -> frozenset[str]:
    """A hash of each annotated slice that is not constant; no hash may occur in two subjects.

    The intensities are hashed as float32, so that a copy in another number type has the same hash.
    """
    slices = (image for volume in subject.volumes for image in volume.image[volume.annotated.any(axis=1)])
    return frozenset(
        sha256(image.astype(np.float32).tobytes()).hexdigest() for image in slices if image.min() != image.max()
    )


def hashes_of(subjects: Iterable[Subject]) -> dict[str, frozenset[str]]:
    """The pixel hashes of each subject, by its id."""
    return {subject.subject_id: pixel_hashes(subject) for subject in subjects}


def divide(
    hashes: Mapping[str, frozenset[str]],
    folds: int,
    seed: int,
    held_out: Iterable[str] = (),
    patient_of: Mapping[str, str] = _EACH_A_PATIENT,
) -> tuple[Fold, ...]:
    """Divide a dataset as `split` does; no fold validates a duplicate of a subject that it trains on.

    Args:
        hashes: the pixel hashes of each subject of the dataset.
        folds: number of folds.
        seed: random seed.
        held_out: as for `split`.
        patient_of: as for `split`.

    Raises:
        UsageError: as `split`.
    """
    divided = split(tuple(hashes), folds, seed, held_out, patient_of)
    return tuple(without_duplicates(fold, hashes) for fold in divided)


def without_duplicates(fold: Fold, hashes: Mapping[str, frozenset[str]]) -> Fold:
    """The fold without validation subjects that are duplicates of training subjects.

    Public datasets contain duplicates: in ACDC, patients 074 and 076 are the same scan, drawn twice.
    """
    trained = frozenset[str]().union(*(hashes[subject_id] for subject_id in fold.train))
    duplicates = tuple(subject_id for subject_id in fold.validation if not trained.isdisjoint(hashes[subject_id]))
    validation = tuple(subject_id for subject_id in fold.validation if subject_id not in duplicates)
    return replace(fold, validation=validation, left_out=duplicates)


def prove_disjoint(
    fold: Fold, hashes: Mapping[str, frozenset[str]], patient_of: Mapping[str, str] = _EACH_A_PATIENT
) -> dict[str, object]:
    """Prove that training and validation share no patient and no image; returns the proof for `folds.json`.

    Args:
        fold: the fold.
        hashes: the hashes of the images of each subject.
        patient_of: as for `split`.

    Raises:
        UsageError: they share a subject, a patient or an image; the message names the subjects.
    """
    shared = sorted(set(fold.train) & set(fold.validation))
    if shared:
        raise UsageError(f"fold {fold.index}: subject {shared[0]} is in training and validation")
    trained = {patient_of.get(subject_id, subject_id): subject_id for subject_id in fold.train}
    for subject_id in fold.validation:
        if other := trained.get(patient_of.get(subject_id, subject_id)):
            raise UsageError(f"fold {fold.index}: {subject_id} (validation) and {other} (training) are one patient")
    owner = {image: subject_id for subject_id in fold.train for image in hashes[subject_id]}
    for subject_id in fold.validation:
        duplicates = [owner[image] for image in hashes[subject_id] if image in owner]
        if duplicates:
            raise UsageError(
                f"fold {fold.index}: {subject_id} (validation) and {duplicates[0]} (training) share an image",
                f"they are the same scan: hold out both with --hold-out {subject_id},{duplicates[0]}, or neither",
            )
    return {
        "shared_subjects": 0,
        "shared_images": 0,
        "train_images": sum(len(hashes[subject_id]) for subject_id in fold.train),
        "validation_images": sum(len(hashes[subject_id]) for subject_id in fold.validation),
    }


def subjects_sha256(subject_ids: Iterable[str]) -> str:
    """A hash that identifies a set of subjects without naming them."""
    return sha256("\n".join(sorted(subject_ids)).encode(errors="surrogatepass")).hexdigest()
