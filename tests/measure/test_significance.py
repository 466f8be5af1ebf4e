"""Intervals and tests against SciPy and by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap, rankdata, wilcoxon

from cardioseg.measure.significance import (
    EXACTNESS,
    bootstrap_interval,
    holm,
    paired_tests,
    rank_biserial,
    resampled,
)


def test_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).beta(8, 2, 30).tolist()
    ours = bootstrap_interval(values, np.random.default_rng(0))
    theirs = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(1), n_resamples=10_000)
    assert ours.mean == pytest.approx(np.mean(values))
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=2e-3)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=2e-3)
    assert ours == bootstrap_interval(values, np.random.default_rng(0))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_paired_tests() -> None:
    rng = np.random.default_rng(5)
    first = rng.normal(0.9, 0.02, 20)
    worse, same = first - np.abs(rng.normal(0.05, 0.01, 20)), first
    lower, equal = paired_tests(first.tolist(), [worse.tolist(), same.tolist()])
    assert lower.difference == pytest.approx(float((first - worse).mean()))
    assert lower.p == pytest.approx(float(wilcoxon(first - worse).pvalue))
    assert lower.p_holm == pytest.approx(2 * lower.p)
    assert (equal.p, equal.p_holm, equal.difference, equal.n) == (1, 1, 0, 20)
    assert (lower.effect, equal.effect) == (1, 0)


def exact(differences: Sequence[float]) -> float:
    """Over all signs of the pairs that differ; ranks are doubled, so that those of ties are whole."""
    defined = np.asarray(differences)[np.asarray(differences) != 0]
    ranks = (2 * rankdata(np.abs(defined))).astype(int)
    ways = np.ones(1)
    for rank in ranks:
        ways = np.append(ways, np.zeros(rank)) + np.append(np.zeros(rank), ways)
    positive = ranks[defined > 0].sum()
    return float(min(1, 2 * min(ways[: positive + 1].sum(), ways[positive:].sum()) / ways.sum()))


@pytest.mark.parametrize("n", [2, 5, 13, 14, 20, 50])
@pytest.mark.parametrize("zeros", [0, 1, 3])
def test_pairs_that_do_not_differ_keep_the_test_exact(n: int, zeros: int) -> None:
    signs = np.where(np.random.default_rng(n).random(n) < 0.2, -1, 1)
    differences = np.append(signs * np.arange(1, n + 1) / 64, np.zeros(zeros))
    assert p_of(differences) == pytest.approx(exact(differences))
    assert p_of(differences) == p_of(differences[:n])


def test_with_ties_the_test_is_exact_up_to_13_pairs() -> None:
    tied = np.array([1, 1, 2, 2, -2, 3, -3, 4, 5, 5, 6, 6, 7]) / 64
    assert p_of(tied) == pytest.approx(exact(tied))
    more = np.append(tied, 8 / 64)
    assert p_of(more) == pytest.approx(float(wilcoxon(more, method="asymptotic").pvalue))
    assert p_of(more) != pytest.approx(exact(more))
    many = np.arange(-10, 51)[np.arange(-10, 51) != 0][:51] / 64
    assert p_of(many) == pytest.approx(float(wilcoxon(many, method="asymptotic").pvalue))
    assert all(str(count) in EXACTNESS for count in (13, 50))


def p_of(differences: NDArray[np.float64]) -> float:
    return paired_tests(differences.tolist(), [[0.0] * len(differences)])[0].p


def test_rank_biserial_by_hand() -> None:
    """Ranks 1, 2.5, 2.5 and 4 of the pairs that differ: (1 + 2.5 + 2.5 - 4) / 10."""
    assert rank_biserial(np.array([0.5, 0, 2, 2, -7])) == pytest.approx(0.2)
    assert rank_biserial(np.array([-0.5, 0, -2, -2, 7])) == pytest.approx(-0.2)


@pytest.mark.parametrize("seed", range(5))
def test_rank_biserial_follows_from_the_statistic_of_scipy(seed: int) -> None:
    """W+ and W- add up to n (n + 1) / 2; SciPy gives W+ of a one-sided test."""
    differences = np.random.default_rng(seed).normal(0.1, 1, 25)
    positive = wilcoxon(differences, alternative="greater").statistic
    assert rank_biserial(differences) == pytest.approx(4 * positive / (25 * 26) - 1)


def test_blocks_of_resamples_draw_what_one_block_would() -> None:
    values = np.random.default_rng(1).normal(size=5000)
    index = np.random.default_rng(7).integers(0, 5000, (90, 5000))
    drawn = resampled(lambda sample: sample.mean(axis=-1), values, np.random.default_rng(7), 90)
    assert drawn == pytest.approx(values[index].mean(axis=1))
    pairs = resampled(lambda sample: sample.mean(axis=-1), np.stack([values, -values]), np.random.default_rng(7), 90)
    assert pairs == pytest.approx(np.stack([drawn, -drawn]))
