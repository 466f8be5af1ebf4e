"""Acquisition: what is known of a scan beside its voxels, as far as a measure or a flag rests on it."""

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from cardioseg.image.flag import Flag
from cardioseg.image.plausible_ranges import BMI_KG_PER_M2, HEIGHT_M, WEIGHT_KG


@dataclass(frozen=True)
class Acquisition:
    """Facts about one scan, as its files give them; None is "not known".

    Attributes:
        height_m: body height.
        weight_kg: body weight.
        heart_rate_bpm: during the scan.
        missing: 0-based slices that were not acquired and hold no picture.
        flags: what the reading of the scan found.
        slice_thickness_mm: of the slices that were excited; no NIfTI says it.
        sex: `F` or `M`; known only if a user asked for reference values.
        age_years: at the scan, likewise.
        rr_interval_ms: mean time from one R wave to the next, whether or not it fits the heart rate; no NIfTI says it.
    """

    height_m: float | None = None
    weight_kg: float | None = None
    heart_rate_bpm: float | None = None
    missing: tuple[int, ...] = ()
    flags: tuple[Flag, ...] = ()
    slice_thickness_mm: float | None = None
    sex: str | None = None
    age_years: float | None = None
    rr_interval_ms: float | None = None

    @property
    def has_sex_or_age(self) -> bool:
        """Whether a user wants reference values for this case."""
        return self.sex is not None or self.age_years is not None

    @property
    def is_of_dicom(self) -> bool:
        """Whether it is known that DICOM headers gave it, so that times of phases are trigger times."""
        return self.slice_thickness_mm is not None or self.rr_interval_ms is not None

    @property
    def is_body_plausible(self) -> bool:
        """Whether height and weight, as far as they are known, can be a person's."""
        return HEIGHT_M.hold(self.height_m) and WEIGHT_KG.hold(self.weight_kg) and BMI_KG_PER_M2.hold(self.bmi)

    @property
    def bmi(self) -> float | None:
        """Body mass index in kg/m2; None if height or weight is not known or not positive."""
        return self.weight_kg / self.height_m**2 if self.height_m and self.weight_kg else None

    @property
    def bsa_m2(self) -> float | None:
        """Body surface area, sqrt(height_cm weight_kg / 3600): Mosteller, N Engl J Med 1987;317:1098.

        None where height or weight is not known or cannot be a person's.
        """
        if self.height_m is None or self.weight_kg is None or not self.is_body_plausible:
            return None
        return sqrt(100 * self.height_m * self.weight_kg / 3600)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
