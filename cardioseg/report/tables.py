"""Tables: the measures as people read them, with headings, units and sensible digits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cardioseg.measure.ventricles import VentricleMeasures

UNKNOWN = "–"


@dataclass(frozen=True)
class Column:
    """One measure.

    Attributes:
        name: the field of `VentricleMeasures`.
        side: `LV`, `RV`, `LV / BSA`, `RV / BSA`, `Body` or `Phase`: the heading above the heading.
        title: the heading.
        unit: the unit, or nothing.
        digits: decimals.
    """

    name: str
    side: str
    title: str
    unit: str = ""
    digits: int = 0

    @property
    def caption(self) -> str:
        """The heading on its own: `LV EDV`, `LV mass`, `LV mass / BSA`, `LV ED phase`, `Cardiac output`."""
        if self.side == "Phase":
            return f"{self.title} phase"
        if self.side == "Body":
            return self.title
        side, _, by = self.side.partition(" / ")
        return f"{side} {self.title if self.title.isupper() else self.title.lower()}" + (f" / {by}" if by else "")

    def text(self, measures: VentricleMeasures | None) -> str:
        """The measure for people, with its standard deviation over an ensemble; a dash where it is not known."""
        value = None if measures is None else getattr(measures, self.name)
        error = getattr(measures, _spread_of(self.name), None)
        if value is None:
            return UNKNOWN
        return f"{value:.{self.digits}f}" + (f" ± {error:.{self.digits}f}" if error is not None else "")


COLUMNS = (
    Column("lv_volume_ml", "LV", "Volume", "mL", 1),
    Column("lv_edv_ml", "LV", "EDV", "mL", 1),
    Column("lv_esv_ml", "LV", "ESV", "mL", 1),
    Column("lv_sv_ml", "LV", "SV", "mL", 1),
    Column("lv_ef_percent", "LV", "EF", "%", 1),
    Column("lv_mass_g", "LV", "Mass", "g", 1),
    Column("rv_volume_ml", "RV", "Volume", "mL", 1),
    Column("rv_edv_ml", "RV", "EDV", "mL", 1),
    Column("rv_esv_ml", "RV", "ESV", "mL", 1),
    Column("rv_sv_ml", "RV", "SV", "mL", 1),
    Column("rv_ef_percent", "RV", "EF", "%", 1),
    Column("lv_edv_index_ml_per_m2", "LV / BSA", "EDV", "mL/m²", 1),
    Column("lv_esv_index_ml_per_m2", "LV / BSA", "ESV", "mL/m²", 1),
    Column("lv_sv_index_ml_per_m2", "LV / BSA", "SV", "mL/m²", 1),
    Column("lv_mass_index_g_per_m2", "LV / BSA", "Mass", "g/m²", 1),
    Column("rv_edv_index_ml_per_m2", "RV / BSA", "EDV", "mL/m²", 1),
    Column("rv_esv_index_ml_per_m2", "RV / BSA", "ESV", "mL/m²", 1),
    Column("rv_sv_index_ml_per_m2", "RV / BSA", "SV", "mL/m²", 1),
    Column("bsa_m2", "Body", "BSA", "m²", 2),
    Column("heart_rate_bpm", "Body", "Heart rate", "bpm"),
    Column("cardiac_output_l_per_min", "Body", "Cardiac output", "L/min", 1),
    Column("cardiac_index_l_per_min_per_m2", "Body", "Cardiac index", "L/min/m²", 1),
    Column("lv_ed_phase", "Phase", "LV ED"),
    Column("lv_es_phase", "Phase", "LV ES"),
    Column("rv_ed_phase", "Phase", "RV ED"),
    Column("rv_es_phase", "Phase", "RV ES"),
)


def known_columns(cases: Iterable[VentricleMeasures | None]) -> tuple[Column, ...]:
    """The columns that at least one case has a value for: a model without an RV has no RV columns."""
    rows = [case for case in cases if case is not None]
    return tuple(column for column in COLUMNS if any(getattr(row, column.name) is not None for row in rows))


def sides(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The headings above the headings, with how many columns each spans."""
    names = [column.side for column in columns]
    return [(side, names.count(side)) for side in dict.fromkeys(names)]


def _spread_of(name: str) -> str:
    stem, unit = name.rsplit("_", 1)
    return f"{stem}_sd_{unit}"
