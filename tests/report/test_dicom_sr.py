"""DICOM SR: every measure once, with its unit and code, traceable to the mask and the images that it is from."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from described_cases import THICK, described
from dicom_validator import dciodvfy
from highdicom.seg import segread
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage
from segmentations import enhanced, stack_of

from cardioseg.image.flag import Flag
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.volume import Cine
from cardioseg.ingest.cine.stack import Stack
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.measure.quantities import FOR_READERS
from cardioseg.measure.segments import NAMES
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.phantom import write_dicom
from cardioseg.report.dicom_codes import SEGMENTS
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import write_formats
from cardioseg.results.formats.predicted import PredictedCase
from cardioseg.results.measured_mask import describe

BOTH = ("dicom-seg", "dicom-sr")
OF_ONE_MASK = {"LV EDV": 3, "LV ESV": 3, "LV mass": 2, "RV EDV": 1, "RV ESV": 1}  # and the segment's number


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("source")
    write_dicom(THICK, folder)
    return stack_of(folder)


@pytest.fixture(scope="module")
def predicted(source: Stack) -> PredictedCase:
    return described(source)


def written(predicted: PredictedCase, folder: Path, formats: tuple[str, ...] = BOTH) -> Any:
    """The report as highdicom reads it."""
    assert "".join(write_formats(predicted, CaseFolder(folder), formats)) == ""
    return srread(folder / "sr.dcm")


@pytest.fixture(scope="module")
def folder(predicted: PredictedCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the case as it is: `sr.dcm` and the masks that it refers to."""
    out = tmp_path_factory.mktemp("written")
    written(predicted, out)
    return out


@pytest.fixture(scope="module")
def report(folder: Path) -> Any:
    """Its report as highdicom reads it."""
    return srread(folder / "sr.dcm")


def groups(report: Any) -> dict[str, Dataset]:
    """The measurement groups by their tracking identifier."""
    (container,) = (item for item in report.ContentSequence if meaning(item) == "Imaging Measurements")
    return {text(group, "Tracking Identifier")[0]: group for group in container.ContentSequence}


def meaning(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def text(group: Dataset, name: str) -> list[str]:
    return [item.TextValue for item in group.ContentSequence if meaning(item) == name]


def numbers(group: Dataset) -> Iterator[tuple[str, float, str]]:
    """Code or long code, value and unit of each number of a group."""
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            code, value = item.ConceptNameCodeSequence[0], item.MeasuredValueSequence[0]
            name = code.get("CodeValue") or code.LongCodeValue
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            yield f"{code.CodingSchemeDesignator} {name}", float(value.NumericValue), unit


def images(group: Dataset, name: str) -> list[Dataset]:
    return [item.ReferencedSOPSequence[0] for item in group.ContentSequence if meaning(item) == name]


def test_every_known_measure_stands_there_once(predicted: PredictedCase, report: Any) -> None:
    found = groups(report)
    of_segments = {name: group for name, group in found.items() if name.startswith("Segment")}
    said = [number for name, group in found.items() if name not in of_segments for number in numbers(group)]
    row = predicted.description.measures.as_row()
    expected = {
        quantity.code or f"99CARDIOSEG {quantity.key}": row[quantity.key]
        for quantity in FOR_READERS
        if quantity.unit and row[quantity.key] is not None
    }
    assert {"LN 8821-1", "LN 8811-2", "LN 18087-7", "99CARDIOSEG lv_strain_mid_percent"} <= set(expected)
    assert {code: value for code, value, _ in said} == pytest.approx(expected)
    assert len(said) == len(expected)
    units = {code: unit for code, _, unit in said}
    assert units["LN 8811-2"] == "%"
    assert units["LN 8867-4"] == "{H.B.}/min"
    assert units["SCT 54993008"] == "L/min/m2"


def test_limits_of_healthy_people_stand_with_the_measure(
    predicted: PredictedCase, source: Stack, tmp_path: Path
) -> None:
    acquisition = Acquisition(source.height_m, source.weight_kg, source.heart_rate_bpm, sex="F", age_years=61)
    description = describe(predicted.mask, STRUCTURES, acquisition, Moments())
    found = groups(written(replace(predicted, description=description), tmp_path))
    (edv,) = (item for item in found["LV EDV"].ContentSequence if item.ValueType == "NUM")
    limits = {
        meaning(item): float(item.MeasuredValueSequence[0].NumericValue)
        for item in edv.ContentSequence
        if item.ValueType == "NUM"
    }
    assert limits == {"Normal Range Lower Limit": 88, "Normal Range Upper Limit": 161}
    assert "Petersen" in text(edv, "Normal Range Authority")[0]
    assert "45 to 74 years" in text(edv, "Normal Range description")[0]
    (wall,) = (item for item in found["LV"].ContentSequence if meaning(item) == "LV largest wall thickness")
    assert "ContentSequence" not in wall
    assert dciodvfy(tmp_path / "sr.dcm", "ComprehensiveSR") == []


def test_a_volume_refers_to_its_mask_and_its_images(
    predicted: PredictedCase, source: Stack, report: Any, folder: Path
) -> None:
    found = groups(report)
    measures = predicted.description.measures
    for name, number in OF_ONE_MASK.items():
        moment = "es" if "ESV" in name else "ed"
        phase = measures.ed_phase if moment == "ed" else measures.es_phase
        mask = segread(folder / f"seg_{moment}.dcm")
        (segment,) = images(found[name], "Referenced Segment")
        assert (segment.ReferencedSOPInstanceUID, segment.ReferencedSegmentNumber) == (mask.SOPInstanceUID, number)
        drawn_on = [image.ReferencedSOPInstanceUID for image in images(found[name], "Source Image for Segmentation")]
        assert phase is not None
        expected = [dcmread(header.path).SOPInstanceUID for header in source.headers[phase] if header]
        assert sorted(drawn_on) == sorted(expected)
    assert not images(found["LV"], "Referenced Segment")  # an ejection fraction is of two masks
    assert len(images(found["LV"], "Source of Measurement")) == 2 * THICK.slices


def test_what_another_phase_gives_refers_to_its_images_and_not_to_the_mask(
    predicted: PredictedCase, source: Stack, tmp_path: Path
) -> None:
    measures = predicted.description.measures
    later = Measures({**measures.known, "rv_es_phase": (measures.es_phase or 0) + 1})
    other = replace(predicted, description=replace(predicted.description, measures=later))
    found = groups(written(other, tmp_path))
    assert set(OF_ONE_MASK) - set(found) == {"RV ESV"}
    assert "LN 8824-5" in [code for code, _, _ in numbers(found["RV"])]
    drawn_on = {image.ReferencedSOPInstanceUID for image in images(found["RV"], "Source of Measurement")}
    phases = (later["rv_ed_phase"], later["rv_es_phase"])
    headers = [header for phase in phases for header in source.headers[int(phase or 0)] if header]
    assert drawn_on == {dcmread(header.path).SOPInstanceUID for header in headers}
    assert text(found["RV"], "Comment") == [
        f"RV: end-diastole is phase {phases[0]:g}, end-systole is phase {phases[1]:g}; phases are counted from 0"
    ]


def test_without_masks_the_images_are_named(predicted: PredictedCase, tmp_path: Path) -> None:
    report = written(predicted, tmp_path, ("dicom-sr",))
    found = groups(report)
    assert not set(OF_ONE_MASK) & set(found)
    assert len(images(found["LV"], "Source of Measurement")) == 2 * THICK.slices


def test_each_segment_has_its_place_and_its_values(predicted: PredictedCase, report: Any) -> None:
    found = groups(report)
    for number, segment in predicted.description.wall.segments.items():
        group = found[f"Segment {number}: {NAMES[number]}"]
        (site,) = (item.ConceptCodeSequence[0] for item in group.ContentSequence if meaning(item) == "Finding Site")
        assert site.CodeValue == SEGMENTS[number][0]
        assert NAMES[number].split()[0] in site.CodeMeaning
        assert list(numbers(group)) == [
            ("DCM 122445", pytest.approx(segment.ed_mm, abs=0.005), "mm"),
            ("DCM 122445", pytest.approx(segment.es_mm, abs=0.005), "mm"),
            ("LN 59092-7", pytest.approx(segment.thickening_percent, abs=0.005), "%"),
        ]
        moments = [item.ContentSequence[0] for item in group.ContentSequence if "Thickness" in meaning(item)]
        assert [moment.ConceptCodeSequence[0].CodeMeaning for moment in moments] == ["End Diastole", "End Systole"]


def test_remarks_stand_there_in_words(predicted: PredictedCase, tmp_path: Path) -> None:
    wall = predicted.description.wall
    open_ring = {**wall.segments, 5: SegmentMeasures(reason="the wall is open here at end-diastole")}
    flags = (
        Flag("open ring", "the ring is open over 40 mm\N{SUPERSCRIPT TWO}", 3, 2),
        Flag("implausible value", "lv_edv_ml is 17 mL"),
    )
    description = replace(predicted.description, wall=replace(wall, segments=open_ring), flags=flags)
    found = groups(written(replace(predicted, description=description), tmp_path))
    assert text(found[f"Segment 5: {NAMES[5]}"], "Comment") == ["the wall is open here at end-diastole"]
    research, method, flag, implausible = text(found["Heart"], "Comment")
    assert implausible == "Check implausible value: LV EDV is 17 mL"
    assert "not a medical device" in research
    assert "papillary muscles belong to the cavity" in method
    assert flag == "Check open ring (slice 2, phase 3): the ring is open over 40 mm2"


def test_an_empty_mask_is_reported_as_such(predicted: PredictedCase, source: Stack, tmp_path: Path) -> None:
    empty = Cine(np.zeros_like(predicted.mask.voxels), predicted.mask.grid, predicted.mask.times_ms)
    description = describe(empty, STRUCTURES, Acquisition(), Moments())
    case = replace(predicted, mask=empty, description=description)
    remarks = "; ".join(write_formats(case, CaseFolder(tmp_path), BOTH))
    assert "no DICOM SEG of end-diastole, which is not known" in remarks
    assert "no DICOM SR" not in remarks
    found = groups(srread(tmp_path / "sr.dcm"))
    assert not any(value for name in ("LV", "RV") if name in found for _, value, _ in numbers(found[name]))
    assert len(images(found["Heart"], "Source of Measurement")) == THICK.slices
    assert description.flags[0].reason in "".join(text(found["Heart"], "Comment"))


def test_frames_of_a_multi_frame_source(tmp_path: Path) -> None:
    source = stack_of(enhanced(tmp_path, THICK))
    found = groups(written(described(source), tmp_path))
    measures = described(source).description.measures
    assert measures.ed_phase is not None
    assert measures.es_phase is not None
    frames = {
        phase: {header.frame + 1 for header in source.headers[phase] if header and header.frame is not None}
        for phase in (measures.ed_phase, measures.es_phase)
    }
    (image,) = images(found["LV EDV"], "Source Image for Segmentation")
    assert image.ReferencedSOPClassUID == EnhancedMRImageStorage
    assert set(image.ReferencedFrameNumber) == frames[measures.ed_phase]
    (image,) = images(found["LV"], "Source of Measurement")
    assert set(image.ReferencedFrameNumber) == set.union(*frames.values())
    assert dciodvfy(tmp_path / "sr.dcm", "ComprehensiveSR") == []


def test_the_same_report_is_the_same_object(predicted: PredictedCase, report: Any, tmp_path: Path) -> None:
    def uid(case: PredictedCase) -> str:
        return str(written(case, tmp_path).SOPInstanceUID)

    measures = predicted.description.measures
    other = Measures({**measures.known, "lv_ef_percent": 1 + (measures["lv_ef_percent"] or 0)})
    first = report.SOPInstanceUID
    assert uid(predicted) == first
    assert uid(replace(predicted, description=replace(predicted.description, measures=other))) != first


def test_patient_and_study_are_those_of_the_source(source: Stack, report: Any) -> None:
    header = source.headers[0][0]
    assert header
    image = dcmread(header.path)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        assert report[keyword].value == image[keyword].value
    assert (report.VerificationFlag, report.CompletionFlag) == ("UNVERIFIED", "COMPLETE")
    assert report.SeriesDescription == "sax measures"
    assert report.SeriesInstanceUID != image.SeriesInstanceUID


def test_letters_fit_any_character_set(report: Any) -> None:
    """A source that declares none, as many do, allows ASCII alone."""
    for item in report.iterall():
        if item.VR in ("UT", "LO", "SH", "LT", "ST", "UC"):
            assert str(item.value).isascii()


def test_what_a_user_may_have_said_otherwise_is_not_copied(source: Stack, report: Any) -> None:
    header = source.headers[0][0]
    assert header
    assert dcmread(header.path).PatientWeight
    assert "PatientWeight" not in report
    assert "PatientSize" not in report


def test_the_validators_find_no_error(folder: Path) -> None:
    assert dciodvfy(folder / "sr.dcm", "ComprehensiveSR") == []


def test_it_reads_in_plain_text(predicted: PredictedCase, folder: Path) -> None:
    if which("dsrdump") is None:
        pytest.skip("dsrdump (Debian's dcmtk) is not installed")
    command = ["dsrdump", "+Pl", folder / "sr.dcm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    values = dict(re.findall(r'contains NUM:\(,,"(.*?)"\)="(.*?)"', done.stdout))
    row = predicted.description.measures.as_row()
    for key in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "lv_mass_g", "rv_ef_percent", "cardiac_output_l_per_min"):
        (quantity,) = (quantity for quantity in FOR_READERS if quantity.key == key)
        assert float(values[quantity.caption]) == row[key]
    assert "not a medical device" in done.stdout
