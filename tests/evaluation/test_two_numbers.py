"""A measure at the reader's phases and slices, and as reported in `measures.csv`: both are given where they differ."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.result import Evaluation, write
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine
from cardioseg.phantom import Phantom, write_sunnybrook

SMALL = Phantom(slices=7, phases=8, rows=64, columns=64, spacing_mm=(12.0, 4.0, 4.0))
CASE = "SCD9000001"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contours on all slices but the two outermost at each end, and what `predict` makes of the scan."""
    folder = tmp_path_factory.mktemp("study")
    write_sunnybrook([SMALL], folder / "labelled")
    [contours] = (folder / "labelled" / "SCD_ManualContours").glob("*/contours-manual/IRCCI-expert")
    slices = sorted({(int(path.name[8:12]) - 1) // SMALL.phases for path in contours.iterdir()})
    for path in contours.iterdir():
        if (int(path.name[8:12]) - 1) // SMALL.phases in (slices[0], slices[-1]):
            path.unlink()
    model = write_threshold_model(folder / "model")
    images = folder / "labelled" / "SCD_IMAGES_01"
    assert run(["predict", str(images), "-o", str(folder / "results"), "-m", str(model), "-q"]) == 0
    return folder


@pytest.fixture(scope="module")
def found(study: Path) -> Evaluation:
    return evaluate(study / "results", study / "labelled")


def reported(results: Path) -> dict[str, float]:
    with (results / "measures.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    return {name: float(row[name]) for name in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent")}


def test_json_and_csv_give_both(study: Path, found: Evaluation, tmp_path: Path) -> None:
    expected = reported(study / "results")
    document = found.to_json()
    pairs = {pair["measure"]: pair for pair in document["measures"]}
    assert {name: pairs[name].get("as_reported") for name in expected} == expected
    assert pairs["lv_edv_ml"]["predicted"] < expected["lv_edv_ml"] - 1
    agreed = document["agreement_as_reported"]
    assert set(expected) <= set(agreed)
    assert set(document["agreement"]) == set(pairs)
    assert "At the reader's phases and slices:" in document["protocol"]
    assert "As reported:" in document["protocol"]
    write(found, tmp_path)
    with (tmp_path / "evaluation_measures.csv").open(newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    assert float(rows["lv_edv_ml"]["as_reported"]) == expected["lv_edv_ml"]


def test_table_and_page_give_both_and_say_first_what_was_left_out(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(study / "results"), str(study / "labelled"), "-o", str(tmp_path)]) == 0
    seen = capsys.readouterr()
    edv = f"{reported(study / 'results')['lv_edv_ml']:.1f}"
    at_readers, _, as_reported = seen.out.partition("Measures as reported")
    assert "Measures at the reader's phases and slices" in at_readers
    assert edv in as_reported
    assert edv not in at_readers
    lines = [line for line in seen.err.splitlines() if line.startswith("left out: ")]
    assert [line.partition(": LV")[0] for line in lines] == [f"left out: {CASE} es", f"left out: {CASE} ed"]
    assert "mL of LV cavity there" in lines[0]
    page = (tmp_path / "evaluation.html").read_text()
    top, _, rest = page.partition('aria-label="Means"')
    assert "Left out: 2" in top
    assert "at the reader's phases and slices" in top.replace("&#39;", "'")
    assert "<b>as reported</b>" in top
    plots = rest.replace("&#39;", "'").count('aria-label="Bland-Altman plot of LV EF (%) as reported')
    assert plots == 1
    assert f">{edv}<" in rest


def test_where_both_are_the_same_one_is_given(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reference that knows every slice, and the same phases; the RV has an end-systole of its own."""
    shutil.copytree(study / "results", tmp_path / "results")
    mask = read_cine(study / "results" / CASE / "mask.nii.gz")
    mask.voxels[mask.voxels == Label.RV_CAVITY] = Label.BACKGROUND
    write_cine(tmp_path / "reference" / f"{CASE}_gt.nii.gz", mask)
    assert run(["evaluate", str(tmp_path / "results"), str(tmp_path / "reference"), "-o", str(tmp_path / "out")]) == 0
    seen = capsys.readouterr()
    assert "as reported" not in seen.out
    assert "left out" not in seen.err
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["agreement_as_reported"] == {}
    assert "Two numbers" not in (tmp_path / "out" / "evaluation.html").read_text()


def test_an_edited_mask_has_no_reported_numbers(study: Path, tmp_path: Path) -> None:
    """Those in `measures.csv` are of the mask before."""
    shutil.copytree(study / "results", tmp_path / "results")
    path = tmp_path / "results" / CASE / "mask.nii.gz"
    mask = read_cine(path)
    smaller = mask.voxels.copy()
    smaller[:, :3][smaller[:, :3] == Label.LV_CAVITY] = Label.BACKGROUND
    write_cine(path, Cine(smaller, mask.grid, mask.times_ms))
    edited = evaluate(tmp_path / "results", study / "labelled")
    assert {pair.as_reported for pair in edited.measures} == {None}
    assert edited.reported_agreements == {}
    [edit] = edited.edits
    assert (edit.where, "numbers from before" in edit.why) == (CASE, True)
    assert edited.edited == (CASE,)


def test_numbers_without_masks_name_the_masks(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that `measure` wrote."""
    assert run(["measure", str(study / "results"), "-o", str(tmp_path / "measured"), "-q"]) == 0
    capsys.readouterr()
    assert run(["evaluate", str(tmp_path / "measured"), str(study / "labelled"), "-o", str(tmp_path / "out")]) == 4
    assert f"give the folder of the masks: {study / 'results'}" in capsys.readouterr().err.replace("\n", " ")


def test_another_phase_than_the_reported_one_is_named(found: Evaluation) -> None:
    moved = [replace(one, phase=(one.phase or 0) + 1) for one in found.scores if one.volume == "es"]
    [line] = replace(found, scores=tuple(moved)).other_phases
    assert line.where == f"{CASE} es"
    es = int(found.reported[CASE]["lv_es_phase"])
    assert line.why == f"the reader chose phase {moved[0].phase}; in measures.csv, LV ES is phase {es}"


def test_the_real_studies(shared_data: Path, tmp_path: Path) -> None:
    """A reader who draws no apical slice: EF of the same mask 33.2 at the contours, 36.6 as reported."""
    pytest.importorskip("onnxruntime")
    images = shared_data / "sunnybrook" / "SCD_IMAGES_01" / "SCD0000101"
    if not images.is_dir():
        pytest.skip("the study is not there")
    assert run(["predict", str(images), "-o", str(tmp_path), "-q"]) == 0
    [case] = (path.name for path in tmp_path.iterdir() if path.is_dir())
    (tmp_path / "named").mkdir()
    (tmp_path / case).rename(tmp_path / "named" / "SCD0000101")
    (tmp_path / "run.json").rename(tmp_path / "named" / "run.json")
    evaluation = evaluate(tmp_path / "named", shared_data / "sunnybrook")
    [ef] = [pair for pair in evaluation.measures if pair.measure == "lv_ef_percent"]
    assert (ef.predicted, ef.as_reported) == (pytest.approx(33.15, abs=0.06), pytest.approx(36.56, abs=0.06))
    assert ef.reference == pytest.approx(26.3, abs=0.2)
    assert np.isfinite(evaluation.reported_agreements["lv_ef_percent"].n)
