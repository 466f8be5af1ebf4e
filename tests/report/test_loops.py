"""The beating heart as a GIF: it begins at end-diastole, lasts a beat, shows the outlines and stays small."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageSequence

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine, Grid
from cardioseg.report.loops import middle_slices, write_loop
from cardioseg.report.palette import COLOURS

GRID = Grid((6, 48, 48), (8.0, 1.5, 1.5))


def beating(phases: int = 8, grid: Grid = GRID) -> tuple[Cine, Cine]:
    """An LV whose radius is 12 pixels at phase 0 and shrinks to 4 at the last."""
    row, column = np.mgrid[: grid.shape[1], : grid.shape[2]]
    away = np.hypot(row - grid.shape[1] // 2, column - grid.shape[2] // 2)
    radii = np.linspace(12, 4, phases)[:, None, None, None]
    labels = np.where(away < radii, Label.LV_CAVITY, 0).astype(np.uint8) * np.ones((1, grid.shape[0], 1, 1), np.uint8)
    times = tuple(40.0 * phase for phase in range(phases))
    brightness = np.linspace(50, 90, phases)[:, None, None, None]  # no two frames are alike
    return Cine(labels * brightness, grid, times), Cine(labels, grid, times)


def frames(path: Path) -> list[Image.Image]:
    with Image.open(path) as loop:
        assert loop.info["loop"] == 0
        return [frame.convert("RGB") for frame in ImageSequence.Iterator(loop)]


def orange(frame: Image.Image) -> int:
    """How many pixels are the LV's outline."""
    colour = np.array(ImageColor.getrgb(COLOURS[Label.LV_CAVITY]))
    return int((np.abs(np.asarray(frame, int) - colour).max(axis=-1) < 30).sum())


def test_it_begins_at_end_diastole_and_shows_every_phase(tmp_path: Path) -> None:
    write_loop(tmp_path / "a.gif", *beating())
    write_loop(tmp_path / "b.gif", *beating(), ed_phase=3)
    first, later = frames(tmp_path / "a.gif"), frames(tmp_path / "b.gif")
    assert len(first) == len(later) == 8
    assert orange(first[0]) > 2 * orange(first[-1]) > 0
    assert [orange(frame) for frame in later] == [orange(frame) for frame in first[3:] + first[:3]]


def test_a_row_of_three_as_long_as_a_beat(tmp_path: Path) -> None:
    write_loop(tmp_path / "a.gif", *beating())
    with Image.open(tmp_path / "a.gif") as loop:
        assert loop.info["duration"] == 40
        assert 2.8 < loop.width / loop.height < 3.2


@pytest.mark.parametrize(("phases", "expected"), [(2, 500), (20, 50), (120, 30)])
def test_without_times_a_beat_takes_a_second(tmp_path: Path, phases: int, expected: int) -> None:
    image, mask = beating(phases)
    write_loop(tmp_path / "a.gif", replace(image, times_ms=()), replace(mask, times_ms=()))
    with Image.open(tmp_path / "a.gif") as loop:
        assert loop.info["duration"] == expected
        assert min(phases, 30) <= loop.n_frames <= min(phases, 40)  # type: ignore[attr-defined] # equal ones are one


def test_a_single_phase_does_not_beat(tmp_path: Path) -> None:
    write_loop(tmp_path / "a.gif", *beating(1))
    assert not list(tmp_path.iterdir())


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gif", "b.gif"):
        write_loop(tmp_path / name, *beating())
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_a_noisy_scan_stays_below_1_mb(tmp_path: Path) -> None:
    """Noise of a tenth of the contrast, which real cines do not have; those have 0.7 MB."""
    image, mask = beating(30, Grid((3, 128, 128), (8.0, 1.4, 1.4)))
    noise = np.random.default_rng(0).normal(0, 15, image.voxels.shape)
    write_loop(tmp_path / "a.gif", replace(image, voxels=image.voxels + noise), mask)
    assert (tmp_path / "a.gif").stat().st_size < 1_000_000


def test_the_slices_are_of_the_left_ventricle_from_base_to_apex() -> None:
    voxels = np.zeros((2, 20, 8, 8), np.uint8)
    voxels[1, 2:18] = Label.RV_CAVITY
    grid = Grid((20, 8, 8), (8.0, 1.0, 1.0))
    assert middle_slices(Cine(voxels, grid)) == (4, 10, 15)
    voxels[0, 8:11] = Label.LV_CAVITY
    assert middle_slices(Cine(voxels, grid)) == (8, 9, 10)
    to_base = Grid((20, 8, 8), (8.0, 1.0, 1.0), directions=((-0.68, 0.62, 0.39), (0, 0.53, -0.85), (0.73, 0.58, 0.36)))
    assert middle_slices(Cine(voxels, to_base)) == (10, 9, 8)
    voxels[0, 8:10] = 0
    assert middle_slices(Cine(voxels, grid)) == (10,)


def test_an_empty_mask_shows_the_middle_of_the_stack(tmp_path: Path) -> None:
    image, mask = beating(3)
    empty = replace(mask, voxels=np.zeros_like(mask.voxels))
    assert middle_slices(empty) == (3,)
    write_loop(tmp_path / "a.gif", image, empty)
    assert len(frames(tmp_path / "a.gif")) == 3
