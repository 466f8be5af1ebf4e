"""Plausible ranges: the values that a living person can have. The only table of limits for reading and measuring.

Plausible ranges are much wider than normal ranges: sick hearts must pass, mistakes must not. ACDC's 80 patients, among
them heart failure and hypertrophy, span: LV EDV 49 to 374 mL, LV ESV 22 to 334, RV EDV 47 to 295, LV EF 10 to 82 %, RV
EF 2 to 73 %, LV mass 34 to 272 g. Healthy adults are well inside (Petersen et al., J Cardiovasc Magn Reson
2017;19:18).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest plausible value of a quantity, in its unit."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Whether a value lies between them."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


PLAUSIBLE: Mapping[str, Bounds] = {
    "height_m": Bounds(0.3, 2.6),  # from a preterm infant to the tallest people known
    "weight_kg": Bounds(0.5, 400),
    "heart_rate_bpm": Bounds(30, 200),
    "lv_edv_ml": Bounds(30, 500),
    "lv_esv_ml": Bounds(5, 450),
    "lv_ef_percent": Bounds(8, 85),
    "lv_mass_g": Bounds(25, 450),
    "rv_edv_ml": Bounds(30, 500),
    "rv_esv_ml": Bounds(5, 450),
    "rv_ef_percent": Bounds(8, 85),
    "lv_volume_ml": Bounds(5, 500),
    "rv_volume_ml": Bounds(5, 500),
}


def is_plausible(name: str, value: float | None) -> bool:
    """Whether a quantity can have this value; True if the value is unknown."""
    return value is None or PLAUSIBLE[name].hold(value)
