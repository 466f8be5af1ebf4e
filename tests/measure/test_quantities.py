"""The list of quantities: complete, consistent in itself, with codes that DICOM has."""

import json

import pytest
from pydicom.sr.codedict import codes

from cardioseg.image.labels import Label
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Beat
from cardioseg.measure.quantities import BODY, FOR_READERS, QUANTITIES, SPREADS
from cardioseg.measure.quantity import Quantity, Table
from cardioseg.measure.ventricles import beat_values
from cardioseg.report.measure_columns import value_text

CONTEXT_GROUPS = {
    "LN 8811-2": codes.cid3833,  # ejection fractions by CT and MR
    "LN 8818-7": codes.cid3833,
    "LN 8821-1": codes.cid3835,  # cardiac volumes of CT and MR
    "LN 8822-9": codes.cid3835,
    "LN 8823-7": codes.cid3835,
    "LN 8824-5": codes.cid3835,
    "SCT 90096001": codes.cid3835,
    "SCT 429483009": codes.cid12204,
    "SCT 82799009": codes.cid12239,
    "SCT 54993008": codes.cid12239,
    "LN 18087-7": codes.cid12203,
    "SCT 277381004": codes.cid12239,
    "SCT 429619008": codes.cid12204,
    "DCM 122616": codes.DCM,  # in no context group
    "DCM 122618": codes.DCM,
    "LN 8867-4": codes.cid12200,
    "LN 8277-6": codes.cid3455,
}


OF_EITHER = ("Stroke Volume", "Stroke Index", "Peak Ejection Rate", "Peak Filling Rate")  # of the RV or of the LV


@pytest.mark.parametrize("quantity", [one for one in QUANTITIES.values() if one.code], ids=lambda one: one.key)
def test_a_code_stands_in_its_context_group_of_dicom(quantity: Quantity) -> None:
    group = CONTEXT_GROUPS[quantity.code]
    members = {
        f"{code.scheme_designator} {code.value}": code.meaning
        for code in (getattr(group, name) for name in group.dir())
    }
    meaning = members[quantity.code]
    side = {"LV": "Left", "RV": "R"}.get(quantity.side, "")  # PS3.16 writes `Right ventricular` and `RV`
    assert meaning.startswith(side) or meaning in OF_EITHER


def test_every_code_is_checked_and_used_once() -> None:
    used = [quantity.code for quantity in QUANTITIES.values() if quantity.code]
    assert sorted(used) == sorted(CONTEXT_GROUPS)


def test_what_follows_from_a_quantity_has_its_structure_and_unit() -> None:
    for quantity in QUANTITIES.values():
        if quantity.spread_of:
            original = QUANTITIES[quantity.spread_of]
            assert (quantity.structure, quantity.unit) == (original.structure, original.unit)
            assert SPREADS[original.key] is quantity
        if quantity.index_of:
            original = QUANTITIES[quantity.index_of]
            assert (quantity.structure, quantity.unit) == (original.structure, f"{original.unit}/m²")


def test_the_key_says_the_side_of_the_structure() -> None:
    for key, quantity in QUANTITIES.items():
        assert quantity.side == (key[:2].upper() if key.startswith(("lv_", "rv_")) else "")
    assert QUANTITIES["lv_mass_g"].structure is Label.LV_MYOCARDIUM


def test_every_quantity_of_a_table_has_its_place_among_those_for_readers() -> None:
    shown = [key for key, quantity in QUANTITIES.items() if quantity.tables]
    assert sorted(shown) == sorted(quantity.key for quantity in FOR_READERS)
    assert all(quantity is QUANTITIES[quantity.key] for quantity in FOR_READERS)
    assert not {quantity.tables for quantity in FOR_READERS if quantity.in_overview} & {Table.DETAILS}


def test_keys_are_unique() -> None:
    assert len({(quantity.caption, quantity.unit) for quantity in QUANTITIES.values()}) == len(QUANTITIES)
    assert not set(QUANTITIES) & set(BODY)


def test_values_are_asked_for_by_key() -> None:
    measures = Measures({"lv_edv_ml": 121.339, "ed_phase": 18, "rv_ed_phase": 3})
    assert (measures["lv_edv_ml"], measures["lv_esv_ml"]) == (121.339, None)
    assert (measures.ed_phase, measures.es_phase) == (18, None)
    assert measures.moments(Label.RV_CAVITY).known == (3,)
    assert measures.moments(Label.LV_MYOCARDIUM).known == ()
    with pytest.raises(KeyError):
        measures["lv_edv"]
    with pytest.raises(ValueError, match="no quantity is called lv_edv"):
        Measures({"lv_edv": 1.0})


def test_a_row_has_every_quantity_in_order_and_comes_back() -> None:
    measures = Measures({"lv_edv_ml": 121.339, "ed_phase": 18})
    row = measures.as_row()
    assert list(row) == list(QUANTITIES)
    assert {key: value for key, value in row.items() if value is not None} == {"lv_edv_ml": 121.34, "ed_phase": 18}
    assert Measures.from_document(row) == Measures({"lv_edv_ml": 121.34, "ed_phase": 18})


def test_a_value_is_rounded_once_on_its_way_through_a_document() -> None:
    measures = Measures({"lv_edv_ml": 145.746})
    kept = Measures.from_document(json.loads(json.dumps(measures.document())))
    assert kept == measures
    assert (value_text(QUANTITIES["lv_edv_ml"], kept), kept.as_row()["lv_edv_ml"]) == ("145.7", 145.75)


@pytest.mark.parametrize(
    ("value", "text"), [(145.25, "145.3"), (145.35, "145.3"), (-0.25, "\N{MINUS SIGN}0.3"), (-0.01, "0.0")]
)
def test_halves_go_away_from_zero_as_in_javascript(value: float, text: str) -> None:
    assert QUANTITIES["lv_edv_ml"].text(value) == text


@pytest.mark.parametrize("document", [{"lv_edv_ml": "120"}, {"lv_edv_ml": [120]}, {"volume": 1.0}])
def test_a_document_of_something_else_is_refused(document: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Measures.from_document(document)


def test_what_evaluate_compares_follows_from_the_volumes_at_ed_and_es() -> None:
    """`evaluate` has no other values of a reference: any other quantity would be compared with nothing, silently."""
    beat = Beat(0, 120.0, 7, 50.0)
    values = beat_values(beat, beat, 100.0)
    compared = {key for key, quantity in QUANTITIES.items() if quantity.is_compared}
    assert compared == {key for key, value in values.items() if value is not None}


def test_what_has_a_spread_is_computed_for_each_network() -> None:
    beat = Beat(0, 120.0, 7, 50.0)
    assert set(SPREADS) <= set(beat_values(beat, beat, 100.0))
