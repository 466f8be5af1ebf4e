"""DICOM SEG in other programs: MONAI, dcmqi and highdicom, also where a structure is empty."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_validator import dciodvfy
from labelled_points import assert_same_points, labelled_points
from segmentations import drawing, write

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.cine.stack import Stack
from cardioseg.report.dicom_seg import Drawing

pytestmark = pytest.mark.filterwarnings("ignore")

ONE = (Label.LV_CAVITY,)
CASES = [(STRUCTURES, ()), (STRUCTURES, (Label.RV_CAVITY,)), (STRUCTURES, STRUCTURES), (ONE, ()), (ONE, ONE)]


def without(labels: Sequence[Label], missing: Sequence[Label]) -> Drawing:
    """The phantom's mask, of these labels and without those that are missing at this phase."""
    what = drawing(labels=labels)
    voxels = np.where(np.isin(what.mask.voxels, missing), 0, what.mask.voxels).astype(np.uint8)
    return replace(what, mask=replace(what.mask, voxels=voxels))


@pytest.fixture(params=CASES, ids=["all", "no RV", "nothing", "one label", "one label, nothing"])
def written(request: pytest.FixtureRequest, source: Stack, tmp_path: Path) -> tuple[Drawing, Path]:
    what = without(*request.param)
    write(tmp_path, source, what)
    return what, tmp_path / "seg.dcm"


def test_monai_reads_the_same_voxels(written: tuple[Drawing, Path]) -> None:
    readers = pytest.importorskip("monai.data.image_reader")
    what, path = written
    reader = readers.PydicomReader(affine_lps_to_ras=False)
    channels, about = reader.get_data(reader.read(str(path)))
    assert about["labels"] == {label.title: number for number, label in enumerate(sorted(what.labels))}
    found: dict[Label, Any] = {}
    for number, label in enumerate(sorted(what.labels)):
        indices = np.argwhere(channels[..., number])
        found[label] = indices @ about["affine"][:3, :3].T + about["affine"][:3, 3]
    assert_same_points(found, labelled_points(what.mask, what.labels))


def test_dcmqi_reads_the_same_voxels(written: tuple[Drawing, Path]) -> None:
    dcmqi = Path(sys.executable).parent / "segimage2itkimage"
    if not dcmqi.exists():
        pytest.skip("dcmqi is not installed")
    what, path = written
    command = [dcmqi, "--inputDICOM", path, "--outputDirectory", path.parent, "-t", "nrrd", "-p", "one"]
    subprocess.run([*command, "--mergeSegments"], check=True, capture_output=True, timeout=60)
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(path.with_name("one-1.nrrd")))
    numbers = np.searchsorted(sorted(what.labels), what.mask.voxels) + 1
    assert np.array_equal(voxels, np.where(what.mask.voxels > 0, numbers, 0))


def test_the_validator_finds_no_error_where_a_structure_is_empty(written: tuple[Drawing, Path]) -> None:
    assert dciodvfy(written[1]) == []
