"""`inspect`: a line a series, with its verdict."""

import json
from pathlib import Path

import pytest

from cardioseg.cli.app import run
from cardioseg.phantom import Phantom, Vendor, write_dicom

SMALL = Phantom(slices=6, phases=8, rows=24, columns=24, spacing_mm=(15.0, 9.0, 9.0))


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    series = write_dicom(SMALL, folder, Vendor.SERIES_A_SLICE)
    for path in (series / "series_13").iterdir():
        path.unlink()
    (folder / "notes.txt").write_text("remember the milk")
    return folder


def test_a_line_a_series(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(scans)]) == 0
    seen = capsys.readouterr()
    assert all(word in seen.out for word in ("short-axis cine", "localizer", "joined from 5", "missing slice"))
    assert "Slices and phases count from 0." in seen.out
    assert seen.err == f"not used: {scans}/notes.txt: not a DICOM file\n"


def test_as_json(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(scans), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    localizer, cine = document["series"]
    assert (localizer["kind"], cine["kind"]) == ("localizer", "short-axis cine")
    assert (cine["files"], cine["slices"], cine["phases"], cine["rows_x_columns"]) == (40, 5, 8, "24x24")
    assert cine["why"] == "5 parallel planes of 8 phases; joined from 5 series; missing slice 2"
    assert document["unused"] == [{"where": f"{scans}/notes.txt", "why": "not a DICOM file"}]


def test_nothing_usable_is_an_error_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(tmp_path), "--json"]) == 4
    seen = capsys.readouterr()
    said = f"no DICOM series in {tmp_path}: no files"
    hint = "cardioseg reads DICOM, NIfTI (.nii, .hdr, .nii.gz, .hdr.gz), MetaImage (.mha, .mhd) and NRRD (.nrrd)"
    assert json.loads(seen.out)["error"] == {"exit_code": 4, "message": said, "hint": hint}
    assert seen.err == f"error: {said}\nhint: {hint}\n"
    (tmp_path / "notes.txt").write_text("remember the milk")
    assert run(["inspect", str(tmp_path)]) == 4
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.splitlines()[:2] == [
        f"not used: {tmp_path}/notes.txt: not a DICOM file",
        f"error: no DICOM series in {tmp_path}: none of its 1 files can be used",
    ]
    assert run(["inspect", str(tmp_path / "absent"), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 4
