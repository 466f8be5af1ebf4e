"""The phases of a first run stay when its masks are edited; a person may choose others, case by case."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_phantoms import SIX_SLICES as SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.measure.curves import Moments
from cardioseg.phantom import Phantom, cine, reference


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_threshold_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def predicted(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films and what `predict` wrote of them."""
    folder = tmp_path_factory.mktemp("predicted")
    for name, seed in (("a", 1), ("b", 2)):
        write_cine(folder / "scans" / f"{name}.nii.gz", cine(Phantom(**{**vars(SMALL), "seed": seed})))
    assert run(["predict", str(folder / "scans"), "-o", str(folder / "as predicted"), "-m", model, "-q"]) == 0
    return folder


@pytest.fixture
def results(predicted: Path) -> Iterator[Path]:
    """The results, which tests may change, beside their scans."""
    shutil.copytree(predicted / "as predicted", predicted / "results")
    yield predicted / "results"
    for name in ("results", "measured", "out"):
        shutil.rmtree(predicted / name, ignore_errors=True)


def rows(out: Path, table: str = "measures.csv") -> dict[str, dict[str, str]]:
    with (out / table).open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def shrink(mask: Path, phase: int) -> None:
    """Take the cavity out of the middle slice of one phase."""
    image = read_cine(mask)
    middle = image.voxels[phase, len(image.voxels[phase]) // 2]
    middle[middle == Label.LV_CAVITY] = Label.LV_MYOCARDIUM
    write_cine(mask, image)


def measure(results: Path, *more: str) -> Path:
    out = results.with_name("measured")
    assert run(["measure", str(results), "-o", str(out), "-q", *more]) == 0
    return out


def test_a_corrected_mask_is_measured_at_the_phases_of_the_first_run(results: Path) -> None:
    before = rows(results)["a"]
    ed = int(before["lv_ed_phase"])
    shrink(results / "a" / "mask.nii.gz", ed)
    out = measure(results)
    after = rows(out)["a"]
    for name in ("lv_ed_phase", "lv_es_phase", "rv_ed_phase", "rv_es_phase", "ed_phase", "es_phase"):
        assert after[name] == before[name]
    curve = json.loads((out / "a" / "measures.json").read_text())["curves_ml"]["lv_cavity"]
    largest = curve.index(max(curve))
    assert largest != ed
    assert float(after["lv_edv_ml"]) == pytest.approx(curve[ed], abs=0.01)
    reason = rows(out, "status.csv")["a"]["reason"]
    assert (
        f"LV ED stays at phase {ed} ({curve[ed]:.1f} mL), but the largest volume is now at phase {largest} "
        f"({curve[largest]:.1f} mL)" in reason
    )
    assert "A --phases FILE sets other phases, for both ventricles" in reason
    assert "largest" not in rows(out, "status.csv")["b"]["reason"]
    measure(results, "--ed", str(largest))
    assert rows(out)["a"]["lv_ed_phase"] == str(largest)
    assert rows(out)["a"]["lv_es_phase"] == before["lv_es_phase"]
    assert "largest" not in rows(out, "status.csv")["a"]["reason"]


def test_phases_that_a_person_chose_stay_too(results: Path, model: str) -> None:
    scans = str(results.with_name("scans"))
    assert run(["predict", scans, "-o", str(results), "-m", model, "-q", "--ed", "2", "--es", "5"]) == 0
    before = rows(results)
    assert {row["lv_ed_phase"] for row in before.values()} == {"2"}
    out = measure(results)
    assert rows(out) == before
    assert not [row for row in rows(out, "status.csv").values() if "largest" in row["reason"]]


def test_phases_of_single_cases_come_from_a_table(
    results: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table, scans = results.with_name("phases.csv"), str(results.with_name("scans"))
    table.write_text("\ufeffcase_id;ed_phase;es_phase\na;1;6\nc;0;1\n", encoding="utf-8")
    before = rows(results)
    assert run(["predict", scans, "-o", str(results), "-m", model, "--phases", str(table), "--es", "5"]) == 0
    assert "--phases: this run has no case c:" in capsys.readouterr().err
    predicted = rows(results)
    assert (predicted["a"]["lv_ed_phase"], predicted["a"]["lv_es_phase"]) == ("1", "6")
    assert (predicted["b"]["lv_ed_phase"], predicted["b"]["lv_es_phase"]) == (before["b"]["lv_ed_phase"], "5")
    run_json = json.loads((results / "run.json").read_text())
    assert run_json["chosen_phases"]["by_case"]["a"] == {"ed_phase": 1, "es_phase": 6}
    table.write_text("es_phase,notes,case_id,ed_phase\n,x,b,3\n")
    out = measure(results, "--phases", str(table))
    assert rows(out)["b"]["lv_ed_phase"] == "3"
    assert rows(out)["b"]["lv_es_phase"] == "5"
    assert rows(out)["a"] == predicted["a"]
    again = measure(results, "--phases", str(results / "measures.csv"))  # the table of an earlier run will do
    assert rows(again) == predicted


def test_chosen_phases_stay_in_later_runs_until_a_table_takes_them_back(results: Path, model: str) -> None:
    """A later run must not change the numbers of a finished case without a word."""
    automatic, table = rows(results), results.with_name("phases.csv")
    predict = ["predict", str(results.with_name("scans")), "-o", str(results), "-m", model, "-q"]
    table.write_text("case_id,ed_phase,es_phase\na,1,6\n")
    assert run([*predict, "--phases", str(table)]) == 0
    chosen = rows(results)
    assert chosen["a"]["lv_edv_ml"] != automatic["a"]["lv_edv_ml"]
    for more in ([], ["--overwrite"]):
        assert run([*predict, *more]) == 0
        assert rows(results) == chosen
        assert "chosen by hand: ED 1, ES 6" in rows(results, "status.csv")["a"]["reason"]
    assert run([*predict, "--es", "5"]) == 0
    assert [rows(results)["a"][f"{moment}_phase"] for moment in ("ed", "es")] == ["1", "5"]
    table.write_text("case_id,ed_phase,es_phase\na,,\nb,,\n")
    assert run([*predict, "--phases", str(table)]) == 0
    assert rows(results) == automatic
    assert "by hand" not in rows(results, "status.csv")["a"]["reason"]


def test_the_table_of_an_earlier_run_moves_no_ventricle_to_the_phase_of_the_other(tmp_path: Path) -> None:
    mask = reference(SMALL)
    ed = int(np.count_nonzero(mask.voxels == Label.LV_CAVITY, axis=(1, 2, 3)).argmax())
    slices = mask.voxels[ed, 2:4]
    slices[slices == Label.RV_CAVITY] = Label.BACKGROUND
    write_cine(tmp_path / "masks" / "a.nii.gz", mask)
    command = ["measure", str(tmp_path / "masks"), "-q", "-o"]
    assert run([*command, str(tmp_path / "own")]) == 0
    own = rows(tmp_path / "own")["a"]
    assert own["ed_phase"] == own["lv_ed_phase"] == str(ed) != own["rv_ed_phase"]
    table = tmp_path / "own" / "measures.csv"
    assert run([*command, str(tmp_path / "same"), "--phases", str(table)]) == 0
    assert rows(tmp_path / "same")["a"] == own
    decimals = tmp_path / "decimals.csv"  # as pandas writes whole numbers if another row has none
    cells = {name: f"{cell}.0" if name.endswith("_phase") else cell for name, cell in own.items()}
    cells |= {"case_id": "a", "ed_phase": own["ed_phase"]}
    decimals.write_text("\n".join([",".join(cells), ",".join(f'"{cell}"' for cell in cells.values())]))
    assert run([*command, str(tmp_path / "rewritten"), "--phases", str(decimals)]) == 0
    assert rows(tmp_path / "rewritten")["a"] == own
    changed = tmp_path / "changed.csv"
    changed.write_text(f"case_id,ed_phase,es_phase,lv_ed_phase,rv_ed_phase\na,1,,{ed},{own['rv_ed_phase']}\n")
    assert run([*command, str(tmp_path / "both"), "--phases", str(changed)]) == 0
    both = rows(tmp_path / "both")["a"]
    assert (both["lv_ed_phase"], both["rv_ed_phase"]) == ("1", "1")


def test_phases_that_a_case_has_anyway_do_not_repeat_it(tmp_path: Path) -> None:
    model, results = write_threshold_model(tmp_path / "model", ["lv_cavity"]), tmp_path / "results"
    write_cine(tmp_path / "a.nii.gz", cine(SMALL))
    command = ["predict", str(tmp_path / "a.nii.gz"), "-o", str(results), "-m", str(model), "-q"]
    assert run(command) == 0
    written = (results / "a" / "mask.nii.gz").stat().st_mtime_ns
    assert rows(results)["a"]["ed_phase"]
    for more in (["--phases", str(results / "measures.csv")], []):
        assert run([*command, *more]) == 0
        assert (results / "a" / "mask.nii.gz").stat().st_mtime_ns == written
    assert run([*command, "--ed", "1"]) == 0
    assert rows(results)["a"]["lv_ed_phase"] == "1"


BEYOND = "there is no phase {} (it has the phases 0 to 7: change {})"


@pytest.mark.parametrize("is_predict", [True, False], ids=["predict", "measure"])
def test_a_phase_beyond_the_film_is_said_of_where_it_was_chosen(
    results: Path, model: str, is_predict: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A case that failed is a case of the run, so its line in the file is no line of an unknown case."""
    table, out = results.with_name("phases.csv"), results.with_name("out")
    table.write_text("case_id,ed_phase,es_phase\na,20,3\nx,1,2\n")
    command = ["predict", str(results.with_name("scans")), "-m", model] if is_predict else ["measure", str(results)]
    assert run([*command, "-o", str(out), "--phases", str(table), "--es", "30"]) == 4
    said = capsys.readouterr().err
    assert BEYOND.format(20, "ed_phase for this case in the --phases file") in said
    assert BEYOND.format(30, "--es") in said  # of b, for which the file chooses nothing
    assert "--phases: this run has no case x: these phases have no effect" in said


def test_phases_of_a_case_that_only_an_earlier_run_had(
    results: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table, scans = results.with_name("phases.csv"), results.with_name("scans")
    table.write_text("case_id,ed_phase,es_phase\na,1,6\nb,0,5\n")
    before = rows(results)["b"]
    command = ["predict", str(scans / "a.nii.gz"), "-o", str(results), "-m", model, "--phases", str(table)]
    assert run(command) == 0
    assert "--phases: this run has no case b: these phases have no effect" in capsys.readouterr().err
    assert rows(results)["b"] == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,1,2\n", "has no column case_id"),
        ("case_id,ed_phase\na,1\n", "has no column es_phase"),
        ("case_id,ed_phase,es_phase\na,1,2\na,1,3\n", "line 3: a appears twice"),
        ("case_id,ed_phase,es_phase\na,one,2\n", "line 2: ed_phase is not a whole number from 0"),
        ("case_id,ed_phase,es_phase\na,1.5,2\n", "line 2: ed_phase is not a whole number from 0"),
        ("case_id,ed_phase,es_phase\na,-1,2\n", "line 2: ed_phase is not a whole number from 0"),
        ("case_id,ed_phase,es_phase\na,2,2\n", "line 2: both phases are 2"),
    ],
)
def test_a_table_that_cannot_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    table = tmp_path / "phases.csv"
    table.write_text(text)
    for path, said in ((table, complaint), (tmp_path / "nowhere.csv", "cannot be read")):
        assert run(["measure", str(tmp_path), "-o", str(tmp_path / "out"), "--phases", str(path)]) == 2
        assert said in capsys.readouterr().err


def test_what_is_chosen_for_a_case_comes_first() -> None:
    from cardioseg.cases.chosen_phases import Choices

    choices = Choices(Moments(1, 5), {"a": Moments(3), "b": Moments(5)})
    assert choices.of("x") == Moments(1, 5)
    assert choices.of("a") == Moments(3, 5)
    assert choices.of("b") == Moments(5, None)  # not the same phase twice
