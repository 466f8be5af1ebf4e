"""Case measures: the value of every quantity of one case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Moments
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.quantity import KEPT_DIGITS, Values

_DIGITS = 2  # 0.01 mL is less than one voxel
_PHASES = {"LV": ("lv_ed_phase", "lv_es_phase"), "RV": ("rv_ed_phase", "rv_es_phase")}


@dataclass(frozen=True)
class Measures:
    """What the masks of one case say, and how the scan samples the heart.

    `measures["lv_edv_ml"]` is the value of a quantity, by its key in `QUANTITIES`; None is "not known", never a
    disguised zero.

    Attributes:
        known: the values that are known, by key; phases and counts are whole numbers.
    """

    known: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := [key for key in self.known if key not in QUANTITIES]:
            raise ValueError(f"no quantity is called {unknown[0]}")

    def __getitem__(self, key: str) -> float | None:
        return self.known.get(QUANTITIES[key].key)

    @property
    def ed_phase(self) -> int | None:
        """0-based phase of the LV's end-diastole, or of the RV's where there is no LV: for pictures."""
        return self._phase("ed_phase")

    @property
    def es_phase(self) -> int | None:
        """0-based phase of the same ventricle's end-systole."""
        return self._phase("es_phase")

    @property
    def structures(self) -> frozenset[Label]:
        """The structures of which anything is known: those that were segmented, whether the heart has them or not."""
        return frozenset(
            quantity.structure for key, quantity in QUANTITIES.items() if quantity.structure and self[key] is not None
        )

    def moments(self, label: Label) -> Moments:
        """End-diastole and end-systole of the ventricle that a structure belongs to, as far as they are known."""
        ed, es = _PHASES[label.side]
        return Moments(self._phase(ed), self._phase(es))

    def joined(self, values: Values) -> "Measures":
        """These measures and those of `values` that are known."""
        return Measures({**self.known, **{key: value for key, value in values.items() if value is not None}})

    def as_row(self) -> dict[str, float | None]:
        """Every quantity by key, in the order of `QUANTITIES`, rounded to 0.01; None is an empty cell."""
        return {key: _rounded(self[key], _DIGITS) for key in QUANTITIES}

    def document(self) -> dict[str, float | None]:
        """The same for JSON that is read again: with digits enough to be rounded once more, for people or a table."""
        return {key: _rounded(self[key], KEPT_DIGITS) for key in QUANTITIES}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Measures":
        """The inverse of `document`; what an earlier version did not write is not known.

        Raises:
            TypeError, ValueError: it holds something else.
        """
        values = {key: value for key, value in document.items() if value is not None}
        if not all(isinstance(value, int | float) for value in values.values()):
            raise TypeError("a measure is no number")
        return cls(values)

    def _phase(self, key: str) -> int | None:
        value = self[key]
        return None if value is None else int(value)


def _rounded(value: float | None, digits: int) -> float | None:
    return round(value, digits) if isinstance(value, float) else value
