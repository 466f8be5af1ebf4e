"""nnU-Net raw: `ingest --format nnunet` keeps every voxel, the folds of `train`, and what no expert annotated."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from read_subjects import read_layout
from small_phantoms import SQUARE, TINY
from sources import at_hand

from cardioseg.cli.app import run
from cardioseg.dataset.folds import divide, hashes_of
from cardioseg.dataset.preparation import write_dataset
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.errors import NoInputError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject
from cardioseg.phantom import Phantom, cine, reference, write_sunnybrook
from cardioseg.skipped import Skipped

HEART = Phantom(slices=4, phases=4, rows=40, columns=36, spacing_mm=(12.0, 5.0, 6.0), ed_phase=0)


def volume(seed: int, name: str, **changes: Any) -> LabelledVolume:
    phantom, phase = replace(HEART, seed=seed), 0 if name == "ed" else 2
    image, mask = cine(phantom), reference(phantom)
    return LabelledVolume(
        name=name,
        image=image.voxels[phase],
        mask=mask.voxels[phase],
        annotated=np.ones((HEART.slices, len(Label)), np.bool_),
        spacing_mm=HEART.spacing_mm,
        case_ids=(f"p{seed}",),
        phase=phase,
        sources=("",) * HEART.slices,
        grid=mask.grid,
        **changes,
    )


def subject(seed: int) -> Subject:
    return Subject(f"p{seed}", (volume(seed, "ed"), volume(seed, "es")))


def prepared(folder: Path, found: Iterable[Source | Skipped]) -> Dataset:
    list(write_dataset(folder, "hearts", "pairs", found))
    return open_dataset(folder)


@pytest.fixture(scope="module")
def hearts(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Five subjects, of which the last is a copy of the first."""
    copied = replace(subject(0), subject_id="twin")
    return prepared(tmp_path_factory.mktemp("hearts"), map(at_hand, [*map(subject, range(4)), copied]))


def export(dataset: Dataset, out: Path, *options: str) -> int:
    return run(["ingest", str(dataset.folder), "-o", str(out), "--format", "nnunet", *options])


@pytest.fixture(scope="module")
def raw(hearts: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nnUNet_raw") / "Dataset027_Hearts"
    assert export(hearts, out, "--folds", "2", "--seed", "5") == 0
    return out


def document(path: Path) -> Any:
    return json.loads(path.read_text())


def read_back(raw: Path) -> dict[str, Subject]:
    found = list(read_layout(raw))
    assert all(isinstance(one, Subject) and not one.skipped for one in found)
    return {one.subject_id: one for one in found if isinstance(one, Subject)}


def test_our_reader_reads_the_same_voxels(hearts: Dataset, raw: Path) -> None:
    found = read_back(raw)
    assert set(found) == set(hearts.subject_ids)
    for written in hearts.subjects():
        for original, again in zip(written.volumes, found[written.subject_id].volumes, strict=True):
            assert again.name == original.name
            assert again.image.dtype == original.image.dtype
            assert np.array_equal(again.image, original.image)
            assert np.array_equal(again.mask, original.mask)
            assert np.array_equal(again.annotated, original.annotated)
            assert again.grid
            assert original.grid
            assert again.grid.matches(original.grid, 1e-3)


def test_other_readers_read_the_same_voxels(hearts: Dataset, raw: Path) -> None:
    original = hearts.subject("p2").volumes[1]
    paths = raw / "imagesTr" / "p2_es_0000.nii.gz", raw / "labelsTr" / "p2_es.nii.gz"
    for path, voxels in zip(paths, (original.image, original.mask), strict=True):
        assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(path)), voxels)
        assert np.array_equal(np.asarray(nibabel.load(path).dataobj).T, voxels)
    assert np.array_equal(nibabel.load(paths[0]).affine, nibabel.load(paths[1]).affine)


def test_the_card_is_that_of_the_second_version(raw: Path) -> None:
    assert document(raw / "dataset.json") == {
        "name": "hearts",
        "channel_names": {"0": "cine MR"},
        "labels": {"background": 0, "RV cavity": 1, "LV myocardium": 2, "LV cavity": 3},
        "numTraining": 10,
        "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "SimpleITKIO",
    }


def test_the_folds_are_those_of_train(hearts: Dataset, raw: Path) -> None:
    splits = document(raw / "splits_final.json")
    planned = divide(hashes_of(hearts.subjects()), 2, 5)
    assert len(splits) == len(planned) == 2
    for cases, fold in zip(splits, planned, strict=True):
        assert cases["train"] == [f"{name}_{moment}" for name in fold.train for moment in ("ed", "es")]
        assert cases["val"] == [f"{name}_{moment}" for name in fold.validation for moment in ("ed", "es")]
    assert {name for fold in planned for name in fold.left_out} <= {"p0", "twin"}


def test_nnunet_finds_no_fault(raw: Path) -> None:
    integrity = pytest.importorskip("nnunetv2.experiment_planning.verify_dataset_integrity")
    integrity.verify_dataset_integrity(str(raw), 1)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path]:
    """Contours of the LV alone, of the cavity alone at end-systole, and not on all slices."""
    folder = tmp_path_factory.mktemp("sunnybrook")
    write_sunnybrook([replace(SQUARE, seed=seed) for seed in (1, 2)], folder / "source")
    dataset = prepared(folder / "dataset", layouts.find(folder / "source"))
    assert export(dataset, folder / "raw", "--folds", "2") == 0
    return dataset, folder / "raw"


def test_what_no_expert_annotated_is_ignored(partial: tuple[Dataset, Path]) -> None:
    dataset, raw = partial
    numbers = {"background": 0, "LV myocardium": 1, "LV cavity": 2, "ignore": 3}
    assert document(raw / "dataset.json")["labels"] == numbers
    both, kinds = [Label.LV_MYOCARDIUM, Label.LV_CAVITY], set()
    for one in dataset.subjects():
        for original in one.volumes:
            voxels = sitk.GetArrayFromImage(
                sitk.ReadImage(raw / "labelsTr" / f"{one.subject_id}_{original.name}.nii.gz")
            )
            for plane, mask, drawn in zip(voxels, original.mask, original.annotated[:, both].tolist(), strict=True):
                myocardium, cavity = drawn
                kinds.add((myocardium, cavity))
                assert np.array_equal(plane == 1, (mask == Label.LV_MYOCARDIUM) & myocardium)
                assert np.array_equal(plane == 2, (mask == Label.LV_CAVITY) & cavity)
                assert (plane == 3).any() != (myocardium and cavity)
                assert (plane == 0).any() == (myocardium and cavity)
    assert kinds == {(True, True), (False, True), (False, False)}


def test_our_reader_takes_no_reference_from_ignored_slices(partial: tuple[Dataset, Path]) -> None:
    dataset, raw = partial
    found = read_back(raw)
    for one in dataset.subjects():
        by_name = {again.name: again for again in found[one.subject_id].volumes}
        for original in one.volumes:
            again = by_name[original.name]
            whole = original.annotated[:, [Label.LV_MYOCARDIUM, Label.LV_CAVITY]].all(axis=1)
            assert np.array_equal(again.annotated[:, Label.LV_CAVITY], whole)
            assert np.array_equal(again.mask[whole], original.mask[whole])
            assert np.array_equal(again.image, original.image)


def test_nnunet_finds_no_fault_with_the_ignore_label(partial: tuple[Dataset, Path]) -> None:
    test_nnunet_finds_no_fault(partial[1])


@pytest.mark.parametrize("number", [0, 2, "x", None, [3], 1.5, "99999999"])
def test_an_ignore_label_that_is_another_label_too(number: Any, partial: tuple[Dataset, Path], tmp_path: Path) -> None:
    copytree(partial[1], tmp_path / "raw")
    card = document(tmp_path / "raw" / "dataset.json")
    card["labels"]["ignore"] = number
    (tmp_path / "raw" / "dataset.json").write_text(json.dumps(card))
    with pytest.raises(NoInputError, match="its label 'ignore' has no number of its own"):
        layouts.find(tmp_path / "raw")


def test_volumes_that_cannot_be_cases_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undrawn = replace(volume(1, "es"), annotated=np.zeros((HEART.slices, len(Label)), np.bool_))
    flat = replace(volume(2, "es"), spacing_mm=None, grid=None)
    found = [Subject("a", (volume(1, "ed"), undrawn)), Subject("b", (flat, volume(2, "ed")))]
    dataset = prepared(tmp_path / "dataset", map(at_hand, found))
    assert export(dataset, tmp_path / "raw", "--folds", "2") == 3
    said = capsys.readouterr().err
    assert "a_es: no expert annotated anything on it" in said
    assert "b_es: the distance between its pixels is not known" in said
    assert sorted(path.name for path in (tmp_path / "raw" / "labelsTr").iterdir()) == ["a_ed.nii.gz", "b_ed.nii.gz"]
    assert document(tmp_path / "raw" / "dataset.json")["numTraining"] == 2


def test_nothing_that_can_be_a_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flat = replace(volume(2, "es"), spacing_mm=None, grid=None)
    dataset = prepared(tmp_path / "dataset", map(at_hand, [Subject("a", (flat,)), Subject("b", (flat,))]))
    assert export(dataset, tmp_path / "raw", "--folds", "2") == 4
    assert "none of its volumes can be a case of nnU-Net" in capsys.readouterr().err


def test_names_that_clash_or_lack_a_moment(tmp_path: Path) -> None:
    nameless = Subject("a/b", (replace(volume(1, "ed"), name=""),))
    dataset = prepared(tmp_path / "dataset", map(at_hand, [nameless, Subject("a_b", nameless.volumes)]))
    assert export(dataset, tmp_path / "raw", "--folds", "2", "-q") == 0
    assert sorted(path.name for path in (tmp_path / "raw" / "labelsTr").iterdir()) == ["a_b-2.nii.gz", "a_b.nii.gz"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--format", "nnunet"], "error: --format nnunet takes one prepared dataset"),
        (["--format", "png"], "error: --format 'png' is unknown"),
        (["--format", "nnunet", "--labels", "acdc"], "error: --layout, --labels and --structures have no effect"),
    ],
)
def test_what_is_refused(options: list[str], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sunnybrook([TINY], tmp_path / "source")
    assert run(["ingest", str(tmp_path / "source"), "-o", str(tmp_path / "raw"), *options]) in (2, 4)
    assert error in capsys.readouterr().err


def test_a_folder_with_files_is_refused(hearts: Dataset, raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(raw.rglob("*"))
    assert export(hearts, raw) == 2
    assert f"error: {raw} is not empty" in capsys.readouterr().err
    assert sorted(raw.rglob("*")) == before


def test_what_is_said(hearts: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(hearts, tmp_path / "a") == 0
    said = capsys.readouterr()
    assert f"10 cases of 5 subjects in {tmp_path / 'a'}\n" in said.err + said.out
    assert "splits_final.json" in said.err + said.out
    assert export(hearts, tmp_path / "b", "--json", "--name", "Five hearts") == 0
    assert document(tmp_path / "b" / "dataset.json")["name"] == "Five hearts"
    told = json.loads(capsys.readouterr().out)
    assert (told["cases"], told["subjects"], told["ignored_slices"]) == (10, 5, 0)
    assert told["labels"] == {label.title: label.value for label in STRUCTURES}
