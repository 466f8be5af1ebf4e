"""Reference values: z-scores and limits of healthy people, and none where they would not be true."""

import pytest

from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.reference_values import REFERENCE_VALUES, Z_SCORES, reference_values, z_values

WOMAN, MAN = Acquisition(sex="F", age_years=61), Acquisition(sex="M", age_years=61)


def test_z_scores_by_hand() -> None:
    values = {"lv_edv_ml": 145.0, "lv_ef_percent": 51.0, "lv_mass_index_g_per_m2": None, "rv_edv_ml": 120.0}
    assert z_values(values, WOMAN) == {"lv_edv_z": 1.0, "lv_ef_z": -2.0}
    assert z_values(values, MAN) == pytest.approx({"lv_edv_z": -21 / 32, "lv_ef_z": -1.4})


@pytest.mark.parametrize(
    "person",
    [
        Acquisition(),
        Acquisition(sex="F"),
        Acquisition(age_years=61),
        Acquisition(sex="M", age_years=44.9),
        Acquisition(sex="M", age_years=75),
    ],
)
def test_nothing_is_said_of_a_person_whom_the_study_does_not_know(person: Acquisition) -> None:
    assert reference_values(person) == {}
    assert z_values({"lv_edv_ml": 145.0}, person) == {}


@pytest.mark.parametrize("age_years", [45, 74.9])
def test_the_ages_of_the_study_are_whole_years(age_years: float) -> None:
    assert reference_values(Acquisition(sex="M", age_years=age_years))


def test_limits_are_printed_ones_or_those_of_a_normal_distribution() -> None:
    limits = reference_values(WOMAN)["lv_edv_ml"].limits
    assert (limits.low, limits.high) == (88, 161)
    limits = reference_values(MAN)["lv_edv_ml"].limits
    assert (limits.low, limits.high) == pytest.approx((103.28, 228.72))
    assert reference_values(WOMAN)["rv_edv_ml"].z(100) is None


def test_limits_lie_about_the_mean_and_not_far_from_two_sd() -> None:
    """A slip in a table of numbers shows: printed limits agree with mean and SD to a fifth of their distance."""
    for of_sex in REFERENCE_VALUES.values():
        for reference in of_sex.values():
            if reference.mean is not None and reference.sd is not None:
                width = reference.limits.high - reference.limits.low
                assert (reference.limits.low + reference.limits.high) / 2 == pytest.approx(reference.mean, rel=0.02)
                assert width == pytest.approx(2 * 1.96 * reference.sd, rel=0.2)


def test_stroke_volume_and_ejection_fraction_follow_from_the_volumes() -> None:
    for of_sex in REFERENCE_VALUES.values():
        edv, esv, sv, ef = (of_sex[key].mean for key in ("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef_percent"))
        assert edv is not None
        assert esv is not None
        assert sv == pytest.approx(edv - esv, abs=1)
        assert ef == pytest.approx(100 * (edv - esv) / edv, abs=1)


def test_each_z_score_is_a_quantity_of_the_same_structure() -> None:
    for key, of_key in Z_SCORES.items():
        assert QUANTITIES[key].structure is QUANTITIES[of_key].structure
        assert QUANTITIES[of_key].caption in QUANTITIES[key].meaning
