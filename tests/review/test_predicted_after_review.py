"""Predicted after review: what later runs of `predict` make of cases that a person reviewed."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from corrections import save_case
from highdicom.seg import segread
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Voxels
from cardioseg.phantom import write_dicom


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM case with DICOM SEG; tests copy it."""
    folder = tmp_path_factory.mktemp("predicted")
    write_dicom(SMALL, folder / "scans" / "heart")
    write_threshold_model(folder / "model")
    assert predict(folder, folder / "results", "--format", "dicom-seg") == 0
    return folder


@pytest.fixture
def results(predicted: Path, tmp_path: Path) -> Path:
    shutil.copytree(predicted / "results", tmp_path / "results")
    return tmp_path / "results"


def predict(predicted: Path, results: Path, *more: str, scans: Path | None = None) -> int:
    scans = scans or predicted / "scans"
    return run(["predict", str(scans), "-o", str(results), "-m", str(predicted / "model"), "-q", *more])


def row(results: Path, table: str = "measures.csv") -> dict[str, str]:
    with (results / table).open(newline="") as file:
        return next(row for row in csv.DictReader(file) if row["case_id"] == "heart")


def smaller_at(phase: int) -> Callable[[Voxels], Voxels]:
    """A change of the mask: at this phase, the LV cavity is missing in one slice."""

    def change(mask: Voxels) -> Voxels:
        now = mask.copy()
        now[phase, 2][now[phase, 2] == Label.LV_CAVITY] = Label.LV_MYOCARDIUM
        return now

    return change


def drawn_pixels(segmentation: Path) -> int:
    """Pixels of the LV cavity in a DICOM SEG."""
    read = segread(segmentation)
    number = next(item.SegmentNumber for item in read.SegmentSequence if item.SegmentLabel == "LV cavity")
    return int(np.count_nonzero(read.get_volume(segment_numbers=[number]).array))


def test_no_object_of_the_mask_before_the_correction_stays(predicted: Path, results: Path) -> None:
    assert predict(predicted, results, "--format", "dicom-seg", "--seg-phases", "all") == 0
    case, ed = results / "heart", int(row(results)["lv_ed_phase"])
    other = next(path for path in case.glob("seg_phase*.dcm"))
    phase = int(other.stem[-2:])
    now = save_case(results, "heart", smaller_at(phase), decision="corrected", ed_phase=phase)
    assert drawn_pixels(case / "seg_ed.dcm") == np.count_nonzero(now[phase] == Label.LV_CAVITY)
    assert not other.exists()
    assert drawn_pixels(case / f"seg_phase{ed:02d}.dcm") == np.count_nonzero(now[ed] == Label.LV_CAVITY)
    recorded = json.loads((case / "case.json").read_text())["sha256"]
    assert recorded.keys() == {path.name for path in case.iterdir() if path.suffix in (".dcm", ".gz")} - {
        "mask_predicted.nii.gz"
    }
    assert {pydicom.dcmread(path).SeriesDescription.split()[1] for path in case.glob("*.dcm")} == {"corrected"}


def test_no_object_of_a_phase_that_is_no_longer_known_stays(predicted: Path, results: Path) -> None:
    assert predict(predicted, results, "--format", "dicom-seg,seg-nrrd,rtstruct") == 0
    case = results / "heart"
    save_case(results, "heart", np.zeros_like, decision="corrected")
    assert not read_cine(case / "mask.nii.gz").voxels.any()
    assert [path.name for path in case.iterdir() if path.name.endswith(("ed.dcm", "es.dcm", "s.seg.nrrd"))] == []


@pytest.mark.parametrize("decision", ["accepted", "excluded"])
def test_a_decision_counts_for_the_phases_that_the_person_saw(predicted: Path, results: Path, decision: str) -> None:
    assert predict(predicted, results, "--ed=0", "--es=3") == 0
    save_case(results, "heart", decision=decision, initials="AB")
    seen = row(results)
    for more in (["--overwrite"], ["--ed=0", "--es=3", "--format", "seg-nrrd"]):
        assert predict(predicted, results, *more) == 0
        assert row(results) == seen
    assert seen["review"] == decision
    assert predict(predicted, results, "--es=2") == 0
    now = row(results)
    assert now["lv_esv_ml"] != seen["lv_esv_ml"]
    assert now["review"] == ""
    reason = row(results, "status.csv")["reason"]
    assert "its earlier review no longer counts, because it was of other phases or main measures" in reason
    assert not (results / "review.csv").exists()


def test_formats_that_are_added_later_say_that_a_person_accepted_the_mask(predicted: Path, results: Path) -> None:
    save_case(results, "heart", decision="accepted", initials="AB")
    before = pydicom.dcmread(results / "heart" / "seg_ed.dcm")
    assert predict(predicted, results, "--format", "rtstruct,dicom-sr") == 0
    after = pydicom.dcmread(results / "heart" / "seg_ed.dcm")
    assert after.SOPInstanceUID == before.SOPInstanceUID  # the very object of before
    objects = [pydicom.dcmread(path) for path in (results / "heart").glob("*.dcm")]
    assert len(objects) == 5
    assert all("accepted" in item.SeriesDescription for item in objects)
