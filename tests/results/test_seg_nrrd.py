"""Seg NRRD: what 3D Slicer opens of a mask, read by our reader, pynrrd, ITK and slicerio."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_cine as read_nifti
from cardioseg.image.nifti import write_cine
from cardioseg.image.nrrd import is_4d, read_cine
from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.report.dicom_object import Author
from cardioseg.results.description import Description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import seg_nrrd_format
from cardioseg.results.formats.predicted import PredictedCase

nrrd = pytest.importorskip("nrrd")

SHAPE = (4, 12, 10)
AXES = Rotation.from_euler("xyz", (20, -35, 50), degrees=True).as_matrix()[::-1]
OBLIQUE = Grid(SHAPE, (8.0, 1.25, 1.5), (-31.7, 12.3, 104.9), tuple(tuple(map(float, axis)) for axis in AXES))
ED, ES = 1, 4


def drawn(grid: Grid = OBLIQUE, times_ms: tuple[float, ...] = (0, 40, 80.5, 120, 160)) -> Cine:
    """Random labels; the RV, whose segment is the first, is small at end-diastole and absent at end-systole."""
    voxels = np.random.default_rng(3).integers(0, 4, (5, *grid.shape)).astype(np.uint8)
    voxels[:, 1:] = np.where(voxels[:, 1:] == Label.RV_CAVITY, 0, voxels[:, 1:])
    voxels[ES] = np.where(voxels[ES] == Label.RV_CAVITY, 0, voxels[ES])
    return Cine(voxels, grid, times_ms)


def write(folder: Path, mask: Cine, *, is_4d: bool = True, **phases: int) -> tuple[CaseFolder, str]:
    description = Description(Measures(phases), (), {}, mask.times_ms, Acquisition())
    case = CaseFolder(folder)
    remark = seg_nrrd_format.write(
        PredictedCase(mask, description, STRUCTURES, Author("any", "0" * 64), None, is_4d), case
    )
    return case, remark


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    case, remark = write(tmp_path_factory.mktemp("case"), drawn(), ed_phase=ED, es_phase=ES)
    assert remark == ""
    return case


def assert_same(found: Cine, expected: Cine) -> None:
    assert found.grid.matches(expected.grid, 1e-9)
    assert np.array_equal(found.voxels, expected.voxels)


def test_our_reader_reads_the_same_voxels(written: CaseFolder) -> None:
    mask = drawn()
    assert_same(read_cine(written.path / "mask.seq.nrrd"), mask)
    assert is_4d(written.path / "mask.seq.nrrd")
    for path, phase in ((written.path / "mask_ed.seg.nrrd", ED), (written.path / "mask_es.seg.nrrd", ES)):
        assert_same(read_cine(path), Cine(mask.voxels[phase : phase + 1], mask.grid))
        assert not is_4d(path)


def test_itk_reads_the_same_voxels(written: CaseFolder) -> None:
    image = sitk.ReadImage(written.path / "mask_ed.seg.nrrd")
    assert np.array_equal(sitk.GetArrayFromImage(image), drawn().voxels[ED])
    assert np.allclose(image.TransformIndexToPhysicalPoint((3, 7, 2)), OBLIQUE.position_mm((2, 7, 3)), atol=1e-9)
    assert image.GetMetaData("Segment2_Name") == "LV cavity"
    sequence = sitk.ReadImage(written.path / "mask.seq.nrrd")  # a phase is a component
    assert np.array_equal(np.moveaxis(sitk.GetArrayFromImage(sequence), -1, 0), drawn().voxels)
    assert np.allclose(sequence.TransformIndexToPhysicalPoint((3, 7, 2)), OBLIQUE.position_mm((2, 7, 3)), atol=1e-9)
    assert sequence.GetMetaData("DataNodeClassName") == "vtkMRMLLabelMapVolumeNode"


def test_pynrrd_reads_the_same_voxels(written: CaseFolder) -> None:
    voxels, header = nrrd.read(str(written.path / "mask.seq.nrrd"), index_order="C")
    assert np.array_equal(np.moveaxis(voxels, -1, 0), drawn().voxels)
    assert header["kinds"] == ["list", "domain", "domain", "domain"]
    assert (header["labels"][0], header["units"][0]) == ("time", "ms")
    assert (header["axis 0 index type"], header["axis 0 index values"]) == ("numeric", "0 40 80.5 120 160")
    assert np.isnan(header["space directions"][0]).all()
    steps = np.array(OBLIQUE.directions[::-1]) * np.array(OBLIQUE.spacing_mm[::-1])[:, None]
    assert np.allclose(header["space directions"][1:], steps, rtol=0, atol=1e-12)
    voxels, header = nrrd.read(str(written.path / "mask_es.seg.nrrd"), index_order="C")
    assert np.array_equal(voxels, drawn().voxels[ES])
    assert np.allclose(header["space origin"], OBLIQUE.origin_mm, rtol=0, atol=1e-12)


def test_slicerio_reads_names_colours_and_terms(written: CaseFolder) -> None:
    slicerio = pytest.importorskip("slicerio")
    segmentation = slicerio.read_segmentation(str(written.path / "mask_ed.seg.nrrd"))
    named = [(segment["name"], segment["id"], segment["labelValue"]) for segment in segmentation["segments"]]
    assert named == [
        ("RV cavity", "rv_cavity", 1),
        ("LV myocardium", "lv_myocardium", 2),
        ("LV cavity", "lv_cavity", 3),
    ]
    assert [round(255 * value) for value in segmentation["segments"][0]["color"]] == [0x56, 0xB4, 0xE9]
    terms = [segment["terminology"] for segment in segmentation["segments"]]
    assert [term["type"][:2] for term in terms] == [["SCT", "53085002"], ["SCT", "49848007"], ["SCT", "87878005"]]
    assert {tuple(term["category"]) for term in terms} == {("SCT", "123037004", "Anatomical Structure")}
    assert np.array_equal(np.transpose(segmentation["voxels"]), drawn().voxels[ED])
    assert segmentation["containedRepresentationNames"] == ["Binary labelmap"]


@pytest.mark.parametrize("name", ["mask_ed.seg.nrrd", "mask_es.seg.nrrd"])
def test_slicer_cuts_no_segment_off(name: str, written: CaseFolder) -> None:
    """Slicer cuts all segments of a layer to the extent of the first, and drops them if that is empty."""
    header = nrrd.read_header(str(written.path / name))
    slices, rows, columns = SHAPE
    extents = {header[f"Segment{number}_Extent"] for number in range(3)}
    assert extents == {f"0 {columns - 1} 0 {rows - 1} 0 {slices - 1}"}
    assert {header[f"Segment{number}_Layer"] for number in range(3)} == {"0"}
    assert header["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    assert "Segment3_ID" not in header


def test_a_volume_is_one_segmentation(tmp_path: Path) -> None:
    mask = Cine(drawn().voxels[:1], OBLIQUE)
    case, remark = write(tmp_path, mask, is_4d=False, ed_phase=0)
    assert remark == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mask.seg.nrrd"]
    assert_same(read_cine(case.path / "mask.seg.nrrd"), mask)


def test_what_is_not_known_is_a_remark(tmp_path: Path) -> None:
    case, remark = write(tmp_path, drawn(times_ms=()), ed_phase=ED)
    assert remark == "no segmentation for 3D Slicer of end-systole, which is not known"
    assert sorted(tmp_path.iterdir()) == sorted([case.path / "mask.seq.nrrd", case.path / "mask_ed.seg.nrrd"])
    header: dict[str, Any] = nrrd.read_header(str(case.path / "mask.seq.nrrd"))
    assert (header["labels"][0], header["axis 0 index values"]) == ("phase", "0 1 2 3 4")


def test_the_axes_are_those_of_the_scan(tmp_path: Path) -> None:
    """A NIfTI file may have its slices along another axis than the last."""
    sagittal = replace(OBLIQUE, shape=(12, 10, 4), spacing_mm=(1.25, 1.5, 8.0))
    write_cine(tmp_path / "scan.nii.gz", drawn(sagittal))
    mask = read_nifti(tmp_path / "scan.nii.gz")
    assert mask.grid.shape == (4, 12, 10)
    case, _ = write(tmp_path / "case", mask, ed_phase=ED, es_phase=ES)
    assert nrrd.read_header(str(case.path / "mask_ed.seg.nrrd"))["sizes"].tolist() == [4, 10, 12]
    assert_same(read_cine(case.path / "mask_ed.seg.nrrd"), Cine(mask.voxels[ED : ED + 1], mask.grid))
    assert_same(read_cine(case.path / "mask.seq.nrrd"), mask)


def test_the_same_mask_gives_the_same_bytes(written: CaseFolder, tmp_path: Path) -> None:
    case, _ = write(tmp_path, drawn(), ed_phase=ED, es_phase=ES)
    for path in (case.path / "mask_ed.seg.nrrd", case.path / "mask_es.seg.nrrd", case.path / "mask.seq.nrrd"):
        assert path.read_bytes() == (written.path / path.name).read_bytes()
