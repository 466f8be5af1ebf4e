"""Folders of patients that change their names among themselves: each scan keeps the case that it had, and its edits."""

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_phantoms import TWO_PHASES as BASE

from cardioseg.cases.case import Case
from cardioseg.cli.app import run
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.phantom import cine, write_dicom

HEARTS = {name: replace(BASE, seed=seed, lv_radius_mm=12.0 + 8 * seed) for seed, name in enumerate("ABC", start=1)}
Table = dict[str, dict[str, str]]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three patients, each in a folder of its own, whose files are called alike."""
    for name, heart in HEARTS.items():
        write_cine(tmp_path / "scans" / name / "CINESAX" / "cine.nii", cine(heart))
    return tmp_path / "scans"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two patients as DICOM."""
    (tmp_path / "films").mkdir()
    for name in "AB":
        write_dicom(replace(HEARTS[name], phases=8), tmp_path / "dicom" / name)
        next((tmp_path / "dicom" / name).rglob("sax_cine")).rename(tmp_path / "films" / name)
    return tmp_path / "films"


def table(out: Path, name: str = "measures.csv") -> Table:
    with (out / name).open(newline="") as file:
        return {row.pop("case_id"): row for row in csv.DictReader(file)}


def sources(out: Path) -> dict[str, str]:
    return {name: row["source"] for name, row in table(out, "status.csv").items()}


def edit(mask: Path) -> bytes:
    image = read_cine(mask)
    image.voxels[:, 2] = 0
    write_cine(mask, image)
    return mask.read_bytes()


def rename(scans: Path, *names: str) -> None:
    """Each folder gets the name of the next, the last that of the first."""
    for name in names:
        (scans / name).rename(scans / f"{name} before")
    for before, after in zip(names, (*names[1:], names[0]), strict=True):
        (scans / f"{before} before").rename(scans / after)


def predict(source: Path, model: Path, *more: str) -> Path:
    out = source.parent / "out"
    assert run(["predict", str(source), "-o", str(out), "-m", str(model), "-q", *more]) == 0
    return out


@pytest.mark.parametrize("names", ["AB", "BA", "ABC", "CBA"])
@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_renamed_patients_keep_their_cases(scans: Path, model_folder: Path, names: str, workers: str) -> None:
    out = predict(scans, model_folder)
    before, places = table(out), sources(out)
    own = dict(zip(before, "ABC", strict=True))
    case = next(iter(own))
    edited = edit(out / case / "mask.nii.gz")
    moved = dict(zip(names, (*names[1:], names[0]), strict=True))
    rename(scans, *names)
    predict(scans, model_folder, "--workers", workers)
    assert table(out) == before
    assert sources(out) == {
        case: places[case].replace(f"/{name}/", f"/{moved.get(name, name)}/") for case, name in own.items()
    }
    assert (out / case / "mask.nii.gz").read_bytes() == edited
    said = table(out, "status.csv")[case]["reason"]
    assert f"named {case}, because these images had this name before" in said
    assert "its mask was edited and is kept" in said
    again = table(out, "status.csv")
    predict(scans, model_folder)  # nothing has changed
    assert table(out, "status.csv") == again


def test_a_name_that_another_left_is_taken(scans: Path, model_folder: Path) -> None:
    shutil.rmtree(scans / "C")
    out = predict(scans, model_folder)
    before, places = table(out), sources(out)
    (scans / "A").rename(scans / "C")
    (scans / "B").rename(scans / "A")
    predict(scans, model_folder)
    assert table(out) == before
    a, b = places
    assert sources(out) == {a: places[a].replace("/A/", "/C/"), b: places[b].replace("/B/", "/A/")}


def test_renamed_patients_of_dicom_and_the_picture_of_an_edited_mask(films: Path, model_folder: Path) -> None:
    out = predict(films, model_folder)
    before = table(out)
    rename(films, "A", "B")
    predict(films, model_folder)
    assert table(out) == before
    assert sources(out) == {"A": str(films / "B"), "B": str(films / "A")}
    edit(out / "A" / "mask.nii.gz")
    assert run(["measure", str(out), "-o", str(out.parent / "measured"), "-q"]) == 0
    assert (out.parent / "measured" / "A" / "overlay.png").is_file()  # of its scan, where that lies now


def test_names_change_back(scans: Path, model_folder: Path) -> None:
    out = predict(scans, model_folder)
    before, status = table(out), table(out, "status.csv")
    for _ in range(2):
        rename(scans, "A", "B")
        predict(scans, model_folder)
    assert table(out) == before
    assert table(out, "status.csv") == status


def test_a_copy_that_is_still_there_stays_a_case_of_its_own(scans: Path, model_folder: Path) -> None:
    shutil.rmtree(scans / "B")
    shutil.copytree(scans / "A", scans / "B")
    out = predict(scans, model_folder)
    before = table(out)
    assert len(before) == 3
    rename(scans, "A", "C")
    predict(scans, model_folder)
    assert table(out) == before


def test_a_row_never_names_a_place_with_other_images(scans: Path, model_folder: Path) -> None:
    """A scan is gone, and that of another patient lies in its place; then the first comes back elsewhere."""
    out = predict(scans, model_folder)
    before, (case, *_) = table(out), table(out)
    gone = sources(out)[case]
    (scans / "A").rename(scans.parent / "archive")
    (scans / "B").rename(scans / "A")
    predict(scans, model_folder)
    assert table(out) == before
    row = table(out, "status.csv")[case]
    assert row["source"] == ""
    assert f"its scan is no longer in {gone}" in row["reason"]
    (scans.parent / "archive").rename(scans / "D")
    predict(scans, model_folder)
    assert table(out) == before
    assert sources(out)[case] == gone.replace("/A/", "/D/")


def test_files_of_one_size_and_one_time_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that were written in one tick of the clock change places with their folders."""
    for name in "AB":
        (tmp_path / name).mkdir()
        (tmp_path / name / "cine.nii").write_bytes(name.encode())
    state = Path.stat

    def coarse(path: Path, **options: bool) -> os.stat_result:
        fields, times = list(state(path, **options)), dict.fromkeys(("st_mtime_ns", "st_ctime_ns"), 0)
        return os.stat_result(fields, times)

    monkeypatch.setattr(Path, "stat", coarse)
    path = tmp_path / "A" / "cine.nii"
    before = Case("A", path, (path,)).fingerprint()
    assert Case("A", path, (path,)).fingerprint() == before
    rename(tmp_path, "A", "B")
    assert Case("A", path, (path,)).fingerprint() != before
