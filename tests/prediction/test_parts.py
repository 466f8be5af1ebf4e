"""Parts of a run: together they are the whole, in any mode; what is missing is named; a killed run can be gathered."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cohorts.hearts import tree, write_hearts
from review.corrections import save_case
from thresholds import write_threshold_model

from cardioseg.cases.case_search import Part, Search, parse_part
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.files import sole_writer

Predict = Callable[..., int]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven hearts, one of them damaged, and a text."""
    folder = write_hearts(tmp_path_factory.mktemp("hearts") / "scans", 7)
    (folder / "heart-03.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    (folder / "notes.txt").write_text("nothing to see")
    return folder


@pytest.fixture(scope="module")
def predict(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Predict:
    model = write_threshold_model(tmp_path_factory.mktemp("model"), ["lv_cavity"])
    return lambda out, *more: run(["predict", str(scans), "-o", str(out), "-m", str(model), "-q", *more])


@pytest.fixture(scope="module")
def whole(predict: Predict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert predict(out) == 3
    return out


@pytest.fixture(scope="module")
def parts(predict: Predict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("parts")
    codes = [predict(out, "--part", f"{number}/3") for number in (3, 1, 2)]
    assert sorted(codes) == [0, 0, 3]
    return out


def test_parts_are_equal_and_have_every_unit_once(scans: Path) -> None:
    found = [Search([scans], part=Part(number, 3)) for number in (1, 2, 3)]
    assert [len(search) for search in found] == [3, 3, 2]  # seven hearts, and what is no image
    names = [case.case_id for search in found for unit in search for case in unit.cases]
    assert sorted(names) == [f"heart-{number:02d}" for number in range(7)]
    assert len({search.digest for search in found}) == 1


@pytest.mark.parametrize("text", ["5/4", "0/4", "x", "1", "1/", "/2", "-1/2", "1/2/3", "\u0661/2", "1.0/2", " 1/2"])
def test_what_is_no_part(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="no part"):
        parse_part(text)
    assert run(["predict", str(tmp_path), "-o", str(tmp_path / "out"), "--part", text]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert not (tmp_path / "out").exists()


def test_gathered_parts_are_the_whole(parts: Path, whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gather", str(parts), "-q"]) == 3  # a case failed
    assert capsys.readouterr().err == ""
    assert tree(parts) == tree(whole)
    seconds = json.loads((parts / "run.json").read_text())["seconds_by_case"]
    assert list(seconds) == [f"heart-{number:02d}" for number in (0, 1, 2, 4, 5, 6)]
    assert {path.name for path in (parts / "parts" / "1-of-3").iterdir()} == {
        "status.csv", "measures.csv", "segments.csv", "run.json", ".ledger.jsonl",
    }  # fmt: skip
    document = run(["gather", str(parts), "--json"])
    assert document == 3
    gathered = json.loads(capsys.readouterr().out)
    assert (gathered["cases"], gathered["incomplete"]) == ({"done": 6, "failed": 1, "flagged": 6}, [])


def test_missing_and_unfinished_parts_are_named(
    parts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(parts, out)
    shutil.rmtree(out / "parts" / "2-of-3")
    ledger = out / "parts" / "3-of-3" / ".ledger.jsonl"
    ledger.write_text(ledger.read_text()[: -len('{"end": {"seconds": 1}}') - 40])
    with sole_writer(out / "parts" / "1-of-3"):
        assert run(["gather", str(out), "-q"]) == 3
    said = capsys.readouterr().err
    assert "part 1 of 3 is still running" in said
    assert "part 2 of 3 is missing: run it again" in said
    assert "part 3 of 3 is not finished: run it again" in said
    assert run(["gather", str(out), "--json"]) == 3
    first, second = json.loads(capsys.readouterr().out)["incomplete"]
    assert first.startswith("part 2 of 3 is missing: run it again")
    assert second.startswith("part 3 of 3 is not finished: run it again")


def test_parts_of_different_runs_are_refused(
    parts: Path, predict: Predict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(parts, out)
    assert predict(out, "--part", "1/3", "--ed", "1") == 3
    assert run(["gather", str(out)]) == 2
    assert "the parts differ in their chosen phases" in capsys.readouterr().err
    shutil.copytree(out / "parts" / "1-of-3", out / "parts" / "1-of-4")
    assert run(["gather", str(out)]) == 2
    assert "holds parts of 3 and of 4" in capsys.readouterr().err


def test_a_run_and_its_parts_keep_out_of_each_others_way(
    predict: Predict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sole_writer(tmp_path):
        assert predict(tmp_path, "--part", "1/2") == 6
    with sole_writer(tmp_path, is_part=True):
        assert predict(tmp_path) == 6
        assert predict(tmp_path, "--part", "1/7") == 0
    with sole_writer(tmp_path / "parts" / "1-of-7"):
        assert predict(tmp_path, "--part", "1/7") == 6
    assert capsys.readouterr().err.count("another run is writing into") == 3


def test_a_killed_run_is_gathered_from_its_ledger_and_records(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    header = json.loads((out / "run.json").read_text())
    lines = [{"run": {key: header[key] for key in list(header)[:6]}}, {"units": ""}, {"begun": 0}]
    failure = {"case_id": "heart-03", "source": "x", "status": "failed", "reason": "bad", "seconds": 0, "flags": []}
    lines.append({"outcome": failure})
    for name in ("run.json", "status.csv", "measures.csv", "segments.csv", "report.html"):
        (out / name).unlink()
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"outcome": {"case_id": "hea'
    (out / ".ledger.jsonl").write_text(text)
    assert run(["gather", str(out), "-q"]) == 3
    assert "the run is not finished: run it again" in capsys.readouterr().err
    with (out / "status.csv").open(newline="") as file:
        rows = {row["case_id"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {f"heart-{number:02d}": "failed" if number == 3 else "done" for number in range(7)}
    for name in ("measures.csv", "segments.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def test_nothing_to_gather(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gather", str(whole)]) == 4
    assert run(["gather", str(tmp_path / "nowhere")]) == 4
    said = capsys.readouterr().err
    assert "holds no parts and no unfinished run" in said
    assert "no such folder" in said


def test_reviews_are_kept_when_parts_are_gathered(parts: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(parts, tmp_path / "out"))
    assert run(["gather", str(out), "-q"]) == 3
    for name, decision in (("heart-01", "accepted"), ("heart-05", "excluded")):
        save_case(out, name, decision=decision)
    reviewed = (out / "review.csv").read_bytes()
    (out / "review.csv").unlink()
    assert run(["gather", str(out), "-q"]) == 3
    assert (out / "review.csv").read_bytes() == reviewed
    for table, column in (("review.csv", "decision"), ("measures.csv", "review")):
        with (out / table).open(newline="") as file:
            decisions = {row["case_id"]: row[column] for row in csv.DictReader(file) if row[column]}
        assert decisions == {"heart-01": "accepted", "heart-05": "excluded"}
    (out / "heart-01" / "case.json").unlink()
    (out / "heart-05" / "case.json").unlink()
    run(["gather", str(out), "-q"])
    assert not (out / "review.csv").exists()


def test_workers_give_the_same_tree(predict: Predict, whole: Path, tmp_path: Path) -> None:
    assert predict(tmp_path, "--workers", "2") == 3
    assert tree(tmp_path) == tree(whole)
