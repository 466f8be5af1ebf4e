"""Scores and their summary, by hand on masks small enough to count."""

from statistics import fmean, stdev

import numpy as np
import pytest

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import SliceScore, VolumeScore, score
from cardioseg.evaluation.summary import summarise
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.subject import LabelledVolume
from cardioseg.measure.spread import spread

LV, RV = Label.LV_CAVITY, Label.RV_CAVITY


def row(*voxels: int) -> Voxels:
    """A slice of one row."""
    return np.array([voxels], np.uint8)


def a_pair(
    expected: list[Voxels], found: list[Voxels], *, known: tuple[Label, ...] = (LV,), on: tuple[int, ...] = ()
) -> Pair:
    mask = np.stack(expected)
    annotated = np.zeros((len(mask), len(Label)), np.bool_)
    annotated[np.ix_(on or range(len(mask)), known)] = True
    volume = LabelledVolume("ed", mask, mask, annotated, (8.0, 2.0, 0.5), ("c",), None, ("",) * len(mask))
    return Pair("s", "c", volume, np.stack(found))


def volume_score(subject: str, *slices: float | None, label: Label = LV, case: str = "c") -> VolumeScore:
    scored = [value for value in slices if value is not None]
    return VolumeScore(
        subject, case, "ed", label, fmean(scored) if scored else None, 1, 1, None,
        tuple(SliceScore(index, value) for index, value in enumerate(slices)),
    )  # fmt: skip


def test_a_volume_and_its_slices() -> None:
    [one] = score(a_pair([row(3, 3, 0, 0), row(3, 3, 3, 3)], [row(3, 0, 0, 0), row(3, 3, 3, 3)]), STRUCTURES)
    assert one.slices == (SliceScore(0, pytest.approx(2 / 3)), SliceScore(1, 1.0))
    assert one.dice == pytest.approx(10 / 11)
    assert (one.reference_ml, one.predicted_ml) == (pytest.approx(6 * 0.008), pytest.approx(5 * 0.008))


def test_only_annotated_slices_count() -> None:
    """The prediction on a slice that no expert drew is neither right nor wrong."""
    expected = [row(0, 0), row(3, 3), row(0, 0)]
    [one] = score(a_pair(expected, [row(3, 3), row(3, 3), row(3, 3)], on=(1,)), STRUCTURES)
    assert one.slices == (SliceScore(1, 1.0),)
    assert (one.dice, one.predicted_voxels) == (1.0, 2)


def test_both_empty_is_counted_and_one_empty_scores_0() -> None:
    expected, found = [row(0, 0), row(0, 0), row(3, 3)], [row(0, 0), row(3, 0), row(0, 0)]
    [one] = score(a_pair(expected, found), STRUCTURES)
    assert [each.dice for each in one.slices] == [None, 0.0, 0.0]
    assert (one.slice_dice, one.slices_both_empty) == ([0.0, 0.0], 1)


def test_only_labels_of_both_sides() -> None:
    both = a_pair([row(3, 1)], [row(3, 1)], known=(LV, RV))
    assert [one.label for one in score(both, STRUCTURES)] == [RV, LV]
    assert [one.label for one in score(both, {LV})] == [LV]
    assert [one.label for one in score(a_pair([row(3, 1)], [row(3, 1)]), STRUCTURES)] == [LV]


def test_spread_is_of_a_sample() -> None:
    values = [0.9, 0.8, 0.95]
    assert spread(values).mean == pytest.approx(np.mean(values))
    assert spread(values).std == pytest.approx(np.std(values, ddof=1))
    assert (spread([0.5]).mean, spread([0.5]).std) == (0.5, None)
    assert (spread([]).n, spread([]).mean) == (0, None)


def test_slices_volumes_and_subjects_weigh_differently() -> None:
    scores = [volume_score("a", 0.9, 0.7, None), volume_score("a", 0.8, case="d"), volume_score("b", 0.4)]
    [summary] = summarise(scores)
    assert (summary.cases, summary.slices_scored, summary.slices_both_empty) == (2, 4, 1)
    assert summary.dice_per_slice.mean == pytest.approx(fmean([0.9, 0.7, 0.8, 0.4]))
    assert summary.dice_per_volume.mean == pytest.approx(fmean([0.8, 0.8, 0.4]))
    assert summary.dice_per_subject.mean == pytest.approx(fmean([0.8, 0.4]))
    assert summary.dice_per_subject.std == pytest.approx(stdev([0.8, 0.4]))


def test_a_volume_of_nothing_is_in_no_mean() -> None:
    [summary] = summarise([volume_score("a", None, None), volume_score("b", 0.5)])
    assert (summary.dice_per_volume.n, summary.dice_per_subject.n, summary.slices_both_empty) == (1, 1, 2)


def test_labels_are_summarised_apart() -> None:
    summaries = summarise([volume_score("a", 0.9), volume_score("a", 0.5, label=RV)])
    assert [(one.label, one.dice_per_slice.mean) for one in summaries] == [(RV, 0.5), (LV, 0.9)]
