"""The heart: its outlines, its beat and its grid."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.phantom import Phantom, truth
from cardioseg.phantom.beating_heart import Section, pose, sections
from cardioseg.phantom.wall_change import WallChange

TURN = np.arange(0, 2 * np.pi, 2 * np.pi / 720)

beats = st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(-n, n - 1)))
phantoms = st.builds(
    Phantom,
    seed=st.integers(0, 9999),
    slices=st.integers(3, 14),
    phases=st.just(5),
    spacing_mm=st.tuples(st.floats(4, 20), st.just(1.4), st.just(1.4)),
    lv_radius_mm=st.floats(20, 36),
    wall_mm=st.floats(7, 14),
    lv_ef_percent=st.floats(15, 75),
    rv_ef_percent=st.floats(15, 75),
    wall_changes=st.sampled_from(
        [(), (WallChange(0, 50, 4, 6),), (WallChange(-80, 35, -3, -5), WallChange(90, 20, 3, 3))]
    ),
)


def ring_area(outer: np.ndarray, inner: np.ndarray | float = 0.0) -> float:
    """Area in mm2 between two outlines given at equal steps of a turn, by another rule than the code's closed form."""
    return float((outer**2 - np.asarray(inner) ** 2).mean() * np.pi)


def wall_gaps(section: Section) -> np.ndarray:
    return section.epicardium(TURN) - section.cavity(TURN)


@given(phantoms)
@settings(max_examples=40, deadline=None)
def test_outlines_enclose_the_analytic_volumes(phantom: Phantom) -> None:
    expected, step = truth(phantom), phantom.spacing_mm[0]
    for phase in range(phantom.phases):
        planes = sections(phantom, phase)
        lv = sum(ring_area(plane.cavity(TURN)) for plane in planes) * step / 1000
        rv = sum(ring_area(plane.rv(TURN), plane.epicardium(TURN)) for plane in planes) * step / 1000
        wall = sum(ring_area(plane.epicardium(TURN), plane.cavity(TURN)) for plane in planes) * step / 1000
        assert lv == pytest.approx(expected.lv_ml[phase], rel=1e-6)
        assert rv == pytest.approx(expected.rv_ml[phase], rel=1e-4)
        assert 1.05 * wall == pytest.approx(expected.measures["lv_mass_g"], rel=1e-6)


@given(phantoms)
@settings(max_examples=40, deadline=None)
def test_the_wall_is_never_open_and_thickens(phantom: Phantom) -> None:
    even = replace(phantom, wall_changes=())
    ed, es = (sections(even, phase) for phase in even.ed_es_phases)
    for plane in (*ed, *es):
        assert plane.epicardium_mm == 0 or wall_gaps(plane).min() > 2
    cut = [(a, b) for a, b in zip(ed, es, strict=True) if a.cavity_mm and b.cavity_mm]
    assert all(wall_gaps(b).mean() > wall_gaps(a).mean() for a, b in cut)


def test_a_change_thickens_its_part_of_the_wall_and_no_other() -> None:
    septum = WallChange(angle_deg=0, half_width_deg=50, ed_mm=5, es_mm=7)
    even, thick = (Phantom(wall_changes=changes) for changes in ((), (septum,)))
    for phase, added in zip(thick.ed_es_phases, (5, 7), strict=True):
        before, after = sections(even, phase)[6], sections(thick, phase)[6]
        angles = pose(thick).septum + np.deg2rad([0, 33, 50, 67, 120, 180, -120])
        gained = after.epicardium(angles) - before.epicardium(angles)
        gained -= gained[-1]  # the rest becomes a little thinner, since the mass stays
        assert gained[:4] == pytest.approx(after.change_share * added * np.array([1, 1, 0.5, 0]), abs=0.25)
        assert gained[4:] == pytest.approx(0, abs=0.2)
        assert np.array_equal(before.cavity(TURN), after.cavity(TURN))


@given(beats)
def test_ed_and_es_are_the_extremes_of_a_cycle(beat: tuple[int, int]) -> None:
    phases, ed_phase = beat
    phantom = Phantom(phases=phases, ed_phase=ed_phase, slices=4, spacing_mm=(18, 1.4, 1.4))
    measured = truth(phantom)
    assert measured.ed_phase == ed_phase % phases
    assert measured.lv_ml.index(max(measured.lv_ml)) == measured.ed_phase
    assert measured.rv_ml.index(min(measured.rv_ml)) == measured.es_phase
    assert len({round(volume, 6) for volume in (measured.measures["lv_edv_ml"], *measured.lv_ml)}) > 1 or phases == 1
    if phases > 1:
        assert measured.lv_ml.count(max(measured.lv_ml)) == 1
        assert measured.measures["lv_ef_percent"] == pytest.approx(60)


def test_end_systole_comes_at_a_third_of_the_cycle_or_a_little_later() -> None:
    ed, es = Phantom(phases=20, ed_phase=0).ed_es_phases
    assert (ed, es) == (0, 8)


def test_ejection_fractions_are_those_asked_for() -> None:
    measured = truth(Phantom(lv_ef_percent=25, rv_ef_percent=40)).measures
    assert measured["lv_ef_percent"] == pytest.approx(25)
    assert measured["rv_ef_percent"] == pytest.approx(40)
    assert measured["lv_sv_ml"] == pytest.approx(measured["lv_edv_ml"] - measured["lv_esv_ml"])
    assert measured["rv_sv_ml"] == pytest.approx(0.4 * measured["rv_edv_ml"])


def test_default_volumes_are_those_of_an_adult() -> None:
    measured = truth(Phantom()).measures
    assert 100 < measured["lv_edv_ml"] < 170
    assert 100 < measured["rv_edv_ml"] < 190
    assert 80 < measured["lv_mass_g"] < 170


def test_the_stack_reaches_beyond_the_cavity_at_both_ends() -> None:
    phantom = Phantom()
    planes = sections(phantom, phantom.ed_es_phases[0])
    assert planes[-1].epicardium_mm == 0  # above the base
    assert planes[0].cavity_mm == 0  # the apex's tip
    assert planes[-2].cavity_mm > planes[1].cavity_mm > 0


def test_volumes_do_not_depend_on_the_seed_nor_on_the_pixels() -> None:
    one, other = truth(Phantom(seed=1)), truth(Phantom(seed=77, rows=64, columns=80, spacing_mm=(10.0, 3.0, 2.0)))
    assert one.lv_ml == pytest.approx(other.lv_ml)
    assert one.measures["lv_mass_g"] == pytest.approx(other.measures["lv_mass_g"])
    assert one.rv_ml == pytest.approx(other.rv_ml, rel=0.05)  # its area leans on the wall's irregular outline
    assert pose(Phantom(seed=1)) != pose(Phantom(seed=77))


def test_the_grid_is_right_handed_and_climbs_to_the_base() -> None:
    phantom = Phantom()
    directions = np.asarray(phantom.grid.directions)
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(directions[2], directions[1]), directions[0], atol=1e-12)
    assert (np.diff(phantom.depths_mm) == -phantom.spacing_mm[0]).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"slices": 1},
        {"phases": 0},
        {"rows": 4},
        {"ed_phase": 20},
        {"ed_phase": -21},
        {"lv_ef_percent": 95.0},
        {"seed": -1},
        {"wall_mm": 0.0},
        {"spacing_mm": (90.0, 1.0, 1.0)},
    ],
)
def test_settings_that_mean_no_heart_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(Phantom(), **wrong)


def test_what_lines_the_cavity_keeps_its_volume() -> None:
    """Trabeculae are muscle: where the surface they stand on shrinks, they stand closer."""
    phantom = Phantom(spacing_mm=(2.0, 1.5, 1.5), slices=60)

    lining = [sum(s.cavity_mm * s.crowding for s in sections(phantom, phase)) for phase in range(phantom.phases)]

    assert max(s.crowding for phase in range(phantom.phases) for s in sections(phantom, phase)) > 1.5
    assert lining == pytest.approx([lining[0]] * phantom.phases, rel=0.02)
