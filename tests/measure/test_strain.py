"""Geometric strain against rings whose contours are known, and the rates of a known volume curve."""

from dataclasses import replace

import numpy as np
import pytest

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Moments
from cardioseg.measure.strain import geometric_strain, peak
from cardioseg.measure.wall import wall_of
from cardioseg.phantom import Phantom, reference, truth
from cardioseg.results.measured_mask import describe

INNER_MM, OUTER_MM = (24.0, 21.0, 17.0, 22.0), (32.0, 31.0, 29.0, 31.5)  # phase by phase


def rings(pixel_mm: tuple[float, float] = (0.9, 1.3), squeeze: float = 1.0, slices: int = 4) -> Cine:
    """Elliptic rings around one centre, each slice smaller than the last."""
    rows = (np.arange(100)[:, None] - 49.3) * pixel_mm[0]
    columns = (np.arange(100) - 50.1) * pixel_mm[1]
    radius = np.hypot(rows / squeeze, columns * squeeze)
    voxels = np.zeros((len(INNER_MM), slices, 100, 100), np.uint8)
    for phase, (inner, outer) in enumerate(zip(INNER_MM, OUTER_MM, strict=True)):
        for index in range(slices):
            voxels[phase, index][radius < outer * (1 - 0.1 * index)] = Label.LV_MYOCARDIUM
            voxels[phase, index][radius < inner * (1 - 0.1 * index)] = Label.LV_CAVITY
    return Cine(voxels, Grid((slices, 100, 100), (10.0, *pixel_mm)))


@pytest.mark.parametrize("squeeze", [1.0, 1.15])
@pytest.mark.parametrize("pixel_mm", [(1.0, 1.0), (0.9, 1.3)])
def test_strain_is_the_change_of_contours_and_thickness(pixel_mm: tuple[float, float], squeeze: float) -> None:
    found = geometric_strain(wall_of(rings(pixel_mm, squeeze)), 0)
    inner, outer = np.array(INNER_MM), np.array(OUTER_MM)
    for curve, lengths in ((found.endo, inner), (found.mid, inner + outer), (found.epi, outer)):
        assert curve == pytest.approx(100 * (lengths / lengths[0] - 1), abs=0.6)
    thickness = outer - inner
    assert found.radial == pytest.approx(100 * (thickness / thickness[0] - 1), abs=3)
    assert found.endo[0] == found.radial[0] == 0
    assert peak(found.endo, is_shortening=True) == found.endo[2]
    assert peak(found.radial, is_shortening=False) == found.radial[2]


def test_a_slice_that_loses_its_wall_at_end_systole_does_not_count_as_shortening() -> None:
    mask = rings()
    voxels = mask.voxels.copy()
    voxels[2, 3] = Label.BACKGROUND  # the base has moved beyond this slice
    found, whole = (geometric_strain(wall_of(replace(mask, voxels=v)), 0) for v in (voxels, mask.voxels))
    assert found.endo[2] == pytest.approx(whole.endo[2], abs=0.6)
    voxels[0, 3][voxels[0, 3] == Label.LV_MYOCARDIUM] = Label.LV_CAVITY  # a wrong mask of that slice
    expected = geometric_strain(wall_of(rings(slices=3)), 0)
    assert geometric_strain(wall_of(replace(mask, voxels=voxels)), 0) == expected
    voxels[1] = Label.BACKGROUND
    found = geometric_strain(wall_of(replace(mask, voxels=voxels)), 0)
    assert (found.endo[1], found.radial[1]) == (None, None)
    assert peak((None, None), is_shortening=True) is None


def test_a_wall_that_is_seen_on_less_than_half_of_the_rays_is_none() -> None:
    mask = rings()
    voxels = mask.voxels.copy()
    voxels[..., 45:][voxels[..., 45:] == Label.LV_MYOCARDIUM] = Label.BACKGROUND
    assert not wall_of(replace(mask, voxels=voxels)).is_present.any()


def test_the_measures_of_a_case_hold_strain_thickness_and_rates() -> None:
    phantom = Phantom(rows=128, columns=128)
    known = truth(phantom)
    body = Acquisition(heart_rate_bpm=60_000 / phantom.rr_interval_ms)
    found = describe(reference(phantom), STRUCTURES, body, Moments())
    measures = found.measures
    stroke_ml, systole_s = known.measures["lv_sv_ml"], (known.es_phase - known.ed_phase) % 20 * 0.046
    assert stroke_ml is not None
    fastest = np.pi / 2 * stroke_ml / systole_s  # the volume follows half a cosine
    assert measures["lv_ejection_rate_ml_per_s"] == pytest.approx(fastest, rel=0.03)
    assert measures["lv_time_to_es_ms"] == pytest.approx(1000 * systole_s)
    assert 0 < (measures["lv_filling_rate_ml_per_s"] or 0) < fastest  # filling is slower
    strains = [measures[f"lv_strain_{name}_percent"] or 0 for name in ("endo", "mid", "epi")]
    assert strains[0] < strains[1] < strains[2] < -5
    assert (measures["lv_strain_radial_percent"] or 0) > 20
    assert found.wall.strain is not None
    assert min(value or 0 for value in found.wall.strain.mid) == strains[1]
    assert len(found.wall.document()["strain"]["endo"]) == phantom.phases
    small = found.wall.without_curves
    assert {segment.curve_mm for segment in small.segments.values()} == {()}
    assert list(small.rows()) == list(found.wall.rows())
    assert measures["lv_wall_max_segment"] == found.wall.thickest.segment if found.wall.thickest else False


def test_rates_need_a_beat_that_is_covered() -> None:
    phantom = Phantom(rows=128, columns=128)
    mask = reference(phantom)
    half = Acquisition(heart_rate_bpm=30_000 / phantom.rr_interval_ms)  # the cine covers half a beat
    few = reference(replace(phantom, phases=8))
    whole = Acquisition(heart_rate_bpm=60_000 / phantom.rr_interval_ms)
    for scan, body in ((mask, half), (mask, Acquisition()), (few, whole)):
        measures = describe(scan, STRUCTURES, body, Moments()).measures
        for name in ("lv_ejection_rate_ml_per_s", "lv_filling_rate_ml_per_s", "lv_time_to_es_ms"):
            assert measures[name] is None


def test_without_a_wall_there_is_neither_thickness_nor_strain() -> None:
    mask = reference(Phantom(rows=64, columns=64, spacing_mm=(10.0, 2.7, 2.7), phases=3))
    found = describe(mask, [Label.LV_CAVITY], Acquisition(), Moments())
    assert found.measures["lv_wall_max_mm"] is found.measures["lv_strain_endo_percent"] is None
    assert found.wall.segments == {}


def test_missing_slices_have_no_wall() -> None:
    mask = reference(Phantom(rows=128, columns=128, phases=4, ed_phase=0))
    found = describe(mask, STRUCTURES, Acquisition(missing=(5,)), Moments())
    assert found.wall.segments[9].reason == ""
    blank = mask.voxels.copy()
    blank[:, 5] = Label.BACKGROUND
    assert describe(replace(mask, voxels=blank), STRUCTURES, Acquisition(missing=(5,)), Moments()).wall == found.wall
