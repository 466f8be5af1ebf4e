"""`train --initial-model`: training starts from the weights of a model."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_crossval import run_all
from untrained import write_model

from cardioseg.cli.app import run
from cardioseg.dataset.store import Dataset
from cardioseg.dataset.training_run import prove_unseen, read_run
from cardioseg.errors import RefusedError, UsageError
from cardioseg.export.card import read_card
from cardioseg.training.checkpoint import newest
from cardioseg.training.crossval import Plan, prepare_run
from cardioseg.training.initial_model import read_initial_model
from cardioseg.training.publication import Publication, publish
from cardioseg.training.recipe import Recipe


@pytest.fixture(scope="module")
def models(discs: Dataset, tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run as a model of one fold, `one`, and as one of both, `two`."""
    folder = tmp_path_factory.mktemp("models")
    run_all(Plan(discs, folder / "run", tiny, folds=2, steps=40))
    for name, folds in (("one", (0,)), ("two", ())):
        publish(folder / "run", discs, folder / name, Publication(name, "CC0-1.0", folds=folds))
    return folder


def weights_after(run_folder: Path, fold: int) -> torch.Tensor:
    checkpoint = newest(run_folder / f"fold-{fold}")
    assert checkpoint is not None
    return checkpoint.network["head.weight"]


def plan(models: Path, name: str, recipe: Recipe, dataset: Dataset, folder: Path, rate: float) -> Plan:
    optimization = recipe.optimization.model_copy(update={"learning_rate": rate})
    settings = recipe.model_copy(update={"optimization": optimization})
    initial = read_initial_model(models / name, settings)
    return Plan(dataset, folder, settings, folds=2, steps=2, initial_model=initial)


@pytest.mark.parametrize(("name", "networks"), [("one", (0, 0)), ("two", (0, 1))])
def test_each_fold_starts_from_its_network(
    models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path, name: str, networks: tuple[int, int]
) -> None:
    """At a rate of almost zero, two steps leave the weights where they were."""
    run_all(plan(models, name, tiny, discs, tmp_path, rate=1e-12))
    for fold, network in enumerate(networks):
        expected = weights_after(models / "run", network)
        torch.testing.assert_close(weights_after(tmp_path, fold), expected, rtol=0, atol=1e-8)


def test_it_goes_on_learning(models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    run_all(plan(models, "two", tiny, discs, tmp_path, rate=0.01))
    first = json.loads((tmp_path / "scores.json").read_text())[0]["dice"]["lv_cavity"]["per_image"]["mean"]
    assert first > 0.8
    assert not torch.equal(weights_after(tmp_path, 0), weights_after(models / "run", 0))


def test_the_run_and_the_card_name_it(models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    started = plan(models, "one", tiny, discs, tmp_path / "run", rate=0.01)
    run_all(started)
    card = read_card(models / "one")
    document = {"name": "one", "sha256": card.sha256, "licence": "CC0-1.0", "trained_on": "discs (3 subjects)"}
    document |= {"dataset_sha256": card.training.dataset_sha256, "held_out": list(card.training.held_out)}
    recorded = json.loads((tmp_path / "run" / "training.json").read_text())["initial_model"]
    assert recorded == document | {"has_initial_model": False}
    publish(tmp_path / "run", discs, tmp_path / "model", Publication("new", "CC0-1.0"))
    assert read_card(tmp_path / "model").training.initial_model == "one (CC0-1.0)"
    assert "; started from the model one (CC0-1.0) |" in (tmp_path / "model" / "README.md").read_text()
    assert (
        "cross validation, which the initial model one may have seen; mean"
        in (tmp_path / "model" / "card.json").read_text()
    )
    with pytest.raises(UsageError, match="another initial model"):
        prepare_run(replace(started, initial_model=None), resume=True)


def test_a_run_whose_description_says_less_of_the_same_model_resumes(
    models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path
) -> None:
    started = plan(models, "one", tiny, discs, tmp_path, rate=0.01)
    folds = prepare_run(started, resume=False)
    path = tmp_path / "training.json"
    description = json.loads(path.read_text())
    description["initial_model"] = {key: description["initial_model"][key] for key in ("name", "sha256", "licence")}
    path.write_text(json.dumps(description))
    assert prepare_run(started, resume=True) == folds


def test_subjects_that_the_model_may_have_seen(models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path) -> None:
    """The model of fold 0 has seen the subjects that validate fold 1, and only these."""
    one, two = (plan(models, name, tiny, discs, tmp_path, rate=0.01) for name in ("one", "two"))
    folds = prepare_run(one, resume=False)
    assert [one.seen_by_initial_model(fold) for fold in folds] == [False, True]
    assert [two.seen_by_initial_model(fold) for fold in folds] == [True, True]  # its card does not say which saw whom
    assert not replace(one, initial_model=None).seen_by_initial_model(folds[1])


def test_the_proof_says_what_the_initial_model_has_seen(
    models: Path, discs: Dataset, tiny: Recipe, tmp_path: Path
) -> None:
    prepare_run(plan(models, "one", tiny, discs, tmp_path, rate=0.01), resume=False)
    run = read_run(tmp_path, discs)
    first = replace(run, folds=run.folds[:1])
    assert prove_unseen(first, discs).endswith(
        "3 unseen subjects; no subject and none of their 6 slices was in training"
    )
    assert prove_unseen(run, discs).endswith(
        "2 folds, 6 subjects; no subject and none of their 12 slices was in the training of this run, "
        "but the initial model one was trained on 3 of them"
    )
    initial = run.description.initial_model
    assert initial is not None
    of_other = initial.model_copy(update={"dataset_sha256": "other"})
    description = run.description.model_copy(update={"initial_model": of_other})
    assert prove_unseen(replace(run, description=description), discs).endswith(
        "but the initial model one was trained on discs (3 subjects), and may have seen these subjects: "
        "this was not checked"
    )


def test_the_command(
    models: Path, discs: Dataset, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(discs.folder), "-o", str(tmp_path), "-r", str(recipe_file), "--folds", "2", "--steps", "2"]
    initial = ["--initial-model", str(models / "one")]
    assert run([*command, *initial, "--fold", "0"]) == 0
    assert "may include subjects that validate" not in capsys.readouterr().err
    assert run([*command, *initial, "--fold", "1"]) == 0
    assert "one was trained on discs (3 subjects), which may include subjects that validate" in capsys.readouterr().err
    export = ["export", str(tmp_path), str(discs.folder), "-q", "--fold", "1", "-o", str(tmp_path / "model")]
    assert run([*export, "--licence", "MIT"]) == 0
    assert "the licence is MIT, but training started from the model one (CC0-1.0)" in capsys.readouterr().err
    assert run([*command, "--resume"]) == 2
    assert "another initial model" in capsys.readouterr().err


def test_a_fold_without_a_network_is_refused_before_any_is_trained(
    models: Path, discs: Dataset, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(discs.folder), "-o", str(tmp_path / "run"), "-r", str(recipe_file), "--folds", "3"]
    assert run([*command, "--initial-model", str(models / "two")]) == 2
    assert "two has no network for fold 2" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_is_refused(models: Path, tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one has the norm iln, the recipe in"):
        read_initial_model(models / "one", tiny.model_copy(update={"norm": "in"}))
    with pytest.raises(UsageError, match="one has the labels lv_cavity, the recipe rv_cavity"):
        read_initial_model(models / "one", tiny.model_copy(update={"labels": ("rv_cavity",)}))
    with pytest.raises(UsageError, match="two has no network for fold 2"):
        read_initial_model(models / "two", tiny).of_fold(2)
    damaged = write_model(tmp_path / "damaged")
    (damaged / "model.onnx").write_bytes(b"")
    with pytest.raises(RefusedError, match="not the file that its card describes"):
        read_initial_model(damaged, tiny)
