"""Two systems are compared only on the slices on which both have a value."""

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import SliceScore, VolumeScore
from cardioseg.evaluation.summary import subject_means
from cardioseg.evaluation.systems import PROTOCOL, SystemTest, compare
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap

LV = Label.LV_CAVITY
SUBJECTS, SLICES, DRAWN = 8, 5, 4  # on the last slice there is nothing

Change = Callable[[VolumeScore], VolumeScore | None]


def system(seed: int, change: Change = lambda score: score) -> Evaluation:
    """Masks of random quality; their scores change as `change` says, None leaves a volume out."""
    rng = np.random.default_rng(seed)
    volumes = [_volume(rng, f"s{number}", name) for number in range(SUBJECTS) for name in ("ed", "es")]
    return Evaluation((LV,), tuple(score for volume in volumes if (score := change(volume))), ())


def _volume(rng: np.random.Generator, subject: str, name: str) -> VolumeScore:
    drawn = [
        SliceScore(i, "mid", Overlap(100, 100, int(rng.integers(50, 99))), Distances(float(rng.uniform(1, 9))))
        for i in range(DRAWN)
    ]
    slices = (*drawn, SliceScore(DRAWN, "outside", Overlap(), Distances()))
    whole = sum((part.overlap for part in slices), Overlap())
    case = f"{subject}_{rng.integers(9)}"  # two systems may have other names
    return VolumeScore(subject, case, name, LV, whole, Distances(), 9, None, slices, reference_id=f"{subject}_{name}")


def with_slice(score: VolumeScore, index: int, overlap: Overlap) -> VolumeScore:
    part = replace(score.slices[index], overlap=overlap, distances=Distances())
    return replace(score, slices=(*score.slices[:index], part, *score.slices[index + 1 :]))


def by_metric(first: Evaluation, second: Evaluation) -> dict[str, SystemTest]:
    return {test.metric: test for test in compare({"a": first, "b": second})}


def test_the_same_masks_are_equal_though_one_system_lacks_volumes() -> None:
    only_ed = system(0, lambda score: score if score.volume == "ed" else None)
    for test in by_metric(system(0), only_ed).values():
        assert (test.test.difference, test.test.p, test.test.n) == (0, 1, SUBJECTS)
        assert (test.volumes, test.slices) == (SUBJECTS, SUBJECTS * DRAWN)
        assert (test.first_only, test.second_only) == (SUBJECTS * DRAWN, 0)


def test_a_missed_slice_counts_in_dice_and_is_left_out_of_the_distance() -> None:
    dice, hd95 = by_metric(system(0), system(0, lambda score: with_slice(score, 1, Overlap(100, 0, 0)))).values()
    assert (dice.test.difference > 0, dice.test.effect, dice.slices) == (True, 1, 2 * SUBJECTS * DRAWN)
    assert (dice.first_only, dice.second_only) == (0, 0)
    assert (hd95.test.difference, hd95.test.p, hd95.slices) == (0, 1, 2 * SUBJECTS * (DRAWN - 1))
    assert (hd95.first_only, hd95.second_only) == (2 * SUBJECTS, 0)


def test_a_structure_that_only_one_system_invents_counts_against_it() -> None:
    inventing = system(0, lambda score: with_slice(score, DRAWN, Overlap(0, 50, 0)))
    dice, hd95 = by_metric(inventing, system(0)).values()
    assert (dice.test.effect, dice.slices) == (-1, 2 * SUBJECTS * SLICES)
    assert dice.test.difference == pytest.approx(-1 / SLICES)
    assert (hd95.test.difference, hd95.first_only, hd95.second_only) == (0, 0, 0)
    both = by_metric(inventing, inventing)["dice"]
    assert both.first_mean == pytest.approx(fmean(subject_means(inventing.scores, "dice").values()))


@pytest.mark.parametrize("metric", ["dice", "hd95_mm"])
def test_the_numbers_are_those_of_an_independent_computation(metric: str) -> None:
    """Some volumes are missing in a, some slices of b are empty; rows of slices, joined by hand."""
    first = system(1, lambda score: None if (score.subject_id, score.volume) in {("s1", "es"), ("s2", "ed")} else score)
    second = system(2, lambda score: with_slice(score, 2, Overlap(100, 0, 0)) if score.volume == "es" else score)
    rows = [{(r["subject_id"], r["volume"], r["slice"]): r[metric] for r in s.slice_rows()} for s in (first, second)]
    joined = [(key, rows[0][key], rows[1][key]) for key in rows[0].keys() & rows[1].keys()]
    kept = sorted((key, a, b) for key, a, b in joined if a is not None and b is not None)
    means = np.array(
        [
            [np.mean([row[column] for row in kept if row[0][0] == f"s{number}"]) for column in (1, 2)]
            for number in range(SUBJECTS)
        ]
    )
    difference = means[:, 0] - means[:, 1]
    ranks = np.sign(difference) * rankdata(abs(difference))
    test = by_metric(first, second)[metric]
    assert (test.first_mean, test.second_mean) == pytest.approx(means.mean(axis=0))
    assert test.test.difference == pytest.approx(difference.mean())
    assert test.test.p == pytest.approx(wilcoxon(difference).pvalue)
    assert test.test.effect == pytest.approx(ranks.sum() / abs(ranks).sum())
    assert (test.test.n, test.slices, test.volumes) == (SUBJECTS, len(kept), len({row[0][:2] for row in kept}))
    values = [[value for value in own.values() if value is not None] for own in rows]
    assert (test.first_only, test.second_only) == tuple(len(own) - len(kept) for own in values)


def test_the_protocol_says_so() -> None:
    assert "only the slices on which both systems have a value" in PROTOCOL
    assert all(name in PROTOCOL for name in ("first_only", "second_only", "volumes", "slices"))
