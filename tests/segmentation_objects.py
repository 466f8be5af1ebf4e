"""DICOM SEG of the phantom as highdicom and dcmqi write them, and changes to them that other programs would make."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pack_bits
from pydicom.sr.coding import Code

from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import Phantom, reference

HEART = Phantom(slices=5, phases=8, rows=45, columns=37, spacing_mm=(16.0, 6.0, 5.0))  # frames end within a byte
ED, ES = sorted(HEART.ed_es_phases, reverse=True)
LABELS = {Label.RV_CAVITY: "RV", Label.LV_MYOCARDIUM: "Myocardium", Label.LV_CAVITY: "LV"}
CATEGORY = Code("123037004", "SCT", "Anatomical Structure")
TISSUE = Code("85756007", "SCT", "Tissue")


def stack_of(folder: Path) -> Stack:
    """The only cine in a folder."""
    (series,) = survey(folder).cines
    assert series.stack
    return series.stack


def mask_at(phase: int) -> np.ndarray:
    """The phantom's mask (slice, row, column)."""
    return reference(HEART).voxels[phase].astype(np.uint8)


def by_highdicom(
    path: Path,
    source: Stack,
    phase: int,
    mask: np.ndarray | None = None,
    *,
    kind: str = "BINARY",
    labels: Sequence[str] = tuple(LABELS.values()),
    code: Code = TISSUE,
    omit: bool = True,
    **changes: Any,
) -> Path:
    """Write a SEG of a phase; `mask` (slice, row, column, segment) may have segments that overlap."""
    described = [
        SegmentDescription(number, label, CATEGORY, code, SegmentAlgorithmTypeValues.MANUAL)
        for number, label in enumerate(labels, start=1)
    ]
    made = highdicom.seg.Segmentation(
        source_images=[dcmread(header.path) for header in source.headers[phase] if header],
        pixel_array=mask_at(phase) if mask is None else mask,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=highdicom.UID(),
        series_number=1,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="someone",
        manufacturer_model_name="model",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=omit,
        **changes,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return path


def by_dcmqi(path: Path, source: Stack, phase: int, *options: str, phases: Sequence[int] | None = None) -> Path:
    """Write a SEG of a phase with `itkimage2segimage`, told the images of `phases`, of its own phase if none."""
    program = Path(sys.executable).parent / "itkimage2segimage"
    if not program.exists():
        pytest.skip("dcmqi is not installed")
    image, words = path.with_suffix(".nii.gz"), path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(image, Volume(mask_at(phase), HEART.grid))
    segments = [_dcmqi_segment(label, name) for label, name in LABELS.items()]
    words.write_text(
        json.dumps(
            {"SeriesDescription": "a", "SeriesNumber": "1", "InstanceNumber": "1", "segmentAttributes": [segments]}
        )
    )
    files = [str(header.path) for number in phases or [phase] for header in source.headers[number] if header]
    command = [
        program,
        "--inputImageList",
        image,
        "--inputDICOMList",
        ",".join(files),
        "--outputDICOM",
        path,
        "--inputMetadata",
        words,
    ]
    subprocess.run([*command, *options], check=True, capture_output=True, timeout=60)
    image.unlink()
    words.unlink()
    return path


def _dcmqi_segment(label: Label, name: str) -> dict[str, Any]:
    category, tissue = (
        {"CodeValue": c.value, "CodingSchemeDesignator": c.scheme_designator, "CodeMeaning": c.meaning}
        for c in (CATEGORY, TISSUE)
    )
    return {
        "labelID": int(label), "SegmentLabel": name, "SegmentDescription": name, "SegmentAlgorithmType": "MANUAL",
        "SegmentedPropertyCategoryCodeSequence": category, "SegmentedPropertyTypeCodeSequence": tissue,
        "recommendedDisplayRGBValue": [1, 2, 3],
    }  # fmt: skip


def with_frames(path: Path, change: Callable[[Dataset, np.ndarray], np.ndarray]) -> Path:
    """Change a binary SEG: `change` is given the data set and its frames, and returns the new ones."""
    dataset = dcmread(path)
    frames = change(dataset, dataset.pixel_array)
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
    dataset.PixelData = pack_bits(frames.ravel().astype(np.uint8))
    dataset.save_as(path)
    return path


def positions_of(dataset: Dataset) -> list[Any]:
    """The items of a SEG's frames that hold their positions."""
    return [frame.PlanePositionSequence[0] for frame in dataset.PerFrameFunctionalGroupsSequence]


def move(dataset: Dataset, rows: float, columns: float, slices: float = 0.0) -> None:
    """Move all frames by pixels and slices."""
    offset = np.array(HEART.grid.position_mm([slices, rows, columns])) - HEART.grid.position_mm([0, 0, 0])
    for item in positions_of(dataset):
        item.ImagePositionPatient = [float(f"{mm:.6f}") for mm in np.add(item.ImagePositionPatient, offset)]
