"""Body and slices: Mosteller's formula, what cannot be a person, and the way through JSON."""

import pytest

from cardioseg.measure.acquisition import Acquisition


def test_mosteller() -> None:
    assert Acquisition(height_m=1.8, weight_kg=80.0).bsa_m2 == pytest.approx(2.0)
    assert Acquisition(height_m=1.84, weight_kg=95.0).bsa_m2 == pytest.approx(2.2036, abs=1e-4)


@pytest.mark.parametrize(("height_m", "weight_kg"), [(None, 80.0), (1.8, None), (None, None)])
def test_half_a_body_has_no_surface(height_m: float | None, weight_kg: float | None) -> None:
    assert Acquisition(height_m, weight_kg).bsa_m2 is None
    assert Acquisition(height_m, weight_kg).is_body_plausible


@pytest.mark.parametrize(("height_m", "weight_kg"), [(180.0, 80.0), (1.8, 0.0), (0.0, 80.0), (1.8, 80_000.0)])
def test_no_person(height_m: float, weight_kg: float) -> None:
    assert not Acquisition(height_m, weight_kg).is_body_plausible
    assert Acquisition(height_m, weight_kg).bsa_m2 is None
