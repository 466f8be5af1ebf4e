"""The bullseye: every segment at its place, its value readable, what is missing said."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cardioseg.image.flag import Flag
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.curves import Moments
from cardioseg.measure.segments import NAMES
from cardioseg.measure.wall_measures import SegmentMeasures, ThickestPlace, WallMeasures
from cardioseg.phantom import Phantom, reference
from cardioseg.report.bullseye import bullseyes
from cardioseg.report.case_report import CaseReport
from cardioseg.report.run_report import write_report
from cardioseg.results.measured_mask import describe

SEGMENTS = {number: SegmentMeasures(5.0 + number / 2, 9.0, 5.0 * number, 100.0, 120.0) for number in NAMES}


def place(number: int) -> tuple[float, float]:
    """The angle in degrees, against the clock from the right, and the distance from the centre of a segment's text."""
    cell = bullseyes(SEGMENTS)[0].cells[number - 1]
    right, up = cell.x - 100, 100 - cell.y
    return math.degrees(math.atan2(up, right)) % 360, math.hypot(right, up)


def test_segments_lie_where_readers_know_them() -> None:
    angles = {NAMES[number]: place(number)[0] for number in NAMES}
    assert angles["basal anterior"] == angles["mid anterior"] == angles["apical anterior"] == 90
    assert angles["basal anteroseptal"] == pytest.approx(150, abs=0.1)  # the septum is on the left
    assert angles["mid inferoseptal"] == pytest.approx(210, abs=0.1)
    assert angles["basal inferior"] == angles["apical inferior"] == 270
    assert angles["apical septal"] == 180
    assert angles["apical lateral"] == 0
    assert angles["basal anterolateral"] == pytest.approx(30, abs=0.1)
    assert place(1)[1] > place(7)[1] > place(13)[1]


def test_values_and_colours() -> None:
    thickness, thickening = bullseyes(SEGMENTS)
    assert [cell.text for cell in thickness.cells[:3]] == ["5.5", "6.0", "6.5"]
    assert [cell.text for cell in thickening.cells[-2:]] == ["75", "80"]
    brightness = [sum(bytes.fromhex(cell.fill[1:])) for cell in thickening.cells]
    assert brightness == sorted(brightness, reverse=True)
    assert [cell.is_dark for cell in thickening.cells].count(True) == 8
    assert thickness.cells[8].title == "9 mid inferoseptal: 9.5"
    negative = bullseyes(SEGMENTS | {2: replace(SEGMENTS[2], thickening_percent=-12.4)})[1].cells[1]
    assert (negative.text, negative.fill) == ("−12", "#f0f5fb")


def test_what_is_missing_is_a_dash_with_its_reason() -> None:
    torn = SEGMENTS | {5: SegmentMeasures(8.0, reason="the wall is open here at end-systole")}
    thickness, thickening = bullseyes(torn)
    assert thickness.cells[4].text == "8.0"
    assert (thickening.cells[4].text, thickening.cells[4].fill) == ("–", "#ffffff")
    assert thickening.cells[4].title == "5 basal inferolateral: the wall is open here at end-systole"
    assert bullseyes({number: SegmentMeasures(reason="no RV") for number in NAMES}) == ()
    only_ed = {number: SegmentMeasures(8.0) for number in NAMES}
    assert [bullseye.title for bullseye in bullseyes(only_ed)] == ["Wall thickness at end-diastole, mm"]


def page(folder: Path, wall: WallMeasures, flags: Sequence[Flag] = ()) -> str:
    write_report(folder / "report.html", {}, [CaseReport("heart", "done", wall=wall, flags=flags)])
    return re.sub(r"\s+", " ", (folder / "report.html").read_text())


def test_the_report_shows_the_segments(tmp_path: Path) -> None:
    phantom = Phantom(rows=128, columns=128, phases=4, ed_phase=0)
    wall = describe(reference(phantom), STRUCTURES, Acquisition(), Moments()).wall
    text = page(tmp_path, wall)
    assert text.count("<g><title>") == 32
    assert "1 basal anterior: " in text
    assert f"Largest thickness at end-diastole: {wall.thickest.mm if wall.thickest else 0:.1f} mm" in text
    assert "Slice 1: the RV mask does not touch the LV wall there" in text
    assert "hypertrophic" not in text
    assert "does not say how the stack lies" not in text
    unplaced = replace(wall, is_placed=False)
    assert "The file does not say how the stack lies in the patient." in page(tmp_path, unplaced)


def test_a_thick_wall_is_remarked_and_missing_segments_have_a_reason(tmp_path: Path) -> None:
    thick = WallMeasures(SEGMENTS, ThickestPlace(16.04, 5, 3), (0, 1))
    text = page(tmp_path, thick)
    assert "Largest thickness at end-diastole: 16.0 mm, basal inferoseptal, slice 5." in text
    assert "guidelines consider hypertrophic cardiomyopathy" in text
    doubtful = page(tmp_path, thick, [Flag("open ring", "the mask has a gap", 1, 7, ((1, 7), (0, 5)))])
    assert "slice 5. This slice is flagged: check its mask first." in doubtful
    assert "hypertrophic" not in doubtful
    elsewhere = page(tmp_path, thick, [Flag("open ring", "the mask has a gap", 1, 7, ((1, 7),))])
    assert "guidelines consider hypertrophic cardiomyopathy" in elsewhere
    assert "Slices 0, 1: the RV mask does not touch the LV wall there" in text
    mask = reference(Phantom(rows=128, columns=128, phases=4, ed_phase=0))
    voxels = mask.voxels.copy()
    voxels[voxels == Label.RV_CAVITY] = Label.BACKGROUND
    without = describe(replace(mask, voxels=voxels), STRUCTURES, Acquisition(), Moments()).wall
    assert "No wall segments: the right ventricle does not touch the wall in any slice" in page(tmp_path, without)
    assert "segments" not in page(tmp_path, WallMeasures())
