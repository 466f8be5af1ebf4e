"""DICOM SEG of all kinds of sources: a series a slice, multi-frame, incomplete, gone, real ones with their errors."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest
from dicom_validator import dciodvfy
from labelled_points import assert_same_points, labelled_points
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage
from segmentations import AUTHOR, ED, HEART, drawing, enhanced, points_of, stack_of, write

from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Volume
from cardioseg.ingest.cine.stack import Stack, stack
from cardioseg.ingest.finding.survey import survey
from cardioseg.report.dicom_seg import END_DIASTOLE, Drawing, write_segmentation

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom warns where a test reads back what a real source had

Change = Callable[[Dataset, int], None]
Changed = Callable[[Change], list[Path]]


def test_slices_are_as_thick_as_they_are_apart(changed: Changed, tmp_path: Path) -> None:
    def with_gaps(dataset: Dataset, ordinal: int) -> None:
        dataset.SliceThickness, dataset.SpacingBetweenSlices = "8", "99"

    def without(dataset: Dataset, ordinal: int) -> None:
        del dataset.SliceThickness, dataset.SpacingBetweenSlices

    for change in (with_gaps, without):
        source = stack_of(changed(change)[0].parent)
        shared = write(tmp_path, source, drawing()).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        assert (shared.SliceThickness, shared.SpacingBetweenSlices) == pytest.approx((16, 16), abs=1e-4)


def test_slices_that_are_series_of_their_own(changed: Changed, tmp_path: Path) -> None:
    def one_series_a_slice(dataset: Dataset, ordinal: int) -> None:
        dataset.SeriesInstanceUID += f".{(dataset.InstanceNumber - 1) // HEART.phases}"

    paths = changed(one_series_a_slice)
    source = stack([header for series in survey(paths[0].parent).series for header in series.headers])
    what = drawing()
    segmentation = write(tmp_path, source, what)
    assert_same_points(points_of(segmentation, STRUCTURES), labelled_points(what.mask, STRUCTURES))
    named = {
        item.ReferencedSOPInstanceUID: series.SeriesInstanceUID
        for series in segmentation.ReferencedSeriesSequence
        for item in series.ReferencedInstanceSequence
    }
    images = [dcmread(header.path) for header in source.headers[ED]]
    assert named == {image.SOPInstanceUID: image.SeriesInstanceUID for image in images}
    assert len(set(named.values())) == HEART.slices


def test_frames_of_one_multi_frame_object(tmp_path: Path) -> None:
    source = stack_of(enhanced(tmp_path))
    (path,) = {header.path for header in source.headers[ED]}
    what = drawing()
    segmentation = write(tmp_path, source, what)
    assert_same_points(points_of(segmentation, STRUCTURES), labelled_points(what.mask, STRUCTURES))
    image = dcmread(path)
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        of_source = image.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
        position = of_source.PlanePositionSequence[0].ImagePositionPatient
        assert frame.PlanePositionSequence[0].ImagePositionPatient == position
        delay_ms = of_source.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime
        assert delay_ms == pytest.approx(HEART.times_ms[ED])
        assert (reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID) == (
            EnhancedMRImageStorage, image.SOPInstanceUID
        )  # fmt: skip
    (series,) = segmentation.ReferencedSeriesSequence
    (instance,) = series.ReferencedInstanceSequence
    assert instance.ReferencedSOPClassUID == EnhancedMRImageStorage
    assert "ReferencedFrameNumber" not in instance
    (whole,) = segmentation.SourceImageSequence
    assert len(whole.ReferencedFrameNumber) == HEART.slices
    assert dciodvfy(tmp_path / "seg.dcm") == []


def test_a_slice_that_was_not_acquired_is_not_in_it(source: Stack, tmp_path: Path) -> None:
    what = drawing()
    headers = [None if index == 2 else header for index, header in enumerate(source.headers[ED])]
    write_segmentation(tmp_path / "seg.dcm", what, headers)
    segmentation = highdicom.seg.segread(tmp_path / "seg.dcm")
    voxels = what.mask.voxels.copy()
    voxels[2] = Label.BACKGROUND
    expected = labelled_points(replace(what.mask, voxels=voxels), STRUCTURES)
    assert_same_points(points_of(segmentation, STRUCTURES), expected)
    assert segmentation.NumberOfFrames == 3 * (HEART.slices - 1)
    assert "SpacingBetweenSlices" not in segmentation.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert dciodvfy(tmp_path / "seg.dcm") == []


def test_what_cannot_be_decoded_is_left_out(changed: Changed, tmp_path: Path) -> None:
    def spoil(dataset: Dataset, ordinal: int) -> None:
        dataset.PregnancyStatus = 4

    paths = changed(spoil)
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"\x10\x00\xc0\x21US", b"\x10\x00\xc0\x21ZZ"))
    segmentation = write(tmp_path, stack_of(paths[0].parent), drawing())
    assert "PregnancyStatus" not in segmentation
    assert segmentation.PatientID == "PHANTOM-0001"


@pytest.mark.parametrize(
    ("keyword", "complaint"),
    [
        ("FrameOfReferenceUID", "does not name the frame of reference of its position"),
        ("SOPInstanceUID", "does not name itself"),
    ],
)
def test_a_source_that_cannot_be_referred_to(keyword: str, complaint: str, changed: Changed, tmp_path: Path) -> None:
    def spoil(dataset: Dataset, ordinal: int) -> None:
        delattr(dataset, keyword)

    source = stack_of(changed(spoil)[0].parent)
    with pytest.raises(UnusableError, match=complaint) as caught:
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])
    assert str(source.headers[ED][0].path) in str(caught.value)
    assert not (tmp_path / "seg.dcm").exists()


def test_what_highdicom_refuses_is_said_without_its_words(source: Stack, tmp_path: Path) -> None:
    twice = [source.headers[ED][0]] * HEART.slices
    with pytest.raises(UnusableError, match=r"no DICOM SEG can be made for these images \(ValueError\)$"):
        write_segmentation(tmp_path / "seg.dcm", drawing(), twice)


def test_a_source_that_is_gone(changed: Changed, tmp_path: Path) -> None:
    source = stack_of(changed(lambda *_: None)[0].parent)
    source.headers[ED][2].path.unlink()
    with pytest.raises(UnusableError, match="no such file"):
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])


# What the validator says of the Sunnybrook SEGs, and of the sources themselves: (where, what is wrong there).
INHERITED = {
    ("PatientBirthDate(0010,0030)", "Value invalid for this VR [DA] = <00000000>"),
    ("StudyInstanceUID(0020,000d)", "Leading zeroes"),
    ("SeriesInstanceUID(0020,000e)", "Leading zeroes"),
    ("FrameOfReferenceUID(0020,0052)", "Leading zeroes"),
    ("ReferencedSOPInstanceUID(0008,1155)", "Leading zeroes"),
}


@pytest.mark.parametrize("patient", ["SCD0000101", "SCD0000201", "SCD0000301"])
def test_sunnybrook_has_no_error_but_its_own(patient: str, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "sunnybrook" / "SCD_IMAGES_01" / patient
    source = stack_of(folder)
    voxels = np.zeros(source.grid.shape, np.uint8)
    voxels[2:5, 100:140, 90:130] = Label.LV_CAVITY
    what = Drawing(Volume(voxels, source.grid), (Label.LV_CAVITY,), END_DIASTOLE, AUTHOR)
    segmentation = write(tmp_path, source, what, 0)
    assert_same_points(points_of(segmentation, (Label.LV_CAVITY,)), labelled_points(what.mask, (Label.LV_CAVITY,)))
    errors = dciodvfy(tmp_path / "seg.dcm")
    own = b"".join(header.path.read_bytes() for header in source.headers[0])
    for where, what_is_wrong in errors:
        name = where.rsplit("/", maxsplit=1)[-1]
        assert any(name == place and words in what_is_wrong for place, words in INHERITED), (where, what_is_wrong)
        (value,) = re.findall(r"= <(.*?)>", what_is_wrong)
        assert value.encode() in own
