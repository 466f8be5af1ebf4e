"""Tables: the measures as people read them, with headings, units and sensible digits."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cardioseg.measure.ventricles import VentricleMeasures

UNKNOWN = "–"
LV, RV = "LV", "RV"


@dataclass(frozen=True)
class Column:
    """One measure.

    Attributes:
        name: the field of `VentricleMeasures`.
        side: `LV` or `RV`, or nothing for what concerns the whole heart or body.
        title: the heading.
        unit: the unit, or nothing.
        digits: decimals.
        in_overview: whether it has its place in the table of all cases.
    """

    name: str
    side: str
    title: str
    unit: str = ""
    digits: int = 0
    in_overview: bool = False

    @property
    def caption(self) -> str:
        """The heading on its own: `LV EDV`, `LV mass`, `LV ED phase`, `Cardiac output`."""
        title = f"{self.title[0].lower()}{self.title[1:]}" if self.title[1].islower() else self.title
        return f"{self.side} {title}" if self.side else self.title

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
        return "" if value is None else f"{value:.{self.digits}f}"


@dataclass(frozen=True)
class Pair:
    """One line of a case's table: the same measure of both ventricles, as far as there is one of each."""

    title: str
    unit: str
    columns: tuple[Column | None, ...]


COLUMNS = (
    Column("lv_volume_ml", LV, "Volume", "mL", 1, in_overview=True),
    Column("lv_edv_ml", LV, "EDV", "mL", 1, in_overview=True),
    Column("lv_esv_ml", LV, "ESV", "mL", 1, in_overview=True),
    Column("lv_sv_ml", LV, "SV", "mL", 1, in_overview=True),
    Column("lv_ef_percent", LV, "EF", "%", 1, in_overview=True),
    Column("lv_mass_g", LV, "Mass", "g", 1, in_overview=True),
    Column("rv_volume_ml", RV, "Volume", "mL", 1, in_overview=True),
    Column("rv_edv_ml", RV, "EDV", "mL", 1, in_overview=True),
    Column("rv_esv_ml", RV, "ESV", "mL", 1, in_overview=True),
    Column("rv_sv_ml", RV, "SV", "mL", 1, in_overview=True),
    Column("rv_ef_percent", RV, "EF", "%", 1, in_overview=True),
    Column("lv_edv_index_ml_per_m2", LV, "EDV / BSA", "mL/m²", 1),
    Column("lv_esv_index_ml_per_m2", LV, "ESV / BSA", "mL/m²", 1),
    Column("lv_sv_index_ml_per_m2", LV, "SV / BSA", "mL/m²", 1),
    Column("lv_mass_index_g_per_m2", LV, "Mass / BSA", "g/m²", 1),
    Column("rv_edv_index_ml_per_m2", RV, "EDV / BSA", "mL/m²", 1),
    Column("rv_esv_index_ml_per_m2", RV, "ESV / BSA", "mL/m²", 1),
    Column("rv_sv_index_ml_per_m2", RV, "SV / BSA", "mL/m²", 1),
    Column("lv_ed_phase", LV, "ED phase"),
    Column("lv_es_phase", LV, "ES phase"),
    Column("rv_ed_phase", RV, "ED phase"),
    Column("rv_es_phase", RV, "ES phase"),
    Column("bsa_m2", "", "Body surface area", "m²", 2),
    Column("heart_rate_bpm", "", "Heart rate", "bpm"),
    Column("cardiac_output_l_per_min", "", "Cardiac output", "L/min", 1),
    Column("cardiac_index_l_per_min_per_m2", "", "Cardiac index", "L/min/m²", 1),
)
_BY_NAME = {column.name: column for column in COLUMNS}


def measure_title(name: str) -> str:
    """`lv_ef_percent` as people read it: `LV EF (%)`."""
    column = _BY_NAME[name]
    return f"{column.caption} ({column.unit})"


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
    return re.sub(r"\b[a-z]\w+_\w+\b", lambda name: _BY_NAME[name[0]].caption if name[0] in _BY_NAME else name[0], text)
