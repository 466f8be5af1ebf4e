"""The table of measures: complete, in order, with a dash for what is not known."""

import pytest

from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report.tables import COLUMNS, UNKNOWN, Column, known_columns, sides


def test_every_measure_has_its_column() -> None:
    names = [column.name for column in COLUMNS]
    assert sorted(names) == sorted(VentricleMeasures.columns())


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_the_unit_is_the_one_in_the_name(column: Column) -> None:
    expected = {"ml": "mL", "percent": "%", "g": "g", "phase": ""}
    assert column.unit == expected[column.name.rsplit("_", 1)[1]]


def test_unknown_is_a_dash_and_zero_is_a_zero() -> None:
    column = next(column for column in COLUMNS if column.name == "lv_edv_ml")
    assert column.text(None) == column.text(VentricleMeasures()) == UNKNOWN
    assert column.text(VentricleMeasures(lv_edv_ml=0.0)) == "0.0"
    assert column.text(VentricleMeasures(lv_edv_ml=121.26)) == "121.3"


def test_known_columns_and_their_sides() -> None:
    columns = known_columns([None, VentricleMeasures(lv_mass_g=90.0), VentricleMeasures(ed_phase=0, lv_edv_ml=1.0)])
    assert [column.caption for column in columns] == ["LV EDV", "LV mass", "ED phase"]
    assert sides(columns) == [("LV", 2), ("Phase", 1)]
