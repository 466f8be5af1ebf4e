"""Quantities: every measure once. Tables, flags, evaluation, pages and the columns of `measures.csv` come from here.

A new measure is a file of its own, with its quantities and the function that computes their values. The quantities are
listed here, in `QUANTITIES` and `FOR_READERS`; `measure` in `ventricles.py` calls the function. Values of the wall come
from `wall_motion.py`.

Limits are far wider than normal: sick hearts must pass, mistakes must not. ACDC's 80 patients, among them heart failure
and hypertrophy, span: LV EDV 49 to 374 mL, LV ESV 22 to 334, RV EDV 47 to 295, LV EF 10 to 82 %, RV EF 2 to 73 %, LV
mass 34 to 272 g. Healthy adults lie well inside (Petersen et al., J Cardiovasc Magn Reson 2017;19:18).

Codes are those of DICOM PS3.16: CID 3833 and 3835 (ejection fractions and volumes of CT and MR), 12203, 12204, 12239,
3455.
"""

from collections.abc import Mapping

from cardioseg.image.labels import Label
from cardioseg.image.plausible_ranges import HEART_RATE_BPM, HEIGHT_M, WEIGHT_KG, Bounds
from cardioseg.measure.filling import FILLING_QUANTITIES
from cardioseg.measure.quantity import Quantity, Table, indexed, spread
from cardioseg.measure.reference_values import z_quantities
from cardioseg.measure.wall_motion import WALL_QUANTITIES

_LV, _MYO, _RV = Label.LV_CAVITY, Label.LV_MYOCARDIUM, Label.RV_CAVITY
_ALWAYS = Table.OVERVIEW | Table.TERMINAL
_EDV, _ESV, _EF, _STILL = Bounds(30, 500), Bounds(5, 450), Bounds(8, 85), Bounds(5, 500)

_AT_ED = (
    "{} cavity volume at end-diastole: the largest of the beat, unless the phase was chosen or kept from the first run"
)
_AT_ES = (
    "{} cavity volume at end-systole: the smallest of the beat, unless the phase was chosen or kept from the first run"
)
_SV, _FRACTION = "{} stroke volume, EDV - ESV", "{} ejection fraction, 100 SV / EDV"
_MASS = "mass of the {} myocardium at end-diastole, or at the only phase; density 1.05 g/mL"
_OF_ONE_PHASE = "{} cavity volume of a scan with one phase that is not known to be end-diastole or end-systole"
_FOR_PICTURES = "phase of {} of the LV (of the RV if there is no LV), counted from 0; the pictures show this phase"

_LV_EDV = Quantity("lv_edv_ml", "EDV", _AT_ED.format("LV"), "mL", 1, _LV, _ALWAYS, _EDV, "LN 8821-1", is_compared=True)
_LV_ESV = Quantity("lv_esv_ml", "ESV", _AT_ES.format("LV"), "mL", 1, _LV, _ALWAYS, _ESV, "LN 8823-7", is_compared=True)
_LV_SV = Quantity(
    "lv_sv_ml", "SV", _SV.format("LV"), "mL", 1, _LV, Table.OVERVIEW, None, "SCT 90096001", is_compared=True
)
_LV_EF = Quantity(
    "lv_ef_percent", "EF", _FRACTION.format("LV"), "%", 1, _LV, _ALWAYS, _EF, "LN 8811-2", is_compared=True
)
_LV_MASS = Quantity(
    *("lv_mass_g", "Mass", _MASS.format("LV"), "g", 1, _MYO, _ALWAYS, Bounds(25, 450), "LN 18087-7"), is_compared=True
)
_RV_EDV = Quantity("rv_edv_ml", "EDV", _AT_ED.format("RV"), "mL", 1, _RV, _ALWAYS, _EDV, "LN 8822-9", is_compared=True)
_RV_ESV = Quantity("rv_esv_ml", "ESV", _AT_ES.format("RV"), "mL", 1, _RV, _ALWAYS, _ESV, "LN 8824-5", is_compared=True)
_RV_SV = Quantity(
    "rv_sv_ml", "SV", _SV.format("RV"), "mL", 1, _RV, Table.OVERVIEW, None, "SCT 429483009", is_compared=True
)
_RV_EF = Quantity(
    "rv_ef_percent", "EF", _FRACTION.format("RV"), "%", 1, _RV, _ALWAYS, _EF, "LN 8818-7", is_compared=True
)

_LV_BEAT = (_LV_EDV, _LV_ESV, _LV_SV, _LV_EF, _LV_MASS)
_RV_BEAT = (_RV_EDV, _RV_ESV, _RV_SV, _RV_EF)

_LV_VOLUME = Quantity("lv_volume_ml", "Volume", _OF_ONE_PHASE.format("LV"), "mL", 1, _LV, _ALWAYS, _STILL)
_RV_VOLUME = Quantity("rv_volume_ml", "Volume", _OF_ONE_PHASE.format("RV"), "mL", 1, _RV, _ALWAYS, _STILL)

_SHOWN_PHASES = (
    Quantity("ed_phase", "ED phase", _FOR_PICTURES.format("end-diastole"), tables=Table.TERMINAL),
    Quantity("es_phase", "ES phase", _FOR_PICTURES.format("end-systole"), tables=Table.TERMINAL),
)
_PHASES = (
    Quantity("lv_ed_phase", "ED phase", "phase of end-diastole of the LV, counted from 0", "", 0, _LV, Table.DETAILS),
    Quantity("lv_es_phase", "ES phase", "phase of end-systole of the LV, counted from 0", "", 0, _LV, Table.DETAILS),
    Quantity("rv_ed_phase", "ED phase", "phase of end-diastole of the RV, counted from 0", "", 0, _RV, Table.DETAILS),
    Quantity("rv_es_phase", "ES phase", "phase of end-systole of the RV, counted from 0", "", 0, _RV, Table.DETAILS),
)

_RATE = Quantity(
    *("heart_rate_bpm", "Heart rate", "heart rate during the scan; read from DICOM only", "bpm"),
    tables=Table.DETAILS,
    bounds=HEART_RATE_BPM,
    code="LN 8867-4",
)
_OUTPUT = Quantity(
    "cardiac_output_l_per_min",
    "Cardiac output",
    "LV stroke volume x heart rate; only if the phases cover one beat and the heart rate is plausible",
    *("L/min", 1),
    tables=Table.DETAILS | Table.TERMINAL,
    code="SCT 82799009",
)
_CARDIAC_INDEX = Quantity(
    *("cardiac_index_l_per_min_per_m2", "Cardiac index", "cardiac output / body surface area", "L/min/m²", 1),
    tables=Table.DETAILS,
    code="SCT 54993008",
    index_of="cardiac_output_l_per_min",
)
_BSA = Quantity(
    *("bsa_m2", "Body surface area", "body surface area by Mosteller's formula", "m²", 2),
    tables=Table.DETAILS,
    code="LN 8277-6",
)

_INDEXED = (
    indexed("lv_edv_index_ml_per_m2", _LV_EDV),
    indexed("lv_esv_index_ml_per_m2", _LV_ESV),
    indexed("lv_sv_index_ml_per_m2", _LV_SV, "SCT 277381004"),
    indexed("lv_mass_index_g_per_m2", _LV_MASS),
    indexed("rv_edv_index_ml_per_m2", _RV_EDV),
    indexed("rv_esv_index_ml_per_m2", _RV_ESV),
    indexed("rv_sv_index_ml_per_m2", _RV_SV, "SCT 429619008"),
)
_SPREADS = (
    spread("lv_edv_sd_ml", _LV_EDV),
    spread("lv_esv_sd_ml", _LV_ESV),
    spread("lv_sv_sd_ml", _LV_SV),
    spread("lv_ef_sd_percent", _LV_EF),
    spread("lv_mass_sd_g", _LV_MASS),
    spread("rv_edv_sd_ml", _RV_EDV),
    spread("rv_esv_sd_ml", _RV_ESV),
    spread("rv_sv_sd_ml", _RV_SV),
    spread("rv_ef_sd_percent", _RV_EF),
)

_STEP = "distance from the centre of a slice to the centre of the next; volumes are areas times this distance"
_THICKNESS = "thickness of a slice, if DICOM gives it; if the slice step is larger, there are gaps between the slices"
_SCAN = (
    Quantity(
        "slice_count",
        "Slices",
        "number of slices of the stack, including slices without an image",
        tables=Table.DETAILS,
    ),
    Quantity("slice_step_mm", "Slice step", _STEP, "mm", 1, tables=Table.DETAILS),
    Quantity("slice_thickness_mm", "Slice thickness", _THICKNESS, "mm", 1, tables=Table.DETAILS),
    Quantity("phase_count", "Phases", "number of phases of the cine", tables=Table.DETAILS),
)


_MEASURED = (
    *(*_LV_BEAT, *_RV_BEAT, *_SHOWN_PHASES, *_PHASES, _LV_VOLUME, _RV_VOLUME, _RATE, _OUTPUT, _BSA),
    *(*_INDEXED, _CARDIAC_INDEX, *_SPREADS, *_SCAN, *WALL_QUANTITIES, *FILLING_QUANTITIES),
)


def _by_key(*quantities: Quantity) -> Mapping[str, Quantity]:
    return {quantity.key: quantity for quantity in quantities}


QUANTITIES: Mapping[str, Quantity] = _by_key(*_MEASURED, *z_quantities(_by_key(*_MEASURED)))
"""By key, in the order of the columns of `measures.csv` behind `CASE_COLUMNS`."""

FOR_READERS: tuple[Quantity, ...] = (
    *(_LV_VOLUME, *_LV_BEAT, _RV_VOLUME, *_RV_BEAT, *_INDEXED, *_PHASES, _BSA, _RATE, _OUTPUT, _CARDIAC_INDEX),
    *(*WALL_QUANTITIES, *FILLING_QUANTITIES, *_SCAN, *_SHOWN_PHASES),
)
"""Those that a table for people shows, in its order."""

SPREADS: Mapping[str, Quantity] = {
    quantity.spread_of: quantity for quantity in QUANTITIES.values() if quantity.spread_of
}
"""The standard deviation of a quantity over the networks of an ensemble, by the key of that quantity."""

BODY: Mapping[str, Quantity] = _by_key(
    Quantity("height_m", "Height", "body height", "m", 2, bounds=HEIGHT_M),
    Quantity("weight_kg", "Weight", "body weight", "kg", bounds=WEIGHT_KG),
)
"""What is known of the patient and stands in no table."""

CASE_COLUMNS: Mapping[str, str] = {
    "case_id": "name of the case and of its folder",
    "flag_count": "number of flags; a flag is a reason why a person must look at the case",
    "flags": "kinds of the flags, each kind once, separated by semicolons; measures.json has the slices and reasons",
    "review": "what a person decided in `cardioseg review`: accepted, corrected or excluded; empty if not reviewed. "
    "`cardioseg measure` adds `, changed since` if the mask or a main measure changed after the review",
}
