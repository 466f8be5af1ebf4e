"""The table of measures: complete, in order, with a dash for what is not known."""

import pytest

from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import Z_SCORES
from cardioseg.report.measure_columns import (
    COLUMNS,
    UNKNOWN,
    in_words,
    known_columns,
    measure_title,
    pairs,
    sides,
    spread_text,
    value_text,
)


def test_every_measure_has_its_column() -> None:
    keys = [column.key for column in COLUMNS]
    for_pictures = {"ed_phase", "es_phase"}
    spreads = {key for key in QUANTITIES if "_sd_" in key}
    assert sorted(keys) == sorted(set(QUANTITIES) - for_pictures - spreads - set(Z_SCORES))  # limits stand for those


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_the_unit_is_the_one_in_the_name(column: Quantity) -> None:
    expected = {
        "ml": "mL", "percent": "%", "g": "g", "phase": "", "ml_per_m2": "mL/m²", "g_per_m2": "g/m²", "m2": "m²",
        "bpm": "bpm", "l_per_min": "L/min", "l_per_min_per_m2": "L/min/m²", "mm": "mm",
        "count": "", "segment": "", "ml_per_s": "mL/s", "ms": "ms",
    }  # fmt: skip
    unit = max((unit for unit in expected if column.key.endswith(f"_{unit}")), key=len)
    assert column.unit == expected[unit]


def test_unknown_is_a_dash_and_zero_is_a_zero() -> None:
    column = QUANTITIES["lv_edv_ml"]
    assert value_text(column, None) == value_text(column, Measures()) == UNKNOWN
    assert value_text(column, Measures({"lv_edv_ml": 0.0})) == "0.0"
    assert value_text(column, Measures({"lv_edv_ml": 121.26})) == "121.3"
    assert spread_text(column, Measures({"lv_edv_ml": 121.26, "lv_edv_sd_ml": 2.04})) == "± 2.0"
    assert spread_text(column, Measures({"lv_edv_ml": 121.26})) == spread_text(column, None) == ""


def test_known_columns_and_their_sides() -> None:
    columns = known_columns([None, Measures({"lv_mass_g": 90.0}), Measures({"lv_ed_phase": 0, "lv_edv_ml": 1.0})])
    assert [column.caption for column in columns] == ["LV EDV", "LV mass", "LV ED phase"]
    assert sides(columns) == ("LV",)
    both = known_columns([Measures({"lv_mass_index_g_per_m2": 70.0, "heart_rate_bpm": 61.0, "rv_edv_ml": 2.0})])
    assert [column.caption for column in both] == ["RV EDV", "LV mass / BSA", "Heart rate"]
    assert sides(both) == ("LV", "RV")


def test_ventricles_stand_side_by_side_in_one_order() -> None:
    measures = Measures({"rv_esv_ml": 60.0, "lv_edv_ml": 120.0, "lv_mass_g": 90.0, "heart_rate_bpm": 61.0})
    lines = pairs(known_columns([measures]))
    assert [(line.title, line.unit) for line in lines] == [("EDV", "mL"), ("ESV", "mL"), ("Mass", "g")]
    texts = [[column and value_text(column, measures) for column in line.columns] for line in lines]
    assert texts == [["120.0", UNKNOWN], [UNKNOWN, "60.0"], ["90.0", None]]


def test_one_ventricle_has_no_empty_column() -> None:
    [line] = pairs(known_columns([Measures({"rv_esv_ml": 60.0})]))
    assert [column.key for column in line.columns if column] == ["rv_esv_ml"]


def test_names_of_measures_become_words() -> None:
    assert in_words("lv_ef_percent is 4 % (bounds 8 to 85)") == "LV EF is 4 % (bounds 8 to 85)"
    assert in_words("heart_rate_bpm is 20, some_other_name too") == "Heart rate is 20, some_other_name too"


def test_a_measure_has_its_unit_in_its_title() -> None:
    titles = ["LV EF (%)", "LV mass (g)", "RV EDV (mL)"]
    assert [measure_title(name) for name in ("lv_ef_percent", "lv_mass_g", "rv_edv_ml")] == titles
