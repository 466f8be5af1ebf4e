"""DICOM SEG: the mask's voxels in the source's place, read by other software; what real sources do wrong passes."""

import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import highdicom
import numpy as np
import pytest
import SimpleITK as sitk
from labelled_points import Points, assert_same_points, labelled_points
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Volume
from cardioseg.ingest.cine.stack import Stack, stack
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import Phantom, reference, write_dicom
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Author, Drawing, write_segmentation

SMALL = Phantom(slices=5, phases=8, rows=48, columns=40, spacing_mm=(16.0, 6.0, 5.0))
AUTHOR = Author("sax", "ab" * 32)
ED, ES = SMALL.phases - 1, 3

Change = Callable[[Dataset, int], None]


@pytest.fixture(autouse=True)
def _real_values_warn() -> Iterator[None]:
    """pydicom warns where a test reads back what a real source had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def stack_of(folder: Path) -> Stack:
    (series,) = survey(folder).cines
    assert series.stack
    return series.stack


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("source")
    write_dicom(SMALL, folder)
    return stack_of(folder)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Change], list[Path]]:
    """changed(change): the phantom's files, each changed by `change(dataset, ordinal)`."""

    def write(change: Change) -> list[Path]:
        paths = sorted(write_dicom(SMALL, tmp_path / "changed").iterdir())
        for ordinal, path in enumerate(paths):
            dataset = dcmread(path)
            change(dataset, ordinal)
            dataset.save_as(path)
        return paths

    return write


def drawing(phase: int = ED, labels: Sequence[Label] = STRUCTURES) -> Drawing:
    mask = reference(SMALL).phase(phase)
    voxels = np.where(np.isin(mask.voxels, labels), mask.voxels, 0).astype(np.uint8)
    return Drawing(replace(mask, voxels=voxels), labels, END_DIASTOLE, AUTHOR)


def write(folder: Path, source: Stack, what: Drawing, phase: int = ED) -> Any:
    write_segmentation(folder / "seg.dcm", what, source.headers[phase])
    return highdicom.seg.segread(folder / "seg.dcm")


def points_of(segmentation: Any, labels: Sequence[Label]) -> Points:
    """Where the voxels of each segment lie by the object's own geometry, frame by frame."""
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    cosines = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
    row_mm, column_mm = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    points: dict[Label, list[Any]] = {label: [] for label in labels}
    for frame, pixels in zip(segmentation.PerFrameFunctionalGroupsSequence, segmentation.pixel_array, strict=True):
        label = labels[frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1]
        corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        rows, columns = np.nonzero(pixels)
        points[label].append(corner + np.outer(columns * column_mm, cosines[0]) + np.outer(rows * row_mm, cosines[1]))
    return {label: np.concatenate(parts) for label, parts in points.items()}


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
    assert_same_points(points_of_one(segmentation), labelled_points(what.mask, labels))


def points_of_one(segmentation: Any) -> Points:
    """As `points_of`; where there is one segment, its number stands in the shared group."""
    (number,) = segmentation.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        frame.SegmentIdentificationSequence = [number]
    return points_of(segmentation, (Label.LV_CAVITY,))


def test_an_empty_mask_is_written_as_such(source: Stack, tmp_path: Path) -> None:
    what = drawing()
    empty = replace(what, mask=replace(what.mask, voxels=np.zeros_like(what.mask.voxels)))
    segmentation = write(tmp_path, source, empty)
    assert segmentation.NumberOfFrames == 3 * SMALL.slices
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


def test_slices_are_as_thick_as_they_are_apart(changed: Callable[[Change], list[Path]], tmp_path: Path) -> None:
    def with_gaps(dataset: Dataset, ordinal: int) -> None:
        dataset.SliceThickness, dataset.SpacingBetweenSlices = "8", "99"

    def without(dataset: Dataset, ordinal: int) -> None:
        del dataset.SliceThickness, dataset.SpacingBetweenSlices

    for change in (with_gaps, without):
        source = stack_of(changed(change)[0].parent)
        shared = write(tmp_path, source, drawing()).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        assert (shared.SliceThickness, shared.SpacingBetweenSlices) == pytest.approx((16, 16), abs=1e-4)


def test_slices_that_are_series_of_their_own(changed: Callable[[Change], list[Path]], tmp_path: Path) -> None:
    def one_series_a_slice(dataset: Dataset, ordinal: int) -> None:
        dataset.SeriesInstanceUID += f".{(dataset.InstanceNumber - 1) // SMALL.phases}"

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
    assert len(set(named.values())) == SMALL.slices


def enhanced(folder: Path) -> Path:
    """The phantom's cine as one enhanced multi-frame object, its frames in the order of their file names."""
    images = [dcmread(path) for path in sorted(write_dicom(SMALL, folder / "classic").iterdir())]
    whole = images[0]
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    whole.NumberOfFrames = len(images)
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [Dataset()], [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = whole.PixelSpacing
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = whole.ImageOrientationPatient
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = [of_frame(image) for image in images]
    whole.PixelData = b"".join(image.PixelData for image in images)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime", "SliceThickness"):
        delattr(whole, keyword)
    (folder / "enhanced").mkdir()
    whole.save_as(folder / "enhanced" / "all.dcm")
    return folder / "enhanced"


def of_frame(image: Dataset) -> Dataset:
    groups = Dataset()
    groups.PlanePositionSequence, groups.CardiacSynchronizationSequence = [Dataset()], [Dataset()]
    groups.PlanePositionSequence[0].ImagePositionPatient = image.ImagePositionPatient
    groups.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime = float(image.TriggerTime)
    return groups


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
        assert delay_ms == pytest.approx(SMALL.times_ms[ED])
        assert (reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID) == (
            EnhancedMRImageStorage, image.SOPInstanceUID
        )  # fmt: skip
    (series,) = segmentation.ReferencedSeriesSequence
    (instance,) = series.ReferencedInstanceSequence
    assert instance.ReferencedSOPClassUID == EnhancedMRImageStorage
    assert "ReferencedFrameNumber" not in instance
    (whole,) = segmentation.SourceImageSequence
    assert len(whole.ReferencedFrameNumber) == SMALL.slices
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
    assert segmentation.NumberOfFrames == 3 * (SMALL.slices - 1)
    assert "SpacingBetweenSlices" not in segmentation.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert dciodvfy(tmp_path / "seg.dcm") == []


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


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What reaches the root logger. (pytest's own handler listens below it, too.)"""
    records: list[logging.LogRecord] = []
    handler, root = logging.Handler(), logging.getLogger()
    handler.emit = records.append  # type: ignore[method-assign]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield records
    root.setLevel(level)
    root.removeHandler(handler)


INVALID = {
    "PatientName": "SCD0000101", "PatientID": "", "PatientBirthDate": "00000000", "PatientSex": "W",
    "StudyDate": "20120000", "StudyTime": "noon", "StudyInstanceUID": "1.2.3.0456", "AccessionNumber": "x" * 30,
    "FrameOfReferenceUID": "1.2.007",
}  # fmt: skip


def test_identity_travels_to_the_letter_and_nowhere_else(
    changed: Callable[[Change], list[Path]], tmp_path: Path, logged: list[logging.LogRecord], capfd: Any
) -> None:
    def spoil(dataset: Dataset, ordinal: int) -> None:
        for keyword, value in INVALID.items():
            setattr(dataset, keyword, value)
        dataset.SpecificCharacterSet, dataset.ReferringPhysicianName = "ISO_IR 100", "Müller^Zoë"
        dataset.FrameOfReferenceUID += str(ordinal)  # as Sunnybrook's anonymiser does
        del dataset.StudyID

    source = stack_of(changed(spoil)[0].parent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])
    assert not caught
    assert not logged
    assert capfd.readouterr() == ("", "")
    segmentation, image = dcmread(tmp_path / "seg.dcm"), dcmread(source.headers[ED][0].path)
    for keyword in (*INVALID, "SpecificCharacterSet", "ReferringPhysicianName"):
        assert segmentation[keyword].value == image[keyword].value, keyword
    assert segmentation.StudyID == ""


def test_what_cannot_be_decoded_is_left_out(changed: Callable[[Change], list[Path]], tmp_path: Path) -> None:
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
def test_a_source_that_cannot_be_referred_to(
    keyword: str, complaint: str, changed: Callable[[Change], list[Path]], tmp_path: Path
) -> None:
    def spoil(dataset: Dataset, ordinal: int) -> None:
        delattr(dataset, keyword)

    source = stack_of(changed(spoil)[0].parent)
    with pytest.raises(UnusableError, match=complaint) as caught:
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])
    assert str(source.headers[ED][0].path) in str(caught.value)
    assert not (tmp_path / "seg.dcm").exists()


def test_what_highdicom_refuses_is_said_without_its_words(source: Stack, tmp_path: Path) -> None:
    twice = [source.headers[ED][0]] * SMALL.slices
    with pytest.raises(UnusableError, match=r"no DICOM SEG can be made for these images \(ValueError\)$"):
        write_segmentation(tmp_path / "seg.dcm", drawing(), twice)


def test_a_source_that_is_gone(changed: Callable[[Change], list[Path]], tmp_path: Path) -> None:
    source = stack_of(changed(lambda *_: None)[0].parent)
    source.headers[ED][2].path.unlink()
    with pytest.raises(UnusableError, match="no such file"):
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])


def test_no_permission(source: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError):
        write_segmentation(tmp_path / "file" / "seg.dcm", drawing(), source.headers[ED])


def dciodvfy(path: Path) -> list[tuple[str, str]]:
    """The errors that the validator finds, as (where without ordinals, what)."""
    if which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert "Segmentation" in said.splitlines()
    found = [re.match(r"Error - <(.*?)> - (.*)", line) for line in said.splitlines() if line.startswith("Error")]
    assert all(found)
    return [(re.sub(r"\[\d+\]", "", match[1]), match[2]) for match in found if match]


@pytest.mark.parametrize("labels", [STRUCTURES, (Label.LV_CAVITY,)])
def test_the_validator_finds_no_error(labels: Sequence[Label], source: Stack, tmp_path: Path) -> None:
    write(tmp_path, source, drawing(labels=labels))
    assert dciodvfy(tmp_path / "seg.dcm") == []


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
    assert_same_points(points_of_one(segmentation), labelled_points(what.mask, (Label.LV_CAVITY,)))
    errors = dciodvfy(tmp_path / "seg.dcm")
    own = b"".join(header.path.read_bytes() for header in source.headers[0])
    for where, what_is_wrong in errors:
        name = where.rsplit("/", maxsplit=1)[-1]
        assert any(name == place and words in what_is_wrong for place, words in INHERITED), (where, what_is_wrong)
        (value,) = re.findall(r"= <(.*?)>", what_is_wrong)
        assert value.encode() in own
