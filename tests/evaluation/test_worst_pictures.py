"""Pictures of pairs: which slices, in which order, and that the outlines lie on what they outline."""

import io
import re
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest
from hearts import RADII_MM, heart, moved, pairs, without_scan
from PIL import Image

from cardioseg.evaluation.pair_pictures import WIDTH, CasePicture, case_picture
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import score
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.labels.subject import LabelledVolume

MYO, LV = Label.LV_MYOCARDIUM, Label.LV_CAVITY


def picture(pair: Pair, *labels: Label) -> CasePicture:
    return case_picture(pair, list(score(pair, labels or STRUCTURES)))


def corners(path: str) -> np.ndarray:
    return np.array(re.findall(r"([-\d.]+) ([-\d.]+)", path), float)


def square(spacing_mm: tuple[float, float, float] | None, shift: int = 0, known: bool = True) -> Pair:
    """One slice of 40 x 60 pixels: a square of rows 10 to 19 and columns 20 to 29, predicted `shift` columns off."""
    mask = np.zeros((1, 40, 60), np.uint8)
    mask[:, 10:20, 20:30] = LV
    annotated = np.zeros((1, len(Label)), np.bool_)
    annotated[:, LV] = known
    volume = LabelledVolume("ed", np.full((1, 40, 60), 9), mask, annotated, spacing_mm, ("a",), None, ("",))
    return Pair("a", "a", volume, np.roll(mask, shift, axis=2))


def test_slices_from_base_to_apex_with_their_scores() -> None:
    [ed, _] = pairs({"middle": 2})
    drawn = picture(ed)
    assert (drawn.case_id, drawn.volume) == ("middle_ed", "ed")
    assert [tile.name for tile in drawn.tiles] == [f"slice {index}" for index in (4, 3, 2, 1, 0)]
    [lv] = [one for one in drawn.scores if one.label == LV]
    by_slice = {f"slice {one.index}": one.overlap.dice for one in lv.slices}
    for tile in drawn.tiles:
        dice = by_slice[tile.name]
        assert dict(tile.dice)[LV] == ("–" if dice is None else f"{dice:.2f}")
        assert tile.summary.startswith(f"{tile.name}; Dice: ")


def test_outlines_lie_where_the_masks_are() -> None:
    drawn = picture(square((8.0, 1.0, 1.0), shift=3))
    [tile] = drawn.tiles
    unit = WIDTH / (10 + 3 + 2 * 15)  # the width of both squares and a margin of 15 mm on each side
    reference, predicted = corners(tile.reference), corners(dict(tile.predicted)[LV])
    assert reference[:, 0].min() / unit == pytest.approx(15, abs=0.5)
    assert reference[:, 0].max() / unit == pytest.approx(25, abs=0.5)
    assert predicted.min(axis=0) - reference.min(axis=0) == pytest.approx([3 * unit, 0], abs=0.2)
    assert (reference[:, 1].min() / unit, reference[:, 1].max() / unit) == pytest.approx((10, 20), abs=0.5)


def test_pixels_that_are_not_square_are_shown_in_proportion() -> None:
    drawn = picture(square((8.0, 2.0, 1.0)))
    [tile] = drawn.tiles
    width, height = np.ptp(corners(tile.reference), axis=0)
    assert height / width == pytest.approx(2, abs=0.1)
    assert drawn.height == pytest.approx(WIDTH * 2 * (8 + 10 + 8) / (15 + 10 + 15), abs=0.1)


def test_without_a_spacing_pixels_are_square() -> None:
    drawn = picture(square(None))
    width, height = np.ptp(corners(drawn.tiles[0].reference), axis=0)
    assert height == pytest.approx(width, abs=0.2)


def test_the_scan_is_a_small_png_of_the_same_part() -> None:
    [ed, _] = pairs({"large": 0})
    drawn = picture(ed)
    for tile in drawn.tiles:
        kind, _, data = tile.source.partition(",")
        assert kind == "data:image/png;base64"
        png = Image.open(io.BytesIO(b64decode(data)))
        assert png.mode == "L"
        assert max(png.size) <= 160
        assert png.height / png.width == pytest.approx(drawn.height / WIDTH, abs=0.01)
        assert len(np.unique(np.asarray(png))) > 16


def test_masks_alone_are_drawn_on_black() -> None:
    [ed, _] = pairs({"large": 1})
    drawn = picture(without_scan(ed))
    assert {tile.source for tile in drawn.tiles} == {""}
    assert any(tile.reference for tile in drawn.tiles)


def test_a_slice_that_was_not_acquired_has_no_scan() -> None:
    [ed, _] = pairs({"large": 1})
    image = ed.reference.image.copy()
    image[2] = 0
    drawn = picture(replace(ed, reference=replace(ed.reference, image=image)))
    assert [tile.name for tile in drawn.tiles if not tile.source] == ["slice 2"]


def test_only_what_is_evaluated_is_drawn() -> None:
    [ed, _] = pairs({"middle": 1})
    everything, cavity = picture(ed), picture(ed, LV)
    assert {label for tile in everything.tiles for label, _ in tile.predicted} == set(STRUCTURES)
    assert {label for tile in cavity.tiles for label, _ in tile.predicted} == {LV}
    assert len(everything.tiles[2].reference) > len(cavity.tiles[2].reference) > 0


def test_what_the_reference_does_not_know_is_said() -> None:
    ed, _ = heart(RADII_MM["middle"])
    annotated = ed.annotated.copy()
    annotated[1] = False
    annotated[2, MYO] = False
    pair = Pair("a", "a", replace(ed, annotated=annotated), moved(ed.mask, 1))
    tiles = {tile.name: tile for tile in picture(pair).tiles}
    unknown, partly = tiles["slice 1"], tiles["slice 2"]
    assert (unknown.note, unknown.reference) == ("no reference", "")
    assert unknown.predicted
    assert unknown.summary == "slice 1, no reference; Dice: –"
    assert (partly.note, dict(partly.dice)[MYO]) == ("", "–")
    assert partly.reference.count("M") < tiles["slice 3"].reference.count("M")


def test_a_long_empty_stack_is_cut_to_the_heart() -> None:
    mask = np.zeros((12, 20, 20), np.uint8)
    mask[5:7, 8:12, 8:12] = LV
    annotated = np.ones((12, len(Label)), np.bool_)
    volume = LabelledVolume("", np.ones_like(mask), mask, annotated, (8.0, 1.0, 1.0), ("a",), None, ("",) * 12)
    shown = [tile.name for tile in picture(Pair("a", "a", volume, mask), LV).tiles]
    assert sorted(shown) == ["slice 4", "slice 5", "slice 6", "slice 7"]
    nothing = replace(volume, mask=np.zeros_like(mask))
    assert len(picture(Pair("a", "a", nothing, np.zeros_like(mask)), LV).tiles) == 12
