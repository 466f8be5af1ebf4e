"""Secondary capture: the pictures, pixel by pixel, in the study of the scan."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from described_cases import AUTHOR, THICK, described
from dicom_validator import dciodvfy
from PIL import Image, ImageDraw
from pydicom import dcmread
from segmentations import stack_of

from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.reference_values import reference_values
from cardioseg.measure.wall_measures import WallMeasures
from cardioseg.phantom import cine, write_dicom
from cardioseg.report.dicom_object import Author, Touch
from cardioseg.report.measures_picture import draw_measures
from cardioseg.results.case_pictures import write_pictures
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import write_formats
from cardioseg.results.formats.predicted import PredictedCase


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("source")
    write_dicom(THICK, folder)
    return stack_of(folder)


def written(predicted: PredictedCase, folder: Path) -> CaseFolder:
    case = CaseFolder(folder)
    write_pictures(case, cine(THICK), predicted.mask, predicted.description.measures, flags=(), title="a case")
    assert "".join(write_formats(predicted, case, ("dicom-sc",))) == ""
    return case


def test_the_contact_sheet_is_there_pixel_by_pixel(source: Stack, tmp_path: Path) -> None:
    case = written(described(source), tmp_path)
    capture = dcmread(case.path / "sc_sheet.dcm")
    sheet = np.asarray(Image.open(case.overlay).convert("RGB"))
    assert np.array_equal(capture.pixel_array[: len(sheet)], sheet)
    assert len(capture.pixel_array) == len(sheet) + 32  # a line below says where it comes from
    assert capture.BurnedInAnnotation == "YES"


def test_the_objects_are_one_series_of_the_study(source: Stack, tmp_path: Path) -> None:
    case = written(described(source), tmp_path)
    captures = [dcmread(path) for path in (case.path / "sc_sheet.dcm", case.path / "sc_measures.dcm")]
    header = source.headers[0][0]
    assert header
    image = dcmread(header.path)
    for capture in captures:
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "AccessionNumber"):
            assert capture[keyword].value == image[keyword].value
    assert len({capture.SeriesInstanceUID for capture in captures} | {image.SeriesInstanceUID}) == 2
    assert [capture.InstanceNumber for capture in captures] == [1, 2]
    uids = {capture.SOPInstanceUID for capture in captures}
    assert len(uids) == 2
    again = written(described(source), tmp_path)
    assert {dcmread(path).SOPInstanceUID for path in again.path.glob("sc_*.dcm")} == uids


def test_the_validator_finds_no_error(source: Stack, tmp_path: Path) -> None:
    case = written(described(source), tmp_path)
    for path in (case.path / "sc_sheet.dcm", case.path / "sc_measures.dcm"):
        assert dciodvfy(path, "SCImage") == []


def texts_drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts on the pictures that are drawn from now on."""
    texts: list[str] = []
    draw_text = ImageDraw.ImageDraw.text

    def drawn(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, *rest: Any) -> None:
        texts.append(text)
        draw_text(draw, place, text, *rest)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", drawn)
    return texts


@pytest.mark.parametrize("is_excluded", [False, True])
@pytest.mark.parametrize("touch", Touch)
def test_the_picture_says_who_answers_for_the_numbers(
    source: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touch: Touch, is_excluded: bool
) -> None:
    author = Author("sax", "ab" * 32, touch, "MB" if touch else "", is_excluded)
    texts = texts_drawn(monkeypatch)
    written(replace(described(source), author=author), tmp_path)
    assert [text for text in texts if "medical device" in text] == [
        f"cardioseg, research use only, not a medical device. {author.statement}"
    ] * 2  # below the measures, and below the contact sheet
    is_untouched = touch is Touch.NONE and not is_excluded
    assert any("no person has verified it" in text for text in texts) is is_untouched
    assert any("do not use these numbers" in text for text in texts) is is_excluded
    assert not is_excluded or not any("accepted" in text for text in texts)


def test_the_picture_changes_with_the_numbers(source: Stack) -> None:
    description = described(source).description

    def drawn(measures: Measures, wall: WallMeasures, flags: tuple[Flag, ...] = ()) -> bytes:
        return draw_measures(measures, wall, flags, "a case", statement=AUTHOR.statement, references={}).tobytes()

    measures, wall = description.measures, description.wall
    first = drawn(measures, wall)
    assert drawn(measures, wall) == first
    other = Measures({**measures.known, "lv_ef_percent": 1 + (measures["lv_ef_percent"] or 0)})
    assert drawn(other, wall) != first
    thicker = replace(wall.segments[7], ed_mm=1 + (wall.segments[7].ed_mm or 0))
    assert drawn(measures, replace(wall, segments={**wall.segments, 7: thicker})) != first
    references = reference_values(Acquisition(sex="F", age_years=61))
    assert (
        draw_measures(measures, wall, (), "a case", statement=AUTHOR.statement, references=references).tobytes()
        != first
    )
    assert drawn(measures, wall, (Flag("open ring", "the ring is open", 0, 0),)) != first


def test_a_case_without_any_measure_is_drawn() -> None:
    title = "M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller" * 40
    picture = draw_measures(Measures(), WallMeasures(), (), title, statement=AUTHOR.statement, references={})
    assert picture.size[0] > 0
    assert np.asarray(picture).max() > 200  # the title
