"""Cases with the names that a table gives to their folders and files."""

import csv
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

import pytest
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import cine, write_dicom


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_threshold_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients: one cine, two visits, a NIfTI file."""
    root = tmp_path_factory.mktemp("export") / "scans"
    write_dicom(SMALL, root / "PT000000" / "SE1")
    for number, visit in enumerate(("V1", "V2"), start=2):
        write_dicom(replace(SMALL, seed=number, lv_radius_mm=20.0 + number), root / "PT000001" / visit)
    write_cine(root / "PT000002.nii.gz", cine(replace(SMALL, seed=9)))
    return root


def predict(scans: Path, names: Path, out: Path, model: str, *options: str) -> dict[str, str]:
    """The case of each source, as status.csv has them."""
    assert run(["predict", str(scans), "-o", str(out), "-m", model, "--names", str(names), *options]) == 0
    with (out / "status.csv").open(newline="", encoding="utf-8") as file:
        return {Path(row["source"]).relative_to(scans).parts[0]: row["case_id"] for row in csv.DictReader(file)}


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "names.csv"
    path.write_text("\n".join(("source,case_id", *rows)), encoding="utf-8")
    return path


def test_a_table_names_folders_and_files(
    scans: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = table(tmp_path, "PT000000,Anna", "PT000001,Ben", f"{scans / 'PT000002.nii.gz'},Cleo")
    assert predict(scans, names, tmp_path / "out", model) == {
        "PT000000": "Anna",
        "PT000001": "Ben_V2",
        "PT000002.nii.gz": "Cleo",
    }
    folders = sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert folders == ["Anna", "Ben_V1", "Ben_V2", "Cleo"]
    assert "--names" not in capsys.readouterr().err


def test_the_innermost_folder_of_the_table_names_a_case(scans: Path, tmp_path: Path, model: str) -> None:
    names = table(tmp_path, "PT000001,Ben", "PT000001/V1,Ben before", "PT000001/V2,Ben after")
    predict(scans / "PT000001", names, tmp_path / "out", model)
    assert (tmp_path / "out" / "Ben_before" / "mask.nii.gz").is_file()
    assert (tmp_path / "out" / "Ben_after" / "mask.nii.gz").is_file()


def test_what_the_table_lacks_and_what_it_has_in_vain_is_said(
    scans: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (scans / "empty").mkdir(exist_ok=True)
    names = table(tmp_path, "PT000000,Anna", "empty,Nobody")
    assert predict(scans, names, tmp_path / "out", model)["PT000002.nii.gz"] == "PT000002"
    said = capsys.readouterr().err
    assert f"--names: no case was found in {scans / 'empty'}: these lines have no effect" in said
    assert "--names: 3 cases have no line in the table: named after folders and files" in said


def test_status_csv_is_a_table_and_results_keep_their_names(
    scans: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["predict", str(scans), "-o", str(out), "-m", model]) == 0
    status = (out / "status.csv").read_text(encoding="utf-8")
    (tmp_path / "names.csv").write_text(status.replace("PT000000,", "Anna,", 1), encoding="utf-8")
    capsys.readouterr()
    arguments = ["-m", model, "--names", str(tmp_path / "names.csv")]
    assert run(["predict", str(scans), "-o", str(out), *arguments]) == 0
    said = capsys.readouterr().err
    assert "--names: already in the results under an earlier name, which stays: PT000000" in said
    assert run(["predict", str(scans), "-o", str(tmp_path / "new"), *arguments]) == 0
    assert (tmp_path / "new" / "Anna" / "mask.nii.gz").is_file()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["PT000009,Anna"],
            "line 2: there is no folder or file PT000009 (the nearest name is PT000001)\n"
            "hint: write it as it stands below SCANS",
        ),
        (["xyz,Anna"], "line 2: there is no folder or file xyz\nhint: write it as it stands below SCANS"),
        (["PT000000,Anna", "PT000000/,Ben"], "line 3: PT000000/ appears twice"),
        (["PT000000,Anna", "PT000001,anna"], "line 3: anna is the name of another line, too"),
        (["PT000000,Anna", "PT000001,Anna"], "line 3: Anna appears twice"),
        ([",Anna"], "line 2: it names no folder or file"),
        (["PT000000,"], "line 2: it names no case"),
    ],
)
def test_a_wrong_table_is_refused(
    scans: Path, tmp_path: Path, rows: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", str(scans), "-o", str(tmp_path / "out"), "--names", str(table(tmp_path, *rows))]
    assert run(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_in_several_places_is_refused(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "PT000000").mkdir()
    monkeypatch.chdir(tmp_path)
    names = table(tmp_path, "PT000000,Anna")
    assert run(["predict", str(scans), "-o", "out", "--names", str(names)]) == 2
    assert "line 2: PT000000 lies in several places" in capsys.readouterr().err
    assert run(["predict", str(scans), "-o", "out", "--names", "some"]) == 2
    assert "--names 'some' is unknown\nhint: the choices are own, hash and a CSV file" in capsys.readouterr().err


def test_letters_of_every_script_stay_in_the_names_of_cases(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scans, out, patients = tmp_path / "scans", tmp_path / "out", tmp_path / "patients.csv"
    write_dicom(SMALL, scans / normalize("NFD", "Müller 1"))
    write_dicom(replace(SMALL, seed=2), scans / "Möller 1")
    earlier = predict(scans, table(tmp_path, "Möller 1,M_ller_1"), out, model)  # as cardioseg named it before
    assert set(earlier.values()) == {"Müller_1", "M_ller_1"}
    patients.write_text("case_id,height_cm,weight_kg\nMüller 1,150,50\nmoller_1,150,50", encoding="utf-8")
    formats = ["--format", "dicom-sr,dicom-sc"]
    command = ["predict", str(scans), "-o", str(out), "-m", model, "--patients", str(patients), *formats]
    assert run(command) == 0
    said = capsys.readouterr().err
    assert "--patients: this run has no case moller_1 (the nearest name is Müller_1): these lines" in said
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"Müller_1", "M_ller_1"}
    assert '"height_m": 1.5' in (out / "Müller_1" / "measures.json").read_text(encoding="utf-8")
    objects = list((out / "Müller_1").glob("*.dcm"))
    assert {path.stem for path in objects} >= {"seg_ed", "sr", "sc_sheet", "sc_measures"}
    assert not [path for path in objects if b"ller" in path.read_bytes()]  # no name of a folder is in them
