"""DICOM SEG: the mask's voxels in the source's place, read by other software."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_validator import dciodvfy
from labelled_points import assert_same_points, labelled_points
from pydicom import dcmread
from segmentations import ED, ES, HEART, drawing, points_of, write

from cardioseg.errors import ResourceError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.cine.stack import Stack
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_seg import END_SYSTOLE, Drawing, write_segmentation

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom warns where a test reads back what a real source had


@pytest.mark.parametrize("phase", [ED, ES])
def test_voxels_lie_where_the_mask_has_them(phase: int, source: Stack, tmp_path: Path) -> None:
    what = drawing(phase)
    expected = labelled_points(what.mask, STRUCTURES)
    assert all(len(points) for points in expected.values())
    assert_same_points(points_of(write(tmp_path, source, what, phase), STRUCTURES), expected)


def test_another_reader_sees_the_same(source: Stack, tmp_path: Path) -> None:
    dcmqi = Path(sys.executable).parent / "segimage2itkimage"
    if not dcmqi.exists():
        pytest.skip("dcmqi is not installed")
    what = drawing()
    write(tmp_path, source, what)
    command = [dcmqi, "--inputDICOM", tmp_path / "seg.dcm", "--outputDirectory", tmp_path, "-t", "nrrd", "-p", "one"]
    subprocess.run([*command, "--mergeSegments"], check=True, capture_output=True, timeout=60)
    image = sitk.ReadImage(tmp_path / "one-1.nrrd")
    voxels = sitk.GetArrayViewFromImage(image)
    assert voxels.shape == what.mask.voxels.shape
    found = {label: np.argwhere(voxels == number)[:, ::-1] for number, label in enumerate(STRUCTURES, start=1)}
    to_mm = image.TransformIndexToPhysicalPoint
    places = {label: np.array([to_mm(index) for index in indices.tolist()]) for label, indices in found.items()}
    assert_same_points(places, labelled_points(what.mask, STRUCTURES))


def test_segments_say_what_they_are_and_who_drew_them(source: Stack, tmp_path: Path) -> None:
    segmentation = write(tmp_path, source, drawing())
    segments = segmentation.SegmentSequence
    assert [segment.SegmentLabel for segment in segments] == ["RV cavity", "LV myocardium", "LV cavity"]
    codes = [segment.SegmentedPropertyTypeCodeSequence[0].CodeValue for segment in segments]
    assert codes == ["53085002", "49848007", "87878005"]
    assert {segment.SegmentAlgorithmType for segment in segments} == {"AUTOMATIC"}
    algorithm = segments[0].SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("sax", "ab" * 8)
    assert algorithm.AlgorithmSource.startswith("cardioseg ")
    colour = highdicom.color.CIELabColor.from_dicom_value(list(segments[0].RecommendedDisplayCIELabValue))
    assert colour.to_rgb() == (0x56, 0xB4, 0xE9)
    assert segmentation.SegmentationType == "BINARY"
    assert segmentation.ContentQualification == "RESEARCH"
    assert (segmentation.ContentLabel, segmentation.SeriesDescription) == ("ED", "sax end-diastole")


def test_a_model_of_one_label_writes_one_segment(source: Stack, tmp_path: Path) -> None:
    labels = (Label.LV_CAVITY,)
    what = drawing(labels=labels)
    segmentation = write(tmp_path, source, what)
    assert [segment.SegmentLabel for segment in segmentation.SegmentSequence] == ["LV cavity"]
    assert_same_points(points_of(segmentation, labels), labelled_points(what.mask, labels))


def test_an_empty_mask_is_written_as_such(source: Stack, tmp_path: Path) -> None:
    what = drawing()
    empty = replace(what, mask=replace(what.mask, voxels=np.zeros_like(what.mask.voxels)))
    segmentation = write(tmp_path, source, empty)
    assert segmentation.NumberOfFrames == 3 * HEART.slices
    assert not segmentation.pixel_array.any()


def test_every_frame_refers_to_the_image_it_was_drawn_on(source: Stack, tmp_path: Path) -> None:
    segmentation = write(tmp_path, source, drawing())
    images = {dcmread(header.path).SOPInstanceUID: dcmread(header.path) for header in source.headers[ED]}
    seen = []
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
        image = images[reference.ReferencedSOPInstanceUID]
        assert frame.PlanePositionSequence[0].ImagePositionPatient == image.ImagePositionPatient
        assert reference.ReferencedSOPClassUID == image.SOPClassUID
        seen.append(reference.ReferencedSOPInstanceUID)
    assert sorted(seen) == sorted(3 * list(images))
    (series,) = segmentation.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence} == set(images)
    assert segmentation.StudyInstanceUID == image.StudyInstanceUID
    assert segmentation.FrameOfReferenceUID == image.FrameOfReferenceUID
    assert segmentation.SeriesInstanceUID != image.SeriesInstanceUID


def test_the_same_segmentation_is_the_same_object(source: Stack, tmp_path: Path) -> None:
    def uids(what: Drawing, phase: int = ED) -> tuple[str, str]:
        segmentation = write(tmp_path, source, what, phase)
        return segmentation.SOPInstanceUID, segmentation.SeriesInstanceUID

    what = drawing()
    first = uids(what)
    kept = dcmread(tmp_path / "seg.dcm")
    assert uids(what) == first
    again = dcmread(tmp_path / "seg.dcm")
    for dataset in (kept, again):
        for keyword in ("InstanceCreationDate", "InstanceCreationTime", "ContentDate", "ContentTime"):
            delattr(dataset, keyword)
        del dataset.ContributingEquipmentSequence[-1].ContributionDateTime
    assert kept == again
    voxels = what.mask.voxels.copy()
    voxels[0, 0, 0] = Label.LV_CAVITY
    others = [
        uids(replace(what, mask=replace(what.mask, voxels=voxels))),
        uids(replace(what, author=Author("sax", "cd" * 32))),
        uids(replace(what, moment=END_SYSTOLE)),
        uids(what, ES),
    ]
    assert len({uid for pair in (first, *others) for uid in pair}) == 10


def test_no_permission(source: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError):
        write_segmentation(tmp_path / "file" / "seg.dcm", drawing(), source.headers[ED])


@pytest.mark.parametrize("labels", [STRUCTURES, (Label.LV_CAVITY,)])
def test_the_validator_finds_no_error(labels: Sequence[Label], source: Stack, tmp_path: Path) -> None:
    write(tmp_path, source, drawing(labels=labels))
    assert dciodvfy(tmp_path / "seg.dcm") == []
