"""Intervals and tests against SciPy and by hand."""

import numpy as np
import pytest
from scipy.stats import bootstrap, wilcoxon

from cardioseg.measure.significance import bootstrap_interval, holm, paired_tests, rank_biserial, resampled


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
