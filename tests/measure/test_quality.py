"""Flags: none on a sound heart, and each on a mask that was damaged in its way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from cardioseg.image.flag import Flag
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quality import quality_flags
from cardioseg.measure.ventricles import measure
from cardioseg.phantom import Phantom, reference

HEART = Phantom(slices=10, phases=12, rows=96, columns=96, spacing_mm=(10.0, 3.0, 3.0))
ES = HEART.ed_es_phases[1]
MID = 5  # a slice between base and apex
RV, MYO, LV = STRUCTURES


@pytest.fixture(scope="module")
def sound() -> Cine:
    return reference(HEART)


def judged(heart: LabelledCine, changed: Mapping[str, float] = MappingProxyType({})) -> tuple[Flag, ...]:
    """The flags of a heart, some of whose measures were changed."""
    return quality_flags(heart, Measures({**measure(heart).known, **changed}))


def flags_of(mask: Cine, labels: tuple[Label, ...] = STRUCTURES, **known: object) -> tuple[Flag, ...]:
    acquisition = Acquisition(**known)  # type: ignore[arg-type]
    return judged(LabelledCine(mask, labels, acquisition))


def damaged(mask: Cine, damage: Callable[[Voxels], None]) -> Cine:
    voxels = mask.voxels.copy()
    damage(voxels)
    return replace(mask, voxels=voxels)


def sliced(mask: Cine, first: int, last: int) -> Cine:
    shape = (last - first, *mask.grid.shape[1:])
    return Cine(mask.voxels[:, first:last], replace(mask.grid, shape=shape), mask.times_ms)


def turned(mask: Cine) -> Cine:
    """The same heart, its slices counted from the other end."""
    (up, row, column), last = mask.grid.directions, mask.grid.position_mm((mask.grid.shape[0] - 1, 0, 0)).tolist()
    down = (-up[0], -up[1], -up[2])
    return Cine(mask.voxels[:, ::-1], replace(mask.grid, origin_mm=tuple(last), directions=(down, row, column)))


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("labels", [STRUCTURES, (LV,), (RV,), (LV, MYO)])
def test_a_sound_heart_has_none(seed: int, labels: tuple[Label, ...]) -> None:
    mask = reference(replace(HEART, seed=seed))
    assert flags_of(mask, labels) == ()
    assert flags_of(sliced(mask, 0, 10), labels) == ()
    assert flags_of(turned(mask), labels) == ()


def without(label: Label) -> Callable[[Voxels], None]:
    def damage(voxels: Voxels) -> None:
        voxels[3:5][voxels[3:5] == label] = Label.BACKGROUND

    return damage


def open_ring(voxels: Voxels, phase: int = 3) -> None:
    plane = voxels[phase, MID]
    rows, columns = np.nonzero(plane == LV)
    wedge = np.zeros_like(plane, np.bool_)
    wedge[int(rows.mean()) - 2 : int(rows.mean()) + 3, int(columns.mean()) :] = True
    plane[wedge & (plane == MYO)] = Label.BACKGROUND


def second_cavity(voxels: Voxels) -> None:
    voxels[7, MID, 5:11, 5:11] = LV


def at_the_edge(voxels: Voxels) -> None:
    voxels[2, MID, 40:44, :60][voxels[2, MID, 40:44, :60] == Label.BACKGROUND] = RV


def hole(voxels: Voxels) -> None:
    voxels[:, MID][voxels[:, MID] == RV] = Label.BACKGROUND


def short(voxels: Voxels) -> None:
    voxels[:, :6][voxels[:, :6] == LV] = MYO


def jump(voxels: Voxels) -> None:
    voxels[4, 3:6][voxels[4, 3:6] == LV] = MYO


def sluggish(voxels: Voxels) -> None:
    """An RV that hardly moves while the LV ejects."""
    still = voxels[HEART.ed_es_phases[0]] == RV
    voxels[:, still & ~(voxels != Label.BACKGROUND).any(0)] = RV
    for phase in voxels:
        phase[still & (phase == Label.BACKGROUND)] = RV


@pytest.mark.parametrize(
    ("damage", "kind", "structure", "place"),
    [
        (without(RV), "no RV cavity", "2 of 12 phases", (3, None)),
        (open_ring, "open ring", "of the LV cavity's outline", (3, MID)),
        (second_cavity, "several components", "LV cavity", (7, MID)),
        (at_the_edge, "touches the border", "RV cavity: 4 pixels", (2, MID)),
        (hole, "slice extent", "RV cavity: missing in 1 of its ", (HEART.ed_es_phases[0], MID)),
        (short, "slice extent", "LV cavity: 3 slices, 30 mm", (HEART.ed_es_phases[0], 6)),
        (jump, "volume jump", "LV cavity", (4, None)),
        (sluggish, "stroke volumes differ", "limit 25 %", (None, None)),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_each_damage_has_its_flag(
    sound: Cine,
    damage: Callable[[Voxels], None],
    kind: str,
    structure: str,
    place: tuple[int | None, int | None],
) -> None:
    found = flags_of(damaged(sound, damage))
    assert (kind, place) in [(flag.kind, (flag.phase, flag.slice)) for flag in found if structure in flag.reason]
    assert len(found) <= 8


@pytest.mark.parametrize("upside_down", [False, True])
def test_a_stack_that_is_cut(sound: Cine, upside_down: bool) -> None:
    def kinds(mask: Cine) -> dict[str, int | None]:
        return {flag.kind: flag.slice for flag in flags_of(turned(mask) if upside_down else mask)}

    first, last = (5, 0) if upside_down else (0, 5)  # the phantom's slice 0 is the apex
    assert kinds(sliced(sound, 3, 9))["apex not covered"] == first
    assert kinds(sliced(sound, 0, 6))["base not covered"] == last
    assert "base not covered" not in kinds(sliced(sound, 3, 10))
    assert "apex not covered" not in kinds(sliced(sound, 0, 6))


def test_labels_that_the_model_does_not_have_are_not_judged(sound: Cine) -> None:
    broken = damaged(sound, lambda voxels: (open_ring(voxels), hole(voxels), at_the_edge(voxels))[0])
    assert flags_of(broken, (LV,)) == ()
    assert {flag.kind for flag in flags_of(broken)} >= {"open ring", "slice extent", "touches the border"}


def test_missing_slices_are_not_judged(sound: Cine) -> None:
    gap = Flag("missing slice", f"slice {MID} was not acquired", slice=MID)
    holed = damaged(sound, lambda voxels: voxels[:, MID].fill(Label.BACKGROUND))
    assert {flag.kind for flag in flags_of(holed)} >= {"slice extent"}
    assert flags_of(holed, missing=(MID,), flags=(gap,)) == (gap,)
    noise = damaged(holed, lambda voxels: voxels[:, MID, :9, :9].fill(LV))
    assert flags_of(noise, missing=(MID,), flags=(gap,)) == (gap,)


def test_many_faults_are_one_flag(sound: Cine) -> None:
    def everywhere(voxels: Voxels) -> None:
        voxels[:, MID:8, 5:11, 5:11] = LV
        voxels[6, MID, 5:17, 5:13] = LV

    (flag,) = [flag for flag in flags_of(damaged(sound, everywhere)) if flag.kind == "several components"]
    assert flag.phase in HEART.ed_es_phases
    assert "found in 36 images, 6 of them at end-diastole or end-systole; worst:" in flag.reason
    assert flag.reason.endswith(f"(slice {MID}, phase 6)")
    assert set(flag.places) == {(phase, index) for phase in range(12) for index in range(MID, 8)}


def test_a_flag_keeps_every_place_and_names_end_diastole_first(sound: Cine) -> None:
    """The ring is widest open between the moments; the volumes come from ED and ES, where it is open too."""
    ed, es = HEART.ed_es_phases

    def narrow_and_wide(voxels: Voxels) -> None:
        for phase in (ed, es):
            open_ring(voxels, phase)
        voxels[6, MID][voxels[6, MID] == MYO] = Label.BACKGROUND

    (flag,) = [flag for flag in flags_of(damaged(sound, narrow_and_wide)) if flag.kind == "open ring"]
    assert flag.phase in (ed, es)
    assert set(flag.places) == {(ed, MID), (es, MID), (6, MID)}
    assert "found in 3 images, 2 of them at end-diastole or end-systole; worst: 100 %" in flag.reason
    assert flag.reason.endswith(f"(slice {MID}, phase 6)")


def test_every_slice_that_lacks_a_ventricle_is_a_place(sound: Cine) -> None:
    (flag,) = [flag for flag in flags_of(damaged(sound, hole)) if flag.kind == "slice extent"]
    measures = measure(LabelledCine(sound, STRUCTURES))
    assert set(flag.places) == {(phase, MID) for phase in measures.moments(RV).known}


def ring_above_the_base(voxels: Voxels) -> None:
    """Around the aorta; the phantom's last slice lies above its base."""
    rows, columns = np.mgrid[:96, :96]
    radius = np.hypot(rows - 48, columns - 48)
    voxels[3, 9][(radius > 4) & (radius < 7)] = MYO


def wall_without_cavity(voxels: Voxels) -> None:
    voxels[3, MID][voxels[3, MID] == LV] = Label.BACKGROUND


def wall_beyond_the_apex(voxels: Voxels) -> None:
    """A cap of 30 mm: no wall is so thick."""
    voxels[3, :3][voxels[3, :3] == LV] = MYO


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize(
    ("damage", "places"),
    [
        (ring_above_the_base, {(3, 9)}),
        (wall_without_cavity, {(3, MID)}),
        (wall_beyond_the_apex, {(3, 0)}),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_myocardium_without_a_cavity(
    sound: Cine, damage: Callable[[Voxels], None], places: set[tuple[int, int]], upside_down: bool
) -> None:
    mask = damaged(sound, damage)
    found = flags_of(turned(mask) if upside_down else mask)
    (flag,) = [flag for flag in found if flag.kind == "myocardium without a cavity"]
    assert set(flag.places) == ({(phase, 9 - index) for phase, index in places} if upside_down else places)
    assert flag.kind not in {other.kind for other in flags_of(mask, (LV,)) + flags_of(mask, (RV, MYO))}


def spaced(mask: Cine, step_mm: float) -> Cine:
    return replace(mask, grid=replace(mask.grid, spacing_mm=(step_mm, *mask.grid.pixel_mm)))


@pytest.mark.parametrize(
    ("step_mm", "thickness_mm", "kinds"),
    [
        (10.0, None, {}),
        (10.0, 10.0, {}),
        (10.0, 8.0, {}),  # the usual protocol
        (8.0, 10.0, {}),  # they overlap
        (12.0000004, 12.0, {}),  # as positions print it
        (17.7, None, {"slices far apart": "17.7 mm from slice to slice (limit 12 mm)"}),
        (10.0, 5.0, {"gaps between slices": "slices of 5.0 mm every 10.0 mm: gaps of 5.0 mm were not imaged"}),
        (15.0, 8.0, {"slices far apart": "15.0 mm", "gaps between slices": "gaps of 7.0 mm"}),
    ],
)
def test_the_distance_between_slices(
    sound: Cine, step_mm: float, thickness_mm: float | None, kinds: dict[str, str]
) -> None:
    known = {} if thickness_mm is None else {"slice_thickness_mm": thickness_mm}
    found = flags_of(spaced(sound, step_mm), **known)
    seen = {flag.kind: flag.reason for flag in found if "slices" in flag.kind}
    assert seen.keys() == kinds.keys()
    assert all(text in seen[kind] for kind, text in kinds.items())


def test_a_single_slice_has_no_step(sound: Cine) -> None:
    alone = spaced(sliced(sound, MID, MID + 1), 30.0)
    assert not [flag for flag in flags_of(alone) if "slices" in flag.kind]


def test_an_empty_mask_and_a_single_phase(sound: Cine) -> None:
    empty = replace(sound, voxels=np.zeros_like(sound.voxels))
    assert [flag.kind for flag in flags_of(empty)] == ["no RV cavity", "no LV myocardium", "no LV cavity"]
    assert flags_of(Cine(sound.voxels[:1], sound.grid)) == ()
    assert "slice extent" in {flag.kind for flag in flags_of(damaged(Cine(sound.voxels[:1], sound.grid), short))}


@pytest.mark.parametrize(
    ("name", "value"),
    [("lv_ef_percent", 3.0), ("lv_mass_g", 900.0), ("rv_edv_ml", 12.0), ("heart_rate_bpm", 300.0)],
)  # fmt: skip
def test_implausible_values(sound: Cine, name: str, value: float) -> None:
    (flag,) = judged(LabelledCine(sound, STRUCTURES), {name: value})
    assert flag.kind == "implausible value"
    assert flag.reason.startswith(f"{name} is {value:.0f} ")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"height_m": 183.0, "weight_kg": 80.0}, "no value is indexed by it; were centimetres taken for metres?"),
        ({"height_m": 183.0}, "height_m is impossible for a person (limits 0.3 to 2.6 m)"),
        ({"height_m": 0.0183, "weight_kg": 80.0}, "were metres taken for centimetres?"),
        ({"height_m": 1.8, "weight_kg": 70_500.0}, "were grams taken for kilograms?"),
        ({"weight_kg": -1.0}, "weight_kg is impossible for a person (limits 0.5 to 400 kg): no value is indexed by it"),
    ],
)
def test_an_implausible_body(sound: Cine, body: dict[str, float], reason: str) -> None:
    (flag,) = flags_of(sound, **body)
    assert flag.kind == "implausible value"
    assert reason in flag.reason
    assert "183" not in flag.reason


def test_an_implausible_rate_is_flagged_and_gives_no_output(sound: Cine) -> None:
    acquisition = Acquisition(heart_rate_bpm=800.0)
    heart = LabelledCine(sound, STRUCTURES, acquisition)
    measures = measure(heart)
    (flag,) = quality_flags(heart, measures)
    assert flag.reason == "heart_rate_bpm is 800 bpm (limits 30 to 200)"
    assert measures["cardiac_output_l_per_min"] is None


@pytest.mark.parametrize(
    ("spreads", "reasons"),
    [
        ({"lv_ef_sd_percent": 4.9, "lv_edv_sd_ml": 5.0}, []),
        ({"lv_ef_sd_percent": 7.0}, ["LV: the model's networks differ in EF by 7 points (limit 5)"]),
        ({"rv_edv_sd_ml": 40.0, "rv_ef_sd_percent": 6.0}, ["EF by 6 points (limit 5) and EDV by 26 % (limit 10 %)"]),
    ],
)
def test_folds_that_disagree(sound: Cine, spreads: dict[str, float], reasons: list[str]) -> None:
    found = [flag for flag in judged(LabelledCine(sound, STRUCTURES), spreads) if flag.kind == "folds disagree"]
    assert len(found) == len(reasons)
    assert all(reason in flag.reason for flag, reason in zip(found, reasons, strict=True))


def test_a_heart_that_fills_the_image() -> None:
    voxels = np.full((1, 6, 8, 8), LV, np.uint8)
    voxels[0, :, 4, 4] = MYO
    kinds = {flag.kind for flag in flags_of(Cine(voxels, Grid((6, 8, 8), (10.0, 8.0, 8.0))))}
    assert {"touches the border", "open ring", "apex not covered"} <= kinds


def test_few_references_of_experts_are_flagged_by_their_shape(shared_data: Path) -> None:
    """One of 20 volumes at most; over all 160 it is one (patient053, whose stack ends within the apex)."""
    from cardioseg.results.mask_files import read_mask

    paths = sorted((shared_data / "acdc").rglob("*_gt.nii.gz"))[::8]
    assert len(paths) == 20
    assert sum(bool(flags_of(read_mask(path))) for path in paths) <= 1
