"""Significance: how sure a mean is, whether a difference is more than chance. The sample is subjects, not images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

RESAMPLES = 10_000
_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap 95 % interval over `n` subjects."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class PairedTest:
    """A Wilcoxon signed-rank test of paired values.

    Attributes:
        difference: mean of first minus second.
        p: two-sided; 1 where no pair differs.
        p_holm: after Holm's correction for the tests made together.
        n: number of pairs.
    """

    difference: float
    p: float
    p_holm: float
    n: int


def bootstrap_interval(values: Sequence[float], rng: np.random.Generator, resamples: int = RESAMPLES) -> Interval:
    """Percentile bootstrap of the mean, resampling subjects."""
    sample = np.asarray(values, np.float64)
    means = sample[rng.integers(0, len(sample), (resamples, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


def paired_tests(first: Sequence[float], others: Sequence[Sequence[float]]) -> list[PairedTest]:
    """Test one system against each of several, subject by subject, with Holm's correction over all."""
    reference = np.asarray(first, np.float64)
    differences = [reference - np.asarray(other, np.float64) for other in others]
    p_values = [_wilcoxon(difference) for difference in differences]
    corrected = holm(p_values)
    return [
        PairedTest(float(difference.mean()), p, p_holm, len(difference))
        for difference, p, p_holm in zip(differences, p_values, corrected, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction; controls the chance of any false rejection."""
    order = np.argsort(p_values, kind="stable")
    scaled = [(len(p_values) - rank) * p_values[i] for rank, i in enumerate(order)]
    corrected = np.minimum(1, np.maximum.accumulate(scaled)) if scaled else np.empty(0)
    result = np.empty(len(p_values))
    result[order] = corrected
    return [float(p) for p in result]


def _wilcoxon(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(wilcoxon(differences).pvalue) if differences.any() else 1.0
