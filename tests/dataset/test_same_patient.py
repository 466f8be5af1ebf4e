"""Which subjects are one patient, and that no fold divides them."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.dataset.folds import Fold, prove_disjoint, split
from cardioseg.dataset.same_patient import remarks, same_patients
from cardioseg.errors import UsageError

few = settings(max_examples=40, deadline=None, database=None)


@pytest.mark.parametrize(
    ("keys", "patients", "said"),
    [
        ({"a": "k", "b": "m"}, {}, []),
        ({"a": None, "b": None}, {}, []),
        ({"a": "k", "b": "m", "c": "k"}, {"a": "a", "c": "a"}, ["a and c: the same PatientID"]),
        ({"a": "k", "b": "k"}, {}, ["a and b: all have the same PatientID"]),
        ({"a": "k", "b": "k", "c": None}, {}, ["a and b: all have the same PatientID"]),
        ({"a": "", "b": "", "c": "k"}, {}, ["a and b: no PatientID"]),
        ({"a": ""}, {}, []),
        (
            dict.fromkeys("abcde", "k") | {"f": "m"},
            dict.fromkeys("abcde", "a"),
            ["a, b, c and 2 more: the same PatientID"],
        ),
    ],
)
def test_keys_tell_who_is_one_patient(keys: dict[str, str | None], patients: dict[str, str], said: list[str]) -> None:
    assert same_patients(keys) == patients
    lines = [f"{remark.where}: {remark.why}" for remark in remarks(keys)]
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


@few
@given(st.lists(st.integers(0, 9), min_size=10, max_size=40), st.integers(2, 4), st.integers(0, 2**32))
def test_no_fold_divides_a_patient(numbers: list[int], folds: int, seed: int) -> None:
    patient_of = {f"s{i:02d}": f"p{number}" for i, number in enumerate(numbers)}
    if len(set(numbers)) < folds:
        with pytest.raises(UsageError, match=rf"need at least {folds} \w+s, the dataset has {len(set(numbers))}"):
            split(list(patient_of), folds, seed, patient_of=patient_of)
        return
    parts = split(list(patient_of), folds, seed, patient_of=patient_of)
    assert Counter(one for part in parts for one in part.validation) == Counter(list(patient_of))
    for part in parts:
        assert {patient_of[one] for one in part.train}.isdisjoint(patient_of[one] for one in part.validation)
        prove_disjoint(part, {one: frozenset() for one in patient_of}, patient_of)


def test_each_study_a_patient_gives_the_folds_of_before() -> None:
    ids = [f"s{i:02d}" for i in range(11)]
    assert split(ids, 3, 5, patient_of={one: one for one in ids}) == split(ids, 3, 5)


def test_a_divided_patient_is_refused() -> None:
    patient_of: dict[str, Any] = {"a": "a", "b": "a", "c": "c"}
    with pytest.raises(UsageError, match="a is held out, but b is of the same patient") as refused:
        split("abc", 1, 0, ["a"], patient_of)
    assert "--hold-out a,b" in str(refused.value.hint)
    with pytest.raises(UsageError, match=r"fold 0: b \(validation\) and a \(training\) are one patient"):
        prove_disjoint(Fold(0, ("a", "c"), ("b",)), {one: frozenset() for one in "abc"}, patient_of)
