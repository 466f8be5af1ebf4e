"""Overlays as pixels: readable, deterministic, the outline where the mask is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from cardioseg.image.flag import Flag
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Grid, Voxels
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quality import quality_flags
from cardioseg.measure.ventricles import measure
from cardioseg.report.overlays import write_overlay
from cardioseg.report.palette import COLOURS, FLAGGED
from cardioseg.report.sheet import lay_out

GRID = Grid((3, 64, 60), (8.0, 1.5, 1.5))


def heart(phases: int = 4) -> tuple[Cine, Cine]:
    row, column = np.mgrid[:64, :60]
    radius = np.hypot(row - 32, column - 34)
    labels = np.zeros((phases, *GRID.shape), np.uint8)
    labels[:, :2, (np.hypot(row - 32, column - 20) < 12)] = Label.RV_CAVITY
    labels[:, :2, radius < 14] = Label.LV_MYOCARDIUM
    labels[:, :2, radius < 9] = Label.LV_CAVITY
    noise = np.random.default_rng(0).normal(0, 8, labels.shape)
    return Cine(labels * 60 + noise, GRID), Cine(labels, GRID)


def pixels(path: Path) -> Voxels:
    return np.asarray(Image.open(path).convert("RGB"), np.float64) / 255


def near(picture: Voxels, colour: str, tolerance: float = 0.12) -> Voxels:
    return np.asarray(np.abs(picture - np.array(ImageColor.getrgb(colour)) / 255).max(axis=-1) < tolerance)


def test_every_structure_is_outlined_in_its_colour(tmp_path: Path) -> None:
    write_overlay(tmp_path / "o.png", *heart(), ed_phase=3, es_phase=1, title="case")
    picture = pixels(tmp_path / "o.png")
    for label in STRUCTURES:
        assert near(picture, COLOURS[label]).sum() > 200, label


def test_the_outline_is_where_the_mask_is(tmp_path: Path) -> None:
    image, mask = heart(1)
    only_cavity = Cine(np.where(mask.voxels == Label.LV_CAVITY, mask.voxels, 0).astype(np.uint8), GRID)
    write_overlay(tmp_path / "o.png", Cine(np.zeros_like(image.voxels), GRID), only_cavity)
    sheet = lay_out(only_cavity, {0: ""})
    first = next(sheet.tiles)
    shown = pixels(tmp_path / "o.png")[first.y : first.y + sheet.shape[0], first.x : first.x + sheet.shape[1]]
    tile = near(shown, COLOURS[Label.LV_CAVITY], 0.3)
    rows, columns = np.nonzero(tile)
    px_per_pixel = sheet.shape[0] / (sheet.crop.bottom - sheet.crop.top)
    found = [
        rows.mean() / px_per_pixel + sheet.crop.top - 0.5,
        columns.mean() / px_per_pixel + sheet.crop.left - 0.5,
        (np.ptp(rows) + 1) / px_per_pixel / 2,
    ]
    assert found == pytest.approx([32, 34, 9], abs=0.5)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_overlay(tmp_path / name, *heart(), ed_phase=0, es_phase=2, title="case")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_both_phases_make_a_taller_sheet_than_one(tmp_path: Path) -> None:
    image, mask = heart()
    write_overlay(tmp_path / "two.png", image, mask, ed_phase=0, es_phase=2)
    write_overlay(tmp_path / "same.png", image, mask, ed_phase=2, es_phase=2)
    write_overlay(tmp_path / "one.png", image, mask, ed_phase=2)
    heights = [len(pixels(tmp_path / f"{name}.png")) for name in ("two", "same", "one")]
    assert heights[0] > heights[1] == heights[2]


@pytest.mark.parametrize("phases", [1, 3])
def test_an_empty_mask_shows_the_image_alone(tmp_path: Path, phases: int) -> None:
    image, mask = heart(phases)
    write_overlay(tmp_path / "o.png", image, replace(mask, voxels=np.zeros_like(mask.voxels)))
    picture = pixels(tmp_path / "o.png")
    assert np.ptp(picture) > 0.8
    assert not any(near(picture, COLOURS[label]).any() for label in STRUCTURES)


def test_flags_stand_out_and_add_a_row_where_their_phase_is_not_shown(tmp_path: Path) -> None:
    image, mask = heart()
    shown, hidden = Flag("open ring", "", 2, 1), Flag("open ring", "", 1, 1)
    heights = []
    for flags in ([], [shown], [shown, hidden], [Flag("missing slice", "", None, 2), Flag("volume jump", "", 1)]):
        write_overlay(tmp_path / "o.png", image, mask, ed_phase=0, es_phase=2, flags=flags)
        picture = pixels(tmp_path / "o.png")
        assert near(picture, FLAGGED).any() == bool(flags)
        heights.append(len(picture))
    assert heights[0] == heights[1] == heights[3] < heights[2]


def test_every_place_of_a_flag_is_marked(tmp_path: Path) -> None:
    """At end-diastole and end-systole too, where the flag names another phase."""
    image, mask = heart()
    flag = Flag("open ring", "", 1, 1, ((0, 1), (0, 2), (1, 1), (2, 1)))
    write_overlay(tmp_path / "o.png", image, mask, ed_phase=0, es_phase=2, flags=[flag])
    picture = pixels(tmp_path / "o.png")
    sheet = lay_out(mask, {0: "ED", 2: "ES"}, [(1, 1)])
    height, width = sheet.shape
    marked = {t.place for t in sheet.tiles if near(picture[t.y : t.y + height, t.x : t.x + width], FLAGGED).any()}
    assert marked == set(flag.places)


def test_an_open_ring_is_marked_at_the_moments_where_another_phase_is_worse(tmp_path: Path) -> None:
    image, mask = heart()
    mask.voxels[:, 2] = mask.voxels[:, 0]
    for phase, edge in ((0, 40), (1, 34), (2, 40)):
        right = mask.voxels[phase, 1, :, edge:]
        right[right == Label.LV_MYOCARDIUM] = Label.BACKGROUND
    labelled = LabelledCine(mask, STRUCTURES)
    flags = quality_flags(labelled, measure(labelled))
    rings = [flag for flag in flags if flag.kind == "open ring"]
    write_overlay(tmp_path / "o.png", image, mask, ed_phase=0, es_phase=2, flags=rings)
    picture = pixels(tmp_path / "o.png")
    sheet = lay_out(mask, {0: "ED", 2: "ES"}, [(1, 1)])
    height, width = sheet.shape
    marked = {t.place for t in sheet.tiles if near(picture[t.y : t.y + height, t.x : t.x + width], FLAGGED).any()}
    assert marked == {(0, 1), (1, 1), (2, 1)}


def test_a_slice_that_was_not_acquired_says_so(tmp_path: Path) -> None:
    image, mask = heart()
    image.voxels[:, 2] = 0
    write_overlay(tmp_path / "gap.png", image, mask, ed_phase=0)
    tile = list(lay_out(mask, {0: ""}).tiles)[2]
    inside = np.s_[tile.y + 40 : tile.y + 160, tile.x + 40 : tile.x + 160]
    assert pixels(tmp_path / "gap.png")[inside].max() > 0.4


@pytest.mark.parametrize("constant", [0.0, np.nan, 1e6])
def test_an_image_without_contrast_is_no_failure(tmp_path: Path, constant: float) -> None:
    _, mask = heart()
    write_overlay(tmp_path / "o.png", Cine(np.full(mask.voxels.shape, constant), GRID), mask, ed_phase=0)
    assert near(pixels(tmp_path / "o.png"), COLOURS[Label.LV_CAVITY]).any()


def test_a_long_name_of_a_short_stack_leaves_the_key_alone(tmp_path: Path) -> None:
    for name, title in (("short", ""), ("long", "x" * 100)):
        write_overlay(tmp_path / f"{name}.png", *heart(), ed_phase=0, title=title)
    short, long = pixels(tmp_path / "short.png"), pixels(tmp_path / "long.png")
    assert long.shape[1] > short.shape[1] + 200
    key = np.s_[:40, -300:]
    assert np.array_equal(short[key], long[key])


def test_a_noisy_scan_of_many_slices_stays_below_1_mb(tmp_path: Path) -> None:
    """Full sheets of real scans have 0.4 MB; the noise here is a tenth of the contrast."""
    grid = Grid((24, 256, 256), (8.0, 1.4, 1.4))
    mask = np.zeros((2, *grid.shape), np.uint8)
    mask[:, :, 90:160, 80:170] = Label.LV_CAVITY
    noisy = (mask > 0) + np.random.default_rng(0).normal(0, 0.1, mask.shape)
    write_overlay(tmp_path / "o.png", Cine(noisy, grid), Cine(mask, grid), ed_phase=0, es_phase=1)
    assert (tmp_path / "o.png").stat().st_size < 1_000_000


def test_refuses_a_mask_of_another_shape(tmp_path: Path) -> None:
    image, mask = heart()
    with pytest.raises(ValueError, match="differ in shape"):
        write_overlay(tmp_path / "o.png", image, Cine(mask.voxels[:2], GRID))
