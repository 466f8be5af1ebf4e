"""Measure columns: the measures as people read them, with headings, units and sensible digits."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantities import BODY, FOR_READERS, QUANTITIES, SPREADS
from cardioseg.measure.quantity import Quantity, Table
from cardioseg.measure.reference_values import ReferenceValue
from cardioseg.wording import UNKNOWN

COLUMNS = tuple(quantity for quantity in FOR_READERS if quantity.tables & (Table.OVERVIEW | Table.DETAILS))
"""What the report shows of a case, in the order of its tables."""


@dataclass(frozen=True)
class Pair:
    """One line of a case's table: the same measure of both ventricles, as far as there is one of each."""

    title: str
    unit: str
    columns: tuple[Quantity | None, ...]


def value_text(quantity: Quantity, measures: Measures | None) -> str:
    """A measure for people, a dash where it is not known."""
    value = None if measures is None else measures[quantity.key]
    return UNKNOWN if value is None else quantity.text(value)


def spread_text(quantity: Quantity, measures: Measures | None) -> str:
    """Its standard deviation over the networks of an ensemble, or nothing: `± 2.0`."""
    spread = SPREADS.get(quantity.key)
    value = measures[spread.key] if spread and measures else None
    return "" if value is None else f"± {quantity.text(value)}"


def reference_text(value: float | None, reference: ReferenceValue | None) -> tuple[str, str]:
    """The limits of healthy people, and how a value lies to them: `88 to 161` and `low`, `high` or nothing."""
    if reference is None or value is None:
        return "", ""
    low, high = (round(limit, 1) for limit in (reference.limits.low, reference.limits.high))
    side = "low" if value < low else "high" if value > high else ""
    return f"{low:g} to {high:g}", side


def measure_title(key: str) -> str:
    """`lv_ef_percent` as people read it: `LV EF (%)`."""
    quantity = QUANTITIES[key]
    return f"{quantity.caption} ({quantity.unit})"


def known_columns(cases: Iterable[Measures | None]) -> tuple[Quantity, ...]:
    """The columns that at least one case has a value for: a model without an RV has no RV columns."""
    keys = {key for case in cases if case is not None for key in case.known}
    return tuple(quantity for quantity in COLUMNS if quantity.key in keys)


def sides(columns: Sequence[Quantity]) -> tuple[str, ...]:
    """The ventricles that have a column."""
    return tuple(side for side in ("LV", "RV") if any(column.side == side for column in columns))


def pairs(columns: Sequence[Quantity]) -> tuple[Pair, ...]:
    """The lines that any of the columns stands in, ventricles in the order of `sides`; what is of the body is not."""
    present, titles = sides(columns), {column.title for column in columns if column.side}
    at = {(column.side, column.title): column for column in COLUMNS if column.side}
    lines = dict.fromkeys((column.title, column.unit) for column in at.values() if column.title in titles)
    return tuple(Pair(title, unit, tuple(at.get((side, title)) for side in present)) for title, unit in lines)


def in_words(text: str) -> str:
    """A sentence with the names of measures, `lv_ef_percent`, as people read them: `LV EF`."""
    return re.sub(r"\b[a-z]\w+_\w+\b", lambda name: _caption(name[0]), text)


def _caption(name: str) -> str:
    quantity = QUANTITIES.get(name) or BODY.get(name)
    return quantity.caption if quantity else name
