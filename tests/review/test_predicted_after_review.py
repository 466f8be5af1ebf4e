"""Predicted after review: what later runs of `predict` make of cases that a person reviewed."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from corrections import save_case
from highdicom.seg import segread
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg import open_results
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine, Voxels
from cardioseg.phantom import write_dicom
from cardioseg.results.folder import ResultsFolder
from cardioseg.review.correction import Correction, plane_of
from cardioseg.review.draft import Draft
from cardioseg.review.reviewed_results import ReviewedResults


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


def smaller_at(phase: int, slice_: int = 2) -> Callable[[Voxels], Voxels]:
    """A change of the mask: at this phase, the LV cavity is missing in one slice."""

    def change(mask: Voxels) -> Voxels:
        now = mask.copy()
        now[phase, slice_][now[phase, slice_] == Label.LV_CAVITY] = Label.LV_MYOCARDIUM
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


@pytest.mark.parametrize("decision", ["accepted", "excluded"])
def test_measure_keeps_the_decision_and_says_if_the_case_changed_since(results: Path, decision: str) -> None:
    measured = results.with_name("measured")
    measure = ["measure", str(results), "-o", str(measured), "-q"]
    save_case(results, "heart", decision=decision, initials="AB")
    assert run(measure) == 0
    assert row(measured) == row(results)
    assert row(measured)["review"] == decision
    review = open_results(measured).case("heart").review
    assert review is not None
    assert review.decision == decision
    assert f"{decision} in review by AB" in row(measured, "status.csv")["reason"]
    assert run([*measure, "--es=1"]) == 0
    assert row(measured)["review"] == f"{decision}, changed since"
    path = results / "heart" / "mask.nii.gz"
    mask = read_cine(path)
    write_cine(path, replace(mask, voxels=smaller_at(3)(mask.voxels)))
    assert run(measure) == 0
    assert row(measured)["review"] == f"{decision}, changed since"
    reason = row(measured, "status.csv")["reason"]
    assert f"{decision} in review by AB; its mask or main measures changed since the review" in reason


def test_a_drawing_in_a_slice_that_was_not_acquired_is_refused_or_said_to_be_in_vain(results: Path) -> None:
    measures, measured, path = (
        results / "heart" / "measures.json",
        results.with_name("measured"),
        results / "heart" / "mask.nii.gz",
    )
    document = json.loads(measures.read_text())
    document["acquisition"]["missing"] = [2]
    measures.write_text(json.dumps(document))
    opened = ReviewedResults(ResultsFolder(results)).case("heart")
    plane = plane_of(3, 2, opened.mask.voxels[3, 2], np.zeros_like(opened.mask.voxels[3, 2]))
    with pytest.raises(UsageError, match="slice 2 was not acquired: a drawing in it has no effect"):
        Draft(opened, Correction(version=opened.version, planes=(plane,))).measures_document()
    said = "what was drawn in slice 2 has no effect, because no image was acquired there: the areas are interpolated"
    assert said in opened.remarks
    volumes = []
    for change in (lambda voxels: voxels, smaller_at(3), without_slice_2):
        mask = read_cine(path)
        write_cine(path, replace(mask, voxels=change(mask.voxels)))
        assert run(["measure", str(results), "-o", str(measured), "-q"]) == 0
        volumes.append(row(measured)["lv_edv_ml"])
        assert (said in row(measured, "status.csv")["reason"]) == read_cine(path).voxels[:, 2].any()
    assert len(set(volumes)) == 1
    save_case(results, "heart", smaller_at(3, slice_=1), decision="corrected")
    assert said not in row(results, "status.csv")["reason"]


def test_an_editor_turned_the_axes_and_the_scan_is_gone(results: Path) -> None:
    """The slice that was not acquired is that of the mask as it was written."""
    measured, path = results.with_name("measured"), results / "heart" / "mask.nii.gz"
    for name, text, other in (
        ("measures.json", '"missing": []', '"missing": [1]'),
        ("case.json", "scans", "gone"),
    ):
        file = results / "heart" / name
        assert text in file.read_text()
        file.write_text(file.read_text().replace(text, other))
    mask = read_cine(path)
    mask.voxels[:, 1] = 0
    volumes = []
    for flips in ((False, False, False), (True, False, False), (True, True, False)):
        backwards = tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)
        write_cine(path, Cine(mask.voxels[:, *backwards], mask.grid.turned((0, 1, 2), flips), mask.times_ms))
        assert run(["measure", str(results), "-o", str(measured), "-q"]) == 0
        volumes.append(row(measured)["lv_edv_ml"])
    assert len(set(volumes)) == 1
    write_cine(path, replace(mask, grid=replace(mask.grid, spacing_mm=(16, 3, 3))))
    assert run(["measure", str(results), "-o", str(measured), "-q"]) == 4
    assert "does not lie on its scan's grid" in row(measured, "status.csv")["reason"]


def without_slice_2(mask: Voxels) -> Voxels:
    now = mask.copy()
    now[:, 2] = 0
    return now


def export_again(predicted: Path, scans: Path, **header: object) -> Path:
    """The scan with the same pixels and another header."""
    shutil.copytree(predicted / "scans", scans)
    for path in (scans / "heart").rglob("*"):
        if path.is_file():
            image = pydicom.dcmread(path)
            for name, value in header.items():
                setattr(image, name, value)
            image.save_as(path)
    return scans


def test_a_correction_is_measured_again_with_a_corrected_header(predicted: Path, results: Path, tmp_path: Path) -> None:
    """Pixels of 3 mm rather than 6 mm: all volumes are a quarter."""
    save_case(results, "heart", smaller_at(3), decision="corrected", initials="AB")
    before, reviewed = row(results), row(results, "review.csv")
    scans = export_again(predicted, tmp_path / "scans", PixelSpacing=["3.00", "3.00"])
    measured = tmp_path / "measured"
    assert run(["measure", str(results), "-o", str(measured), "-q"]) == 0
    assert row(measured) == before
    for _ in range(2):
        assert predict(predicted, results, scans=scans) == 0
        now = row(results)
        for name in ("lv_edv_ml", "lv_esv_ml", "rv_edv_ml", "lv_mass_g"):
            assert float(now[name]) == pytest.approx(float(before[name]) / 4, abs=0.02)
        assert now["lv_ef_percent"] == before["lv_ef_percent"]
        changed = row(results, "review.csv")
        assert float(changed["lv_edv_ml_predicted"]) == pytest.approx(
            float(reviewed["lv_edv_ml_predicted"]) / 4, abs=0.02
        )
        assert "measured again with the present header of its scan" in row(results, "status.csv")["reason"]
    for name in ("mask.nii.gz", "mask_predicted.nii.gz"):
        assert read_cine(results / "heart" / name).grid.pixel_mm == (3, 3)
    assert run(["measure", str(results), "-o", str(measured), "-q"]) == 0
    assert row(measured)["lv_edv_ml"] == now["lv_edv_ml"]
    network = read_cine(results / "heart" / "mask_predicted.nii.gz").voxels
    save_case(results, "heart", lambda _: network, decision="accepted")
    assert (row(results)["review"], row(results)["lv_edv_ml"]) == ("accepted", changed["lv_edv_ml_predicted"])


def test_an_edit_says_that_the_header_of_its_scan_has_changed(predicted: Path, results: Path, tmp_path: Path) -> None:
    path, before = results / "heart" / "mask.nii.gz", row(results)
    mask = read_cine(path)
    write_cine(path, replace(mask, voxels=smaller_at(3)(mask.voxels)))
    scans, said = tmp_path / "scans", "those of the old header (run `predict` again"
    export_again(predicted, scans, PixelSpacing=["3.00", "3.00"])
    for _ in range(2):
        assert predict(predicted, results, scans=scans) == 0
        assert row(results) == before
        assert said in row(results, "status.csv")["reason"]
    assert run(["measure", str(results), "-o", str(tmp_path / "measured"), "-q"]) == 0
    assert said in row(tmp_path / "measured", "status.csv")["reason"]
    save_case(results, "heart", decision="corrected")
    assert said in row(results, "status.csv")["reason"]
    assert not list((results / "heart").glob("*.dcm"))
    assert predict(predicted, results, scans=scans) == 0
    assert float(row(results)["lv_edv_ml"]) == pytest.approx(float(before["lv_edv_ml"]) / 4, abs=0.02)
    assert said not in row(results, "status.csv")["reason"]
    assert (results / "heart" / "seg_ed.dcm").is_file()


def test_files_that_a_lost_scan_cost_come_back_with_it(predicted: Path, results: Path, tmp_path: Path) -> None:
    written = {path.name for path in (results / "heart").iterdir()}
    shutil.copytree(predicted / "scans", tmp_path / "scans")
    record = results / "heart" / "case.json"
    record.write_text(record.read_text().replace(str(predicted / "scans"), str(tmp_path / "gone")))
    save_case(results, "heart", smaller_at(3), decision="corrected")
    assert {"seg_ed.dcm", "overlay.png"}.isdisjoint(path.name for path in (results / "heart").iterdir())
    assert predict(predicted, results, scans=tmp_path / "scans") == 0
    assert {path.name for path in (results / "heart").iterdir()} == written | {"mask_predicted.nii.gz"}
    assert "no longer where it was" not in row(results, "status.csv")["reason"]
    (results / "heart" / "seg_es.dcm").unlink()
    assert predict(predicted, results, scans=tmp_path / "scans") == 0
    assert (results / "heart" / "seg_es.dcm").is_file()
