"""Significance: how sure a mean is, whether a difference is more than chance. The sample is subjects, not images.

The bootstrap is our own: `scipy.stats.bootstrap` refuses a single subject, and gives no interval where a statistic is
undefined in one resample, as a correlation may be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

Floats = NDArray[np.float64]

RESAMPLES = 10_000
EXACTNESS = (
    "pairs that do not differ have no rank; p is exact for up to 50 pairs that differ, or up to 13 if some differences "
    "have the same size, and otherwise that of the normal approximation"
)  # by which SciPy chooses
_LEVEL = 0.95
_BLOCK = 200_000  # values drawn at a time: fits a cache, and thousands of subjects fit the memory


@dataclass(frozen=True)
class Interval:
    """A mean, or another statistic in its place, with its bootstrap 95 % interval over `n` subjects."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class PairedTest:
    """A Wilcoxon signed-rank test of paired values.

    Attributes:
        difference: mean of first minus second.
        effect: matched-pairs rank-biserial correlation, (W+ - W-) / (W+ + W-) of the rank sums of the pairs that
            differ: -1 where first is lower in all of them, 1 where it is higher, 0 where none differs. Kerby,
            Compr Psychol 2014;3:11.IT.3.1.
        p: two-sided; 1 where no pair differs.
        p_holm: after Holm's correction for the tests made together.
        n: number of pairs.
    """

    difference: float
    effect: float
    p: float
    p_holm: float
    n: int


def bootstrap_interval(values: Sequence[float], rng: np.random.Generator) -> Interval:
    """Percentile bootstrap of the mean, resampling subjects."""
    sample = np.asarray(values, np.float64)
    means = resampled(lambda drawn: drawn.mean(axis=-1), sample, rng)
    return percentile_interval(float(sample.mean()), means, len(sample))


def resampled(
    statistic: Callable[[Floats], Floats], sample: Floats, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Floats:
    """What `statistic` makes of samples of subjects drawn with replacement.

    Args:
        statistic: from samples (..., m, n) to values (..., m); what comes before m may change.
        sample: (..., n), one value a subject, or several that stay together.
        rng: draws the subjects.
        resamples: number of samples drawn.

    Returns:
        (..., resamples).
    """
    n = sample.shape[-1]
    step = max(1, _BLOCK // n)
    sizes = (min(step, resamples - start) for start in range(0, resamples, step))
    return np.concatenate([statistic(sample[..., rng.integers(0, n, (size, n))]) for size in sizes], axis=-1)


def percentile_interval(estimate: float, replicates: Floats, n: int) -> Interval:
    """Interval from a statistic's replicates over resamples; those for which it is undefined (NaN) do not count."""
    defined = replicates[~np.isnan(replicates)]
    low, high = np.quantile(defined, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(estimate, float(low), float(high), n)


def paired_tests(first: Sequence[float], others: Sequence[Sequence[float]]) -> list[PairedTest]:
    """Test one system against each of several, subject by subject, with Holm's correction over all."""
    reference = np.asarray(first, np.float64)
    differences = [reference - np.asarray(other, np.float64) for other in others]
    p_values = [_wilcoxon(difference) for difference in differences]
    corrected = holm(p_values)
    return [
        PairedTest(float(difference.mean()), rank_biserial(difference), p, p_holm, len(difference))
        for difference, p, p_holm in zip(differences, p_values, corrected, strict=True)
    ]


def smallest_p(pairs: int) -> float:
    """The smallest p that the test of so many pairs can give: where first is larger in every one of them."""
    return _wilcoxon(np.arange(1.0, pairs + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction; controls the chance of any false rejection."""
    order = np.argsort(p_values, kind="stable")
    scaled = [(len(p_values) - rank) * p_values[i] for rank, i in enumerate(order)]
    corrected = np.minimum(1, np.maximum.accumulate(scaled)) if scaled else np.empty(0)
    result = np.empty(len(p_values))
    result[order] = corrected
    return [float(p) for p in result]


def rank_biserial(differences: Floats) -> float:
    """Effect size of a Wilcoxon test, see `PairedTest`; 0 where no pair differs."""
    defined = differences[differences != 0]
    ranks = rankdata(np.abs(defined))
    return float((np.sign(defined) * ranks).sum() / ranks.sum()) if len(defined) else 0.0


def _wilcoxon(differences: Floats) -> float:
    """Two-sided p of the pairs that differ, see `EXACTNESS`; the others have no rank, but SciPy would approximate."""
    defined = differences[differences != 0]
    return float(wilcoxon(defined).pvalue) if len(defined) else 1.0
