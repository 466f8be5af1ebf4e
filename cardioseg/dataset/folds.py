"""Folds: divide subjects for cross validation, and prove that training and validation share no subject or image."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from cardioseg.errors import UsageError
from cardioseg.ingest.labels.subject import Subject


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


def split(subject_ids: Sequence[str], folds: int, seed: int, held_out: Iterable[str] = ()) -> tuple[Fold, ...]:
    """Divide subjects at random into `folds` groups whose sizes differ by one at most; each is validated once.

    A single fold trains on all subjects except `held_out` and validates on these.

    Raises:
        UsageError: fewer subjects than folds, less than one fold, or a held-out subject that does not exist.
    """
    if folds < 1:
        raise UsageError(f"{folds} folds were asked for; at least 1 is needed")
    held_out = sorted(set(held_out))
    unknown = [subject_id for subject_id in held_out if subject_id not in subject_ids]
    if unknown:
        raise UsageError(f"no subject {unknown[0]} in the dataset")
    remaining = sorted(set(subject_ids) - set(held_out))
    if len(remaining) < folds:
        needs = "1 fold needs at least 1 subject" if folds == 1 else f"{folds} folds need at least {folds} subjects"
        raise UsageError(f"{needs}, the dataset has {len(remaining)}")
    if folds == 1:
        return (Fold(0, tuple(remaining), tuple(held_out)),)
    groups = np.array_split(np.random.default_rng([seed, folds]).permutation(remaining), folds)
    parts = [tuple(sorted(map(str, group))) for group in groups]
    return tuple(Fold(i, tuple(sorted(set(remaining) - set(part))), part) for i, part in enumerate(parts))


def pixel_hashes(subject: Subject) -> frozenset[str]:
    """A hash of each annotated slice that is not constant; no hash may occur in two subjects.

    The intensities are hashed as float32, so that a copy in another number type has the same hash.
    """
    slices = (image for volume in subject.volumes for image in volume.image[volume.annotated.any(axis=1)])
    return frozenset(
        sha256(image.astype(np.float32).tobytes()).hexdigest() for image in slices if image.min() != image.max()
    )


def without_duplicates(fold: Fold, hashes: Mapping[str, frozenset[str]]) -> Fold:
    """The fold without validation subjects that are duplicates of training subjects.

    Public datasets contain duplicates: in ACDC, patients 074 and 076 are the same scan, drawn twice.
    """
    trained = frozenset[str]().union(*(hashes[subject_id] for subject_id in fold.train))
    duplicates = tuple(subject_id for subject_id in fold.validation if not trained.isdisjoint(hashes[subject_id]))
    validation = tuple(subject_id for subject_id in fold.validation if subject_id not in duplicates)
    return replace(fold, validation=validation, left_out=duplicates)


def prove_disjoint(fold: Fold, hashes: Mapping[str, frozenset[str]]) -> dict[str, object]:
    """Prove that training and validation share no subject and no image; returns the proof for `folds.json`.

    Raises:
        UsageError: they share a subject or an image; the message names the subjects.
    """
    shared = sorted(set(fold.train) & set(fold.validation))
    if shared:
        raise UsageError(f"fold {fold.index}: subject {shared[0]} is in training and validation")
    owner = {image: subject_id for subject_id in fold.train for image in hashes[subject_id]}
    for subject_id in fold.validation:
        duplicates = [owner[image] for image in hashes[subject_id] if image in owner]
        if duplicates:
            raise UsageError(
                f"fold {fold.index}: {subject_id} (validation) and {duplicates[0]} (training) share an image"
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
