"""DICOM RTSTRUCT: contours with the area of the mask's pixels at their place, which other programs read as rings."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy, which
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_validator import dciodvfy
from pydicom import dcmread
from pydicom.dataset import Dataset
from segmentations import AUTHOR, enhanced, stack_of
from skimage.draw import polygon2mask

from cardioseg.errors import ResourceError, UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Volume, Voxels
from cardioseg.ingest.cine.stack import Stack
from cardioseg.phantom import Phantom, write_dicom
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_rtstruct import write_contours
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Drawing

pytestmark = pytest.mark.filterwarnings("ignore")

RADII_MM = (6, 9, 14, 19, 24, 28)
WALL_MM = 7
FINE = Phantom(slices=6, phases=8, rows=88, columns=104, spacing_mm=(14.0, 1.4, 1.1))  # oblique, pixels not square
PHASE = 7
NAMES = {label: f"{label.title} ED" for label in STRUCTURES}


def rings() -> Voxels:
    """In each slice, a disc of another radius with a wall around it, and a part of the RV beside them."""
    rows, columns = np.mgrid[:88, :104]
    distances_mm = np.hypot((rows - 43.3) * 1.4, (columns - 52.4) * 1.1)
    voxels = np.zeros((6, 88, 104), np.uint8)
    for plane, radius_mm in zip(voxels, RADII_MM, strict=True):
        plane[distances_mm <= radius_mm + WALL_MM] = Label.LV_MYOCARDIUM
        plane[distances_mm <= radius_mm] = Label.LV_CAVITY
        plane[30:50, :14][plane[30:50, :14] == 0] = Label.RV_CAVITY
    return voxels


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    return stack_of(write_dicom(FINE, tmp_path_factory.mktemp("source")))


def drawing(source: Stack, voxels: Voxels | None = None) -> Drawing:
    return Drawing(Volume(rings() if voxels is None else voxels, source.grid), STRUCTURES, END_DIASTOLE, AUTHOR)


def write(folder: Path, source: Stack, what: Drawing | None = None, phase: int = PHASE) -> Dataset:
    write_contours(folder / "rtstruct.dcm", what or drawing(source), source.headers[phase])
    return dcmread(folder / "rtstruct.dcm")


def contours(structures: Dataset, label: Label) -> Iterator[tuple[Dataset, Any]]:
    """Each contour of a structure with its points in mm."""
    (number,) = (item.ROINumber for item in structures.StructureSetROISequence if item.ROIName == NAMES[label])
    (region,) = (item for item in structures.ROIContourSequence if item.ReferencedROINumber == number)
    for contour in region.get("ContourSequence", ()):
        points = np.reshape(np.array(contour.ContourData, float), (-1, 3))
        assert (contour.ContourGeometricType, contour.NumberOfContourPoints) == ("CLOSED_PLANAR", len(points))
        yield contour, points


def area_mm2(points: Any) -> float:
    """Half the length of the sum of the cross products: a polygon in any plane."""
    local = points - points[0]
    return float(np.linalg.norm(np.cross(local, np.roll(local, -1, axis=0)).sum(axis=0)) / 2)


def test_the_area_is_that_of_the_pixels(source: Stack, tmp_path: Path) -> None:
    structures, voxels = write(tmp_path, source), rings()
    images = [dcmread(header.path).SOPInstanceUID for header in source.headers[PHASE]]
    for label in STRUCTURES:
        areas = np.zeros(len(images))
        for contour, points in contours(structures, label):
            areas[images.index(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)] += area_mm2(points)
        expected = (voxels == label).sum(axis=(1, 2)) * 1.4 * 1.1
        assert expected.all()
        assert np.allclose(areas, expected, rtol=1e-6)
    discs = [area_mm2(points) for _, points in contours(structures, Label.LV_CAVITY)]
    assert np.allclose(discs, np.pi * np.square(RADII_MM), rtol=0.03)  # the pixels are no finer


def test_the_points_lie_on_the_pixels_of_their_images(source: Stack, tmp_path: Path) -> None:
    """Read as a program does: by the plane of the image that a contour refers to, and what lies inside."""
    structures, found = write(tmp_path, source), np.zeros_like(rings())
    images = [dcmread(header.path) for header in source.headers[PHASE]]
    for label in STRUCTURES:
        for contour, points in contours(structures, label):
            (reference,) = contour.ContourImageSequence
            uids = [image.SOPInstanceUID for image in images]
            index = uids.index(reference.ReferencedSOPInstanceUID)
            assert reference.ReferencedSOPClassUID == images[index].SOPClassUID
            cosines = np.reshape(np.array(images[index].ImageOrientationPatient, float), (2, 3))
            offsets_mm = points - np.array(images[index].ImagePositionPatient, float)
            assert np.abs(offsets_mm @ np.cross(*cosines)).max() < 1e-6
            pixels = offsets_mm @ cosines[::-1].T / np.array(images[index].PixelSpacing, float)
            assert np.allclose(pixels % 1, 0.5, atol=1e-6)
            found[index][polygon2mask(found[index].shape, pixels)] = label
    assert np.array_equal(found, rings())


def test_plastimatch_reads_the_same_voxels(source: Stack, tmp_path: Path) -> None:
    if which("plastimatch") is None:
        pytest.skip("plastimatch (Debian's plastimatch) is not installed")
    write(tmp_path, source)
    (tmp_path / "images").mkdir()
    for header in source.headers[PHASE]:
        copy(header.path, tmp_path / "images")
    command = ["plastimatch", "convert", "--input", tmp_path / "rtstruct.dcm", "--referenced-ct", tmp_path / "images"]
    command += ["--output-prefix", tmp_path / "masks", "--prefix-format", "nrrd"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    expected = sitk.ReadImage([str(header.path) for header in source.headers[PHASE]])
    for label, name in NAMES.items():
        mask = sitk.ReadImage(tmp_path / "masks" / f"{name}.nrrd")
        voxels = sitk.GetArrayFromImage(sitk.Resample(mask, expected, interpolator=sitk.sitkNearestNeighbor))
        assert np.array_equal(voxels > 0, rings() == label)


def test_rt_utils_reads_a_ring(tmp_path: Path) -> None:
    """It widens regions by half a pixel, and swaps rows and columns where there are not as many of both."""
    rt_utils = pytest.importorskip("rt_utils")
    square = replace(FINE, rows=96, columns=96, spacing_mm=(14.0, 1.4, 1.4))
    source = stack_of(write_dicom(square, tmp_path / "scans"))
    voxels = np.zeros((6, 96, 96), np.uint8)
    voxels[:, 20:60, 30:80] = Label.LV_MYOCARDIUM
    voxels[:, 30:50, 45:65] = Label.LV_CAVITY
    write(tmp_path, source, drawing(source, voxels))
    (tmp_path / "images").mkdir()
    for header in source.headers[PHASE]:
        copy(header.path, tmp_path / "images")
    builder = rt_utils.RTStructBuilder.create_from(str(tmp_path / "images"), str(tmp_path / "rtstruct.dcm"))
    assert builder.get_roi_names() == list(NAMES.values())
    ring = np.moveaxis(builder.get_roi_mask_by_name(NAMES[Label.LV_MYOCARDIUM]), 2, 0)
    assert not ring[:, 32:48, 47:63].any()
    sure = np.zeros_like(ring)
    sure[:, 22:58, 32:78] = True
    sure[:, 28:52, 43:67] = False
    assert ring[sure].all()


def test_it_says_whose_moment_and_structures_they_are(source: Stack, tmp_path: Path) -> None:
    structures, image = write(tmp_path, source), dcmread(source.headers[PHASE][0].path)
    regions = structures.StructureSetROISequence
    assert [region.ROIName for region in regions] == ["RV cavity ED", "LV myocardium ED", "LV cavity ED"]
    assert {region.ROIGenerationAlgorithm for region in regions} == {"AUTOMATIC"}
    assert list(map(int, structures.ROIContourSequence[0].ROIDisplayColor)) == [0x56, 0xB4, 0xE9]
    meanings = [item.RTROIIdentificationCodeSequence[0] for item in structures.RTROIObservationsSequence]
    assert [meaning.CodeValue for meaning in meanings] == ["53085002", "49848007", "87878005"]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert structures[keyword].value == image[keyword].value
    assert structures.SeriesInstanceUID != image.SeriesInstanceUID
    assert (structures.StructureSetLabel, structures.SeriesDescription) == ("ED", "sax contours end-diastole")
    (frame,) = structures.ReferencedFrameOfReferenceSequence
    (series,) = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    uids = {dcmread(header.path).SOPInstanceUID for header in source.headers[PHASE]}
    assert {item.ReferencedSOPInstanceUID for item in series.ContourImageSequence} == uids


def test_a_structure_that_is_empty_is_a_region_without_contours(source: Stack, tmp_path: Path) -> None:
    voxels = np.where(rings() == Label.RV_CAVITY, 0, rings())
    structures = write(tmp_path, source, drawing(source, voxels))
    assert len(structures.StructureSetROISequence) == 3
    assert list(contours(structures, Label.RV_CAVITY)) == []
    assert len(list(contours(structures, Label.LV_CAVITY))) == 6
    assert dciodvfy(tmp_path / "rtstruct.dcm", "RTStructureSet") == []


def test_frames_of_one_multi_frame_object(tmp_path: Path) -> None:
    source = stack_of(enhanced(tmp_path, FINE))
    structures = write(tmp_path, source)
    frames = [
        contour.ContourImageSequence[0].ReferencedFrameNumber for contour, _ in contours(structures, Label.LV_CAVITY)
    ]
    assert frames == [(header.frame or 0) + 1 for header in source.headers[PHASE] if header]
    assert dciodvfy(tmp_path / "rtstruct.dcm", "RTStructureSet") == []


def test_the_validator_finds_no_error(source: Stack, tmp_path: Path) -> None:
    write(tmp_path, source)
    assert dciodvfy(tmp_path / "rtstruct.dcm", "RTStructureSet") == []


def test_the_same_contours_are_the_same_object(source: Stack, tmp_path: Path) -> None:
    def uids(what: Drawing, phase: int = PHASE) -> tuple[str, str]:
        structures = write(tmp_path, source, what, phase)
        return structures.SOPInstanceUID, structures.SeriesInstanceUID

    what, voxels = drawing(source), rings()
    assert uids(what) == uids(what)
    voxels[0, 0, 0] = Label.LV_CAVITY
    others = [
        uids(drawing(source, voxels)),
        uids(replace(what, author=Author("sax", "cd" * 32))),
        uids(replace(what, moment=END_SYSTOLE)),
        uids(what, 3),
    ]
    assert len({uid for pair in (uids(what), *others) for uid in pair}) == 10


def test_slices_that_were_not_acquired_have_no_contours(source: Stack, tmp_path: Path) -> None:
    headers = [None, *source.headers[PHASE][1:]]
    write_contours(tmp_path / "rtstruct.dcm", drawing(source), headers)
    assert len(list(contours(dcmread(tmp_path / "rtstruct.dcm"), Label.LV_CAVITY))) == 5


def test_what_cannot_be_written(source: Stack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError):
        write_contours(tmp_path / "file" / "rtstruct.dcm", drawing(source), source.headers[PHASE])
    paths = sorted(write_dicom(FINE, tmp_path / "anonymous").iterdir())
    for path in paths:
        dataset = dcmread(path)
        del dataset.FrameOfReferenceUID
        dataset.save_as(path)
    nameless = stack_of(tmp_path / "anonymous")
    with pytest.raises(UnusableError, match="does not name the frame of reference"):
        write(tmp_path, nameless, drawing(nameless))
