"""DICOM codes: the standard's names for what DICOM objects say, and our own where it has none.

Source: DICOM PS3.16. CID 7152 has the ventricles, CID 12305 the myocardium, CID 3717 the AHA segments, CID 12233 the
points of the cardiac cycle. There is no code for a cavity without its wall.
"""

from collections.abc import Mapping
from typing import Any

from cardioseg.image.labels import Label
from cardioseg.measure.quantity import Quantity

Code = tuple[str, str, str]  # value, scheme, meaning
OWN_SCHEME = "99CARDIOSEG"  # "99" marks a private scheme; a code is the key of a quantity

ANATOMICAL_STRUCTURE = ("123037004", "SCT", "Anatomical Structure")  # CID 7150
HEART = ("80891009", "SCT", "Heart")
VENTRICLES: Mapping[str, Code] = {
    "LV": ("87878005", "SCT", "Left ventricle"),
    "RV": ("53085002", "SCT", "Right ventricle"),
}
STRUCTURES: Mapping[Label, Code] = {
    Label.RV_CAVITY: VENTRICLES["RV"],
    Label.LV_MYOCARDIUM: ("49848007", "SCT", "Left Ventricle Myocardium"),
    Label.LV_CAVITY: VENTRICLES["LV"],
}

SEGMENTS: Mapping[int, Code] = {
    number: (code, "SCT", f"left ventricle {name} segment")
    for number, (code, name) in enumerate(
        (
            ("264850008", "basal anterior"),
            ("396482007", "basal anteroseptal"),
            ("396646008", "basal inferoseptal"),
            ("264846001", "basal inferior"),
            ("396652009", "basal inferolateral"),
            ("396654005", "basal anterolateral"),
            ("264848000", "mid anterior"),
            ("396647004", "mid anteroseptal"),
            ("396649001", "mid inferoseptal"),
            ("264847005", "mid inferior"),
            ("396655006", "mid inferolateral"),
            ("396656007", "mid anterolateral"),
            ("264844003", "apical anterior"),
            ("264845002", "apical septal"),
            ("264849008", "apical inferior"),
            ("264853005", "apical lateral"),
        ),
        start=1,
    )
}
"""By AHA number."""

TITLE = ("126000", "DCM", "Imaging Measurement Report")
DEVICE = ("121007", "DCM", "Device")
MR_OF_THE_HEART = ("241620005", "SCT", "Magnetic resonance imaging of heart")
WALL_THICKNESS = ("122445", "DCM", "Wall Thickness")
THICKENING = ("59092-7", "LN", "% Thickening")
CYCLE_POINT = ("272518008", "SCT", "Cardiac Cycle Point")
END_DIASTOLE = ("416190007", "SCT", "End Diastole")
END_SYSTOLE = ("416430001", "SCT", "End Systole")
NORMAL_LOW = ("385524004", "SCT", "Normal Range Lower Limit")  # CID 223
NORMAL_HIGH = ("371933006", "SCT", "Normal Range Upper Limit")
COMMENT = ("121106", "DCM", "Comment")


def concept(code: Code) -> Any:  # noqa: ANN401 - highdicom is untyped
    """A code as highdicom takes it."""
    from highdicom.sr import CodedConcept  # noqa: PLC0415 - slow to import

    return CodedConcept(*code)


def name_of(quantity: Quantity) -> Code:
    """The name of a quantity: its standard code, or our own one."""
    scheme, _, value = quantity.code.partition(" ")
    return (value, scheme, quantity.caption) if value else (quantity.key, OWN_SCHEME, quantity.caption)


def unit_of(unit: str) -> Any:  # noqa: ANN401
    """A unit of `Quantity` as UCUM writes it."""
    plain = unit.replace("²", "2")
    return concept(("{H.B.}/min" if unit == "bpm" else plain, "UCUM", plain))
