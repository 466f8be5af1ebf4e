"""Tables: the measures as people read them, with headings, units and sensible digits."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cardioseg.measure.quantities import BODY, LV, QUANTITIES, RV, Quantity
from cardioseg.measure.ventricles import VentricleMeasures

UNKNOWN = "–"


@dataclass(frozen=True)
class Column:
    """One measure in a table.

    Attributes:
        quantity: which.
        in_overview: whether it has its place in the table of all cases.
    """

    quantity: Quantity
    in_overview: bool = False

    @property
    def name(self) -> str:
        """The field of `VentricleMeasures`."""
        return self.quantity.name

    @property
    def side(self) -> str:
        """`LV` or `RV`, or nothing for what concerns the whole heart, the body or the scan."""
        return self.quantity.side

    @property
    def title(self) -> str:
        """The heading, beneath that of its side."""
        return self.quantity.title

    @property
    def unit(self) -> str:
        """The unit, or nothing."""
        return self.quantity.unit

    @property
    def caption(self) -> str:
        """The heading on its own."""
        return self.quantity.caption

    def value(self, measures: VentricleMeasures | None) -> float | None:
        """The number, None where it is not known."""
        return None if measures is None else getattr(measures, self.name)

    def text(self, measures: VentricleMeasures | None) -> str:
        """The measure for people, a dash where it is not known."""
        return self._shown(self.value(measures)) or UNKNOWN

    def error(self, measures: VentricleMeasures | None) -> str:
        """Its standard deviation over the networks of an ensemble, or nothing: `± 2.0`."""
        stem, _, unit = self.name.rpartition("_")
        known = self._shown(getattr(measures, f"{stem}_sd_{unit}", None))
        return f"± {known}" if known else ""

    def _shown(self, value: float | None) -> str:
        return "" if value is None else f"{value:.{self.quantity.digits}f}"


@dataclass(frozen=True)
class Pair:
    """One line of a case's table: the same measure of both ventricles, as far as there is one of each."""

    title: str
    unit: str
    columns: tuple[Column | None, ...]


_OVERVIEW = (
    "lv_volume_ml", "lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef_percent", "lv_mass_g",
    "rv_volume_ml", "rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "rv_ef_percent",
)  # fmt: skip
_DETAILS = (
    "lv_edv_index_ml_per_m2", "lv_esv_index_ml_per_m2", "lv_sv_index_ml_per_m2", "lv_mass_index_g_per_m2",
    "rv_edv_index_ml_per_m2", "rv_esv_index_ml_per_m2", "rv_sv_index_ml_per_m2",
    "lv_ed_phase", "lv_es_phase", "rv_ed_phase", "rv_es_phase",
    "bsa_m2", "heart_rate_bpm", "cardiac_output_l_per_min", "cardiac_index_l_per_min_per_m2",
    "slice_count", "slice_step_mm", "slice_thickness_mm", "phase_count",
)  # fmt: skip
COLUMNS = tuple(Column(QUANTITIES[name], name in _OVERVIEW) for name in (*_OVERVIEW, *_DETAILS))


def measure_title(name: str) -> str:
    """`lv_ef_percent` as people read it: `LV EF (%)`."""
    quantity = QUANTITIES[name]
    return f"{quantity.caption} ({quantity.unit})"


def known_columns(cases: Iterable[VentricleMeasures | None]) -> tuple[Column, ...]:
    """The columns that at least one case has a value for: a model without an RV has no RV columns."""
    rows = [case for case in cases if case is not None]
    return tuple(column for column in COLUMNS if any(column.value(row) is not None for row in rows))


def sides(columns: Sequence[Column]) -> tuple[str, ...]:
    """The ventricles that have a column."""
    return tuple(side for side in (LV, RV) if any(column.side == side for column in columns))


def pairs(columns: Sequence[Column]) -> tuple[Pair, ...]:
    """The lines that any of the columns stands in, ventricles in the order of `sides`; what is of the body is not."""
    present, known = sides(columns), {column.title for column in columns if column.side}
    at = {(column.side, column.title): column for column in COLUMNS if column.side}
    lines = dict.fromkeys((column.title, column.unit) for column in at.values() if column.title in known)
    return tuple(Pair(title, unit, tuple(at.get((side, title)) for side in present)) for title, unit in lines)


def in_words(text: str) -> str:
    """A sentence with the names of measures, `lv_ef_percent`, as people read them: `LV EF`."""
    return re.sub(r"\b[a-z]\w+_\w+\b", lambda name: _caption(name[0]), text)


def _caption(name: str) -> str:
    quantity = QUANTITIES.get(name) or BODY.get(name)
    return quantity.caption if quantity else name
