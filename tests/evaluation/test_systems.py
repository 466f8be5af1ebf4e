"""Two predictions of the same references, tested subject by subject."""

import csv
import json
from pathlib import Path

import pytest
from scipy.stats import wilcoxon

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.systems import COLUMNS, compare, untested, write
from cardioseg.image.labels import Label
from cardioseg.ingest.subject import Skipped
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap

A = {"s1": 0.90, "s2": 0.80, "s3": 0.85, "s4": 0.70, "s5": 0.95, "s6": 0.60}
B = {"s1": 0.88, "s2": 0.75, "s3": 0.84, "s4": 0.72, "s5": 0.85, "s6": 0.52}


def system(dice: dict[str, float], label: Label = Label.LV_CAVITY, hd95_mm: float | None = None) -> Evaluation:
    scores = [
        VolumeScore(subject, f"{subject}-{name}", name, label, Overlap(100_000, 100_000, round(100_000 * value + off)),
                    Distances(hd95_mm), 9, None, ())
        for subject, value in dice.items() for name, off in (("ed", 1000), ("es", -1000))
    ]  # fmt: skip
    return Evaluation((label,), tuple(scores), ())


def test_each_subject_is_one_pair() -> None:
    [one] = compare({"a": system(A), "b": system(B)})
    assert (one.label, one.metric, one.first, one.second) == (Label.LV_CAVITY, "dice", "a", "b")
    assert (one.first_mean, one.second_mean) == (pytest.approx(0.80), pytest.approx(0.76))
    expected = wilcoxon([A[name] - B[name] for name in A])
    assert (one.test.n, one.test.p) == (6, pytest.approx(expected.pvalue))
    assert one.test.difference == pytest.approx(0.04)
    assert 0 < one.test.effect < 1


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
