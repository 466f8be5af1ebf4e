"""Plausible ranges: what a living person can have, of what is known of a scan before anything is measured.

Those of the measures stand beside them, in `measure/quantities.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest plausible value of a quantity, in its unit."""

    low: float
    high: float

    def hold(self, value: float | None) -> bool:
        """Whether a value lies between them; None, a value that is not known, counts as plausible."""
        return value is None or self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


HEIGHT_M = Bounds(0.3, 2.6)  # from a preterm infant to the tallest people known
WEIGHT_KG = Bounds(0.5, 400)
BMI_KG_PER_M2 = Bounds(5, 120)
AGE_YEARS = Bounds(0, 120)
HEART_RATE_BPM = Bounds(30, 200)
