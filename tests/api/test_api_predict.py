"""`predict`, `measure_masks` and `evaluate` as functions: they do what the commands do, without a word."""

import json
import subprocess
import sys
from multiprocessing import current_process
from pathlib import Path

import pytest

import cardioseg
from cardioseg.cli.app import run
from cardioseg.errors import NoInputError, RefusedError, ResourceError, UsageError

SCRIPT = """
import sys
import cardioseg
results = cardioseg.predict(sys.argv[1], sys.argv[2], model=sys.argv[3], workers=2, threads=2)
cardioseg.measure_masks(sys.argv[2], sys.argv[2] + "-measured")
cardioseg.evaluate(sys.argv[2], sys.argv[4], sys.argv[2] + "-evaluated", workers=2)
sys.exit(0 if [case.status for case in results.cases] == ["done", "done", "failed"] else 3)
"""


def files(folder: Path) -> dict[str, bytes]:
    """All files but the page, which shows timings; `run.json` without them."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    contents = {name: path.read_bytes() for name, path in found.items() if path.name != "report.html"}
    run_record = json.loads(contents["run.json"])
    timeless = {key: value for key, value in run_record.items() if not key.startswith("seconds")}
    return contents | {"run.json": json.dumps(timeless).encode()}


def test_the_files_are_those_of_the_command(
    results: cardioseg.Results, scans: Path, thresholds: Path, tmp_path: Path
) -> None:
    by_command, by_function = tmp_path / "out", results.path
    assert run(["predict", str(scans), "-o", str(by_command), "-m", str(thresholds), "-q"]) == 3
    assert files(by_function) == files(by_command)
    references = scans.with_name("references")
    assert run(["evaluate", str(by_command), str(references), "-o", str(tmp_path / "command"), "-q"]) == 3
    cardioseg.evaluate(by_function, references, tmp_path / "function")
    names = sorted(path.name for path in (tmp_path / "command").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "function").iterdir())
    for name in names:
        assert (tmp_path / "command" / name).read_bytes() == (tmp_path / "function" / name).read_bytes()


def test_a_case_that_fails_does_not_raise(results: cardioseg.Results) -> None:
    assert [(case.name, case.status) for case in results.cases] == [
        ("PHANTOM-0001", "done"),
        ("beating", "done"),
        ("damaged", "failed"),
    ]
    (failed,) = results.failed
    assert "damaged or truncated" in failed.reason
    assert repr(results) == f"<Results in {results.path}: 2 done, 1 failed>"
    assert [Path(row["where"]).name for row in results.left_out] == ["localizer"]
    assert results.model == "thresholds"


def test_when_every_case_fails_that_is_seen_in_the_results(tmp_path: Path, thresholds: Path) -> None:
    (tmp_path / "damaged.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    results = cardioseg.predict(tmp_path / "damaged.nii.gz", tmp_path / "out", model=thresholds)
    assert (len(results.cases), len(results.failed)) == (1, 1)
    assert results.measures == []


@pytest.mark.slow
def test_a_script_without_a_main_may_use_processes_and_nothing_is_printed(
    scans: Path, thresholds: Path, tmp_path: Path
) -> None:
    program = tmp_path / "script.py"
    program.write_text(SCRIPT)
    arguments = [scans, tmp_path / "out", thresholds, scans.with_name("references")]
    command = [sys.executable, "-W", "always", str(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(cardioseg.__file__).parents[1])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_phases_of_all_cases_and_of_single_ones(scans: Path, thresholds: Path, tmp_path: Path) -> None:
    chosen = {"beating": (1.0, float("nan"))}  # as a table gives them
    results = cardioseg.predict(scans, tmp_path / "out", model=thresholds, ed=0, es=2, phases=chosen)
    phases = {row["case_id"]: (row["ed_phase"], row["es_phase"]) for row in results.measures}
    assert phases == {"PHANTOM-0001": (0, 2), "beating": (1, 2)}
    late = cardioseg.predict(scans, tmp_path / "out", model=thresholds, ed=9)
    assert "change ed" in late.case("beating").reason
    assert "--" not in late.case("beating").reason


def test_phases_of_a_case_that_is_not_there_are_an_error_when_all_is_done(
    scans: Path, thresholds: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"is called baeting \(the nearest name is beating\)"):
        cardioseg.predict(scans / "beating.nii.gz", tmp_path / "out", model=thresholds, phases={"baeting": (0, 2)})
    assert [case.status for case in cardioseg.open_results(tmp_path / "out").cases] == ["done"]


def test_a_model_that_is_open_and_other_formats(scans: Path, thresholds: Path, tmp_path: Path) -> None:
    model = cardioseg.load_model(thresholds)
    assert model.folder == thresholds
    results = cardioseg.predict([scans / "PHANTOM-0001"], tmp_path / "out", model=model, formats=["dicom-seg"])
    (case,) = results.cases
    assert {path.suffix for path in (results.path / case.name).iterdir()} >= {".dcm", ".gz"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "saxx"}, "no model saxx"),
        ({"device": "gpu"}, "no device gpu"),
        ({"formats": "png"}, "no format 'png'"),
        ({"formats": []}, "no format ''"),
        ({"workers": 0}, "workers is 0"),
        ({"workers": 1.5}, "workers is 1.5"),
        ({"workers": "2"}, "workers is '2'"),
        ({"threads": -1}, "threads is -1"),
        ({"threads": "1"}, "threads is '1'"),
        ({"ed": -1}, "ED is -1, which is no phase"),
        ({"ed": 1.5}, "ED is 1.5, which is no phase"),
        ({"es": "7"}, "ES is '7', which is no phase"),
        ({"es": True}, "ES is True, which is no phase"),
        ({"ed": 3, "es": 3}, "ED and ES are both 3"),
        ({"phases": {"a": 3}}, r"phases\['a'\] is no pair"),
        ({"phases": {"a": (3, 3)}}, r"phases\['a'\]: ED and ES are both 3"),
        ({"patients": "patients.csv"}, "patients is no dictionary by case"),
        ({"patients": {"a": "F"}}, r"patients\['a'\] is no dictionary"),
        ({"patients": {"a": {"gender": "F"}}}, r"patients\['a'\]: there is no column gender"),
        ({"patients": {"a": {"age": 161}}}, r"patients\['a'\]: age is 161"),
        ({"reference_values": True}, "reference values need the sex and the age"),
    ],
)
def test_settings_that_make_no_sense(
    settings: dict[str, object], message: str, scans: Path, thresholds: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        cardioseg.predict(scans, tmp_path / "out", **({"model": thresholds} | settings))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_process_that_may_start_no_others(
    scans: Path, thresholds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="workers is 2, but a daemonic process"):
        cardioseg.predict(scans, tmp_path / "out", model=thresholds, workers=2)
    assert not (tmp_path / "out").exists()


def test_patients_as_a_table_of_pandas_has_them(scans: Path, thresholds: Path, tmp_path: Path) -> None:
    first = cardioseg.find_scans(scans)[0].name
    patients = {first: {"Sex": "F", "Age": 61.0, "height_cm": float("nan"), "weight_kg": None}}
    results = cardioseg.predict(scans, tmp_path / "out", model=thresholds, patients=patients, reference_values=True)
    row = next(row for row in results.measures if row["case_id"] == first)
    assert row["lv_edv_z"] == pytest.approx((row["lv_edv_ml"] - 124) / 21, abs=0.01)
    again = cardioseg.measure_masks(tmp_path / "out", tmp_path / "m", patients={first: {"sex": "M", "age": 50}})
    row = next(row for row in again.measures if row["case_id"] == first)
    assert row["lv_edv_z"] == pytest.approx((row["lv_edv_ml"] - 166) / 32, abs=0.01)


def test_no_scans(thresholds: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for scans, message in ((tmp_path / "empty", "no image files"), (tmp_path / "no", "no such"), ([], "no scans")):
        with pytest.raises((NoInputError, UsageError), match=message):
            cardioseg.predict(scans, tmp_path / "out", model=thresholds)
    with pytest.raises(NoInputError, match="no image files"):
        cardioseg.find_scans(tmp_path / "empty")


def test_a_damaged_model(thresholds: Path, scans: Path, tmp_path: Path) -> None:
    for name in ("card.json", "model.onnx"):
        content = (thresholds / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if name == "model.onnx" else content)
    with pytest.raises(RefusedError, match="is not the file that its card describes"):
        cardioseg.predict(scans, tmp_path / "out", model=tmp_path)
    with pytest.raises(RefusedError, match="is not a model folder"):
        cardioseg.load_model(scans)


def test_errors_name_keyword_arguments(scans: Path, thresholds: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError) as no_gpu:
        cardioseg.load_model("sax", device="cuda")
    assert 'device="cpu"' in no_gpu.value.hint
    results = cardioseg.predict(scans / "beating.nii.gz", tmp_path / "out", model=thresholds)
    with pytest.raises(UsageError) as over_itself:
        cardioseg.measure_masks(results.path, results.path)
    assert over_itself.value.hint == "give another folder as out"
    with pytest.raises(UsageError, match="no label convention"):
        cardioseg.evaluate(results.path, results.path, labels="mms")
    with pytest.raises(NoInputError, match="no such folder"):
        cardioseg.evaluate(tmp_path / "no", results.path)


def test_what_the_system_refuses_is_an_error_of_ours(scans: Path, thresholds: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError):
        cardioseg.predict(scans, tmp_path / "file", model=thresholds)


def test_a_training_run_is_left_to_the_command(tmp_path: Path) -> None:
    for name in ("folds.json", "training.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(UsageError, match="is a run of `train`"):
        cardioseg.evaluate(tmp_path, tmp_path)
