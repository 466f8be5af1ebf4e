"""Ventricle measures against shapes whose volumes are known in closed form."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from cardioseg.errors import UnusableError
from cardioseg.files import write_csv
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.measure.filling import FILLING_QUANTITIES
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quality import quality_flags
from cardioseg.measure.quantities import QUANTITIES
from cardioseg.measure.ventricles import MYOCARDIUM_G_PER_ML, measure
from cardioseg.measure.wall_motion import WALL_QUANTITIES
from cardioseg.phantom import Phantom, reference, truth

GRID = Grid((24, 128, 120), (4.0, 1.1, 0.9))
LV_MM, RV_MM = (0.0, 0.0, -15.0), (0.0, 0.0, 28.0)
WALL_MM = 9.0


def ellipsoid(half_axes_mm: tuple[float, float, float], centre_mm: tuple[float, float, float]) -> Voxels:
    spacing = np.array(GRID.spacing_mm)[:, None, None, None]
    middle = (np.array(GRID.shape)[:, None, None, None] - 1) / 2
    offset_mm = (np.indices(GRID.shape) - middle) * spacing - np.array(centre_mm)[:, None, None, None]
    return np.asarray((offset_mm / np.array(half_axes_mm)[:, None, None, None]) ** 2).sum(axis=0) <= 1


def ellipsoid_ml(half_axes_mm: tuple[float, float, float]) -> float:
    return float(4 / 3 * np.pi * np.prod(half_axes_mm) / 1000)


def heart(squeeze: float) -> tuple[Voxels, tuple[float, float, float], tuple[float, float, float]]:
    """One phase of labels, with the half axes of its LV and RV cavity; `squeeze` 1 is end-diastole."""
    lv_axes, rv_axes = (38.0, 24.0 * squeeze, 24.0 * squeeze), (30.0, 26.0 * squeeze, 11.0 * squeeze)
    wall_axes = (38.0 + 4.0, 24.0 * squeeze + WALL_MM, 24.0 * squeeze + WALL_MM)
    phase = np.zeros(GRID.shape, np.uint8)
    phase[ellipsoid(rv_axes, RV_MM)] = Label.RV_CAVITY
    phase[ellipsoid(wall_axes, LV_MM)] = Label.LV_MYOCARDIUM
    phase[ellipsoid(lv_axes, LV_MM)] = Label.LV_CAVITY
    return phase, lv_axes, rv_axes


@pytest.fixture(scope="module")
def beat() -> Cine:
    return Cine(np.stack([heart(squeeze)[0] for squeeze in (0.9, 0.7, 0.8, 1.0)]), GRID)


def test_ellipsoids_have_their_analytic_volumes(beat: Cine) -> None:
    lv_edv, lv_esv = (ellipsoid_ml(heart(squeeze)[1]) for squeeze in (1.0, 0.7))
    measures = measure(LabelledCine(beat, STRUCTURES))
    assert measures["lv_edv_ml"] == pytest.approx(lv_edv, rel=0.01)
    assert measures["lv_esv_ml"] == pytest.approx(lv_esv, rel=0.01)
    assert measures["lv_ef_percent"] == pytest.approx(100 * (1 - lv_esv / lv_edv), abs=0.5)
    assert measures["lv_sv_ml"] == pytest.approx(lv_edv - lv_esv, rel=0.02)


def test_mass_is_the_shell_at_end_diastole(beat: Cine) -> None:
    lv_ml = ellipsoid_ml((38.0, 24.0, 24.0))
    shell_ml = ellipsoid_ml((42.0, 33.0, 33.0)) - lv_ml
    assert measure(LabelledCine(beat, STRUCTURES))["lv_mass_g"] == pytest.approx(
        MYOCARDIUM_G_PER_ML * shell_ml, rel=0.01
    )


def test_phases_are_the_extremes_of_the_lv(beat: Cine) -> None:
    measures = measure(LabelledCine(beat, STRUCTURES))
    assert (measures.ed_phase, measures.es_phase) == (3, 1)


def test_the_rv_has_its_own_phases() -> None:
    voxels = np.zeros((3, *GRID.shape), np.uint8)
    for phase, (lv, rv) in enumerate([(30, 10), (10, 40), (20, 20)]):
        voxels[phase, 0, 0, :lv] = Label.LV_CAVITY
        voxels[phase, 0, 1, :rv] = Label.RV_CAVITY
    measures = measure(LabelledCine(Cine(voxels, GRID), STRUCTURES))
    assert (measures.ed_phase, measures.es_phase) == (0, 1)
    assert measures["rv_edv_ml"] == pytest.approx(40 * GRID.voxel_ml)
    assert measures["rv_esv_ml"] == pytest.approx(10 * GRID.voxel_ml)
    assert measures["rv_ef_percent"] == pytest.approx(75)
    assert (measures["lv_ed_phase"], measures["lv_es_phase"], measures["rv_ed_phase"], measures["rv_es_phase"]) == (
        0,
        1,
        1,
        0,
    )


def test_times_follow_the_rv_where_there_is_no_lv(beat: Cine) -> None:
    measures = measure(LabelledCine(beat, {Label.RV_CAVITY}))
    assert (measures.ed_phase, measures.es_phase) == (3, 1)


@pytest.mark.parametrize("missing", STRUCTURES)
def test_a_label_that_the_model_does_not_have_is_none(beat: Cine, missing: Label) -> None:
    row = measure(LabelledCine(beat, set(STRUCTURES) - {missing})).as_row()
    gone = {Label.RV_CAVITY: "rv_", Label.LV_CAVITY: "lv_", Label.LV_MYOCARDIUM: "lv_mass_g"}[missing]
    later = {quantity.key for quantity in (*WALL_QUANTITIES, *FILLING_QUANTITIES)}
    for name, value in row.items():
        of_the_mask = (
            name not in later and name.startswith(("lv_", "rv_", "ed_", "es_")) and not name.endswith("_volume_ml")
        )
        if of_the_mask and "_sd_" not in name and "_index_" not in name and not name.endswith("_z"):
            assert (value is None) == name.startswith(gone), name


def test_an_empty_mask_is_all_none() -> None:
    empty = Cine(np.zeros((5, *GRID.shape), np.uint8), GRID)
    assert measure(LabelledCine(empty, STRUCTURES)) == Measures(
        {"slice_count": 24, "slice_step_mm": 4.0, "phase_count": 5}
    )


def test_a_single_phase_has_a_volume_and_a_mass_but_no_ejection(beat: Cine) -> None:
    measures = measure(LabelledCine(Cine(beat.voxels[3:], GRID), STRUCTURES))
    assert measures["lv_volume_ml"] == pytest.approx(ellipsoid_ml((38.0, 24.0, 24.0)), rel=0.01)
    assert measures["lv_mass_g"] is not None
    assert {measures["lv_edv_ml"], measures["lv_esv_ml"], measures["lv_ef_percent"], measures["rv_edv_ml"]} == {None}
    assert {measures.ed_phase, measures.es_phase} == {None}
    assert measure(LabelledCine(beat, STRUCTURES))["lv_volume_ml"] is None


def test_a_cavity_that_vanishes_has_no_end_systole(beat: Cine) -> None:
    voxels = beat.voxels.copy()
    voxels[1][voxels[1] == Label.LV_CAVITY] = Label.BACKGROUND
    measures = measure(LabelledCine(Cine(voxels, GRID), STRUCTURES))
    assert measures["lv_edv_ml"] is not None
    assert {measures["lv_esv_ml"], measures["lv_sv_ml"], measures["lv_ef_percent"], measures.es_phase} == {None}
    assert measures["rv_ef_percent"] is not None


def test_curves_count_every_voxel_once(beat: Cine) -> None:
    curves = LabelledCine(beat, tuple(Label)).curves_ml
    assert set(curves) == set(STRUCTURES)
    total_ml = np.sum(list(curves.values()), axis=0)
    assert total_ml == pytest.approx((beat.voxels > 0).sum(axis=(1, 2, 3)) * GRID.voxel_ml)


def test_a_row_fits_its_columns_and_none_is_an_empty_cell(tmp_path: Path) -> None:
    measures = Measures({"lv_edv_ml": 121.33999999, "ed_phase": 18})
    write_csv(tmp_path / "measures.csv", tuple(QUANTITIES), [measures.as_row()])
    [row] = csv.DictReader(io.StringIO((tmp_path / "measures.csv").read_text()))
    assert (row["lv_edv_ml"], row["ed_phase"], row["lv_esv_ml"]) == ("121.34", "18", "")


def test_measures_are_plain_json(beat: Cine) -> None:
    measures = measure(LabelledCine(beat, STRUCTURES))
    assert Measures.from_document(json.loads(json.dumps(measures.known))) == measures


def test_chosen_phases_hold_for_both_ventricles(beat: Cine) -> None:
    chosen = measure(LabelledCine(beat, STRUCTURES), moments=Moments(ed_phase=0, es_phase=2))
    assert (chosen["lv_ed_phase"], chosen["lv_es_phase"], chosen["rv_ed_phase"], chosen["rv_es_phase"]) == (0, 2, 0, 2)
    assert (chosen.ed_phase, chosen.es_phase) == (0, 2)
    assert chosen["lv_edv_ml"] == pytest.approx(ellipsoid_ml(heart(0.9)[1]), rel=0.01)
    assert chosen["lv_esv_ml"] == pytest.approx(ellipsoid_ml(heart(0.8)[1]), rel=0.01)
    assert measure(LabelledCine(beat, STRUCTURES), moments=Moments(es_phase=2))["lv_ed_phase"] == 3


def test_a_chosen_phase_is_not_the_other_moment_too(beat: Cine) -> None:
    found = measure(LabelledCine(beat, STRUCTURES))
    for earlier in (Measures(), found):
        swapped = measure(LabelledCine(beat, STRUCTURES), moments=Moments(ed_phase=found.es_phase), earlier=earlier)
        assert swapped["lv_es_phase"] not in {found.es_phase, None}
        assert swapped["rv_es_phase"] not in {found.es_phase, None}
        assert (swapped["lv_ef_percent"] or 0) < 0  # flagged


def test_a_single_phase_that_somebody_names(beat: Cine) -> None:
    still = Cine(beat.voxels[:1], GRID)
    named = measure(LabelledCine(still, STRUCTURES), moments=Moments(ed_phase=0))
    assert named["lv_edv_ml"] == measure(LabelledCine(still, STRUCTURES))["lv_volume_ml"]
    assert {named["lv_volume_ml"], named["lv_esv_ml"], named["lv_ef_percent"]} == {None}
    assert measure(LabelledCine(still, STRUCTURES), moments=Moments(es_phase=0))["rv_esv_ml"] is not None


def test_a_phase_that_is_not_there(beat: Cine) -> None:
    with pytest.raises(UnusableError, match=r"no phase 4 .*phases 0 to 3: change es_phase"):
        measure(LabelledCine(beat, STRUCTURES), moments=Moments(0, 4))
    with pytest.raises(UnusableError, match=r"a single phase, 0: change ed_phase"):
        measure(LabelledCine(Cine(beat.voxels[:1], GRID), STRUCTURES), moments=Moments(1))


def test_output_and_indices(beat: Cine) -> None:
    body = Acquisition(height_m=1.8, weight_kg=80.0, heart_rate_bpm=60.0)
    timed = Cine(beat.voxels, GRID, (0.0, 250.0, 500.0, 750.0))
    plain, measures = measure(LabelledCine(beat, STRUCTURES)), measure(LabelledCine(timed, STRUCTURES, body))
    assert measures["bsa_m2"] == pytest.approx(2.0)
    for name in ("lv_edv", "lv_esv", "lv_sv", "rv_edv", "rv_esv", "rv_sv"):
        value = plain[f"{name}_ml"]
        assert measures[f"{name}_index_ml_per_m2"] == pytest.approx(value / 2), name
        assert plain[f"{name}_index_ml_per_m2"] is None
    assert measures["lv_mass_index_g_per_m2"] == pytest.approx((plain["lv_mass_g"] or 0) / 2)
    output = 60 * (plain["lv_sv_ml"] or 0) / 1000
    assert (measures["heart_rate_bpm"], measures["cardiac_output_l_per_min"]) == (60, pytest.approx(output))
    assert measures["cardiac_index_l_per_min_per_m2"] == pytest.approx(output / 2)
    assert {plain["bsa_m2"], plain["cardiac_output_l_per_min"], plain["cardiac_index_l_per_min_per_m2"]} == {None}
    assert measure(LabelledCine(timed, {Label.RV_CAVITY}, body))["cardiac_output_l_per_min"] is None


def test_error_bars_are_the_spread_over_the_folds(beat: Cine) -> None:
    folds = [
        {Label.LV_CAVITY: curve, Label.LV_MYOCARDIUM: (100.0, 90.0)}
        for curve in ((100.0, 40.0), (110.0, 50.0), (120.0, 54.0))
    ]
    measures = measure(LabelledCine(beat, STRUCTURES), fold_curves_ml=folds)
    assert measures["lv_edv_sd_ml"] == pytest.approx(10)
    assert measures["lv_sv_sd_ml"] == pytest.approx(np.std([60, 60, 66], ddof=1))
    assert measures["lv_ef_sd_percent"] == pytest.approx(np.std([60, 100 * 60 / 110, 55], ddof=1))
    assert measures["lv_mass_sd_g"] == 0
    assert measures["rv_edv_sd_ml"] is None
    assert measures["lv_edv_ml"] == measure(LabelledCine(beat, STRUCTURES))["lv_edv_ml"]
    for too_few in ((), folds[:1]):
        assert measure(LabelledCine(beat, STRUCTURES), fold_curves_ml=too_few)["lv_edv_sd_ml"] is None


def test_every_number_says_its_unit() -> None:
    units = (
        "_ml",
        "_percent",
        "_g",
        "_phase",
        "_bpm",
        "_m2",
        "_l_per_min",
        "_mm",
        "_count",
        "_segment",
        "_ml_per_s",
        "_ms",
        "_z",
    )
    assert [name for name in QUANTITIES if not name.endswith(units)] == []


@pytest.mark.parametrize("seed", [1, 7])
def test_a_mask_measures_the_phantom_to_half_a_percent(seed: int) -> None:
    phantom = Phantom(seed=seed)
    known, measures = truth(phantom), measure(LabelledCine(reference(phantom), STRUCTURES))
    for name in ("lv_edv_ml", "lv_esv_ml", "rv_edv_ml", "rv_esv_ml", "lv_mass_g"):
        assert measures[name] == pytest.approx(known.measures[name], rel=0.005), name
    assert (measures["lv_ed_phase"], measures["lv_es_phase"]) == (known.ed_phase, known.es_phase)


def test_pixels_are_counted_once_for_measures_and_flags(beat: Cine, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Label] = []
    count = LabelledCine._counts
    monkeypatch.setattr(LabelledCine, "_counts", lambda heart, label: counted.append(label) or count(heart, label))
    labelled = LabelledCine(beat, STRUCTURES)
    quality_flags(labelled, measure(labelled))
    assert labelled.curves_ml
    assert sorted(counted) == sorted(STRUCTURES)
