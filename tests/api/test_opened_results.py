"""Opened results: rows, curves and masks of a folder of results, with a failed case and an edited mask in it."""

import csv
import os
import shutil
from datetime import datetime
from pathlib import Path

import nibabel
import numpy as np
import pytest
from api_example import Example
from review.corrections import save_case
from thresholds import write_threshold_model

import cardioseg
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine


@pytest.fixture(scope="module")
def predicted(results: cardioseg.Results) -> Path:
    return results.path


@pytest.fixture
def out(predicted: Path, tmp_path: Path) -> Path:
    """Results that may be changed."""
    return Path(shutil.copytree(predicted, tmp_path / "out"))


def paint(path: Path) -> None:
    """Edit a mask: its LV cavity becomes larger by a block."""
    mask = read_cine(path)
    mask.voxels[:, 2:4, 10:20, 10:20] = Label.LV_CAVITY
    write_cine(path, Cine(mask.voxels, mask.grid, mask.times_ms))


def test_rows_are_those_of_the_table(predicted: Path) -> None:
    rows = cardioseg.open_results(predicted).measures
    with (predicted / "measures.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows] == [
        row | {"is_edited": "False"} for row in table
    ]
    assert len({tuple(row) for row in rows}) == 1


def test_pandas_takes_them(predicted: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(cardioseg.open_results(predicted).measures).set_index("case_id")
    assert frame.loc["beating", "lv_edv_ml"] > 0


def test_the_mask_with_its_geometry(predicted: Path, scans: Path) -> None:
    case = cardioseg.open_results(predicted).case("beating")
    mask, scan = case.read_mask(), read_cine(scans / "beating.nii.gz")
    assert mask.array.shape == scan.voxels.shape
    assert mask.array.dtype == np.uint8
    assert mask.spacing_mm == pytest.approx(scan.grid.spacing_mm)
    assert np.allclose(mask.directions, scan.grid.directions, atol=1e-6)
    assert mask.times_ms == case.times_ms
    assert repr(mask) == "<Image: 8 phases of 6 slices of 48 x 40, uint8>"
    voxel_ml = np.prod(mask.spacing_mm) / 1000
    counted_ml = (mask.array == Label.LV_CAVITY).sum(axis=(1, 2, 3)) * voxel_ml
    assert case.curves_ml["lv_cavity"] == pytest.approx(counted_ml, abs=0.001)
    assert set(case.curves_ml) == {"rv_cavity", "lv_myocardium", "lv_cavity"}


def test_nibabel_puts_it_at_the_same_place(predicted: Path, tmp_path: Path) -> None:
    path = predicted / "PHANTOM-0001" / "mask.nii.gz"
    mask = cardioseg.open_results(predicted).case("PHANTOM-0001").read_mask()
    assert np.allclose(mask.affine, nibabel.load(path).affine, atol=1e-3)
    nibabel.save(nibabel.Nifti1Image(mask.array.T, mask.affine), tmp_path / "copy.nii.gz")
    copy = read_cine(tmp_path / "copy.nii.gz")
    assert copy.grid.matches(read_cine(path).grid)
    assert np.array_equal(copy.voxels, mask.array)


def test_a_failed_case_has_a_reason_and_nothing_to_read(predicted: Path) -> None:
    case = cardioseg.open_results(predicted).case("damaged")
    assert (case.status, case.flags, case.is_edited) == ("failed", (), False)
    for read in (case.read_mask, lambda: case.measures, lambda: case.curves_ml, lambda: case.times_ms):
        with pytest.raises(UnusableError, match=r"damaged failed.*truncated"):
            read()


@pytest.mark.parametrize("name", ["mask.nii.gz", "edited.nii.gz"])
def test_an_edit_is_read_and_said(out: Path, name: str, tmp_path: Path) -> None:
    mask = out / "beating" / "mask.nii.gz"
    before = cardioseg.open_results(out).case("beating")
    if name != mask.name:
        shutil.copy(mask, mask.with_name(name))
    paint(mask.with_name(name))
    later = mask.stat().st_mtime_ns + 10**9
    os.utime(mask.with_name(name), ns=(later, later))
    results = cardioseg.open_results(out)
    case = results.case("beating")
    assert case.is_edited
    assert "the numbers are those before the edit" in case.reason
    assert "discard_edits=True" in case.reason
    assert (case.read_mask().array[:, 2, 10, 10] == Label.LV_CAVITY).all()
    assert case.measures == before.measures
    assert {row["case_id"]: row["is_edited"] for row in results.measures} == {"PHANTOM-0001": False, "beating": True}
    measured = cardioseg.measure_masks(out, tmp_path / "measured")
    assert measured.case("beating").measures["lv_edv_ml"] > before.measures["lv_edv_ml"]
    assert not any(row["is_edited"] for row in measured.measures)
    with pytest.raises(UnusableError, match="`measure` writes none; its mask is"):
        measured.case("beating").read_mask()
    assert measured.model == ""


def test_an_edit_is_read_as_measure_reads_it(out: Path) -> None:
    """An editor may store the axes in another order; the scan says which is which."""
    path = out / "beating" / "mask.nii.gz"
    written = read_cine(path)
    flipped = written.grid.turned((0, 1, 2), (False, True, False))
    write_cine(path, Cine(written.voxels[:, :, ::-1], flipped, written.times_ms))
    case = cardioseg.open_results(out).case("beating")
    assert case.is_edited
    assert np.array_equal(case.read_mask().array, written.voxels)


def test_a_review_is_said(out: Path) -> None:
    assert cardioseg.open_results(out).case("beating").review is None
    said = {"decision": "corrected", "initials": "AB", "note": "apex too small"}
    now = save_case(out, "beating", lambda mask: np.where(mask == Label.LV_MYOCARDIUM, Label.LV_CAVITY, mask), **said)
    results = cardioseg.open_results(out)
    case = results.case("beating")
    assert case.review
    assert case.review.time
    assert {key: getattr(case.review, key) for key in said} == said
    age_s = (datetime.now().astimezone() - case.review.time).total_seconds()
    assert 0 <= age_s < 60
    assert not case.is_edited
    assert np.array_equal(case.read_mask().array, now)
    assert {row["case_id"]: row["review"] for row in results.measures} == {"PHANTOM-0001": "", "beating": "corrected"}
    assert results.case("damaged").review is None


def test_numbers_and_masks_of_two_runs_are_never_mixed(out: Path, scans: Path, tmp_path: Path) -> None:
    opened, unread = (cardioseg.open_results(out).case("beating") for _ in range(2))
    numbers = opened.measures
    other = write_threshold_model(tmp_path / "other", ["lv_cavity"])
    results = cardioseg.predict(scans / "beating.nii.gz", out, model=other)
    assert opened.measures == numbers
    for read in (opened.read_mask, lambda: unread.measures, lambda: unread.is_edited, lambda: unread.review):
        with pytest.raises(UnusableError, match=r"beating in .* has changed since it was opened") as caught:
            read()
        assert caught.value.hint == "open the results again"
    assert results.case("beating").read_mask().array.any()
    shutil.rmtree(out / "beating")
    with pytest.raises(UnusableError, match="has changed since it was opened"):
        _ = results.measures


def test_a_mask_that_was_removed_is_predicted_again(out: Path) -> None:
    (out / "beating" / "mask.nii.gz").unlink()
    with pytest.raises(UnusableError, match="beating holds no mask") as caught:
        cardioseg.open_results(out).case("beating").read_mask()
    assert caught.value.hint == "it was removed: predict it again"


def test_masks_of_predict_have_numbers_of_their_own(predicted: Path, scans: Path) -> None:
    with pytest.raises(UsageError, match="predicted_labels has no effect: `predict` wrote the masks"):
        cardioseg.evaluate(predicted, scans.with_name("references"), predicted_labels="mnms")


def test_nothing_is_written(out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    results = cardioseg.open_results(out)
    assert results.measures
    results.case("beating").read_mask()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_run_that_was_killed_before_its_tables_is_opened(out: Path) -> None:
    (out / "status.csv").unlink()
    (out / "measures.csv").unlink()
    results = cardioseg.open_results(out)
    assert [(case.name, case.status) for case in results.cases] == [("PHANTOM-0001", "done"), ("beating", "done")]
    assert len(results.measures) == 2


def test_a_case_that_somebody_removed_or_damaged(out: Path) -> None:
    shutil.rmtree(out / "PHANTOM-0001")
    (out / "beating" / "measures.json").write_text("{}")
    results = cardioseg.open_results(out)
    assert results.case("PHANTOM-0001").status == "failed"
    assert "its folder is gone" in results.case("PHANTOM-0001").reason
    with pytest.raises(UnusableError, match="not a file that predict wrote"):
        _ = results.measures


def test_what_is_no_folder_of_results(tmp_path: Path, predicted: Path, scans: Path) -> None:
    for folder, message in ((tmp_path / "no", "no such folder"), (scans, "holds no results")):
        with pytest.raises(NoInputError, match=message):
            cardioseg.open_results(folder)
    with pytest.raises(NoInputError, match="its cases are PHANTOM-0001, beating, damaged"):
        cardioseg.open_results(predicted).case("beeting")


def test_results_of_the_built_in_model(example: Example) -> None:
    (case,) = cardioseg.open_results(example.folder / "results").cases
    mask = case.read_mask()
    assert set(np.unique(mask.array)) == set(Label)
    assert mask.base_first is False
