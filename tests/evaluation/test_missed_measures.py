"""Predictions that miss a structure at ED or ES: counted, named, and never better for it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cardioseg.cli.app import run
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.measures import MeasurePair, reported_pairs
from cardioseg.evaluation.missed_measures import missed_measures
from cardioseg.evaluation.result import Evaluation
from cardioseg.export.card_figures import read_figures
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume, Voxels

GRID = Grid((4, 12, 14), (8.0, 2.0, 2.0))
SUBJECTS = tuple(f"p{number}" for number in range(4))


def heart(width: int) -> Voxels:
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:, 1:9, 4:14] = Label.LV_MYOCARDIUM
    mask[:, 3:7, 5 : 5 + width] = Label.LV_CAVITY
    return mask


def without_cavity(mask: Voxels) -> Voxels:
    return np.where(mask == Label.LV_CAVITY, Label.LV_MYOCARDIUM, mask).astype(np.uint8)


def write(folder: Path, wider: int = 0, missed: str = "", of: int = 2) -> Path:
    """Four subjects, whose LV cavity is missed at `missed` in the first `of`."""
    for number, case in enumerate(SUBJECTS):
        for moment, width in (("ed", 6 + number % 2 + wider), ("es", 3 + wider)):
            is_missed = moment == missed and number < of
            mask = without_cavity(heart(width)) if is_missed else heart(width)
            write_volume(folder / f"{case}_{moment}.nii.gz", Volume(mask, GRID))
    return folder


def evaluated(tmp_path: Path, missed: str, of: int = 2) -> Evaluation:
    return evaluate(write(tmp_path / "predicted", 1, missed, of), write(tmp_path / "reference"))


@pytest.mark.parametrize(("missed", "volume"), [("ed", "lv_edv_ml"), ("es", "lv_esv_ml")])
def test_a_missed_cavity_counts_in_its_volume_and_is_missing_from_the_rest(
    tmp_path: Path, missed: str, volume: str
) -> None:
    evaluation = evaluated(tmp_path, missed)
    found, good = evaluation.agreements, evaluated(tmp_path / "good", "").agreements
    missing = {name: (agreement.n, agreement.missing) for name, agreement in found.items()}
    assert missing == {
        **dict.fromkeys(("lv_edv_ml", "lv_esv_ml", "lv_mass_g"), (4, 0)),
        **dict.fromkeys(("lv_sv_ml", "lv_ef_percent"), (2, 2)),
    }
    assert found["lv_ef_percent"].of == "2 of 4"
    assert found[volume].mae.mean > good[volume].mae.mean
    title = {"lv_edv_ml": "LV EDV", "lv_esv_ml": "LV ESV"}[volume]
    why = f"the prediction has no LV cavity at {missed.upper()}: {title} counts as 0 mL; left out: LV SV and LV EF"
    assert [(line.where, line.why) for line in evaluation.missed_measures] == [("p0", why), ("p1", why)]
    assert [pair.predicted for pair in evaluation.measures if pair.measure == volume][:2] == [0, 0]
    assert "no heart empties" in evaluation.protocol


def test_where_nothing_is_missed_nothing_is_said(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, "")
    assert evaluation.missed_measures == ()
    assert {agreement.of for agreement in evaluation.agreements.values()} == {"4"}


@pytest.mark.parametrize(("of", "count"), [(2, "2 of 4"), (4, "0 of 4")])
def test_console_page_and_tables_say_how_many_and_who(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], of: int, count: str
) -> None:
    predicted, reference = write(tmp_path / "predicted", 1, "es", of), write(tmp_path / "reference")
    assert run(["evaluate", str(predicted), str(reference), "-o", str(tmp_path / "out")]) == 0
    seen = capsys.readouterr()
    assert seen.out.count(count) == 2
    assert "it may look better than it is" in seen.out.replace("\n", " ")
    said = "missed: p0: the prediction has no LV cavity at ES: LV ESV counts as 0 mL; left out: LV SV and LV EF"
    assert said in seen.err
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert f"Missed measures: {of}" in page
    assert page.count(f"<td>{count}</td>") == 2
    assert "it may look better than it is" in page
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [line["where"] for line in document["missed_measures"]] == list(SUBJECTS[:of])
    assert document["agreement"]["lv_ef_percent"]["missing"] == of
    with (tmp_path / "out" / "evaluation_measures.csv").open(newline="") as file:
        rows = [row["predicted"] for row in csv.DictReader(file) if row["measure"] == "lv_ef_percent"]
    assert [bool(value) for value in rows] == [False] * of + [True] * (4 - of)


def test_the_card_says_how_many_have_no_value(tmp_path: Path) -> None:
    predicted, reference = write(tmp_path / "predicted", 1, "es"), write(tmp_path / "reference")
    assert run(["evaluate", str(predicted), str(reference), "-o", str(tmp_path / "out"), "-q"]) == 0
    origin = json.loads((tmp_path / "out" / "evaluation.json").read_text())["origin"]
    figures = read_figures(tmp_path / "out", origin["model_sha256"], (), "", "float32")
    protocols = {figure.label: figure.protocol for figure in figures if figure.metric == "mean absolute error"}
    assert protocols["lv_ef_percent"].endswith("at the reference's ED and ES; 2 more have no predicted value")
    assert protocols["lv_esv_ml"].endswith("at the reference's ED and ES")


def test_subjects_without_a_reported_number_are_counted_and_named() -> None:
    pairs = (
        MeasurePair("p0", "lv_ef_percent", 60, 50, as_reported=52),
        MeasurePair("p1", "lv_ef_percent", 60, 50),
        MeasurePair("p2", "lv_ef_percent", 60, None, as_reported=54),
    )
    reported = reported_pairs(pairs)
    assert [pair.predicted for pair in reported] == [52, None, 54]
    assert [(line.where, line.why) for line in missed_measures((), (), reported)] == [
        ("p1", "measures.csv does not give LV EF of the compared mask")
    ]
