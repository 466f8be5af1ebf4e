"""The paper's experiments on two tiny phantoms a fold: run, cut, resumed, laid out."""

import json
import os
import signal
import sys
import time
from csv import DictReader
from io import StringIO
from multiprocessing import active_children
from pathlib import Path
from shutil import copytree, ignore_patterns
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from small_phantoms import SQUARE_SIZE

from cardioseg.cli.app import run
from cardioseg.cli.job_board import Board
from cardioseg.dataset.manifest import SubjectRecord
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.errors import ResourceError
from cardioseg.files import write_csv, write_json
from cardioseg.image.labels import Label
from cardioseg.network.unet import UNet
from cardioseg.phantom import Phantom, write_sunnybrook
from cardioseg.reproduce import samples
from cardioseg.reproduce.cost import measure
from cardioseg.reproduce.experiment import share_outside
from cardioseg.reproduce.job_outcome import Outcome, Training, read_rhos, write_rhos
from cardioseg.reproduce.job_summary import (
    Results,
    best_rate,
    by_subject,
    cell,
    comparisons,
    dice_interval,
    seed_spread,
)
from cardioseg.reproduce.jobs import progress
from cardioseg.reproduce.markdown import markdown
from cardioseg.reproduce.paper import ORGANS, TABLES, norms
from cardioseg.reproduce.paper_tables import Report
from cardioseg.reproduce.pilot import chosen_rate, undecided
from cardioseg.reproduce.pool import run_all
from cardioseg.reproduce.protocol import Job, Protocol, plan
from cardioseg.reproduce.scored_images import scored_images
from cardioseg.training.checkpoint import Checkpoint
from cardioseg.training.crossval import network_of
from cardioseg.training.recipe import Recipe, read_recipe
from cardioseg.training.slice_scores import SliceScore
from cardioseg.training.validation import validate


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduce")
    write_sunnybrook([Phantom(seed=seed, **SQUARE_SIZE) for seed in range(1, 5)], folder / "labelled")
    assert run(["ingest", str(folder / "labelled"), "-o", str(folder / "dataset"), "-q"]) == 0
    return folder / "dataset"


@pytest.fixture
def other_dataset(tmp_path: Path) -> Path:
    write_sunnybrook([Phantom(seed=9, **SQUARE_SIZE)], tmp_path / "other")
    assert run(["ingest", str(tmp_path / "other"), "-o", str(tmp_path / "second"), "-q"]) == 0
    return tmp_path / "second"


@pytest.fixture(autouse=True)
def _coarse_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is half of what `reproduce` costs at these sizes."""
    monkeypatch.setattr("cardioseg.reproduce.paper_figures._DPI", 40)


@pytest.fixture(scope="session")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table 2, run without a cut by one process on one thread."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cardioseg.reproduce.paper_figures._DPI", 40)
        assert run(options(dataset, out, "--threads", "1", "-q")) == 0
    return out


def options(dataset: Path, out: Path, *more: str, spacing: tuple[str, ...] = ("--spacing-mm", "16")) -> list[str]:
    few = ["--lrs", "0.1", "--steps-fraction", "0.001", "--folds", "2", "-d", "cpu", *spacing]
    return ["reproduce", str(dataset), "--organ", "lv", "-o", str(out), "--tables", "2", *few, *more]


def test_cut_and_resumed_gives_the_same_tables(
    dataset: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cardioseg.reproduce.jobs.validate", _interrupt)
        assert run(options(dataset, tmp_path / "cut", "--threads", "1", "-q")) == 130
    assert not list((tmp_path / "cut").rglob("result.json"))
    assert run(options(dataset, tmp_path / "cut", "--norms", "iln", "--threads", "1", "-q")) == 0
    results = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").rglob("result.json")}
    assert len(results) == 2
    assert not list((tmp_path / "cut").rglob("step-*.pt"))
    for path in results:  # as if it were killed before it removed them
        unfinished = tmp_path / "cut" / "unfinished" / path.parent.name
        unfinished.mkdir()
        (unfinished / "step-0000002-0123456789abcdef.pt").touch()
    assert run(options(dataset, tmp_path / "cut", "--threads", "1")) == 0
    assert not list((tmp_path / "cut").rglob("step-*.pt"))
    assert all(path.stat().st_mtime_ns == time for path, time in results.items())
    assert "Table 2. With or without GN16" in capsys.readouterr().err
    figures = [f"figure{number}.{suffix}" for number in (2, 3) for suffix in ("png", "svg")]
    for name in ("tables.md", "tables.csv", "tables.json", *figures):
        assert (tmp_path / "cut" / name).read_bytes() == (whole / name).read_bytes()
    document = json.loads((whole / "tables.json").read_text())
    assert {(c["norm"], c["fold"]) for c in document["cells"]} == {
        (n, f) for n in ("il-sigmoid", "iln") for f in (1, 2)
    }
    assert document["per_subject"]["iln"]["n"] == 4
    assert set(document["iln_against"]) == {"il-sigmoid"}
    assert document["cells"][0]["paper_dice"] == 0.903


@pytest.mark.slow
def test_workers_give_the_same_tables(
    dataset: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options(dataset, tmp_path / "two", "--norms", "iln,il-sigmoid", "--threads", "2", "--workers", "2")) == 0
    assert "4 of 4 jobs done" in capsys.readouterr().err
    assert (whole / "tables.csv").read_bytes() == (tmp_path / "two" / "tables.csv").read_bytes()


def test_a_failing_job_ends_the_others(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options(dataset, tmp_path, "--organ", "rv", "--workers", "2")) == 4
    assert "no slice of" in capsys.readouterr().err
    assert not active_children()


def test_a_killed_worker_is_named(dataset: Path, tmp_path: Path) -> None:
    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path, folds=2)
    jobs = plan({"iln": [0.1], "in": [0.1]}, (0, 1), (0,))
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
    assert run(options(dataset, tmp_path, "--norms", "iln", "--fold", "0", "-q", spacing=())) == 0
    assert "256 x 256" in (tmp_path / "tables.md").read_text()
    assert run(options(dataset, tmp_path, "--norms", "iln", "--spacing-mm", "10")) == 2
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
    recipe = Protocol(opened, ORGANS["lv"], tmp_path, window=32).recipe(Job("iln", 0.1, 0, 0))
    images, references = samples.look_up(shown, recipe, opened)
    assert images.shape[1:] == references.shape[1:] == shown.predictions.shape[1:] == (32, 32)
    for (subject_id, name, index), image, reference in zip(shown.names, images, references, strict=True):
        volume = next(volume for volume in opened.subject(subject_id).volumes if volume.name == name)
        assert np.array_equal(reference, volume.mask[index, 8:40, 8:40] == Label.LV_CAVITY)
        assert np.corrcoef(image.ravel(), volume.image[index, 8:40, 8:40].ravel())[0, 1] == pytest.approx(1)
    assert run(options(dataset, tmp_path, "--norms", "iln", "--window", "48", spacing=())) == 2
    assert "holds jobs of another window" in capsys.readouterr().err


def test_a_folder_of_finished_jobs_is_small_and_goes_on_elsewhere(
    dataset: Path, other_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a clone of a repository has it, with the dataset ingested anew: other bytes, equal pixels."""
    few = ("--norms", "iln", "--rates", "chosen", "--lrs", "0.5,0.1", "--external", str(other_dataset))
    assert run(options(dataset, tmp_path / "here", *few, "-q")) == 0
    (tmp_path / "here" / "jobs" / "in-lr0.5-fold0-seed0" / "scores.csv").parent.mkdir()  # one that is not finished
    assert not list((tmp_path / "here").rglob("*.pt"))
    assert sum(path.stat().st_size for path in (tmp_path / "here" / "jobs").rglob("*.*")) < 50_000
    copytree(tmp_path / "here", tmp_path / "there", ignore=ignore_patterns("tables.*", "figure*", "unfinished"))
    copytree(dataset, tmp_path / "dataset")
    manifest = json.loads((tmp_path / "dataset" / "dataset.json").read_text())
    (tmp_path / "dataset" / "dataset.json").write_text(json.dumps(manifest))
    trained = {path: path.stat().st_mtime_ns for path in (tmp_path / "there").rglob("result.json")}
    assert run(options(tmp_path / "dataset", tmp_path / "there", *few, "-q")) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "there").rglob("result.json")} == trained
    for name in ("tables.md", "tables.csv", "tables.json", "jobs.csv", "figure2.png", "figure3.png"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    page = (tmp_path / "here" / "tables.md").read_text()
    assert "Table 4. Other scanners: the same networks on every subject of other" in page
    assert "### Learning rates tried in the pilot\n\n| norm | 0.5 | 0.1 |" in page
    assert run(options(dataset, tmp_path / "there", *few[:-2])) == 2
    assert "holds jobs of another external and external_sha256" in capsys.readouterr().err


def test_a_seed_varies_the_weights_alone(dataset: Path, tmp_path: Path) -> None:
    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path, folds=2)
    assert protocol.fold(Job("iln", 0.1, 0, 0)) == protocol.fold(Job("iln", 0.1, 0, 1))
    assert run(options(dataset, tmp_path, "--norms", "iln", "-q")) == 0
    of_first_seed = json.loads((tmp_path / "tables.json").read_text())
    assert run(options(dataset, tmp_path, "--norms", "iln", "--seeds", "1", "-q")) == 0  # later calls add to the folder
    both = json.loads((tmp_path / "tables.json").read_text())
    assert both["cells"] == of_first_seed["cells"]
    assert "--norms iln --lrs 0.1 --seeds 0,1" in both["command"]
    assert list(both["seeds"]["iln"]["means"]) == ["0", "1"]
    assert "### Spread between seeds" in (tmp_path / "tables.md").read_text()
    weights = {row["weights_sha256"] for row in DictReader((tmp_path / "jobs.csv").read_text().splitlines())}
    assert len(weights) == 4


def test_the_spread_between_seeds() -> None:
    dice = {(0, 0): 0.8, (0, 1): 0.9, (1, 0): 0.7, (1, 1): 0.8, (2, 0): 0.5}  # the third has run on one fold
    results = outcomes({Job("iln", 0.1, fold, seed): {"test": [mean]} for (seed, fold), mean in dice.items()})
    found = seed_spread(results, "iln", 2)
    assert found is not None
    assert found.means == pytest.approx({0: 0.85, 1: 0.75})
    assert found.std == pytest.approx(0.1 / 2**0.5)
    assert seed_spread(results, "in", 2) is None


def test_the_pilot_chooses_by_subjects_kept_out() -> None:
    dice: dict[tuple[str, float], list[float | None]] = {
        ("iln", 1.5): [0.2],
        ("iln", 0.5): [0.8, None],
        ("iln", 0.1): [0.7],
        ("ln", 1.5): [0.0],
        ("ln", 0.5): [0.0],
    }
    pilot = outcomes({Job(norm, rate, 0, 0): {"choosing": values} for (norm, rate), values in dice.items()})
    assert chosen_rate(pilot, "iln") == 0.5
    assert undecided(pilot, ["iln", "ln"]) == ["ln"]
    assert chosen_rate(pilot, "ln") == 1.5
    with pytest.raises(ValueError, match="gn4 has no finished job"):
        chosen_rate(pilot, "gn4")
    main = outcomes(
        {Job("iln", 0.5, 0, 0): {"test": [0.9]}} | {Job("ln", rate, 0, 0): {"test": [0.1]} for rate in (1.5, 0.5)}
    )
    page = markdown(Report(ORGANS["lv"], "", 1, 1, {}, main, (3,), 1, pilot=pilot))
    assert "| iln | 0.200 | **0.800** | 0.700 |" in page
    assert "| ln | 0.000 | 0.000 | – |" in page
    assert "**0.900 ± 0.000 (0.5)**" in page
    assert "all rates run in full on fold 1, and the best of" in page


def test_a_norm_that_finds_nothing_in_the_pilot_has_its_rate_chosen_by_full_jobs(dataset: Path, tmp_path: Path) -> None:
    """At such rates a network finds nothing, however long it trains."""
    rates = ("--rates", "chosen", "--lrs", "9e8,8e8")
    assert run(options(dataset, tmp_path, "--norms", "iln", *rates, "-q")) == 0
    jobs = {path.name for path in (tmp_path / "jobs").iterdir()}
    assert jobs == {"iln-lr9e+08-fold0-seed0", "iln-lr8e+08-fold0-seed0", "iln-lr9e+08-fold1-seed0"}
    assert "and the best of\nthem on the other folds" in (tmp_path / "tables.md").read_text()


def test_examples_reach_from_end_to_end_of_the_heart(dataset: Path) -> None:
    recipe = read_recipe("paper_lv").model_copy(update={"size": 48})
    subjects = list(open_dataset(dataset).subjects())
    network = UNet(2, "iln", torch.Generator().manual_seed(0))
    drawn = samples.draw(network, recipe, subjects, np.random.default_rng(0))
    assert len(drawn.names) == len(set(drawn.names)) == samples.COUNT
    volumes = {(s.subject_id, v.name): v for s in subjects for v in s.volumes}
    depths = []
    for subject_id, name, index in drawn.names:
        mask = volumes[subject_id, name].mask == Label.LV_CAVITY
        holding = np.flatnonzero(mask.any((1, 2)))
        depths.append((list(holding).index(index) + 0.5) / len(holding))
    assert depths == sorted(depths)
    assert depths[0] < 0.25
    assert depths[-1] > 0.75


def test_scoring_changes_nothing_in_a_network(dataset: Path) -> None:
    """The running means of BN are those of training; images that are drawn or scored must not move them."""
    recipe = read_recipe("paper_lv").model_copy(update={"size": 48, "norm": "bn"})
    trained = UNet(2, "bn", torch.Generator().manual_seed(0))
    state = {name: value.clone() for name, value in trained.state_dict().items()}
    network = network_of(Checkpoint(0, state, {}, ""), recipe)
    subjects = list(open_dataset(dataset).subjects())
    samples.draw(network, recipe, subjects, np.random.default_rng(0))
    list(validate(network, recipe, subjects[:1]))
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_every_network_is_scored_on_the_images_with_the_structure() -> None:
    drawn = (("a", "ed", 0), ("a", "ed", 1))
    dice = {("a", "ed", 0): 0.8, ("a", "ed", 1): 0.0, ("a", "ed", 2): 0.0, ("a", "ed", 3): None}
    scores = tuple(SliceScore(*image, "rv_cavity", value) for image, value in dice.items())
    job = Job("iln", 0.1, 0, 0)
    scored = Outcome(job, Training(1, 1, 1.0, "", ""), {"test": scores}).on({"test": frozenset(drawn)})
    assert scored.dice("test") == [0.8, 0.0]  # a structure that is missed counts 0
    assert scored.drawn_in_empty("test") == [True, False]
    page = markdown(Report(ORGANS["rv"], "", 1, 1, {}, {job: scored}, (3,), 1))
    assert "| iln | 50.0 % of 2 | 0.267 |" in page  # (0.8 + 0 + 0) / 3


def test_the_images_with_the_structure_are_those_of_the_reference(dataset: Path, tmp_path: Path) -> None:
    prepared = open_dataset(dataset)
    images = scored_images(Protocol(prepared, ORGANS["lv"], tmp_path))
    subject = prepared.subject(prepared.subject_ids[0])
    volume = subject.volumes[0]
    scored = {image[2] for image in images["test"] if image[:2] == (subject.subject_id, volume.name)}
    assert scored == set(np.flatnonzero((volume.mask == Label.LV_CAVITY).any(axis=(1, 2))))
    assert images["external"] == frozenset()


def test_a_second_dataset_with_the_same_scans_is_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options(dataset, tmp_path / "out", "--external", str(dataset))) == 2
    assert "has scans of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_rho_is_kept_at_a_hundred_steps(tmp_path: Path) -> None:
    rows = [{"step": 20 * i, "loss": 0.1, "rho/down.0.1": 0.123456, "rho/up.0.1": i / 1000} for i in range(1, 251)]
    write_csv(tmp_path / "steps.csv", rows[0], rows)
    write_rhos(tmp_path / "steps.csv", tmp_path)
    steps, rhos = read_rhos(tmp_path)
    assert (len(steps), steps[-1]) == (125, 5000)
    assert list(rhos) == ["down.0", "up.0"]
    assert rhos["down.0"][0] == 0.1235
    assert rhos["up.0"] == pytest.approx([step / 20_000 for step in steps], abs=1e-4)
    write_csv(tmp_path / "none.csv", ("step", "loss"), [{"step": 20, "loss": 0.1}])
    write_rhos(tmp_path / "none.csv", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def with_subjects(dataset: Dataset, subjects: list[SubjectRecord]) -> Dataset:
    return Dataset(dataset.folder, dataset.manifest.model_copy(update={"subjects": tuple(subjects)}))


def renamed(record: SubjectRecord, subject_id: str) -> SubjectRecord:
    return record.model_copy(update={"subject_id": subject_id})


def test_a_twin_in_training_is_not_tested(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(dataset)
    first, *others = opened.manifest.subjects
    twins = with_subjects(opened, [first, renamed(first, "twin"), *others])
    protocol = Protocol(twins, ORGANS["lv"], tmp_path, folds=5)
    folds = [protocol.fold(Job("iln", 0.1, fold, 0))[0] for fold in range(5)]
    tested = sorted(subject_id for fold in folds for subject_id in fold.validation)
    assert tested == sorted(record.subject_id for record in others)
    assert {subject_id for fold in folds for subject_id in fold.left_out} == {"twin", first.subject_id}


def test_a_twin_in_training_does_not_choose(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(dataset)
    first, second, *_ = opened.manifest.subjects
    twins = with_subjects(opened, [first, *(renamed(first, f"twin {number}") for number in range(3)), second])
    protocol = Protocol(twins, ORGANS["lv"], tmp_path, folds=5)
    choosing = [protocol.fold(Job("iln", 0.1, fold, 0))[1] for fold in range(5)]
    assert set(choosing) <= {(), (second.subject_id,)}


def test_the_board(dataset: Path, tmp_path: Path) -> None:
    protocol = Protocol(open_dataset(dataset), ORGANS["lv"], tmp_path, folds=2)
    jobs = plan({"iln": [0.1], "in": [0.1]}, (0, 1), (0,))
    half, whole = protocol.unfinished(jobs[0]), protocol.path(jobs[1])
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
        (["--norms", "iln,bn"], 2, "table 2 has no row for bn"),
        (["--rates", "best"], 2, "no --rates best"),
        (["--lrs", "fast"], 2, "fast is not a list of numbers"),
        (["--fold", "2"], 2, "there is no fold 2"),
        (["--lrs", "0.1,0"], 2, "a number is out of range"),
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


@pytest.mark.parametrize(("module", "name"), [("matplotlib", "matplotlib"), ("torch", "PyTorch")])
def test_what_is_missing_is_named_before_anything_runs(
    dataset: Path, tmp_path: Path, module: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert run(options(dataset, tmp_path / "out")) == 2
    assert capsys.readouterr().err == f"error: {name} is not installed\nhint: pip install 'cardioseg[train]'\n"
    assert not (tmp_path / "out").exists()


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
    jobs = plan({"iln": (0.5, 0.1), "in": (0.5, 0.1)}, (0, 1, 2), (0,))
    assert len(jobs) == len({job.name for job in jobs}) == 12
    assert [job.fold for job in jobs] == [0] * 4 + [1] * 4 + [2] * 4


def outcome(job: Job, **dice: list[float | None]) -> Outcome:
    """What a job leaves with the given scores, two images a subject."""
    scores = {
        part: tuple(SliceScore(f"s{i // 2}", "ed", i, "lv_cavity", value) for i, value in enumerate(values))
        for part, values in dice.items()
    }
    return Outcome(job, Training(10, 2, 1.0, "0" * 64, "1.0"), scores)


def outcomes(dice: dict[Job, dict[str, list[float | None]]]) -> Results:
    return {job: outcome(job, **parts) for job, parts in dice.items()}


def test_two_ways_to_choose_the_rate() -> None:
    results = outcomes(
        {
            Job("iln", 0.5, 0, 0): {"test": [0.9, 0.7, 0.8, 0.8], "choosing": [0.5]},
            Job("iln", 0.1, 0, 0): {"test": [0.6, 0.6, 0.7, 0.7], "choosing": [0.9]},
        }
    )
    assert best_rate(results, "iln", 0, "test") == 0.5
    assert best_rate(results, "iln", 0, "choosing") == 0.1
    honest = cell(results, "iln", 0, "choosing")
    assert honest is not None
    assert honest.dice.mean == pytest.approx(0.65)
    assert by_subject(results, "iln", 1)[0] == pytest.approx({"s0": 0.8, "s1": 0.8})
    assert cell(results, "in", 0, "test") is None


def test_tests_use_all_seeds_that_both_norms_have() -> None:
    """A difference that another seed reverses is none; a seed with unfinished jobs does not count."""
    dice = {
        ("iln", 0): [0.9, 0.9, 0.8, 0.8], ("iln", 1): [0.7, 0.7, 0.6, 0.6], ("iln", 2): [0.1, 0.1, 0.1, 0.1],
        ("in", 0): [0.8, 0.8, 0.7, 0.7], ("in", 1): [0.8, 0.8, 0.7, 0.7], ("in", 2): [0.9, 0.9],
        ("ln", 0): [0.5, 0.5, 0.6, 0.6],
    }  # fmt: skip
    results = outcomes({Job(norm, 0.1, 0, seed): {"test": list(values)} for (norm, seed), values in dice.items()})
    tests = comparisons(results, "iln", ("iln", "in", "ln"), 1)
    assert {norm: tested.seeds for norm, tested in tests.items()} == {"in": (0, 1), "ln": (0,)}
    assert tests["in"].test.difference == pytest.approx(0)
    assert tests["ln"].test.difference == pytest.approx(0.3)
    interval = dice_interval(results, "in", 1, seed=0)
    assert interval is not None
    assert interval.mean == pytest.approx(0.75)


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
    results = outcomes({Job(norm, 0.1, 0, 0): {"test": [0.5], "choosing": [0.5]} for norm in ("iln", "bn")})
    page = markdown(Report(ORGANS["lv"], "", 1, 1, {"device": "cpu"}, results, (3,), 1, first))
    assert "Cost of ILN" in page
    assert "22 more than IN (paper: 22)" in page
    assert "| BN | – | **0.500 ± 0.000** | – | 0.500 |" in page  # one rate alone is not printed as chosen
    assert "| IN | 0.905 ± 0.114 | not run | – | – |" in page


def test_nothing_found_is_not_the_best() -> None:
    results = outcomes({Job(norm, 0.1, 0, 0): {"test": [0.0, 0.0], "choosing": [0.0]} for norm in ("iln", "in")})
    assert "**" not in markdown(Report(ORGANS["lv"], "", 1, 1, {}, results, (3,), 1))
