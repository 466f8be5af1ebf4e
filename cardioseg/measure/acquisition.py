"""Acquisition: what is known of a scan beside its voxels, as far as a measure or a flag rests on it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from cardioseg.image.flag import Flag

_HEIGHT_M = (0.3, 2.6)  # from a preterm infant to the tallest people known; outside, the unit is another one
_WEIGHT_KG = (0.5, 400.0)


@dataclass(frozen=True)
class Acquisition:
    """Facts about one scan; None is "not known".

    Attributes:
        height_m: body height.
        weight_kg: body weight.
        heart_rate_bpm: during the scan.
        missing: 0-based slices that were not acquired and hold no picture.
        flags: what the reading of the scan found.
    """

    height_m: float | None = None
    weight_kg: float | None = None
    heart_rate_bpm: float | None = None
    missing: tuple[int, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def is_body_plausible(self) -> bool:
        """Whether height and weight, as far as they are known, can be a person's."""
        known = [(self.height_m, _HEIGHT_M), (self.weight_kg, _WEIGHT_KG)]
        return all(value is None or low <= value <= high for value, (low, high) in known)

    @property
    def bsa_m2(self) -> float | None:
        """Body surface area, sqrt(height_cm weight_kg / 3600): Mosteller, N Engl J Med 1987;317:1098.

        None where height or weight is not known or cannot be a person's.
        """
        if self.height_m is None or self.weight_kg is None or not self.is_body_plausible:
            return None
        return sqrt(100 * self.height_m * self.weight_kg / 3600)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Acquisition":
        """The inverse of `document`.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        height, weight, heart_rate = (_number(document[name]) for name in ("height_m", "weight_kg", "heart_rate_bpm"))
        missing = tuple(int(index) for index in document["missing"])
        return cls(height, weight, heart_rate, missing, tuple(Flag(**row) for row in document["flags"]))


def _number(value: Any) -> float | None:  # noqa: ANN401 - from JSON
    return None if value is None else float(value)
