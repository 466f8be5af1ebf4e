"""Several studies of one patient: one patient in intervals, tests and means per subject."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from sources import at_hand

from cardioseg.cli.app import run
from cardioseg.dataset.preparation import write_dataset
from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.studies_of_patients import by_patient, counted_patients
from cardioseg.evaluation.systems import compare
from cardioseg.export.card_figures import read_figures
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume, Voxels
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject

GRID = Grid((3, 12, 14), (8.0, 2.0, 2.0))
ONCE = {"a1": "a", "b1": "b", "c1": "c"}  # the patient of each study
TWICE = {**ONCE, "a2": "a", "b2": "b", "c2": "c"}


def heart(width: int) -> Voxels:
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:, 3:7, 2 : 2 + width] = Label.LV_CAVITY
    return mask


def masks(patient: str, wider: int = 0) -> dict[str, Voxels]:
    size = "abc".index(patient)
    return {"ed": heart(7 + size + wider), "es": heart(3 + size + 2 * wider // (1 + size))}


def study(subject_id: str, patient: str) -> Source:
    annotated = np.zeros((3, len(Label)), bool)
    annotated[:, Label.LV_CAVITY] = True
    volumes = tuple(
        LabelledVolume(name, mask, mask, annotated, GRID.spacing_mm, (f"{subject_id}_{name}",), None, ("",) * 3, GRID)
        for name, mask in masks(patient).items()
    )
    source = at_hand(Subject(subject_id, volumes))
    assert isinstance(source, Source)
    return replace(source, patient=f"key of {patient}")


def dataset(folder: Path, patient_of: Mapping[str, str]) -> Path:
    list(write_dataset(folder, "studies", "made", (study(*each) for each in patient_of.items())))
    return folder


def predicted(folder: Path, patient_of: Mapping[str, str], wider: int) -> Path:
    for subject_id, patient in patient_of.items():
        for name, mask in masks(patient, wider).items():
            write_volume(folder / f"{subject_id}_{name}.nii.gz", Volume(mask, GRID))
    return folder


def evaluated(folder: Path, patient_of: Mapping[str, str], wider: int = 1) -> Evaluation:
    return evaluate(predicted(folder / "predicted", patient_of, wider), dataset(folder / "dataset", patient_of))


def test_a_second_study_of_every_patient_is_no_further_evidence(tmp_path: Path) -> None:
    once, twice = evaluated(tmp_path / "once", ONCE), evaluated(tmp_path / "twice", TWICE)
    assert once.patient_note == ""
    assert twice.patient_note.startswith("6 subjects are studies of 3 patients")
    assert {found.of for found in once.agreements.values()} == {"3"}
    assert {found.of for found in twice.agreements.values()} == {"3 patients, 6 studies"}
    for name, agreement in once.agreements.items():
        assert asdict(replace(twice.agreements[name], studies=3)) == asdict(agreement)
    whole, doubled = once.summary[0].per_subject["dice"], twice.summary[0].per_subject["dice"]
    assert (doubled.n, doubled.mean, doubled.std) == (3, pytest.approx(whole.mean), pytest.approx(whole.std))
    assert twice.summary[0].per_volume["dice"].n == 12
    tests = {}
    for name, first, patient_of in (("once", once, ONCE), ("twice", twice, TWICE)):
        second = evaluate(predicted(tmp_path / name / "other", patient_of, 2), tmp_path / name / "dataset")
        tests[name] = compare({"first": first, "second": second})
    for alone, doubles in zip(tests["once"], tests["twice"], strict=True):
        assert (doubles.test.n, doubles.subjects, alone.subjects) == (3, 6, 3)
        assert doubles.test.p == alone.test.p


def test_console_page_json_and_card_say_how_many_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = dataset(tmp_path / "dataset", TWICE)
    one, other = (predicted(tmp_path / name, TWICE, wider) for name, wider in (("one", 1), ("other", 2)))
    assert run(["evaluate", str(one), str(other), str(reference), "--compare", "-o", str(tmp_path / "out")]) == 0
    seen = capsys.readouterr()
    assert "note in one: 6 subjects are studies of 3 patients: intervals, tests and means per subject" in seen.err
    page = (tmp_path / "out" / "one" / "evaluation.html").read_text()
    assert "6 subjects are studies of 3 patients" in page
    assert "<td>3 patients, 6 studies</td>" in page
    assert '<td data-value="3">3 patients, 6 studies</td>' in (tmp_path / "out" / "comparison.html").read_text()
    document = json.loads((tmp_path / "out" / "one" / "evaluation.json").read_text())
    assert document["patient_note"].startswith("6 subjects are studies of 3 patients")
    assert {(found["n"], found["studies"]) for found in document["agreement"].values()} == {(3, 6)}
    figures = read_figures(tmp_path / "out" / "one", document["origin"]["model_sha256"], (), "", "float32")
    [bias] = [figure for figure in figures if (figure.label, figure.metric) == ("lv_edv_ml", "bias")]
    assert (bias.n, "over patients (6 studies)" in bias.protocol) == (3, True)
    capsys.readouterr()
    assert run(["evaluate", str(one), str(reference)]) == 0
    assert "3 patients, 6 studies" in capsys.readouterr().out


def test_a_measure_of_a_patient_is_the_mean_of_its_studies() -> None:
    pairs = [
        MeasurePair("s1", "lv_ef_percent", 60, 50),
        MeasurePair("s2", "lv_ef_percent", 40, 44),
        MeasurePair("s3", "lv_ef_percent", 30, None),
        MeasurePair("s4", "lv_ef_percent", 20, None),
    ]
    assert by_patient(pairs, {"s1": "s1", "s2": "s1", "s3": "s1"}) == (
        MeasurePair("s1", "lv_ef_percent", 50, 47),
        pairs[3],
    )
    assert by_patient(pairs[2:], {"s3": "p", "s4": "p"}) == (MeasurePair("p", "lv_ef_percent", 25, None),)
    assert [counted_patients(*counts) for counts in ((4, 4), (1, 2))] == ["4", "1 patient, 2 studies"]
