"""Cross validation and publication on a tiny dataset."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from sources import at_hand
from test_fit import Killed, stop_at

from cardioseg.cli.app import run
from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.dataset.training_run import prove_unseen, read_run
from cardioseg.errors import NoInputError, RefusedError, UsageError
from cardioseg.export.card import read_card
from cardioseg.training.crossval import FoldResult, Plan, prepare_run, run_fold, write_scores
from cardioseg.training.publication import Publication, publish
from cardioseg.training.recipe import Recipe


def run_all(plan: Plan, resume: bool = False) -> list[FoldResult]:
    folds = prepare_run(plan, resume)
    results = [run_fold(plan, fold, lambda _: None, resume, lambda *_: None) for fold in folds]
    write_scores(plan, results)
    return results


@pytest.fixture(scope="session")
def finished(discs: Dataset, tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    plan = Plan(discs, tmp_path_factory.mktemp("run"), tiny, folds=2)
    run_all(plan)
    return plan


def test_scores_cover_every_subject_once(finished: Plan) -> None:
    scores = json.loads((finished.folder / "scores.json").read_text())
    assert [fold["dice"]["lv_cavity"]["per_image"]["n"] for fold in scores] == [6, 6]
    assert [fold["dice"]["lv_cavity"]["per_subject"]["n"] for fold in scores] == [3, 3]
    assert all(fold["dice"]["lv_cavity"]["per_image"]["mean"] > 0.8 for fold in scores)


def test_the_folder_holds_the_proof(finished: Plan) -> None:
    folds = json.loads((finished.folder / "folds.json").read_text())
    assert sorted(folds[0]["validation"] + folds[1]["validation"]) == sorted(finished.dataset.subject_ids)
    for fold in folds:
        assert not set(fold["train"]) & set(fold["validation"])
        assert fold["proof"] == {"shared_subjects": 0, "shared_images": 0, "train_images": 6, "validation_images": 6}


def test_a_cut_run_resumes_fold_by_fold(finished: Plan, tmp_path: Path) -> None:
    plan = replace(finished, folder=tmp_path)
    folds = prepare_run(plan, resume=False)
    run_fold(plan, folds[0], lambda _: None, False, lambda *_: None)
    with pytest.raises(Killed):
        run_fold(replace(plan, checkpoint_steps=10), folds[1], stop_at(20), False, lambda *_: None)
    killed = tmp_path / f".{2**22 + 1}-00000000.partial.training.json"  # above Linux's largest process number
    killed.touch()
    run_all(plan, resume=True)
    assert not killed.exists()
    assert (tmp_path / "scores.json").read_text() == (finished.folder / "scores.json").read_text()


def test_refusals(finished: Plan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to resume"):
        prepare_run(replace(finished, folder=tmp_path), resume=True)
    with pytest.raises(UsageError, match="holds a run with another seed "):
        prepare_run(replace(finished, seed=3), resume=True)
    with pytest.raises(UsageError, match="holds a run with another number of steps and another number of folds "):
        prepare_run(replace(finished, folds=3, steps=4), resume=True)
    with pytest.raises(UsageError, match="7 folds need at least 7 subjects, the dataset has 6"):
        prepare_run(replace(finished, folder=tmp_path, folds=7), resume=False)
    recipe = finished.recipe.model_copy(update={"labels": ("rv_cavity",)})
    with pytest.raises(NoInputError, match="rv_cavity annotated"):
        prepare_run(replace(finished, folder=tmp_path, recipe=recipe), resume=False)
    assert not list(tmp_path.iterdir())


def test_a_fold_that_has_nothing_to_train_on(finished: Plan, tmp_path: Path) -> None:
    """One subject alone has the label: the fold that validates it trains on none."""
    first, *others = finished.dataset.subjects()
    bare = [replace(one.volumes[0], annotated=one.volumes[0].annotated & False) for one in others]
    subjects = [first, *(replace(one, volumes=(volume,)) for one, volume in zip(others, bare, strict=True))]
    list(write_dataset(tmp_path / "bare", "bare", "made", map(at_hand, subjects)))
    plan = replace(finished, dataset=open_dataset(tmp_path / "bare"), folder=tmp_path / "run")
    with pytest.raises(
        NoInputError, match=r"fold \d has no training subject with a slice that has lv_cavity annotated"
    ):
        prepare_run(plan, resume=False)
    assert not plan.folder.exists()


@pytest.fixture
def twins(finished: Plan, tmp_path: Path) -> Plan:
    """The plan on a dataset that has one subject twice."""
    twin = replace(finished.dataset.subject("s0"), subject_id="twin")
    list(write_dataset(tmp_path / "leaky", "leaky", "made", map(at_hand, [*finished.dataset.subjects(), twin])))
    return replace(finished, dataset=open_dataset(tmp_path / "leaky"), folder=tmp_path / "run", folds=7)


def test_a_subject_that_is_in_training_under_another_name_is_not_validated(twins: Plan) -> None:
    folds = prepare_run(twins, resume=False)
    assert {name for fold in folds for name in fold.validation} == {"s1", "s2", "s3", "s4", "s5"}
    assert {name for fold in folds for name in fold.left_out} == {"s0", "twin"}
    planned = read_run(twins.folder, twins.dataset)
    assert planned.folds == folds
    assert "5 unseen subjects (not s0 and twin: in training under another name)" in prove_unseen(planned, twins.dataset)


def test_the_proof_counts_the_folds_that_are_judged_and_no_others(finished: Plan) -> None:
    planned = read_run(finished.folder, finished.dataset)
    assert prove_unseen(planned, finished.dataset).startswith("2 folds, 6 unseen subjects; ")
    judged = replace(planned, folds=planned.folds[:1])
    assert prove_unseen(judged, finished.dataset) == (
        "1 of 2 folds, 3 unseen subjects; no subject and none of their 6 slices was in training"
    )


def test_a_held_out_subject_that_leaks_stops_the_run(twins: Plan) -> None:
    with pytest.raises(UsageError, match="share an image"):
        prepare_run(replace(twins, folds=1, held_out=("twin",)), resume=False)


def test_one_fold_validates_what_is_held_out(finished: Plan, tmp_path: Path) -> None:
    plan = replace(finished, folder=tmp_path, folds=1, held_out=("s1", "s4"))
    (fold,) = prepare_run(plan, resume=False)
    assert fold.validation == ("s1", "s4")
    assert fold.train == ("s0", "s2", "s3", "s5")


def test_publish(finished: Plan, tmp_path: Path) -> None:
    card = publish(finished.folder, finished.dataset, tmp_path / "model", Publication("discs", "CC0-1.0", "Nobody"))
    assert read_card(tmp_path / "model") == card
    assert card.training.folds == 2
    assert card.training.subjects == 6
    assert card.parity.label_changes == 0
    assert card.parity.max_logit_difference <= 1e-3
    assert card.parity.sizes > 1
    assert len(card.parity.batch_sizes) > 1
    assert {metric.n for metric in card.metrics} == {12, 6}
    page = (tmp_path / "model" / "README.md").read_text()
    assert "CC0-1.0" in page
    assert card.sha256 in page
    content = (tmp_path / "model" / "model.onnx").read_bytes()
    assert str(Path.cwd()).encode() not in content
    assert b"site-packages" not in content


def test_the_card_counts_the_subjects_and_steps_that_were_used(finished: Plan, tmp_path: Path) -> None:
    """One subject of five gives no slice, and the folds have different numbers of slices."""
    bare, *others = list(finished.dataset.subjects())[:5]
    volume = replace(bare.volumes[0], annotated=bare.volumes[0].annotated & False)
    subjects = [replace(bare, volumes=(volume,)), *others]
    list(write_dataset(tmp_path / "dataset", "bare", "made", map(at_hand, subjects)))
    settings = finished.recipe.optimization.model_copy(update={"epochs": 1})
    recipe = finished.recipe.model_copy(update={"optimization": settings})
    plan = replace(finished, dataset=open_dataset(tmp_path / "dataset"), folder=tmp_path / "run", recipe=recipe)
    results = run_all(plan)
    assert sorted(result.trained for result in results) == [1, 3]
    card = publish(plan.folder, plan.dataset, tmp_path / "model", Publication("bare", "CC0-1.0"))
    least, most = sorted(result.steps for result in results)
    assert (card.training.subjects, card.training.steps, card.training.most_steps) == (4, least, most)
    assert f"bare: 4 subjects, {least} to {most} steps, seed 0" in (tmp_path / "model" / "README.md").read_text()


def test_a_run_that_held_nothing_out_cannot_be_evaluated(
    discs: Dataset, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", str(discs.folder), "-o", str(tmp_path), "-r", str(recipe_file), "--folds", "1", "--steps", "1"]
    assert run([*train, "-q"]) == 0
    capsys.readouterr()
    assert run(["evaluate", str(tmp_path), str(discs.folder)]) == 4
    said = capsys.readouterr().err
    assert f"{tmp_path.name} held no subject out of training, so that none can be evaluated" in " ".join(said.split())
    assert "unseen" not in said


def test_publish_in_integers(finished: Plan, tmp_path: Path) -> None:
    publication = Publication("discs", "CC0-1.0", folds=(1,), precision="int8")
    killed = tmp_path / "model" / f".{2**22 + 1}-00000000.partial.card.json"
    killed.parent.mkdir()
    killed.touch()
    card = publish(finished.folder, finished.dataset, tmp_path / "model", publication)
    assert read_card(tmp_path / "model") == card
    assert not killed.exists()
    assert card.precision == "int8"
    assert card.parity.agreement >= 0.9
    assert all("subjects held out of training, before quantization;" in metric.protocol for metric in card.metrics)
    page = (tmp_path / "model" / "README.md").read_text()
    assert "one network; convolutions in 8-bit integers" in page
    assert f"{100 * card.parity.agreement:.1f} % of the structures' pixels unchanged" in page


def test_publish_one_fold(finished: Plan, tmp_path: Path) -> None:
    folds = json.loads((finished.folder / "folds.json").read_text())
    card = publish(finished.folder, finished.dataset, tmp_path / "model", Publication("discs", "CC0-1.0", folds=(1,)))
    assert card.training.folds == 1
    both = publish(finished.folder, finished.dataset, tmp_path / "both", Publication("discs", "CC0-1.0", folds=(1, 0)))
    assert both.training.folds == 2
    assert card.training.held_out == tuple(sorted(folds[1]["validation"]))
    assert card.training.subjects == len(folds[1]["train"])
    assert {metric.protocol for metric in card.metrics} == {
        f"{finished.dataset.name}, subjects held out of training; mean over {over}"
        for over in ("images", "subjects, each the mean of its images")
    }
    with pytest.raises(UsageError, match="there is no fold 2"):
        publish(finished.folder, finished.dataset, tmp_path / "none", Publication("discs", "CC0-1.0", folds=(2,)))


def test_what_goes_on_with_an_unfinished_run(
    finished: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = replace(finished, folder=tmp_path / "begun")
    prepare_run(plan, resume=False)
    publication = Publication("discs", "CC0-1.0")
    with pytest.raises(UsageError, match=r"fold 0 of .* is not finished") as caught:
        publish(plan.folder, finished.dataset, tmp_path / "model", publication)
    assert (
        caught.value.hint == "to continue it, run the command that started it again, with --resume and without --fold"
    )
    assert run(["evaluate", str(plan.folder), str(plan.dataset.folder)]) == 2
    assert "begun is finished" in capsys.readouterr().err
    copytree(finished.folder / "fold-0", plan.folder / "fold-0")
    with pytest.raises(UsageError, match=r"fold 1 of .* is not finished") as caught:
        publish(plan.folder, finished.dataset, tmp_path / "model", publication)
    assert caught.value.hint.endswith("without --fold; --fold 0 exports fold 0 alone")


def test_publish_refuses(finished: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = Publication("discs", "CC0-1.0")
    with pytest.raises(UsageError, match="not a training run"):
        publish(tmp_path, finished.dataset, tmp_path / "model", publication)
    plan = replace(finished, folder=tmp_path / "begun")
    prepare_run(plan, resume=False)
    with pytest.raises(UsageError, match=r"fold 0 of .* is not finished"):
        publish(plan.folder, finished.dataset, tmp_path / "model", publication)
    other = tmp_path / "other"
    list(write_dataset(other, "other", "made", map(at_hand, list(finished.dataset.subjects())[:3])))
    with pytest.raises(UsageError, match="another dataset"):
        publish(finished.folder, open_dataset(other), tmp_path / "model", publication)
    monkeypatch.setattr("cardioseg.export.onnx_export.MAX_LOGIT_DIFFERENCE", -1.0)
    monkeypatch.setattr("cardioseg.training.publication.to_onnx", lambda _: np.float32(0).tobytes())
    monkeypatch.setattr("cardioseg.export.onnx_export._session", lambda _: _Wrong())
    with pytest.raises(RefusedError, match="disagree"):
        publish(finished.folder, finished.dataset, tmp_path / "model", publication)
    assert not (tmp_path / "model").exists()


class _Wrong:
    def run(self, _names: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        image = feeds["image"]
        return [np.concatenate([image, 1 - image], 1)]
