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
        side: `LV`, `RV`, or `Phase`: the heading above the heading.
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
        """The heading on its own: `LV EDV`, `LV mass`, `ED phase`."""
        if self.side == "Phase":
            return f"{self.title} phase"
        return f"{self.side} {self.title if self.title.isupper() else self.title.lower()}"

    def text(self, measures: VentricleMeasures | None) -> str:
        """The measure for people; a dash where it is not known."""
        value = None if measures is None else getattr(measures, self.name)
        return UNKNOWN if value is None else f"{value:.{self.digits}f}"


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
    Column("ed_phase", "Phase", "ED"),
    Column("es_phase", "Phase", "ES"),
)


def known_columns(cases: Iterable[VentricleMeasures | None]) -> tuple[Column, ...]:
    """The columns that at least one case has a value for: a model without an RV has no RV columns."""
    rows = [case for case in cases if case is not None]
    return tuple(column for column in COLUMNS if any(getattr(row, column.name) is not None for row in rows))


def sides(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The headings above the headings, with how many columns each spans."""
    names = [column.side for column in columns]
    return [(side, names.count(side)) for side in dict.fromkeys(names)]
