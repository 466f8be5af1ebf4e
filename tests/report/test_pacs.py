"""A real PACS: Orthanc takes the source and what is made of it from the network, and gives back the same.

The SEG has the same voxels in the same place, the structured report the same numbers, the captures the same pixels.
"""

import json
import os
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from shutil import which
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import highdicom
import numpy as np
import pytest
from described_cases import THICK, described
from labelled_points import assert_same_points, labelled_points
from pydicom import dcmread
from pydicom.dataset import Dataset
from small_phantoms import SMALL

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_volume, write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import cine, reference, write_dicom
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_seg import END_DIASTOLE, Drawing, write_segmentation
from cardioseg.results.case_pictures import write_pictures
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import write_formats

pynetdicom = pytest.importorskip("pynetdicom")

ED = 7
PROGRAM = which("Orthanc", path=os.environ.get("PATH", "") + ":/usr/sbin")
STARTS_WITHIN_S = 30


@dataclass(frozen=True)
class Pacs:
    """Orthanc on two loopback ports."""

    dicom_port: int
    http_port: int

    def store(self, paths: Sequence[Path]) -> None:
        """Send files with C-STORE, as any modality or workstation would."""
        datasets = [dcmread(path) for path in paths]
        sender = pynetdicom.AE(ae_title="CARDIOSEG")
        for class_uid in {dataset.SOPClassUID for dataset in datasets}:
            sender.add_requested_context(class_uid)
        association = sender.associate("127.0.0.1", self.dicom_port)
        assert association.is_established
        for dataset in datasets:
            assert association.send_c_store(dataset).Status == 0
        association.release()

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the REST interface: JSON, or a file's bytes."""
        opener = build_opener(ProxyHandler({}))
        request = Request(f"http://127.0.0.1:{self.http_port}/{path}", method=method)
        with opener.open(request, timeout=30) as answer:
            content = answer.read()
        return content if path.endswith("/file") else json.loads(content)

    def series(self) -> list[tuple[str, list[bytes]]]:
        """Every series as (modality, files)."""
        found = [self.ask(f"series/{key}") for key in self.ask("series")]
        return [
            (one["MainDicomTags"]["Modality"], [self.ask(f"instances/{key}/file") for key in one["Instances"]])
            for one in found
        ]


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pacs]:
    """A running Orthanc; it takes seconds to start and to end."""
    if PROGRAM is None:
        pytest.skip("Orthanc (Debian's orthanc) is not installed")
    folder, ports = tmp_path_factory.mktemp("orthanc"), free_ports()
    configuration = {
        "Name": "test", "StorageDirectory": str(folder / "held"), "IndexDirectory": str(folder / "held"),
        "DicomPort": ports.dicom_port, "HttpPort": ports.http_port, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False, "Plugins": [],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "orthanc.log").open("wb") as log:
        server = subprocess.Popen([PROGRAM, folder / "orthanc.json"], stdout=log, stderr=log)
        try:
            wait_for(ports, server, folder / "orthanc.log")
            yield ports
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def pacs(orthanc: Pacs) -> Pacs:
    """Orthanc, emptied."""
    for patient in orthanc.ask("patients"):
        orthanc.ask(f"patients/{patient}", "DELETE")
    assert orthanc.ask("instances") == []
    return orthanc


def free_ports() -> Pacs:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return Pacs(one.getsockname()[1], other.getsockname()[1])


def wait_for(pacs: Pacs, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            pacs.ask("system")
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text())


def rebuilt(segmentation: Any, labels: Sequence[Label]) -> Volume:
    """The mask by the SEG's own geometry alone: highdicom's volume, (slice, row, column) and LPS."""
    volume = segmentation.get_volume(combine_segments=len(labels) > 1)
    numbers = volume.array if len(labels) > 1 else volume.array[..., 0]
    steps = np.asarray(volume.affine)[:3, :3].T
    spacing = np.linalg.norm(steps, axis=1)
    directions = tuple(tuple(axis.tolist()) for axis in steps / spacing[:, None])
    grid = Grid(numbers.shape, tuple(spacing.tolist()), tuple(volume.affine[:3, 3].tolist()), directions)  # type: ignore[arg-type]
    return Volume(np.array([Label.BACKGROUND, *labels], np.uint8)[numbers], grid)


def round_trip(pacs: Pacs, source: Stack, phase: int, voxels: Any, labels: Sequence[Label], folder: Path) -> Dataset:
    """Send a phase and its SEG; what comes back lies where the NIfTI mask does. The SEG, read back."""
    mask = Volume(voxels, source.grid)
    write_volume(folder / "mask.nii.gz", mask)
    drawing = Drawing(mask, labels, END_DIASTOLE, Author("sax", "ab" * 32))
    write_segmentation(folder / "seg.dcm", drawing, source.headers[phase])
    pacs.store([*(header.path for header in source.headers[phase]), folder / "seg.dcm"])
    (study,) = pacs.ask("studies")  # the SEG lies in its source's study
    assert len(pacs.ask(f"studies/{study}/series")) == 2
    held = dict(pacs.series())
    assert {modality: len(files) for modality, files in held.items()} == {"MR": len(voxels), "SEG": 1}
    (content,) = held["SEG"]
    expected = read_volume(folder / "mask.nii.gz")
    found = rebuilt(highdicom.seg.segread(BytesIO(content)), labels)
    assert_same_points(labelled_points(found, labels), labelled_points(expected, labels))
    kept = dcmread(BytesIO(content))
    assert kept.PixelData == dcmread(folder / "seg.dcm").PixelData
    return kept


def test_the_phantom_and_its_seg_come_back_the_same(pacs: Pacs, tmp_path: Path) -> None:
    write_dicom(SMALL, tmp_path / "scans")
    (series,) = survey(tmp_path / "scans").cines
    assert series.stack
    voxels = reference(SMALL).phase(ED).voxels
    kept = round_trip(pacs, series.stack, ED, voxels, STRUCTURES, tmp_path)
    assert [segment.SegmentLabel for segment in kept.SegmentSequence] == [label.title for label in STRUCTURES]
    images = {item.ReferencedSOPInstanceUID for item in kept.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    (files,) = (files for modality, files in pacs.series() if modality == "MR")
    assert images == {dcmread(BytesIO(content)).SOPInstanceUID for content in files}
    pacs.store([tmp_path / "seg.dcm"])
    assert sum(len(files) for modality, files in pacs.series() if modality == "SEG") == 1


@pytest.mark.parametrize("patient", ["SCD0000101", "SCD0000201", "SCD0000301"])
def test_sunnybrook_comes_back_the_same(patient: str, pacs: Pacs, shared_data: Path, tmp_path: Path) -> None:
    (series,) = survey(shared_data / "sunnybrook" / "SCD_IMAGES_01" / patient).cines
    assert series.stack
    voxels = np.zeros(series.stack.grid.shape, np.uint8)
    voxels[2:7, 100:140, 90:130] = Label.LV_MYOCARDIUM
    voxels[2:6, 110:130, 100:120] = Label.LV_CAVITY
    with warnings.catch_warnings():  # of its invalid UIDs and dates
        warnings.simplefilter("ignore")
        round_trip(pacs, series.stack, 18, voxels, STRUCTURES, tmp_path)


def test_the_report_and_the_pictures_come_back_the_same(pacs: Pacs, tmp_path: Path) -> None:
    write_dicom(THICK, tmp_path / "scans")
    (series,) = survey(tmp_path / "scans").cines
    assert series.stack
    predicted, case = described(series.stack), CaseFolder(tmp_path / "case")
    write_pictures(case, cine(THICK), predicted.mask, predicted.description.measures, flags=(), title="")
    assert "".join(write_formats(predicted, case, ("dicom-seg", "dicom-sr", "dicom-sc"))) == ""
    pacs.store([*sorted((tmp_path / "scans").rglob("*.dcm")), *sorted(case.path.glob("*.dcm"))])
    assert len(pacs.ask("studies")) == 1
    held = dict(pacs.series())
    (report,) = held["SR"]
    values = said(dcmread(BytesIO(report)))
    row = predicted.description.measures.as_row()
    assert {key: values[code] for key, code in CODES.items()} == {key: row[key] for key in CODES}
    stored = {
        dcmread(BytesIO(content), stop_before_pixels=True).SOPInstanceUID
        for _, files in pacs.series()
        for content in files
    }
    assert referenced(dcmread(BytesIO(report))) <= stored
    sent = {dcmread(path).pixel_array.tobytes() for path in (case.path / "sc_sheet.dcm", case.path / "sc_measures.dcm")}
    assert {dcmread(BytesIO(content)).pixel_array.tobytes() for content in held["OT"]} == sent


def test_contours_and_the_masks_of_all_phases_come_back_the_same(pacs: Pacs, tmp_path: Path) -> None:
    write_dicom(THICK, tmp_path / "scans")
    (series,) = survey(tmp_path / "scans").cines
    assert series.stack
    predicted, case = described(series.stack), CaseFolder(tmp_path / "case")
    assert "".join(write_formats(predicted, case, ("dicom-seg", "dicom-seg-phases", "rtstruct"))) == ""
    pacs.store([*sorted((tmp_path / "scans").rglob("*.dcm")), *sorted(case.path.glob("*.dcm"))])
    assert len(pacs.ask("studies")) == 1
    objects = [(modality, dcmread(BytesIO(content))) for modality, files in pacs.series() for content in files]
    images = {dataset.SOPInstanceUID for modality, dataset in objects if modality == "MR"}
    segmentations = {dataset.ContentLabel: dataset for modality, dataset in objects if modality == "SEG"}
    assert len(segmentations) == THICK.phases
    for path in (case.path / "seg_ed.dcm", case.path / "seg_es.dcm", *case.path.glob("seg_phase*.dcm")):
        sent = dcmread(path)
        assert segmentations[sent.ContentLabel].PixelData == sent.PixelData
    structures = {dataset.StructureSetLabel: dataset for modality, dataset in objects if modality == "RTSTRUCT"}
    for label, path in (("ED", case.path / "rtstruct_ed.dcm"), ("ES", case.path / "rtstruct_es.dcm")):
        sent = dcmread(path)
        assert structures[label].ROIContourSequence == sent.ROIContourSequence
        contours = [contour for region in sent.ROIContourSequence for contour in region.ContourSequence]
        assert {contour.ContourImageSequence[0].ReferencedSOPInstanceUID for contour in contours} <= images


CODES = {"lv_edv_ml": "8821-1", "lv_ef_percent": "8811-2", "lv_mass_g": "18087-7", "rv_esv_ml": "8824-5"}


def items(dataset: Dataset) -> Iterator[Dataset]:
    """The content items of a structured report, at any depth."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items(item)


def said(report: Dataset) -> dict[str, float]:
    """The numbers of a report by code."""
    numbers = [item for item in items(report) if item.ValueType == "NUM"]
    codes = [number.ConceptNameCodeSequence[0] for number in numbers]
    values = [float(number.MeasuredValueSequence[0].NumericValue) for number in numbers]
    return dict(zip((code.get("CodeValue", "") for code in codes), values, strict=True))


def referenced(report: Dataset) -> set[str]:
    """The objects that a report refers to."""
    return {
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in items(report) if item.ValueType == "IMAGE"
    }
