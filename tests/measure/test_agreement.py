"""Agreement against SciPy, a published table and by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap, pearsonr

from cardioseg.measure.agreement import Agreement, agreement, icc_2_1
from cardioseg.measure.significance import Interval, bootstrap_interval

Values = NDArray[np.float64]

# Shrout and Fleiss 1979, table 2: 6 targets, each rated by 4 judges.
RATINGS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.float64).T
STATISTICS = ("bias", "loa_low", "loa_high", "mae", "r", "icc")


def volumes(n: int, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    reference = rng.normal(150, 40, n)
    return reference.tolist(), (reference + rng.normal(3, 8, n)).tolist()


def agreed(reference: list[float], predicted: list[float], seed: int = 0, resamples: int = 10_000) -> Agreement:
    return agreement(reference, predicted, np.random.default_rng(seed), resamples)


def estimate(found: Agreement, name: str) -> float:
    interval = getattr(found, name)
    assert isinstance(interval, Interval)
    assert interval.n == found.n
    return interval.mean


def test_by_hand() -> None:
    found = agreed([10, 20, 30, 40], [11, 19, 34, 44])
    assert (found.n, found.sd) == (4, pytest.approx(np.sqrt(18 / 3)))
    expected = (2, 2 - 1.96 * np.sqrt(6), 2 + 1.96 * np.sqrt(6), 2.5)
    assert [estimate(found, name) for name in STATISTICS[:4]] == pytest.approx(expected)


def test_icc_of_the_published_table() -> None:
    """0.29 in print; the mean squares there are 11.24 (subjects), 32.49 (judges) and 1.02 (residual)."""
    assert icc_2_1(RATINGS) == pytest.approx(0.2897638, abs=1e-7)
    by_hand = (11.24 - 1.02) / (11.24 + 3 * 1.02 + 4 * (32.49 - 1.02) / 6)
    assert icc_2_1(RATINGS) == pytest.approx(by_hand, abs=1e-3)
    stacked = np.stack([RATINGS, RATINGS[::-1]], axis=1)
    assert icc_2_1(stacked) == pytest.approx([0.2897638] * 2, abs=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_icc_of_two_follows_from_variances(seed: int) -> None:
    """With two judges 2 cov / (var x + var y + bias^2 - var d / n)."""
    x, y = map(np.array, volumes(3 + seed * 8, seed))
    (var_x, cov), (_, var_y) = np.cov(x, y)
    below = var_x + var_y + (y - x).mean() ** 2 - (y - x).var(ddof=1) / len(x)
    assert estimate(agreed(x.tolist(), y.tolist(), resamples=100), "icc") == pytest.approx(2 * cov / below, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_r_agrees_with_scipy(seed: int) -> None:
    pairs = volumes(3 + seed * 8, seed)
    assert estimate(agreed(*pairs, resamples=100), "r") == pytest.approx(pearsonr(*pairs).statistic, abs=1e-12)


def test_a_constant_offset_lowers_icc_but_not_r() -> None:
    reference, _ = volumes(40)
    shifted = agreed(reference, [value + 30 for value in reference])
    assert estimate(shifted, "r") == pytest.approx(1)
    assert estimate(shifted, "icc") < 0.9
    assert shifted.sd == pytest.approx(0, abs=1e-9)
    assert estimate(shifted, "loa_low") == pytest.approx(estimate(shifted, "bias"))


def test_intervals_agree_with_scipy() -> None:
    reference, predicted = map(np.array, volumes(60))
    found = agreed(reference.tolist(), predicted.tolist())

    def high(x: Values, y: Values, axis: int) -> Values:
        return np.asarray((y - x).mean(axis) + 1.96 * (y - x).std(axis, ddof=1))

    def icc(x: Values, y: Values, axis: int) -> Values:
        return icc_2_1(np.stack(np.broadcast_arrays(np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1))))

    others = {"r": lambda x, y, axis: pearsonr(x, y, axis=axis).statistic, "icc": icc, "loa_high": high}
    for name, statistic in others.items():
        theirs = bootstrap(
            (reference, predicted), statistic, paired=True, method="percentile", rng=np.random.default_rng(1)
        ).confidence_interval
        ours = getattr(found, name)
        width = ours.high - ours.low
        assert ours.low < ours.mean < ours.high
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * width), name


def test_the_bias_is_the_mean_that_everybody_else_resamples() -> None:
    reference, predicted = volumes(37)
    differences = [p - r for r, p in zip(reference, predicted, strict=True)]
    assert agreed(reference, predicted).bias == bootstrap_interval(differences, np.random.default_rng(0))


def test_the_seed_decides() -> None:
    pairs = volumes(20)
    assert agreed(*pairs) == agreed(*pairs)
    assert agreed(*pairs) != agreed(*pairs, seed=1)


@pytest.mark.parametrize("n", [0, 1])
def test_below_two_subjects_there_is_no_agreement(n: int) -> None:
    assert agreed(*volumes(n)) == Agreement(n)


def test_two_subjects_have_limits_but_no_correlation() -> None:
    found = agreed([1, 3], [2, 6])
    assert (found.bias.mean, found.mae.mean, found.sd) == (2, 2, pytest.approx(np.sqrt(2)))
    assert found.r is found.icc is None


def test_what_does_not_vary_does_not_correlate() -> None:
    flat = agreed([0.1] * 7, [1, 2, 3, 4, 5, 6, 7])
    assert flat.r is None
    assert estimate(flat, "icc") == pytest.approx(0, abs=1e-9)
    both = agreed([0.1] * 7, [0.3] * 7)
    assert both.r is both.icc is None
    assert (both.bias.mean, both.sd) == (pytest.approx(0.2), pytest.approx(0, abs=1e-9))


def test_resamples_that_do_not_vary_are_left_out() -> None:
    found = agreed([1, 1, 1, 5], [2, 2, 2, 4])
    assert (found.r.low, found.r.high) == (pytest.approx(1), pytest.approx(1))
    assert np.isfinite([found.icc.low, found.icc.high]).all()


def test_refuses_what_is_no_pair() -> None:
    with pytest.raises(ValueError, match="2 reference and 3 predicted values are no pairs"):
        agreed([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="not finite"):
        agreed([1, 2, float("nan")], [1, 2, 3])
