"""`segments.csv` of a run: a row for each segment, equal to `measures.json`, and reasons instead of holes."""

import csv
import json
from pathlib import Path

import pytest
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine
from cardioseg.measure.segments import NAMES
from cardioseg.phantom import Phantom, cine

HEART = Phantom(rows=128, columns=128, phases=3, ed_phase=0)


def table(out: Path) -> list[dict[str, str]]:
    with (out / "segments.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segments")
    write_cine(folder / "scans" / "heart.nii.gz", cine(HEART))
    model = write_threshold_model(folder / "model")
    assert run(["predict", str(folder / "scans"), "-o", str(folder / "out"), "-m", str(model), "-q"]) == 0
    return folder / "out"


def test_a_row_for_each_segment(results: Path) -> None:
    rows = table(results)
    assert [(row["case_id"], row["segment"], row["name"]) for row in rows] == [
        ("heart", str(number), name) for number, name in NAMES.items()
    ]
    stored = json.loads((results / "heart" / "measures.json").read_text())["wall"]["segments"]
    for row in rows:
        segment = stored[row["segment"]]
        assert float(row["ed_thickness_mm"]) == round(segment["ed_mm"], 2)
        assert float(row["thickening_percent"]) == round(segment["thickening_percent"], 2)
        assert len(segment["curve_mm"]) == HEART.phases
        assert row["reason"] == ""


def test_an_edit_changes_the_segments_and_holes_have_reasons(results: Path, tmp_path: Path) -> None:
    mask = read_cine(results / "heart" / "mask.nii.gz")
    voxels = mask.voxels.copy()
    voxels[voxels == Label.RV_CAVITY] = Label.BACKGROUND
    write_cine(tmp_path / "heart.nii.gz", Cine(voxels, mask.grid, mask.times_ms))
    assert run(["measure", str(tmp_path / "heart.nii.gz"), "-o", str(tmp_path / "out"), "-q"]) == 0
    rows = table(tmp_path / "out")
    assert len(rows) == 16
    for row in rows:
        assert row["reason"].startswith("the right ventricle does not touch the wall in any slice")
        assert row["ed_thickness_mm"] == row["thickening_percent"] == row["ed_area_mm2"] == ""
    assert "nan" not in (tmp_path / "out" / "heart" / "measures.json").read_text().lower()


def test_a_model_without_a_wall_has_no_rows(tmp_path: Path) -> None:
    write_cine(tmp_path / "heart.nii.gz", cine(HEART))
    model = write_threshold_model(tmp_path / "model", ("lv_cavity",))
    assert run(["predict", str(tmp_path / "heart.nii.gz"), "-o", str(tmp_path / "out"), "-m", str(model), "-q"]) == 0
    assert table(tmp_path / "out") == []
    assert "segments" not in (tmp_path / "out" / "report.html").read_text()
