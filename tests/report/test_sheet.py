"""The layout of a contact sheet: nothing lost, nothing overlapping, small enough."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.image.volume import Cine, Grid
from cardioseg.report.sheet import FLAGGED, lay_out

CAPTIONS = {0: "ED", 1: "ES"}


def mask(slices: int = 6, phases: int = 2) -> Cine:
    voxels = np.zeros((phases, slices, 90, 70), np.uint8)
    voxels[0, slices // 2, 40:50, 20:40] = 3
    return Cine(voxels, Grid((slices, 90, 70), (8.0, 1.5, 1.5)))


@given(st.integers(1, 60), st.integers(1, 2), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12))
def test_tiles_stay_on_the_sheet_and_apart(slices: int, phases: int, flagged: set[tuple[int, int]]) -> None:
    sheet = lay_out(mask(slices, phases), dict(list(CAPTIONS.items())[:phases]), flagged)
    covered = np.zeros(sheet.size, np.uint8)
    tiles = list(sheet.tiles)
    for tile in tiles:
        assert tile.y + sheet.shape[0] <= sheet.size[0]
        assert tile.x + sheet.shape[1] <= sheet.size[1]
        covered[tile.y : tile.y + sheet.shape[0], tile.x : tile.x + sheet.shape[1]] += 1
    assert covered.max() == 1
    assert covered.sum() == len(tiles) * np.prod(sheet.shape)
    assert np.prod(sheet.size) < 2_300_000


def test_every_slice_is_shown_at_every_phase() -> None:
    sheet = lay_out(mask(12), CAPTIONS)
    assert sorted(tile.place for tile in sheet.tiles) == [(phase, index) for phase in (0, 1) for index in range(12)]
    assert [row.caption for row in sheet.rows] == ["ED", "ES", "ED", "ES"]
    assert [tile.name for tile in sheet.tiles][:7] == ["slice 0", "1", "2", "3", "4", "5", "slice 0"]


def test_what_is_flagged_stands_out_and_is_shown_at_its_phase() -> None:
    sheet = lay_out(mask(), CAPTIONS, {(1, 4), (7, 2)})
    assert {tile.place for tile in sheet.tiles if tile.is_flagged} == {(1, 4), (7, 2)}
    assert [row.places for row in sheet.rows if row.caption == FLAGGED] == [((7, 2),)]
    assert [tile.name for tile in sheet.tiles][-1] == "slice 2, phase 7"
    many = [(7, 2), *((phase, 0) for phase in range(20, 40))]
    [row] = [row.places for row in lay_out(mask(), CAPTIONS, many).rows if row.caption == FLAGGED]
    assert row == ((7, 2), *((phase, 0) for phase in range(20, 25)))
    assert FLAGGED not in [row.caption for row in lay_out(mask(), CAPTIONS, {(1, 4)}).rows]
