"""Wall motion: the thickest place and the peak geometric strain of the LV's wall, as quantities of a case."""

from cardioseg.image.labels import Label
from cardioseg.measure.quantity import Quantity, Table, Values
from cardioseg.measure.strain import peak
from cardioseg.measure.wall_measures import WallMeasures

_MYO = Label.LV_MYOCARDIUM
_CIRCUMFERENTIAL = (
    "peak circumferential strain of the {} contour of the LV wall: the largest shortening of the contour since "
    "end-diastole; negative; geometric, from the masks"
)


def _detail(key: str, title: str, meaning: str, unit: str = "%", digits: int = 1) -> Quantity:
    return Quantity(key, title, meaning, unit, digits, _MYO, Table.DETAILS)


WALL_QUANTITIES = (
    _detail(
        "lv_wall_max_mm",
        "Largest wall thickness",
        "thickness of the LV wall at end-diastole where it is thickest: mean over 15 degrees of one slice whose cavity "
        "has at least 4 % of the largest one's area: the others are at the apex, where the wall is cut obliquely",
        "mm",
    ),
    _detail(
        "lv_wall_max_segment",
        "Segment of largest thickness",
        "AHA number of the segment with the thickest place of the LV wall",
        "",
        0,
    ),
    _detail("lv_strain_endo_percent", "Strain, endocardial", _CIRCUMFERENTIAL.format("inner")),
    _detail("lv_strain_mid_percent", "Strain, mid-wall", _CIRCUMFERENTIAL.format("middle")),
    _detail("lv_strain_epi_percent", "Strain, epicardial", _CIRCUMFERENTIAL.format("outer")),
    _detail(
        "lv_strain_radial_percent",
        "Strain, radial",
        "peak radial strain of the LV wall: the largest increase of its mean thickness since end-diastole; geometric, "
        "from the masks",
    ),
)


def wall_values(wall: WallMeasures) -> Values:
    """The values of `WALL_QUANTITIES`, as far as they are known."""
    thickest, strain = wall.thickest, wall.strain
    values: dict[str, float | None] = {}
    if thickest:
        values |= {"lv_wall_max_mm": thickest.mm, "lv_wall_max_segment": thickest.segment}
    if strain:
        values["lv_strain_endo_percent"] = peak(strain.endo, is_shortening=True)
        values["lv_strain_mid_percent"] = peak(strain.mid, is_shortening=True)
        values["lv_strain_epi_percent"] = peak(strain.epi, is_shortening=True)
        values["lv_strain_radial_percent"] = peak(strain.radial, is_shortening=False)
    return values
