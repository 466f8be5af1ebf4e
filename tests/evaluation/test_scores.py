"""Scores and their summary, by hand on masks small enough to count."""

from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import SliceScore, VolumeScore, score
from cardioseg.evaluation.studies_of_patients import EACH_A_PATIENT
from cardioseg.evaluation.summary import ALL, LabelSummary, summarise
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.labels.subject import LabelledVolume
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap
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


def overlap_of(dice: float | None) -> Overlap:
    return Overlap() if dice is None else Overlap(1000, 1000, round(1000 * dice))


def volume_score(
    subject: str, *slices: float | None, label: Label = LV, case: str = "c", volume: str = "ed", region: str = "mid"
) -> VolumeScore:
    overlaps = [overlap_of(value) for value in slices]
    scored = tuple(SliceScore(index, region, one, Distances()) for index, one in enumerate(overlaps))
    return VolumeScore(subject, case, volume, label, sum(overlaps, Overlap()), Distances(), 9, None, scored)


def whole(scores: list[VolumeScore]) -> list[LabelSummary]:
    return [one for one in summarise(scores, EACH_A_PATIENT) if one.group == ALL]


def test_a_volume_and_its_slices() -> None:
    [one] = score(a_pair([row(3, 3, 0, 0), row(3, 3, 3, 3)], [row(3, 0, 0, 0), row(3, 3, 3, 3)]), STRUCTURES)
    assert [(each.index, each.overlap) for each in one.slices] == [(0, Overlap(2, 1, 1)), (1, Overlap(4, 4, 4))]
    assert one.overlap == Overlap(6, 5, 5)
    assert (one.reference_ml, one.predicted_ml) == (pytest.approx(6 * 0.008), pytest.approx(5 * 0.008))
    assert one.difference_ml == pytest.approx(-0.008)


def test_distances_are_in_millimetres_along_each_axis() -> None:
    """One column is 0.5 mm, one slice 8 mm."""
    [one] = score(a_pair([row(3, 0, 0), row(0, 0, 0)], [row(0, 0, 3), row(0, 0, 0)]), STRUCTURES)
    assert [each.distances.hd95_mm for each in one.slices] == [1.0, None]
    [one] = score(a_pair([row(3, 0), row(0, 0)], [row(0, 0), row(3, 0)]), STRUCTURES)
    assert (one.distances.hd95_mm, one.distances.assd_mm) == (8.0, 8.0)


def test_slices_without_a_reference_keep_their_place() -> None:
    """Slices 0 and 2 are 16 mm apart, though slice 1 has no reference; a slice of a pixel is 8 mm high."""
    pair = a_pair([row(3, 0), row(0, 0), row(0, 0)], [row(0, 0), row(3, 3), row(3, 0)], on=(0, 2))
    [one] = score(pair, STRUCTURES)
    assert (one.distances.hd95_mm, one.distances.assd_mm) == (16.0, 16.0)


def test_without_a_spacing_there_is_no_distance() -> None:
    pair = a_pair([row(3, 0)], [row(3, 3)])
    [one] = score(replace(pair, reference=replace(pair.reference, spacing_mm=None)), STRUCTURES)
    assert (one.distances, one.reference_ml, one.difference_ml) == (Distances(), None, None)
    assert one.overlap.dice == pytest.approx(2 / 3)


def test_only_annotated_slices_count() -> None:
    """The prediction on a slice that no expert drew is neither right nor wrong."""
    expected = [row(0, 0), row(3, 3), row(0, 0)]
    [one] = score(a_pair(expected, [row(3, 3), row(3, 3), row(3, 3)], on=(1,)), STRUCTURES)
    assert [each.index for each in one.slices] == [1]
    assert (one.overlap, one.voxels) == (Overlap(2, 2, 2), 2)


def test_both_empty_is_counted_and_one_empty_scores_0() -> None:
    expected, found = [row(0, 0), row(0, 0), row(3, 3)], [row(0, 0), row(3, 0), row(0, 0)]
    [one] = score(a_pair(expected, found), STRUCTURES)
    assert [each.overlap.dice for each in one.slices] == [None, 0.0, 0.0]
    [summary] = whole([one])
    assert (summary.slices_scored, summary.slices_both_empty) == (2, 1)
    assert (summary.slices_missed, summary.slices_invented) == (1, 1)


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
    [summary] = whole(scores)
    assert (summary.cases, summary.slices_scored, summary.slices_both_empty) == (2, 4, 1)
    assert summary.per_slice["dice"].mean == pytest.approx(fmean([0.9, 0.7, 0.8, 0.4]))
    assert summary.per_volume["dice"].mean == pytest.approx(fmean([0.8, 0.8, 0.4]))
    assert summary.per_subject["dice"].mean == pytest.approx(fmean([0.8, 0.4]))
    assert summary.per_subject["dice"].std == pytest.approx(stdev([0.8, 0.4]))


def test_a_volume_of_nothing_is_in_no_mean() -> None:
    [summary] = whole([volume_score("a", None, None), volume_score("b", 0.5)])
    assert (summary.per_volume["dice"].n, summary.per_subject["dice"].n, summary.slices_both_empty) == (1, 1, 2)


def test_labels_are_summarised_apart() -> None:
    summaries = whole([volume_score("a", 0.9), volume_score("a", 0.5, label=RV)])
    assert [(one.label, one.per_slice["dice"].mean) for one in summaries] == [(RV, 0.5), (LV, 0.9)]


def test_phases_and_regions_are_groups() -> None:
    scores = [
        volume_score("a", 0.9, 0.8, region="base"),
        volume_score("a", 0.4, volume="es", region="apex"),
        volume_score("b", 0.6, volume="phase07", region="apex"),
    ]
    groups = {one.group: one for one in summarise(scores, EACH_A_PATIENT)}
    assert set(groups) == {"all", "ed", "es", "base", "apex"}
    assert groups["ed"].per_volume["dice"].mean == pytest.approx(0.85)
    assert groups["es"].per_slice["dice"].mean == pytest.approx(0.4)
    assert groups["apex"].per_slice["dice"].mean == pytest.approx(0.5)
    assert (groups["apex"].cases, groups["apex"].per_volume) == (1, {})
