"""Reviewed subjects: `ingest --reviewed` hands on what a person accepted or corrected in `review`, and nothing else."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from review.corrections import save_case
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.correction.reviewed_subjects import find_reviewed
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_cine, write_cine, write_volume
from cardioseg.image.volume import Voxels
from cardioseg.ingest.dicom.patient_key import patient_key
from cardioseg.ingest.labels.subject import Source, Subject
from cardioseg.phantom import cine, write_dicom

Change = Callable[[Voxels], Voxels]
SLICE, OTHER_PHASE = 2, 6  # the phantom's ED and ES are other phases


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not reviewed: `dicom`, the cines `film` and `twin` of the same images, `still` of one phase, and `other`."""
    folder = tmp_path_factory.mktemp("predicted")
    scans = folder / "scans"
    write_dicom(SMALL, scans / "dicom")
    write_cine(scans / "film.nii.gz", cine(replace(SMALL, seed=2)))
    shutil.copy(scans / "film.nii.gz", scans / "twin.nii.gz")
    write_volume(scans / "still.nii.gz", cine(replace(SMALL, seed=3)).phase(0))
    write_cine(scans / "other.nii.gz", cine(replace(SMALL, seed=4)))
    model = write_threshold_model(folder / "model")
    assert run(["predict", str(scans), "-o", str(folder / "results"), "-m", str(model), "-q"]) == 0
    return folder


@pytest.fixture
def results(predicted: Path, tmp_path: Path) -> Path:
    """Results that a test may change; the scans stay where they are."""
    shutil.copytree(predicted / "results", tmp_path / "results")
    return tmp_path / "results"


def widen(*phases: int) -> Change:
    """In one slice of some phases, the myocardium becomes cavity."""

    def change(mask: Voxels) -> Voxels:
        now = mask.copy()
        planes = now[list(phases), SLICE]
        planes[planes == Label.LV_MYOCARDIUM] = Label.LV_CAVITY
        now[list(phases), SLICE] = planes
        return now

    return change


def save(results: Path, case: str, change: Change | None = None, **said: Any) -> Voxels:
    return save_case(results, case, change, **({"decision": "corrected"} | said))


def ingest(results: Path, out: Path, *more: str) -> int:
    return run(["ingest", str(results), "--reviewed", "-o", str(out), "-q", *more])


def reasons(dataset: Dataset) -> dict[str, str]:
    """Why cases were left out, by name."""
    return {Path(item.where).name: item.why for item in dataset.manifest.skipped}


def phases_of(subject: Subject) -> dict[str, int | None]:
    return {volume.name: volume.phase for volume in subject.volumes}


def moments(results: Path, case: str) -> tuple[int, int]:
    measures = json.loads((results / case / "measures.json").read_text())["measures"]
    return measures["ed_phase"], measures["es_phase"]


@pytest.mark.parametrize("case", ["dicom", "film"])
def test_voxels_phases_and_geometry(predicted: Path, results: Path, tmp_path: Path, case: str) -> None:
    mask = save(results, case, widen(0, OTHER_PHASE))
    ed, es = moments(results, case)
    assert OTHER_PHASE not in {ed, es}
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    [subject] = dataset.subjects()
    assert (subject.subject_id, subject.group) == (case, "")
    expected = {"ed": ed, "es": es} | {f"phase{phase:02d}": phase for phase in {0, OTHER_PHASE} - {ed, es}}
    assert phases_of(subject) == expected
    image = cine(SMALL) if case == "dicom" else read_cine(predicted / "scans" / "film.nii.gz")
    written = read_cine(results / case / "mask.nii.gz")
    for volume in subject.volumes:
        np.testing.assert_array_equal(volume.mask, mask[volume.phase])
        np.testing.assert_array_equal(volume.image, image.voxels[volume.phase])
        assert volume.spacing_mm == pytest.approx(SMALL.spacing_mm)
        assert volume.grid
        assert volume.grid.matches(written.grid)
        assert volume.labels == STRUCTURES
        assert volume.annotated.all()
        assert set(volume.sources) == {f"{case}/mask.nii.gz"}
    assert dataset.manifest.layout == "reviewed"
    assert dataset.manifest.remark == "the masks are predictions of thresholds that a person accepted or corrected"


def test_accepted_cases_give_ed_and_es_and_a_volume_its_phase(results: Path, tmp_path: Path) -> None:
    film, still = save(results, "film"), save(results, "still")
    save(results, "dicom", ed_phase=2, es_phase=5)
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert phases_of(dataset.subject("film")) == dict(zip(("ed", "es"), moments(results, "film"), strict=True))
    assert phases_of(dataset.subject("dicom")) == {"ed": 2, "es": 5}  # phases that the person chose
    assert phases_of(dataset.subject("still")) == {"": None}
    np.testing.assert_array_equal(dataset.subject("film").volumes[1].mask, film[moments(results, "film")[1]])
    np.testing.assert_array_equal(dataset.subject("still").volumes[0].mask, still[0])


def test_the_patient_of_a_dicom_scan_is_known_in_memory(predicted: Path, results: Path) -> None:
    for case in ("film", "dicom"):
        save(results, case)
    keys = {one.subject_id: one.patient for one in find_reviewed([results]).sources if isinstance(one, Source)}
    scan = next((predicted / "scans" / "dicom").rglob("sax_cine/*.dcm"))
    assert keys == {"film": None, "dicom": patient_key(scan)}
    assert keys["dicom"]


def test_the_page_saves_phases_twice(results: Path, tmp_path: Path) -> None:
    """Chosen phases alone leave the network's own mask where it is: it is not lost."""
    save(results, "film", ed_phase=2)
    save(results, "film", ed_phase=3)
    assert json.loads((results / "film" / "case.json").read_text())["review"]["changed_voxels"] == 0
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert phases_of(dataset.subject("film"))["ed"] == 3
    assert "film" not in reasons(dataset)


def test_what_is_left_out_and_why(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(results, "film")
    save(results, "still", decision="excluded", initials="AB", note="no breath hold")
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.subject_ids == ("film",)
    assert reasons(dataset) == {
        "dicom": "nobody has reviewed it",
        "other": "nobody has reviewed it",
        "twin": "nobody has reviewed it",
        "still": "excluded in review by AB: no breath hold",
    }
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("skipped: ")]
    assert (
        lines[0] == f"skipped: {results / 'still'}: excluded in review by AB: no breath hold"
    )  # the rare reason first


def test_a_moved_scan(predicted: Path, results: Path, tmp_path: Path) -> None:
    save(results, "film", widen(0))
    save(results, "dicom")
    record = results / "dicom" / "case.json"
    record.write_text(record.read_text().replace(str(predicted / "scans"), str(tmp_path / "gone")))
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.subject_ids == ("film",)
    assert reasons(dataset)["dicom"].startswith(f"its scan is no longer in {tmp_path / 'gone'}")


def test_a_scan_that_became_another_one(predicted: Path, results: Path, tmp_path: Path) -> None:
    shutil.copytree(predicted / "scans", tmp_path / "scans")
    again = ["predict", str(tmp_path / "scans"), "-o", str(results), "-m", str(predicted / "model"), "-q"]
    assert run([*again, "--overwrite"]) == 0
    save(results, "film")
    save(results, "other")
    shutil.copy(tmp_path / "scans" / "other.nii.gz", tmp_path / "scans" / "film.nii.gz")
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.subject_ids == ("other",)
    assert "or was changed" in reasons(dataset)["film"]


def test_results_without_paths(predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "results"
    scan = str(predicted / "scans" / "film.nii.gz")
    assert run(["predict", scan, "-o", str(out), "-m", str(predicted / "model"), "-q", "--no-paths"]) == 0
    save(out, "film")
    assert ingest(out, tmp_path / "dataset") == 4
    assert "the results do not say where its scan lies" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mask.nii.gz", "mask_edited.nii.gz"])
def test_an_edit_after_the_review(results: Path, tmp_path: Path, name: str) -> None:
    save(results, "other")
    save(results, "film", widen(0))
    path = results / "film" / "mask.nii.gz"
    mask = read_cine(path)
    edited = replace(mask, voxels=widen(1, 2)(mask.voxels))
    write_cine(path.with_name(name), edited)
    later = path.stat().st_mtime + 10
    os.utime(path.with_name(name), (later, later))
    assert ingest(results, tmp_path / "dataset") == 3
    why = reasons(open_dataset(tmp_path / "dataset"))["film"]
    assert why.startswith(f"{name} was changed by another program after the review")
    assert "save the case in `cardioseg review` first" in why
    save(results, "film")
    os.utime(path, (later + 10, later + 10))
    assert ingest(results, tmp_path / "dataset") == 3
    subject = open_dataset(tmp_path / "dataset").subject("film")
    assert {0, 1, 2} <= set(phases_of(subject).values())
    for volume in subject.volumes:
        np.testing.assert_array_equal(volume.mask, edited.voxels[volume.phase])


def test_where_the_networks_mask_is_lost_it_is_said(results: Path, tmp_path: Path) -> None:
    path = results / "film" / "mask.nii.gz"
    mask = read_cine(path)
    write_cine(path, replace(mask, voxels=widen(0, OTHER_PHASE)(mask.voxels)))
    save(results, "film")
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert set(phases_of(dataset.subject("film"))) == {"ed", "es"}
    assert reasons(dataset)["film"].startswith("the network's own mask is lost")


def test_copies_become_one_subject_and_the_corrected_one_is_taken(results: Path, tmp_path: Path) -> None:
    save(results, "film")
    mask = save(results, "twin", widen(OTHER_PHASE))
    assert ingest(results, tmp_path / "dataset") == 3
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.subject_ids == ("twin",)
    assert reasons(dataset)["film"] == f"it has the same images as {results / 'twin'}, so both are one subject"
    [volume] = [volume for volume in dataset.subject("twin").volumes if volume.phase == OTHER_PHASE]
    np.testing.assert_array_equal(volume.mask, mask[OTHER_PHASE])


def test_copies_in_two_folders_of_results(results: Path, tmp_path: Path) -> None:
    save(results, "film")
    save(results, "dicom")
    shutil.copytree(results, tmp_path / "copied")
    arguments = ["ingest", str(results), str(tmp_path / "copied"), "--reviewed", "-o", str(tmp_path / "dataset")]
    assert run(arguments) == 3
    assert open_dataset(tmp_path / "dataset").subject_ids == ("dicom", "film")


def test_slices_that_were_not_acquired_are_not_annotated(predicted: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    for path in write_dicom(replace(SMALL, slices=7, spacing_mm=(12.0, 6.0, 6.0)), scans / "gap").iterdir():
        number = pydicom.dcmread(path, stop_before_pixels=True).InstanceNumber
        if SLICE * SMALL.phases < number <= (SLICE + 1) * SMALL.phases:
            path.unlink()
    out = tmp_path / "results"
    assert run(["predict", str(scans), "-o", str(out), "-m", str(predicted / "model"), "-q"]) == 0
    save(out, "gap")
    assert ingest(out, tmp_path / "dataset") == 0
    missing = json.loads((out / "gap" / "measures.json").read_text())["acquisition"]["missing"]
    assert len(missing) == 1
    for volume in open_dataset(tmp_path / "dataset").subject("gap").volumes:
        assert np.flatnonzero(~volume.annotated.any(axis=1)).tolist() == missing
        assert [index for index, source in enumerate(volume.sources) if not source] == missing


def test_a_model_without_a_structure(predicted: Path, tmp_path: Path) -> None:
    """What a person adds to the model's structures is annotated where it was drawn, and absent nowhere else."""
    model, out = write_threshold_model(tmp_path / "model", ["lv_cavity"]), tmp_path / "results"
    scan = predicted / "scans" / "film.nii.gz"
    assert run(["predict", str(scan), "-o", str(out), "-m", str(model), "-q"]) == 0
    ed, _ = moments(out, "film")

    def with_rv(mask: Voxels) -> Voxels:
        now = mask.copy()
        now[ed, SLICE, :4, :4] = Label.RV_CAVITY
        return now

    save(out, "film", with_rv)
    assert ingest(out, tmp_path / "dataset") == 0
    volumes = {volume.name: volume.labels for volume in open_dataset(tmp_path / "dataset").subject("film").volumes}
    assert volumes == {"ed": (Label.RV_CAVITY, Label.LV_CAVITY), "es": (Label.LV_CAVITY,)}


def test_workers_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    save(results, "film", widen(0))
    save(results, "dicom")
    assert ingest(results, tmp_path / "here") == ingest(results, tmp_path / "processes", "--workers", "2") == 3
    here, processes = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "here", tmp_path / "processes")
    )
    assert here.keys() == processes.keys()
    assert [path for path in here if path.suffix == ".npz" and here[path] != processes[path]] == []


@pytest.mark.parametrize(
    "option", [("--layout", "acdc"), ("--labels", "mnms"), ("--structures", "names.toml"), ("--format", "nnunet")]
)
def test_options_without_an_effect_are_refused(
    results: Path, tmp_path: Path, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(results, tmp_path / "dataset", *option) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert "no effect with" in error
    assert option[0] in error
    assert hint.startswith("hint: ")
    assert not (tmp_path / "dataset").exists()


def test_folders_without_results(predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(predicted / "scans", tmp_path / "dataset") == 4
    assert ingest(tmp_path / "nowhere", tmp_path / "dataset") == 4
    said = capsys.readouterr().err
    assert "scans holds no results of `cardioseg predict`" in said
    assert "nowhere: no such folder" in said


def test_without_the_option_predicted_masks_are_no_labels(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans, out = tmp_path / "scans", tmp_path / "scans" / "results"
    write_dicom(SMALL, scans / "heart")
    command = ["predict", str(scans), "-o", str(out), "-m", str(predicted / "model"), "-q"]
    assert run([*command, "--format", "dicom-seg,rtstruct"]) == 0
    for source, *options in ((out,), (out / "heart",), (scans,), (scans, "--layout", "dicomseg")):
        assert run(["ingest", str(source), "-o", str(tmp_path / "dataset"), *options]) == 4
        said = capsys.readouterr().err
        assert f"error: {out} was written by `cardioseg predict`: predicted masks are no labels" in said
        assert f"cardioseg ingest {out} --reviewed" in said
    assert not (tmp_path / "dataset").exists()


def test_it_becomes_a_dataset_of_nnunet(results: Path, tmp_path: Path) -> None:
    save(results, "film", widen(0))
    save(results, "dicom")
    save(results, "other")
    assert ingest(results, tmp_path / "dataset") == 3
    raw = tmp_path / "Dataset001_Reviewed"
    assert run(["ingest", str(tmp_path / "dataset"), "-o", str(raw), "--format", "nnunet", "-q"]) == 0
    mask = read_cine(raw / "labelsTr" / "film_ed.nii.gz")
    np.testing.assert_array_equal(
        mask.voxels[0], read_cine(results / "film" / "mask.nii.gz").voxels[moments(results, "film")[0]]
    )
    assert len(json.loads((raw / "splits_final.json").read_text())) == 3
