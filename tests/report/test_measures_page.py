"""docs/measures.md describes every column of measures.csv, from the code's own table."""

import re
from pathlib import Path
from types import ModuleType

import pytest
from scripts import script

from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.results.run_tables import MEASURE_COLUMNS

FOLDER = Path(__file__).parents[2] / "docs" / "measures"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_every_column_is_described_in_order(page: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.+?) \|", page.page(), re.MULTILINE)
    assert tuple(name for name, _, _ in rows) == MEASURE_COLUMNS
    assert all(len(meaning) > 10 for _, _, meaning in rows)


def test_the_table_of_quantities_is_that_of_the_measures() -> None:
    assert tuple(QUANTITIES) == VentricleMeasures.columns()
