"""Finding masks: case ids, what is no mask, and clashes."""

import json
from pathlib import Path

import numpy as np
import pytest

from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.mask_files import case_id, find_masks, read_mask
from cardioseg.results.run_record import read_run_record

GRID = Grid((2, 3, 4), (8.0, 1.5, 1.5))


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("out/SCD0000101/mask.nii.gz", "SCD0000101"),
        ("labels/patient001_frame01_gt.nii.gz", "patient001_frame01"),
        ("labels/patient001_frame01.nii", "patient001_frame01"),
        ("labels/my case (2).nii.gz", "my_case_2"),
    ],
)
def test_case_id(path: str, expected: str) -> None:
    assert case_id(Path(path)) == expected


def test_a_mask_in_the_current_folder_is_named_by_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "case7").mkdir()
    monkeypatch.chdir(tmp_path / "case7")
    assert case_id(Path("mask.nii.gz")) == "case7"


def test_finds_masks_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path / "a.nii.gz", tmp_path / "deep" / "er" / "b.NII", tmp_path / "c" / "mask.nii.gz")
    touch(tmp_path / ".12.partial.d.nii.gz", tmp_path / "notes.txt", tmp_path / "status.csv")
    (tmp_path / "folder.nii.gz").mkdir()
    assert set(find_masks(tmp_path).paths) == {"a", "b", "c"}


def test_a_scan_beside_its_reference_is_no_mask(tmp_path: Path) -> None:
    touch(tmp_path / "p1_gt.nii.gz", tmp_path / "p1.nii.gz")
    assert find_masks(tmp_path).paths == {"p1": tmp_path / "p1_gt.nii.gz"}


def test_two_masks_of_one_name_are_both_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "x.nii.gz", tmp_path / "b" / "x.nii.gz", tmp_path / "y.nii.gz")
    folder = find_masks(tmp_path)
    assert set(folder.paths) == {"y"}
    assert {clash.where for clash in folder.clashes} == {"a/x.nii.gz", "b/x.nii.gz"}
    assert all("case id x: if they are of several observers" in clash.why for clash in folder.clashes)


@pytest.mark.parametrize("name", ["mask.nii", "MASK.NII", "mask_edited.nii.gz", "mask.NII.gz"])
def test_an_image_beside_a_predicted_mask_is_no_mask_of_its_own(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "a" / "mask.nii.gz", tmp_path / "a" / "case.json", tmp_path / "a" / name)
    folder = find_masks(tmp_path)
    assert folder.paths == {"a": tmp_path / "a" / "mask.nii.gz"}
    assert not folder.clashes


def test_an_unpacked_mask_that_is_all_there_is_counts(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "mask.nii", tmp_path / "a" / "case.json")
    assert find_masks(tmp_path).paths == {"a": tmp_path / "a" / "mask.nii"}


def test_an_unpacked_mask_beside_another_that_nobody_predicted_is_a_clash(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "mask.nii.gz", tmp_path / "a" / "mask.nii")
    assert {clash.where for clash in find_masks(tmp_path).clashes} == {"a/mask.nii.gz", "a/mask.nii"}


def test_a_single_file_is_a_folder_of_one(tmp_path: Path) -> None:
    touch(tmp_path / "one.nii.gz")
    folder = find_masks(tmp_path / "one.nii.gz")
    assert folder.paths == {"one": tmp_path / "one.nii.gz"}
    assert folder.where(tmp_path / "one.nii.gz") == "one.nii.gz"


def test_a_value_that_is_no_label_is_refused(tmp_path: Path) -> None:
    write_volume(tmp_path / "x.nii.gz", Volume(np.full(GRID.shape, 7, np.uint8), GRID))
    with pytest.raises(UnusableError, match="holds the label 7"):
        read_mask(tmp_path / "x.nii.gz")


def test_labels_of_the_model(tmp_path: Path) -> None:
    assert read_run_record(ResultsFolder(tmp_path)).structures is None
    (tmp_path / "run.json").write_text(json.dumps({"model": "lv"}))
    assert read_run_record(ResultsFolder(tmp_path)).structures is None
    (tmp_path / "run.json").write_text(json.dumps({"labels": ["background", "lv_cavity"]}))
    assert read_run_record(ResultsFolder(tmp_path)).structures == {Label.LV_CAVITY}


@pytest.mark.parametrize("text", ["", "[]", '{"labels": 3}', "\xff", "[" * 100_000])
def test_a_damaged_run_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(UnusableError, match=r"run\.json"):
        read_run_record(ResultsFolder(tmp_path))
