"""Quantities: every measure once, with its name in files, its heading, unit, digits and meaning.

Tables, flags, pages and the description of `measures.csv` take them from here; their bounds stand in
`image/plausible_ranges.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cardioseg.image.plausible_ranges import PLAUSIBLE, Bounds

LV, RV = "LV", "RV"


@dataclass(frozen=True)
class Quantity:
    """One measure.

    Attributes:
        name: in files, with its unit: `lv_edv_ml`.
        title: its heading, beneath that of its side: `EDV`.
        meaning: what it is, in one sentence without a full stop.
        unit: as people write it, or nothing.
        digits: decimals for people.
        side: `LV` or `RV`, or nothing for what concerns the whole heart, the body or the scan.
    """

    name: str
    title: str
    meaning: str
    unit: str = ""
    digits: int = 0
    side: str = ""

    @property
    def caption(self) -> str:
        """The heading on its own: `LV EDV`, `LV mass`, `LV ED phase`, `Cardiac output`."""
        title = f"{self.title[0].lower()}{self.title[1:]}" if self.title[1].islower() else self.title
        return f"{self.side} {title}" if self.side else self.title

    @property
    def bounds(self) -> Bounds | None:
        """What a living person can have, where there is a rule: a value beyond is flagged."""
        return PLAUSIBLE.get(self.name)


def _of(side: str, name: str, title: str, unit: str, meaning: str) -> Quantity:
    return Quantity(f"{side.lower()}_{name}", title, meaning.format(side), unit, 1, side)


def _volumes(side: str) -> Iterator[Quantity]:
    yield _of(
        side,
        "edv_ml",
        "EDV",
        "mL",
        "{} cavity volume at its end-diastole: the largest of the beat, or at a chosen or kept phase",
    )
    yield _of(
        side,
        "esv_ml",
        "ESV",
        "mL",
        "{} cavity volume at its end-systole: the smallest of the beat, or at a chosen or kept phase",
    )
    yield _of(side, "sv_ml", "SV", "mL", "{} stroke volume, EDV - ESV")
    yield _of(side, "ef_percent", "EF", "%", "{} ejection fraction, 100 SV / EDV")
    if side == LV:
        yield _of(side, "mass_g", "Mass", "g", "{} myocardium at end-diastole, or of the only phase, 1.05 g/mL")


def _phases() -> Iterator[Quantity]:
    for moment, word in (("ED", "end-diastole"), ("ES", "end-systole")):
        meaning = f"phase of {word}, from 0, of the LV, or of the RV where there is no LV; the pictures show it"
        yield Quantity(f"{moment.lower()}_phase", f"{moment} phase", meaning)
    for side in (LV, RV):
        for moment, word in (("ED", "end-diastole"), ("ES", "end-systole")):
            meaning = f"phase of the {side}'s {word}, from 0"
            yield Quantity(f"{side.lower()}_{moment.lower()}_phase", f"{moment} phase", meaning, side=side)


def _flow() -> Iterator[Quantity]:
    for side in (LV, RV):
        meaning = "{} cavity volume of a scan of one phase, which nothing says to be end-diastole or end-systole"
        yield _of(side, "volume_ml", "Volume", "mL", meaning)
    yield Quantity("heart_rate_bpm", "Heart rate", "heart rate during the scan", "bpm")
    output = "LV stroke volume x heart rate, where the phases cover the beat and the rate is plausible"
    yield Quantity("cardiac_output_l_per_min", "Cardiac output", output, "L/min", 1)
    yield Quantity("bsa_m2", "Body surface area", "body surface area by Mosteller's formula", "m²", 2)


def _indexed(quantity: Quantity) -> Quantity:
    stem, unit = quantity.name.rsplit("_", 1)
    return Quantity(
        f"{stem}_index_{unit}_per_m2",
        f"{quantity.title} / BSA",
        f"{quantity.caption} / body surface area",
        f"{quantity.unit}/m²",
        1,
        quantity.side,
    )


def _spread(quantity: Quantity) -> Quantity:
    """Of a measure over the networks of an ensemble."""
    stem, unit = quantity.name.rsplit("_", 1)
    meaning = f"sample standard deviation of {quantity.caption} over the networks of an ensemble"
    return Quantity(f"{stem}_sd_{unit}", f"{quantity.title} SD", meaning, quantity.unit, 1, quantity.side)


def _scan() -> Iterator[Quantity]:
    yield Quantity("slice_count", "Slices", "slices of the stack, those without an image among them")
    step = "distance from slice to slice, centre to centre, by which areas become volumes"
    yield Quantity("slice_step_mm", "Slice step", step, "mm", 1)
    thickness = "thickness of a slice where DICOM gives it; what the step exceeds it by is a gap between slices"
    yield Quantity("slice_thickness_mm", "Slice thickness", thickness, "mm", 1)
    yield Quantity("phase_count", "Phases", "phases of the cine")


def _measures() -> Iterator[Quantity]:
    volumes = (*_volumes(LV), *_volumes(RV))
    index = Quantity(
        "cardiac_index_l_per_min_per_m2", "Cardiac index", "cardiac output / body surface area", "L/min/m²", 1
    )
    yield from (*volumes, *_phases(), *_flow())
    yield from (_indexed(quantity) for quantity in volumes if quantity.unit != "%")
    yield index
    yield from map(_spread, volumes)
    yield from _scan()


QUANTITIES: Mapping[str, Quantity] = {quantity.name: quantity for quantity in _measures()}
"""The columns of `measures.csv` behind `CASE_COLUMNS`, in their order."""

BODY: Mapping[str, Quantity] = {
    "height_m": Quantity("height_m", "Height", "body height", "m", 2),
    "weight_kg": Quantity("weight_kg", "Weight", "body weight", "kg"),
}

CASE_COLUMNS: Mapping[str, str] = {
    "case_id": "name of the case and of its folder",
    "flag_count": "number of flags, the reasons why a human must look; 0 is none",
    "flags": "kinds of the flags, each once, separated by semicolons; slices and reasons are in measures.json",
}
