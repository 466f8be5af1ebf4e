"""The paper's experiments on two tiny phantoms a fold: run, cut, resumed, laid out."""

import json
import os
import signal
import time
from io import StringIO
from multiprocessing import active_children
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from cardioseg.cli.app import run
from cardioseg.cli.board import Board
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.errors import ResourceError
from cardioseg.files import write_json
from cardioseg.image.labels import Label
from cardioseg.phantom import Phantom, write_sunnybrook
from cardioseg.reproduce import samples
from cardioseg.reproduce.cost import measure
from cardioseg.reproduce.experiment import share_outside
from cardioseg.reproduce.jobs import Job, Protocol, plan, progress
from cardioseg.reproduce.paper import ORGANS, TABLES, norms
from cardioseg.reproduce.pool import run_all
from cardioseg.reproduce.results import best_rate, by_subject, cell
from cardioseg.reproduce.tables import Report
from cardioseg.training.recipe import Recipe, read_recipe


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduce")
    size = {"slices": 5, "phases": 8, "rows": 48, "columns": 48, "spacing_mm": (16.0, 5.0, 5.0)}
    write_sunnybrook([Phantom(seed=seed, **size) for seed in range(1, 5)], folder / "labelled")
    assert run(["ingest", str(folder / "labelled"), "-o", str(folder / "dataset"), "-q"]) == 0
    return folder / "dataset"


def options(dataset: Path, out: Path, *more: str, spacing: tuple[str, ...] = ("--spacing-mm", "8")) -> list[str]:
    few = ["--lrs", "0.1", "--steps-fraction", "0.001", "--folds", "2", "-d", "cpu", *spacing]
    return ["reproduce", str(dataset), "--organ", "lv", "-o", str(out), "--tables", "2", *few, *more]


def test_cut_and_resumed_gives_the_same_tables(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options(dataset, tmp_path / "whole", "-q")) == 0
    with monkeypatch.context() as patch:
        patch.setattr("cardioseg.reproduce.jobs.validate", _interrupt)
        assert run(options(dataset, tmp_path / "cut", "-q")) == 130
    assert not list((tmp_path / "cut").rglob("result.json"))
    assert run(options(dataset, tmp_path / "cut", "--norms", "iln", "-q")) == 0
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").rglob("result.json")}
    assert len(finished) == 2
    assert not list((tmp_path / "cut").rglob("step-*.pt"))
    for path in finished:  # as if it were killed before it removed them
        (path.parent / "step-0000002-0123456789abcdef.pt").touch()
    assert run(options(dataset, tmp_path / "cut")) == 0
    assert not list((tmp_path / "cut").rglob("step-*.pt"))
    assert all(path.stat().st_mtime_ns == time for path, time in finished.items())
    assert "Table 2. With or without GN16" in capsys.readouterr().err
    figures = [f"figure{number}.{suffix}" for number in (2, 3) for suffix in ("png", "svg")]
    for name in ("tables.md", "tables.csv", "tables.json", *figures):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    document = json.loads((tmp_path / "whole" / "tables.json").read_text())
    assert {(c["norm"], c["fold"]) for c in document["cells"]} == {
        (n, f) for n in ("il-sigmoid", "iln") for f in (1, 2)
    }
    assert document["per_subject"]["iln"]["n"] == 4
    assert set(document["iln_against"]) == {"il-sigmoid"}
    assert document["cells"][0]["paper_dice"] == 0.903


def test_workers_give_the_same_tables(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options(dataset, tmp_path / "one", "--norms", "iln,in", "--threads", "1", "-q")) == 0
    assert run(options(dataset, tmp_path / "two", "--norms", "iln,in", "--threads", "2", "--workers", "2")) == 0
    assert "4 of 4 jobs done" in capsys.readouterr().err
    assert (tmp_path / "one" / "tables.csv").read_bytes() == (tmp_path / "two" / "tables.csv").read_bytes()


def test_a_failing_job_ends_the_others(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options(dataset, tmp_path, "--organ", "rv", "--workers", "2")) == 4
    assert "no slice of" in capsys.readouterr().err
    assert not active_children()


def test_a_killed_worker_is_named(dataset: Path, tmp_path: Path) -> None:
    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path, folds=2)
    jobs = plan(("iln", "in"), (0.1,), (0, 1), (0,))
    killer = Thread(target=_kill_a_child, args=(tmp_path,))
    killer.start()
    with pytest.raises(ResourceError, match="a worker was killed"):
        run_all(protocol, jobs, 2, 2, lambda _: None)
    killer.join()
    assert not active_children()


def _kill_a_child(folder: Path) -> None:
    while len(list(folder.rglob("started.json"))) < 2:
        time.sleep(0.1)
    os.kill(active_children()[0].pid or 0, signal.SIGKILL)


def test_other_settings_do_not_mix(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options(dataset, tmp_path, "--norms", "in", "-q", spacing=())) == 0
    assert "256 x 256" in (tmp_path / "tables.md").read_text()
    assert run(options(dataset, tmp_path, "--norms", "in", "--spacing-mm", "10")) == 2
    assert "holds jobs of another spacing_mm" in capsys.readouterr().err


def test_a_coarser_spacing_keeps_the_field_of_view(dataset: Path, tmp_path: Path) -> None:
    def recipe(organ: str, spacing_mm: float | None) -> Recipe:
        protocol = Protocol(open_dataset(dataset), ORGANS[organ], tmp_path, spacing_mm=spacing_mm)
        return protocol.recipe(Job("iln", 0.1, 0, 0))

    assert recipe("lv", None).preprocessing.spacing_mm is None
    assert (recipe("lv", 2.734).size, recipe("lv", 2.734).preprocessing.spacing_mm) == (128, 2.734)
    assert recipe("rv", 3.0).size == 128


def test_a_window_is_trained_and_scored(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_dataset(dataset)

    def outside(window: int) -> float:
        protocol = Protocol(opened, ORGANS["lv"], tmp_path, window=window)
        return share_outside(opened, protocol.recipe(Job("iln", 0.1, 0, 0)))

    masks = [volume.mask == Label.LV_CAVITY for subject in opened.subjects() for volume in subject.volumes]
    central = sum(int(mask[:, 16:32, 16:32].sum()) for mask in masks)  # of 48 x 48 pixels
    assert outside(48) == 0
    assert outside(16) == pytest.approx(1 - central / sum(int(mask.sum()) for mask in masks))
    assert 0 < outside(16) < 1
    assert run(options(dataset, tmp_path, "--norms", "iln", "--window", "32", "-q", spacing=())) == 0
    page = (tmp_path / "tables.md").read_text()
    missed = f"{100 * outside(32):.2f} % of the reference lies outside and counts as missed"
    assert f"- pixels: the central 32 x 32; {missed}; the paper: 256 x 256" in page
    assert "--window 32" in json.loads((tmp_path / "tables.json").read_text())["command"]
    (first, *_) = (tmp_path / "jobs").iterdir()
    shown = samples.read(first)  # what was scored: the network has not seen the rim of whole slices
    assert shown.images.shape[1:] == shown.references.shape[1:] == shown.predictions.shape[1:] == (32, 32)
    assert run(options(dataset, tmp_path, "--norms", "iln", "--window", "48", spacing=())) == 2
    assert "holds jobs of another window" in capsys.readouterr().err


def test_a_twin_in_training_is_not_tested(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(dataset)
    first, *others = opened.manifest["subjects"]
    subjects = [first, first | {"subject_id": "twin"}, *others]
    protocol = Protocol(Dataset(dataset, opened.manifest | {"subjects": subjects}), ORGANS["lv"], tmp_path, folds=5)
    folds = [protocol.fold(Job("iln", 0.1, fold, 0))[0] for fold in range(5)]
    tested = sorted(subject_id for fold in folds for subject_id in fold.validation)
    assert tested == sorted(record["subject_id"] for record in others)
    assert {subject_id for fold in folds for subject_id in fold.left_out} == {"twin", first["subject_id"]}


def test_the_board(dataset: Path, tmp_path: Path) -> None:
    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path, folds=2)
    jobs = plan(("iln", "in"), (0.1,), (0, 1), (0,))
    half, whole = (protocol.path(job) for job in jobs[:2])
    board = Board({job: (job.norm, f"fold {job.fold}") for job in jobs}, lambda job: progress(protocol, job))
    assert board.summary() == "0 of 4 jobs done"
    write_json(half / "started.json", {"steps": 40})
    (half / f"step-0000020-{'0' * 16}.pt").touch()
    write_json(whole / "result.json", {})
    assert [progress(protocol, job) for job in jobs] == [0.5, 1, 0, 0]
    assert board.summary().startswith("1 of 4 jobs done, 0 s left")
    text = StringIO()
    Console(file=text).print(board)
    assert [word in text.getvalue() for word in ("50 %", "done", "iln", "fold 1")] == [True] * 4


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("more", "code", "complaint"),
    [
        (["--organ", "liver"], 2, "no organ liver"),
        (["--tables", "4"], 2, "no table 4"),
        (["--norms", "xn"], 2, "no norm xn"),
        (["--lrs", "fast"], 2, "fast is no list of numbers"),
        (["--fold", "2"], 2, "there is no fold 2"),
        (["--lrs", "0"], 2, "learning_rate"),
        (["--steps-fraction", "0"], 2, "--steps-fraction 0"),
        (["--spacing-mm", "0"], 2, "--spacing-mm 0"),
        (["--window", "40"], 2, "--window 40 is not a multiple of 16"),
        (["--organ", "rv"], 4, "rv_cavity annotated"),
    ],
)
def test_refusals(
    dataset: Path, tmp_path: Path, more: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options(dataset, tmp_path, *more)) == code
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    assert complaint in line


def test_the_papers_experiments() -> None:
    assert norms((1, 2, 3))[:2] == ("iln", "in")
    assert set(norms((1, 2, 3))) == {
        *("none", "in", "ln", "gn4", "iln"),
        *("il-clip", "il-sigmoid", "il-softmax"),
        *("bn", "gn16", "iln-clip", "iln-softmax"),
    }
    assert norms((2,)) == ("iln", "il-sigmoid")
    assert all(read_recipe(organ.recipe).labels == (organ.label,) for organ in ORGANS.values())
    assert TABLES[2][1][1].lv == TABLES[3][1][4].lv


def test_plan_finishes_a_fold_before_the_next() -> None:
    jobs = plan(("iln", "in"), (0.5, 0.1), (0, 1, 2), (0,))
    assert len(jobs) == len({job.name for job in jobs}) == 12
    assert [job.fold for job in jobs] == [0] * 4 + [1] * 4 + [2] * 4


def result(test: list[float], choosing: list[float]) -> dict[str, object]:
    def listed(values: list[float]) -> list[dict[str, object]]:
        return [
            {"subject_id": f"s{i // 2}", "volume": "ed", "slice": i, "label": "lv_cavity", "dice": value}
            for i, value in enumerate(values)
        ]

    return {"test": listed(test), "choosing": listed(choosing)}


def test_two_ways_to_choose_the_rate() -> None:
    results = {
        Job("iln", 0.5, 0, 0): result([0.9, 0.7, 0.8, 0.8], [0.5]),
        Job("iln", 0.1, 0, 0): result([0.6, 0.6, 0.7, 0.7], [0.9]),
    }
    assert best_rate(results, "iln", 0, "test") == 0.5
    assert best_rate(results, "iln", 0, "choosing") == 0.1
    honest = cell(results, "iln", 0, "choosing")
    assert honest is not None
    assert honest.dice.mean == pytest.approx(0.65)
    assert by_subject(results, "iln", 1) == pytest.approx({"s0": 0.8, "s1": 0.8})
    assert cell(results, "in", 0, "test") is None


def test_cost_counts_the_rhos() -> None:
    cost = measure("cpu", iterations=10, pixels=16)
    assert cost.more_parameters == 22
    assert cost.ratio > 0
    assert cost.iterations == 10


def test_the_cost_is_measured_once(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cardioseg.reproduce import experiment

    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path)
    monkeypatch.setattr(experiment, "measure", lambda device: measure(device, iterations=10, pixels=16))
    first = experiment.measured_cost(protocol)
    assert first == experiment.measured_cost(protocol)
    result_of_two = {"subject_id": "s", "volume": "ed", "slice": 0, "label": "lv_cavity", "dice": 0.5}
    results = {Job(norm, 0.1, 0, 0): {"test": [result_of_two], "choosing": [result_of_two]} for norm in ("iln", "bn")}
    page = Report(ORGANS["lv"], "", 1, {"device": "cpu"}, results, (3,), 1, first).to_markdown()
    assert "Cost of ILN" in page
    assert "22 more than IN (paper: 22)" in page
    assert "| BN | – | **0.500 ± 0.000 (0.1)** |" in page
    assert "| IN | 0.905 ± 0.114 | not run | not run |" in page


def test_nothing_found_is_not_the_best() -> None:
    results = {Job(norm, 0.1, 0, 0): result([0.0, 0.0], [0.0]) for norm in ("iln", "in")}
    assert "**" not in Report(ORGANS["lv"], "", 1, {}, results, (3,), 1).to_markdown()
