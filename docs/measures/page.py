"""Writes docs/measures.md from the code's own table of measures: `python docs/measures/page.py`. No row is typed."""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.measure.quantities import CASE_COLUMNS, QUANTITIES
from cardioseg.measure.quantity import Quantity

PAGE = Path(__file__).parents[1] / "measures.md"

INTRODUCTION = """\
# The columns of measures.csv

Written by `python docs/measures/page.py` from the list of measures in the code.

`measures.csv` has one row per case and these columns, in this order. An empty cell means "not known", never zero.
Slices and phases are counted from 0. Numbers are rounded to 0.01. A volume is the sum of the areas times the distance
from slice to slice. A value outside the range of the fourth column is kept, but flagged (`implausible value`), because
hardly any living patient has such a value. The last column has the code of the measure in DICOM PS3.16, where there is
one (LN is LOINC, SCT is SNOMED CT).
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_table()])


def _table() -> Iterator[str]:
    yield "| column | unit | meaning | flagged outside | code |"
    yield "|---|---|---|---|---|"
    yield from (f"| `{name}` |  | {meaning} |  |  |" for name, meaning in CASE_COLUMNS.items())
    yield from map(_row, QUANTITIES.values())
    yield ""


def _row(quantity: Quantity) -> str:
    cells = (f"`{quantity.key}`", quantity.unit, quantity.meaning, str(quantity.bounds or ""), quantity.code)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
