"""No fold trains on what it validates on, and every subject is validated once."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from drawing import noise_subject, noise_volume
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.dataset.folds import (
    Fold,
    divide,
    hashes_of,
    pixel_hashes,
    prove_disjoint,
    split,
    subjects_sha256,
    without_duplicates,
)
from cardioseg.errors import UsageError
from cardioseg.ingest.labels.subject import Subject

few = settings(max_examples=40, deadline=None, database=None)
ids = st.sets(st.text("abcSC-0123é", min_size=1, max_size=8), min_size=1, max_size=40).map(sorted)
seeds = st.integers(0, 2**64)


@few
@given(ids, st.integers(2, 10), seeds, st.data())
def test_every_subject_is_validated_exactly_once(
    subject_ids: list[str], folds: int, seed: int, data: st.DataObject
) -> None:
    held_out = data.draw(st.sets(st.sampled_from(subject_ids)))
    remaining = set(subject_ids) - held_out
    if len(remaining) < folds:
        with pytest.raises(UsageError, match=f"{folds} folds need at least {folds} subjects, .* {len(remaining)}$"):
            split(subject_ids, folds, seed, held_out)
        return
    parts = split(subject_ids, folds, seed, held_out)
    assert [part.index for part in parts] == list(range(folds))
    assert Counter(subject for part in parts for subject in part.validation) == Counter(remaining)
    sizes = [len(part.validation) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for part in parts:
        assert set(part.train) | set(part.validation) == remaining
        assert not set(part.train) & set(part.validation)
        assert all(type(subject) is str for subject in part.train + part.validation)
        assert (list(part.train), list(part.validation)) == (sorted(part.train), sorted(part.validation))


@few
@given(ids.filter(lambda subject_ids: len(subject_ids) > 2), seeds, st.randoms())
def test_folds_depend_on_the_seed_and_not_on_the_order(subject_ids: list[str], seed: int, order: object) -> None:
    shuffled = subject_ids + subject_ids[:2]
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split(shuffled, 2, seed) == split(subject_ids, 2, seed)


def test_another_seed_gives_other_folds() -> None:
    subject_ids = [f"s{i}" for i in range(30)]
    assert len({split(subject_ids, 3, seed) for seed in range(10)}) == 10


@few
@given(ids, seeds, st.data())
def test_one_fold_trains_on_all_but_the_held_out(subject_ids: list[str], seed: int, data: st.DataObject) -> None:
    held_out = data.draw(st.sets(st.sampled_from(subject_ids), max_size=len(subject_ids) - 1))
    remaining = tuple(sorted(set(subject_ids) - held_out))
    assert split(subject_ids, 1, seed, held_out) == (Fold(0, remaining, tuple(sorted(held_out))),)


def test_what_cannot_be_split() -> None:
    with pytest.raises(UsageError, match="no subject z in the dataset"):
        split(["a", "b"], 2, 0, ["z"])
    with pytest.raises(UsageError, match="1 fold needs at least 1 subject, the dataset has 0"):
        split(["a"], 1, 0, ["a"])
    for folds in (0, -1):
        with pytest.raises(UsageError, match="at least 1 is needed"):
            split(["a", "b"], folds, 0)


def hashes(*subjects: Subject) -> dict[str, frozenset[str]]:
    return {subject.subject_id: pixel_hashes(subject) for subject in subjects}


A, B, C = (noise_subject(name, seed, volumes=2) for seed, name in enumerate("abc"))
FOLD = Fold(1, ("a", "b"), ("c",))


def with_slice(subject: Subject, copied: np.ndarray, position: int) -> Subject:
    volume = subject.volumes[-1]
    image = volume.image.astype(copied.dtype)
    image[position] = copied
    return replace(subject, volumes=(*subject.volumes[:-1], replace(volume, image=image)))


def test_disjoint_folds_are_proven() -> None:
    proof = prove_disjoint(FOLD, hashes(A, B, C))
    assert proof == {"shared_subjects": 0, "shared_images": 0, "train_images": 8, "validation_images": 4}


@pytest.mark.parametrize("kind", ["i2", ">i4", "f4", "f8"])
@pytest.mark.parametrize("position", [0, 1])
def test_a_copied_image_is_found_in_any_number_type(kind: str, position: int) -> None:
    twin = with_slice(C, B.volumes[0].image[1].astype(kind), position)
    with pytest.raises(UsageError, match=r"^fold 1: c \(validation\) and b \(training\) share an image") as refused:
        prove_disjoint(FOLD, hashes(A, B, twin))
    assert "hold out both with --hold-out c,b" in refused.value.hint
    prove_disjoint(Fold(0, ("b", "c"), ("a",)), hashes(A, B, twin))  # both on one side


def test_twins_of_training_are_left_out_of_validation() -> None:
    twin = with_slice(C, B.volumes[0].image[1], 0)
    fold = Fold(0, ("b",), ("a", "c"))
    assert without_duplicates(fold, hashes(A, B, twin)) == Fold(0, ("b",), ("a",), left_out=("c",))
    assert without_duplicates(fold, hashes(A, B, C)) == fold


def test_a_slice_without_a_reference_or_of_one_grey_is_no_leak() -> None:
    unannotated = with_slice(C, B.volumes[0].image[1], 2)
    grey = np.full_like(B.volumes[0].image[0], 7)
    for pair in ((B, unannotated), (with_slice(B, grey, 0), with_slice(C, grey, 0))):
        assert prove_disjoint(FOLD, hashes(A, *pair))["shared_images"] == 0


def test_a_subject_on_both_sides_is_found() -> None:
    with pytest.raises(UsageError, match="fold 0: subject a is in training and validation"):
        prove_disjoint(Fold(0, ("a", "b"), ("a", "c")), hashes(A, B, C))


@few
@given(st.integers(2, 6), seeds)
def test_folds_of_a_dataset_prove_themselves(folds: int, seed: int) -> None:
    subjects = [Subject(f"s{i}", (noise_volume(i, (2, 4, 4)),)) for i in range(7)]
    known = hashes(*subjects)
    for fold in split(sorted(known), folds, seed):
        proof = prove_disjoint(fold, known)
        assert (proof["train_images"], proof["validation_images"]) == (len(fold.train), len(fold.validation))


def test_a_set_of_subjects_has_one_hash() -> None:
    assert subjects_sha256(["b", "a"]) == subjects_sha256(("a", "b"))
    assert len({subjects_sha256(some) for some in (["a"], ["a", "b"], ["b"], [], ["a\udce9"], ["aé"])}) == 6
    assert len(subjects_sha256([])) == 64


def test_a_dataset_is_divided_as_ever() -> None:
    """Runs, exports to nnU-Net and the paper's experiments of one seed must go on having the same folds."""
    subjects = [noise_subject(f"s{number}", number) for number in range(9)]
    subjects[7] = replace(subjects[2], subject_id="s7")  # the same scan
    assert divide(hashes_of(subjects), 3, 5, patient_of={"s1": "s0"}) == (
        Fold(0, ("s3", "s4", "s5", "s6", "s7"), ("s0", "s1", "s8"), left_out=("s2",)),
        Fold(1, ("s0", "s1", "s2", "s6", "s7", "s8"), ("s3", "s4", "s5")),
        Fold(2, ("s0", "s1", "s2", "s3", "s4", "s5", "s8"), ("s6",), left_out=("s7",)),
    )
    assert divide(hashes_of(subjects), 3, 0, ["s8"], {"s1": "s0"}) == (
        Fold(0, ("s3", "s5", "s6", "s7"), ("s0", "s1", "s4"), left_out=("s2",)),
        Fold(1, ("s0", "s1", "s2", "s4", "s5", "s6"), ("s3",), left_out=("s7",)),
        Fold(2, ("s0", "s1", "s2", "s3", "s4", "s7"), ("s5", "s6")),
    )
