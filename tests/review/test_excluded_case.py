"""Excluded cases: every DICOM object and picture of an excluded case says that its numbers must not be used."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest
from corrections import save_case
from dicom_validator import dciodvfy
from pydicom import dcmread
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.volume import Voxels
from cardioseg.phantom import write_dicom

KINDS = {
    "sr.dcm": "ComprehensiveSR",
    "seg_ed.dcm": "Segmentation",
    "rtstruct_ed.dcm": "RTStructureSet",
    "sc_sheet.dcm": "SCImage",
}


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predicted")
    write_dicom(SMALL, folder / "scans" / "heart")
    model = write_threshold_model(folder / "model")
    arguments = ["predict", str(folder / "scans"), "-o", str(folder / "results"), "-m", str(model), "-q"]
    assert run([*arguments, "--format", "nifti,dicom-seg,dicom-sr,rtstruct,dicom-sc"]) == 0
    return folder / "results"


def without_base(mask: Voxels) -> Voxels:
    mask = mask.copy()
    mask[:, 4] = 0
    return mask


@pytest.mark.parametrize(
    ("change", "statement", "algorithm"),
    [
        (None, "A person (AB) excluded this case: do not use these numbers.", "AUTOMATIC"),
        (
            without_base,
            "A person (AB) corrected the masks and excluded this case: do not use these numbers.",
            "SEMIAUTOMATIC",
        ),
    ],
)
def test_its_objects_say_so(
    predicted: Path, tmp_path: Path, change: Callable[[Voxels], Voxels] | None, statement: str, algorithm: str
) -> None:
    results = tmp_path / "results"
    shutil.copytree(predicted, results)
    save_case(results, "heart", change, decision="corrected" if change else "accepted", initials="AB")
    uids = {dcmread(results / "heart" / name).SOPInstanceUID for name in KINDS}
    save_case(results, "heart", None, decision="excluded", initials="AB", note="motion")
    written = {name: dcmread(results / "heart" / name) for name in KINDS}
    assert uids.isdisjoint(dataset.SOPInstanceUID for dataset in written.values())
    assert all(dataset.SeriesDescription.startswith("thresholds excluded ") for dataset in written.values())
    report = written["sr.dcm"]
    said = report.to_json()
    assert statement in said
    assert not any(text in said for text in ("no person has verified", "accepted", "corrected by"))
    assert report.VerificationFlag == "UNVERIFIED"
    assert {item.SegmentAlgorithmType for item in written["seg_ed.dcm"].SegmentSequence} == {algorithm}
    assert {item.ROIGenerationAlgorithm for item in written["rtstruct_ed.dcm"].StructureSetROISequence} == {algorithm}
    assert [error for name, kind in KINDS.items() for error in dciodvfy(results / "heart" / name, kind)] == []
    if which("dsrdump"):
        shown = subprocess.run(["dsrdump", results / "heart" / "sr.dcm"], capture_output=True, text=True, check=True)
        assert shown.stderr == ""
