"""Reference values: what healthy people have, by sex, from a published study that measures as cardioseg does.

z = (value - mean) / SD. A person outside the ages of the study, or of unknown sex or age, has no reference values.

Source: Petersen et al., J Cardiovasc Magn Reson 2017;19:18. Means and standard deviations are those of all its women
and all its men; women's limits are those of its table for women. Ejection fraction and mass are from its abstract, the
rest from public code that quotes its tables. What is not quoted is missing here: the right ventricle of men, and the
ejection fraction of the right ventricle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cardioseg.image.plausible_ranges import Bounds
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.quantity import Quantity, Values

FEMALE, MALE = "F", "M"
_MASS = "lv_mass_index_g_per_m2"
_REACH_SD = 1.96  # from the mean to the limits between which 95 % of a normal distribution lie


@dataclass(frozen=True)
class Study:
    """Where reference values are from.

    Attributes:
        citation: authors, journal, year.
        doi: its DOI.
        subjects: who was measured.
        ages: years.
        convention: how the papillary muscles count.
    """

    citation: str
    doi: str
    subjects: str
    ages: Bounds
    convention: str


@dataclass(frozen=True)
class ReferenceValue:
    """What healthy people of one sex have.

    Attributes:
        mean: of the people; None where only the limits are known.
        sd: standard deviation, likewise.
        printed: limits as the study gives them; None where they follow from `mean` and `sd`.
    """

    mean: float | None = None
    sd: float | None = None
    printed: Bounds | None = None

    @property
    def limits(self) -> Bounds:
        """Between which 95 % lie: those of the study, or mean - 1.96 SD to mean + 1.96 SD."""
        if self.printed:
            return self.printed
        mean, reach = self.mean or 0.0, _REACH_SD * (self.sd or 0.0)
        return Bounds(mean - reach, mean + reach)

    def z(self, value: float) -> float | None:
        """How many standard deviations a value lies above the mean; None where these are not known."""
        return None if self.mean is None or not self.sd else (value - self.mean) / self.sd


STUDY = Study(
    "Petersen et al., J Cardiovasc Magn Reson 2017;19:18",
    "10.1186/s12968-017-0327-9",
    "804 healthy white subjects of the UK Biobank",
    Bounds(45, 74),
    "papillary muscles in the LV cavity",
)

REFERENCE_VALUES: Mapping[str, Mapping[str, ReferenceValue]] = {
    FEMALE: {
        "lv_edv_ml": ReferenceValue(124, 21, Bounds(88, 161)),
        "lv_esv_ml": ReferenceValue(49, 11, Bounds(31, 68)),
        "lv_sv_ml": ReferenceValue(75, 14, Bounds(49, 100)),
        "lv_ef_percent": ReferenceValue(61, 5, Bounds(51, 70)),
        "lv_mass_index_g_per_m2": ReferenceValue(42, 7),
        "rv_edv_ml": ReferenceValue(printed=Bounds(85, 166)),
        "rv_esv_ml": ReferenceValue(printed=Bounds(27, 77)),
        "rv_sv_ml": ReferenceValue(printed=Bounds(48, 99)),
    },
    MALE: {
        "lv_edv_ml": ReferenceValue(166, 32),
        "lv_esv_ml": ReferenceValue(69, 16),
        "lv_sv_ml": ReferenceValue(96, 20),
        "lv_ef_percent": ReferenceValue(58, 5),
        "lv_mass_index_g_per_m2": ReferenceValue(53, 9),
    },
}
"""By sex and key of the quantity."""

Z_SCORES: Mapping[str, str] = {
    "lv_edv_z": "lv_edv_ml",
    "lv_esv_z": "lv_esv_ml",
    "lv_sv_z": "lv_sv_ml",
    "lv_ef_z": "lv_ef_percent",
    "lv_mass_index_z": "lv_mass_index_g_per_m2",
}
"""Key of a z-score -> that of the measure."""


def reference_values(acquisition: Acquisition, *, is_ed_known: bool = True) -> Mapping[str, ReferenceValue]:
    """The reference values by key of the quantity; none where sex or age is unknown or not in the study.

    Args:
        acquisition: it says sex and age, if a user wants reference values.
        is_ed_known: whether end-diastole is known; if not, there are none of the mass, which is one at end-diastole.
    """
    age_years = acquisition.age_years
    if age_years is None or not STUDY.ages.low <= age_years < STUDY.ages.high + 1:
        return {}
    of_sex = REFERENCE_VALUES.get(acquisition.sex or "", {})
    return {key: reference for key, reference in of_sex.items() if is_ed_known or key != _MASS}


def z_values(values: Values, acquisition: Acquisition, *, is_ed_known: bool = True) -> Values:
    """The z-scores of measures, as far as there are reference values for the person.

    Args:
        values: measures by key.
        acquisition: it says sex and age, if a user wants reference values.
        is_ed_known: whether end-diastole is known.
    """
    known = reference_values(acquisition, is_ed_known=is_ed_known)
    scores: dict[str, float | None] = {}
    for key, of_key in Z_SCORES.items():
        value = values.get(of_key)
        if value is not None and of_key in known:
            scores[key] = known[of_key].z(value)
    return scores


def z_quantities(quantities: Mapping[str, Quantity]) -> Iterator[Quantity]:
    """The z-scores as quantities; their columns are empty unless a user asks for reference values."""
    for key, of_key in Z_SCORES.items():
        original = quantities[of_key]
        meaning = (
            f"z-score of {original.caption}: (value - mean) / SD of healthy people of the same sex; only with "
            f"--reference-values, sex and age ({STUDY.ages} years)"
        )
        yield Quantity(key, f"{original.title} z-score", meaning, "", 1, original.structure)
