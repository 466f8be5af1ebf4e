"""Quantity: what is known of one measure beside its value: name, heading, unit, limits, and where it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto

from cardioseg.image.labels import Label
from cardioseg.image.plausible_ranges import Bounds
from cardioseg.wording import decimal

KEPT_DIGITS = 6  # of numbers in JSON, which are read again and rounded for people or a table
Values = Mapping[str, float | None]  # by key of the quantity


class Table(Flag):
    """The tables for people: that of all cases in the report, that of one case there, and that on the terminal."""

    NONE = 0
    OVERVIEW = auto()
    DETAILS = auto()
    TERMINAL = auto()


@dataclass(frozen=True)
class Quantity:
    """One measure.

    Attributes:
        key: its name in files, with its unit: `lv_edv_ml`.
        title: its symbol or heading, beneath that of its side: `EDV`.
        meaning: what it is, in one sentence without a full stop.
        unit: as people write it, or nothing.
        digits: decimals for people.
        structure: which it is measured of; None for what concerns the whole heart, the body or the scan.
        tables: where it is shown to people; every quantity has its column in `measures.csv`.
        bounds: what a living person can have, where there is a rule: a value beyond is flagged.
        code: scheme and value in DICOM PS3.16, where that has a code for it: `LN 8811-2`.
        is_compared: whether `evaluate` compares it with the same measure of the reference, by its agreement over
            subjects.
        spread_of: key of the quantity of which this is the standard deviation over the networks of an ensemble.
        index_of: key of the quantity that is divided by body surface area.
    """

    key: str
    title: str
    meaning: str
    unit: str = ""
    digits: int = 0
    structure: Label | None = None
    tables: Table = Table.NONE
    bounds: Bounds | None = None
    code: str = ""
    is_compared: bool = False
    spread_of: str = ""
    index_of: str = ""

    @property
    def side(self) -> str:
        """`LV` or `RV`, or nothing for what concerns the whole heart, the body or the scan."""
        return self.structure.side if self.structure else ""

    @property
    def caption(self) -> str:
        """The heading on its own: `LV EDV`, `LV mass`, `LV ED phase`, `Cardiac output`."""
        title = f"{self.title[0].lower()}{self.title[1:]}" if self.title[1].islower() else self.title
        return f"{self.side} {title}" if self.side else self.title

    @property
    def in_overview(self) -> bool:
        """Whether the report's table of all cases shows it."""
        return Table.OVERVIEW in self.tables

    def text(self, value: float) -> str:
        """A value for people, without its unit."""
        return decimal(value, self.digits)


def indexed(key: str, quantity: Quantity, code: str = "") -> Quantity:
    """The quantity `key`: another one per body surface area; `code` is its own."""
    return Quantity(
        key,
        f"{quantity.title} / BSA",
        f"{quantity.caption} / body surface area",
        f"{quantity.unit}/m²",
        1,
        quantity.structure,
        Table.DETAILS,
        code=code,
        index_of=quantity.key,
    )


def spread(key: str, quantity: Quantity) -> Quantity:
    """The quantity `key`: the standard deviation of another one over the networks of an ensemble."""
    meaning = f"sample standard deviation of {quantity.caption} over the networks of an ensemble"
    return Quantity(key, f"{quantity.title} SD", meaning, quantity.unit, 1, quantity.structure, spread_of=quantity.key)
