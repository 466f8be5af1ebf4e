"""Spread: a sample's mean and standard deviation."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from cardioseg.wording import UNKNOWN


@dataclass(frozen=True)
class Spread:
    """A sample: `std` is the sample standard deviation (n - 1), None below two values, as `mean` is below one."""

    n: int
    mean: float | None
    std: float | None

    def __str__(self) -> str:
        if self.mean is None:
            return UNKNOWN
        return f"{self.mean:.3f}" + (f" ± {self.std:.3f}" if self.std is not None else "") + f" ({self.n})"


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation."""
    return Spread(len(values), fmean(values) if values else None, stdev(values) if len(values) > 1 else None)
