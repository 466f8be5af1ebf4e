"""The command line as a contract: exit codes, one-line errors, JSON that parses, README and help that agree."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_phantoms import FINE as SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import app, run
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.phantom import Phantom, cine, reference, write_dicom, write_sunnybrook

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(SMALL, folder)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `-m` takes; whoever needs no network need not wait for the default model's three."""
    return str(write_threshold_model(tmp_path_factory.mktemp("model")))


def only_line(text: str, start: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith(start))
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"Usage: cardioseg {command}" in capsys.readouterr().out
    assert f"cardioseg {command}" in (ROOT / "README.md").read_text()


def test_version_and_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("cardioseg 0.")
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["predct"], 2, "No such command"),
        (["predict", "--bogus"], 2, "No such option"),
        (["predict", "x", "-o", "y", "-m", "nope"], 2, "no model nope"),
        (["predict", "nowhere", "-o", "y"], 4, "nowhere: no such file or folder"),
        (["predict", "nowhere", "-o", "y", "-m", "."], 5, "is not a model folder"),
        (["predict", "nowhere", "-o", "y", "--ed", "3", "--es", "3"], 2, "--ed and --es are both 3"),
        (["predict", "nowhere", "-o", "y", "--ed", "-1"], 2, "Invalid value"),
        (["measure", "nowhere", "-o", "y"], 4, "nowhere: no such file or folder"),
        (["measure", ".", "-o", "y"], 4, "no NIfTI masks in it"),
        (["measure", "nowhere", "-o", "y", "--es", "0", "--ed", "0"], 2, "--ed and --es are both 0"),
        (["inspect", "nowhere"], 4, "nowhere: no such file or folder"),
        (["ingest", "nowhere", "-o", "y"], 4, "nowhere: no such folder"),
        (["ingest", ".", "-o", "y", "--layout", "bids"], 2, "no layout 'bids'"),
        (["evaluate", "nowhere", "nowhere"], 4, "nowhere"),
        (["train", "nowhere", "-o", "y"], 4, "nowhere is not a prepared dataset"),
        (["train", "nowhere", "-o", "y", "-r", "nope"], 2, "no recipe nope"),
        (["train", "nowhere", "-o", "y", "--norm", "xn"], 2, "norm: a norm is one of"),
        (["train", "nowhere", "-o", "y", "--folds", "0"], 2, "Invalid value"),
        (["export", "nowhere", "nowhere", "-o", "y", "--licence", "x"], 4, "nowhere is not a prepared dataset"),
    ],
)
def test_one_line_and_the_right_code(
    arguments: list[str],
    code: int,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    seen = capsys.readouterr()
    assert complaint in only_line(seen.err, "error: ")
    assert "Traceback" not in seen.err
    assert not seen.out
    if arguments[0] != "inspect" and len(arguments) > 1:
        assert run([*arguments, "--json"]) == code
        assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == code


def test_predict_evaluate_and_inspect(
    scans: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, references = tmp_path / "out", tmp_path / "references"
    assert run(["inspect", str(scans), "--json"]) == 0
    kinds = {series["kind"] for series in json.loads(capsys.readouterr().out)["series"]}
    assert kinds == {"short-axis cine", "localizer"}
    assert run(["inspect", str(scans)]) == 0
    assert "short-axis cine" in capsys.readouterr().out
    assert run(["predict", str(scans), "-o", str(out), "-m", model, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["case_id"] for row in document["measures"]] == ["PHANTOM-0001"]
    assert run(["predict", str(scans), "-o", str(out), "-m", model]) == 0
    assert "lv_edv_ml" in capsys.readouterr().out
    write_cine(references / "PHANTOM-0001_gt.nii.gz", reference(SMALL))
    assert run(["evaluate", str(out), str(references), "-o", str(tmp_path / "evaluation")]) == 0
    assert "LV cavity" in capsys.readouterr().out
    assert (tmp_path / "evaluation" / "evaluation.csv").is_file()
    assert run(["evaluate", str(out), str(references), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["rv_cavity", "lv_myocardium", "lv_cavity"]


def test_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks, out = tmp_path / "masks", tmp_path / "out"
    write_cine(masks / "a.nii.gz", reference(SMALL))
    assert run(["measure", str(masks), "-o", str(out), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["measures"]
    assert row["case_id"] == "a"
    assert [flag["kind"] for flag in row["flags"]] == ["slices far apart", "apex not covered"]
    assert row["flag_count"] == 2
    assert run(["measure", str(masks), "-o", str(out), "--ed", "0", "--es", "3"]) == 0
    seen = capsys.readouterr()
    assert "rv_ef_percent" in seen.out
    assert only_line(seen.err, "remark: ").startswith("remark: a: 2 flags: slices far apart, apex not covered (slice 0")
    assert run(["measure", str(masks), "-o", str(out), "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["measure", str(masks), "-o", str(out), "--es", "8"]) == 4
    assert "there is no phase 8" in only_line(capsys.readouterr().err, "failed: ")
    (masks / "b.nii").write_bytes(b"no")
    assert run(["measure", str(masks), "-o", str(out)]) == 3


def test_some_failed_all_failed(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "broken.nii").write_bytes(b"no")
    assert run(["predict", str(bad), "-o", str(tmp_path / "one"), "-m", model]) == 4
    seen = capsys.readouterr().err
    assert "or leave it out)" in only_line(seen, "failed: broken: ")
    assert only_line(seen, "error: ") == "error: all cases failed, 1 of 1"
    assert str(tmp_path / "one" / "status.csv") in only_line(seen, "hint: ")
    assert run(["predict", str(bad), "-o", str(tmp_path / "one"), "-m", model, "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert (document["error"]["exit_code"], document["cases"]["failed"], document["measures"]) == (4, 1, [])
    write_volume(bad / "good.nii", cine(SMALL).phase(0))
    assert run(["predict", str(bad), "-o", str(tmp_path / "two")]) == 3  # with the default model
    assert "failed: broken" in capsys.readouterr().err
    assert (tmp_path / "two" / "good" / "mask.nii.gz").is_file()
    write_volume(bad / "other.nii", cine(SMALL).phase(3))
    assert run(["predict", str(bad / "other.nii"), "-o", str(tmp_path / "two"), "-m", model]) == 0
    assert "also holds 2 cases of earlier runs; the tables and the report list all cases" in capsys.readouterr().err
    status = (tmp_path / "two" / "status.csv").read_text()
    assert [line.split(",")[0] for line in status.splitlines()[1:]] == ["broken", "good", "other"]


def test_a_truncated_file_among_good_ones(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a missing phase, named and flagged."""
    series = write_dicom(SMALL, tmp_path / "scans")
    write_dicom(Phantom(**{**vars(SMALL), "seed": 2}), tmp_path / "scans")
    victims = sorted(series.iterdir())
    victims[3].write_bytes(victims[3].read_bytes()[:-500])
    assert run(["predict", str(tmp_path / "scans"), "-o", str(tmp_path / "out"), "-m", model]) == 0
    seen = capsys.readouterr().err
    assert f"{victims[3].name}: its pixel data is missing or truncated" in seen
    assert "missing phase" in only_line(seen, "remark: PHANTOM-0001: ")
    assert (tmp_path / "out" / "PHANTOM-0002" / "mask.nii.gz").is_file()


def test_ingest_train_export_predict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = [Phantom(**{**vars(SMALL), "seed": seed}) for seed in (1, 2)]
    write_sunnybrook(cohort, tmp_path / "labelled")
    dataset, recipe = tmp_path / "dataset", tmp_path / "quick.toml"
    assert run(["ingest", str(tmp_path / "labelled"), "-o", str(dataset)]) == 0
    assert "2 subjects" in capsys.readouterr().out
    assert run(["ingest", str(tmp_path / "labelled"), "-o", str(dataset), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["subjects"]) == 2
    recipe.write_text("size = 64\n[optimization]\nepochs = 1\n")
    train = ["train", str(dataset), "-o", str(tmp_path / "run"), "-r", str(recipe), "--folds", "2", "-d", "cpu"]
    assert run([*train, "--fold", "5"]) == 2
    assert run([*train, "--threads", "1", "--learning-rate", "0.05"]) == 0
    assert "Dice per image" in capsys.readouterr().out
    assert run([*train, "--resume", "--learning-rate", "0.05", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    export = ["export", str(tmp_path / "run"), str(dataset), "-o", str(tmp_path / "model"), "--licence", "CC0-1.0"]
    assert run(export) == 0
    assert run([*export, "--json"]) == 0
    images = str(tmp_path / "labelled" / "SCD_IMAGES_01")
    assert run(["predict", images, "-o", str(tmp_path / "out"), "-m", str(tmp_path / "model"), "-q"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["SCD9000001", "SCD9000002"]


def test_contours_that_match_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = [Phantom(**{**vars(SMALL), "seed": seed}) for seed in (1, 2)]
    write_sunnybrook(cohort, tmp_path / "labelled")
    contour = next((tmp_path / "labelled" / "SCD_ManualContours").rglob("*icontour*"))
    contour.rename(contour.with_name("IM-0001-9999-icontour-manual.txt"))
    assert run(["ingest", str(tmp_path / "labelled"), "-o", str(tmp_path / "dataset")]) == 3
    seen = capsys.readouterr()
    assert "IM-0001-9999-icontour-manual.txt" in seen.err
    assert "2 subjects" in seen.out


def test_a_dataset_of_one_subject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sunnybrook([SMALL], tmp_path / "labelled")
    assert run(["ingest", str(tmp_path / "labelled"), "-o", str(tmp_path / "dataset"), "-q"]) == 0
    assert run(["train", str(tmp_path / "dataset"), "-o", str(tmp_path / "run")]) == 2
    assert "3 folds need at least 3 subjects, the dataset has 1" in capsys.readouterr().err


@pytest.mark.parametrize("default", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_demo(
    default: bool, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a small heart; of its own 200 slices with the default model, which is half a minute."""
    if not default:
        monkeypatch.setattr("cardioseg.phantom.Phantom", lambda: SMALL)
    assert run(["demo", "-o", str(tmp_path / "demo"), *([] if default else ["-m", model])]) == 0
    seen = capsys.readouterr()
    assert "LV EF (%)" in seen.out
    assert "RV ESV (mL)" in seen.out
    assert "Dice per volume: RV cavity 0." in seen.out
    assert str(tmp_path / "demo" / "results" / "report.html") in seen.err
    assert (tmp_path / "demo" / "results" / "report.html").is_file()


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info"]) == 0
    assert "lv_sunnybrook" in capsys.readouterr().out
    assert run(["info", "--json"]) == 0
    licences = {name: model["licence"] for name, model in json.loads(capsys.readouterr().out)["models"].items()}
    acdc = "CC BY-NC-SA 4.0, research use"
    assert licences == {"lv_sunnybrook": "CC0-1.0", "sax": acdc, "sax_ensemble": acdc, "sax_int8": acdc}


def test_no_permission(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    for command in (["predict", str(scans)], ["measure", str(scans)]):
        assert run([*command, "-o", str(out)]) == 6
        assert only_line(capsys.readouterr().err, "error: ") == f"error: cannot write into {out}: not a directory"


def test_a_bug_leaves_with_1(tmp_path: Path) -> None:
    """What is no error of ours keeps its traceback, for the report that we want of it."""
    program = (
        "import sys; from cardioseg.cli import app, console;"
        "console.print_table = lambda *_, **__: 1 / 0; sys.argv = ['cardioseg', 'info']; app.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_failure_for_want_of_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Libraries say it each in a way of its own: what counts is that there is none."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("cardioseg.cli.console.print_table", fail)
    with pytest.raises(RuntimeError, match="thread"):
        run(["info"])
    capsys.readouterr()
    with address_space_as_it_is():
        assert run(["info"]) == 6
    assert only_line(capsys.readouterr().err, "error: ") == "error: out of memory"


@contextmanager
def address_space_as_it_is() -> Iterator[None]:
    """No more memory than the process has."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def _listen_to_interrupts() -> None:
    """Undo what a shell does to the processes it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(number: int, code: int, model: str, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    for seed in range(1, 5):
        write_cine(scans / f"{seed}.nii.gz", cine(Phantom(**{**vars(SMALL), "seed": seed, "phases": 30})))
    command = [sys.executable, "-m", "cardioseg", "predict", str(scans), "-o", str(tmp_path / "out"), "-m", model]
    options = {"stderr": subprocess.PIPE, "text": True, "preexec_fn": _listen_to_interrupts}
    process = subprocess.Popen(command, **options)
    while not list((tmp_path / "out").rglob("case.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in errors
    assert ("interrupted" in errors) == (number == signal.SIGINT)
    assert not list((tmp_path / "out").rglob("*.partial.*"))


def test_never_imports_torch(scans: Path, model: str, tmp_path: Path) -> None:
    """One process for all: whichever command imports it first is named."""
    write_sunnybrook([SMALL], tmp_path / "labelled")
    write_cine(tmp_path / "references" / "PHANTOM-0001_gt.nii.gz", reference(SMALL))
    commands = [
        ["inspect", str(scans)],
        ["ingest", "labelled", "-o", "dataset"],
        ["predict", str(scans), "-o", "predicted", "-m", model],
        ["measure", "predicted", "-o", "measured"],
        ["evaluate", "predicted", "references"],
    ]
    program = (
        "import sys; from cardioseg.cli.app import run\n"
        f"for command in {commands!r}:\n"
        "    code, found = run(command), {'torch', 'onnx'} & set(sys.modules)\n"
        "    if code or found: sys.exit(f'{command[0]} leaves with {code}, imports {found}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "measured" / "measures.csv").is_file()
