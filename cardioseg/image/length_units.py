"""Length units: millimetres per unit, for the formats whose headers name the unit of their coordinates."""

from pathlib import Path

from cardioseg.errors import UnusableError

_MM = {
    "": 1.0, "?": 1.0, "???": 1.0,  # not said: both formats are then read in mm, as by ITK and 3D Slicer
    "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "cm": 10.0, "centimeter": 10.0, "centimeters": 10.0, "centimetre": 10.0, "centimetres": 10.0,
    "m": 1e3, "meter": 1e3, "meters": 1e3, "metre": 1e3, "metres": 1e3,
    "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3, "micrometers": 1e-3,
}  # fmt: skip


def mm_per_unit(path: Path, unit: str) -> float:
    """How many millimetres a unit of length is; 1 if none is named.

    Args:
        path: the file, for the error.
        unit: as its header names it.

    Raises:
        UnusableError: it is no unit of length that is known.
    """
    if unit.strip().lower() not in _MM:
        raise UnusableError(f"{path}: its positions are in the unit '{unit.strip()[:20]}'", "save it in mm")
    return _MM[unit.strip().lower()]
