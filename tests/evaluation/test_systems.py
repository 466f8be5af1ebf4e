"""Two predictions of the same references, tested subject by subject."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy.stats import wilcoxon

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import SliceScore, VolumeScore
from cardioseg.evaluation.systems import COLUMNS, compare, untested, write
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap
from cardioseg.skipped import Skipped

LV = Label.LV_CAVITY

A = {"s1": 0.90, "s2": 0.80, "s3": 0.85, "s4": 0.70, "s5": 0.95, "s6": 0.60}
B = {"s1": 0.88, "s2": 0.75, "s3": 0.84, "s4": 0.72, "s5": 0.85, "s6": 0.52}


def volume(subject: str, name: str, label: Label, dice: Sequence[float], hd95_mm: float | None) -> VolumeScore:
    """A volume of slices of equal size, whose own Dice is the mean of theirs."""
    slices = tuple(
        SliceScore(i, "mid", Overlap(100_000, 100_000, round(100_000 * one)), Distances(hd95_mm))
        for i, one in enumerate(dice)
    )
    whole = sum((one.overlap for one in slices), Overlap())
    return VolumeScore(subject, f"{subject}-{name}", name, label, whole, Distances(hd95_mm), 9, None, slices)


def system(dice: dict[str, float], label: Label = Label.LV_CAVITY, hd95_mm: float | None = None) -> Evaluation:
    scores = [
        volume(subject, name, label, [value + off], hd95_mm)
        for subject, value in dice.items()
        for name, off in (("ed", 0.01), ("es", -0.01))
    ]
    return Evaluation((label,), tuple(scores), ())


def test_each_subject_is_one_pair() -> None:
    [one] = compare({"a": system(A), "b": system(B)})
    assert (one.label, one.metric, one.first, one.second) == (Label.LV_CAVITY, "dice", "a", "b")
    assert (one.first_mean, one.second_mean) == (pytest.approx(0.80), pytest.approx(0.76))
    expected = wilcoxon([A[name] - B[name] for name in A])
    assert (one.test.n, one.test.p) == (6, pytest.approx(expected.pvalue))
    assert one.test.difference == pytest.approx(0.04)
    assert 0 < one.test.effect < 1


def test_per_subject_is_the_same_number_as_in_the_summary() -> None:
    """Over a subject's slices, whatever volume they are of: here three at ED and one at ES."""
    uneven = [volume("s1", "ed", LV, [0.9, 0.9, 0.9], 2.0), volume("s1", "es", LV, [0.5], 4.0)]
    found = {name: Evaluation((LV,), tuple(uneven), ()) for name in "ab"}
    means = {one.metric: one.first_mean for one in compare(found)}
    [whole] = [one for one in found["a"].summary if one.group == "all"]
    assert means == {metric: pytest.approx(whole.per_subject[metric].mean) for metric in ("dice", "hd95_mm")}
    assert means["dice"] == pytest.approx(0.8)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 9])
def test_the_smallest_p_is_that_of_the_exact_test(n: int) -> None:
    """All n differences of one sign: 2 of the 2^n signs are as extreme."""
    from cardioseg.measure.significance import smallest_p

    assert smallest_p(n) == pytest.approx(2 / 2**n)
    assert smallest_p(n) == pytest.approx(wilcoxon(range(1, n + 1), mode="exact").pvalue)


@pytest.mark.parametrize(("n", "systems", "smallest"), [(5, 2, "0.062"), (6, 2, ""), (6, 3, "0.094"), (7, 3, "")])
def test_too_few_subjects_for_any_significance_are_named(n: int, systems: int, smallest: str) -> None:
    """Holm's correction counts: what 6 subjects can show in one test, they cannot in three."""
    from cardioseg.evaluation.systems import warning

    scores = [{f"s{i}": 0.9 - 0.01 * (i + 1) * place for i in range(n)} for place in range(systems)]
    tests = compare({f"system {place}": system(dice) for place, dice in enumerate(scores)})
    said = warning(tests)
    assert bool(said) == bool(smallest)
    if said:
        assert f"no corrected p below 0.05 is possible; the smallest of {n} subjects is {smallest}" in said
        assert f"{n + 1} subjects would be enough" in said
    assert bool(said) == (min(one.test.p_holm for one in tests) >= 0.05)


def test_every_two_systems_and_every_metric_are_corrected_together() -> None:
    tests = compare({"a": system(A, hd95_mm=3.0), "b": system(B, hd95_mm=4.0), "c": system(A, hd95_mm=3.0)})
    assert [(one.metric, one.first, one.second) for one in tests] == [
        (metric, *pair) for metric in ("dice", "hd95_mm") for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    assert min(one.test.p for one in tests) < min(one.test.p_holm for one in tests)
    assert {one.test.p_holm for one in tests if (one.first, one.second) == ("a", "c")} == {1.0}


def test_only_subjects_and_labels_that_both_have() -> None:
    [one] = compare({"a": system(A), "b": system({name: B[name] for name in ("s1", "s2", "s3")})})
    assert (one.test.n, one.first_mean) == (3, pytest.approx(0.85))
    assert compare({"a": system(A), "b": system(B, Label.RV_CAVITY)}) == ()
    assert compare({"a": system(A)}) == ()


def test_what_cannot_be_tested_is_named() -> None:
    others = {f"other {name}": dice for name, dice in A.items()}
    found = {"a": system(A), "b": system(others), "c": system(B, Label.RV_CAVITY), "d": system(B)}
    tests = compare(found)
    assert [(one.first, one.second) for one in tests] == [("a", "d")]
    assert {one.where: one.why for one in untested(found, tests)} == {
        "a and b": "they have no subject in common",
        "a and c": "they have no label in common",
        "b and c": "they have no label in common",
        "b and d": "they have no subject in common",
        "c and d": "they have no label in common",
    }
    assert untested({"a": system(A)}, ()) == ()


def test_files(tmp_path: Path) -> None:
    tests = compare({"a": system(A), "b": system(B)})
    write(tests, [Skipped("a and c", "nothing in common")], tmp_path)
    document = json.loads((tmp_path / "comparison.json").read_text())
    assert document["tests"][0]["test"]["n"] == 6
    assert "Holm" in document["protocol"]
    assert document["problems"] == [{"where": "a and c", "why": "nothing in common"}]
    with (tmp_path / "comparison.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert tuple(row) == COLUMNS
    assert float(row["difference"]) == pytest.approx(0.04)
