"""The table of measures: complete, in order, with a dash for what is not known."""

import pytest

from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report.tables import COLUMNS, UNKNOWN, Column, known_columns, sides


def test_every_measure_has_its_column() -> None:
    names = [column.name for column in COLUMNS]
    for_pictures = {"ed_phase", "es_phase"}
    spreads = {name for name in VentricleMeasures.columns() if "_sd_" in name}
    assert sorted(names) == sorted(set(VentricleMeasures.columns()) - for_pictures - spreads)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_the_unit_is_the_one_in_the_name(column: Column) -> None:
    expected = {
        "ml": "mL", "percent": "%", "g": "g", "phase": "", "ml_per_m2": "mL/m²", "g_per_m2": "g/m²", "m2": "m²",
        "bpm": "bpm", "l_per_min": "L/min", "l_per_min_per_m2": "L/min/m²",
    }  # fmt: skip
    unit = max((unit for unit in expected if column.name.endswith(f"_{unit}")), key=len)
    assert column.unit == expected[unit]


def test_unknown_is_a_dash_and_zero_is_a_zero() -> None:
    column = next(column for column in COLUMNS if column.name == "lv_edv_ml")
    assert column.text(None) == column.text(VentricleMeasures()) == UNKNOWN
    assert column.text(VentricleMeasures(lv_edv_ml=0.0)) == "0.0"
    assert column.text(VentricleMeasures(lv_edv_ml=121.26)) == "121.3"
    assert column.text(VentricleMeasures(lv_edv_ml=121.26, lv_edv_sd_ml=2.04)) == "121.3 ± 2.0"


def test_known_columns_and_their_sides() -> None:
    columns = known_columns([None, VentricleMeasures(lv_mass_g=90.0), VentricleMeasures(lv_ed_phase=0, lv_edv_ml=1.0)])
    assert [column.caption for column in columns] == ["LV EDV", "LV mass", "LV ED phase"]
    assert sides(columns) == [("LV", 2), ("Phase", 1)]
    indexed = known_columns([VentricleMeasures(lv_mass_index_g_per_m2=70.0, heart_rate_bpm=61.0)])
    assert [column.caption for column in indexed] == ["LV mass / BSA", "Heart rate"]
