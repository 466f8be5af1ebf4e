"""DICOM SEG from `predict`: written where asked for, kept while it verifies, a remark where there is no DICOM."""

import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import highdicom
import numpy as np
import pytest
from pydicom import dcmread
from small_phantoms import SMALL

from cardioseg.cases.case import Case
from cardioseg.cases.case_search import Search, find_cases
from cardioseg.cases.chosen_phases import Choices
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import read_cine, write_volume
from cardioseg.image.volume import Cine
from cardioseg.inference.session import Model, open_model
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.ventricles import measure
from cardioseg.phantom import cine, reference, write_dicom
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.report.dicom_object import Author
from cardioseg.results.description import Description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import FORMATS, dicom_seg_format, parse_formats, rtstruct_format
from cardioseg.results.formats.predicted import PredictedCase

BOTH = ("nifti", "dicom-seg")
ALL = tuple(known.NAME for known in FORMATS)
SEGS = ["seg_ed.dcm", "seg_es.dcm"]
PHASES = [f"seg_phase{phase:02d}.dcm" for phase in range(SMALL.phases) if phase not in (3, 7)]  # neither ED nor ES
CONTOURS = ["rtstruct_ed.dcm", "rtstruct_es.dcm"]
# The model's card is all that a SEG takes of it.
AUTHOR = Author("any", "0" * 64)
ANY_MODEL = cast("Model", SimpleNamespace(card=SimpleNamespace(name="any", sha256="0" * 64, structures=STRUCTURES)))


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_dicom(SMALL, folder)
    return folder


@pytest.fixture(scope="session")
def case(scans: Path) -> Case:
    (case,) = find_cases([scans]).cases
    return case


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return open_model(model_folder)


def predict(scans: Path, model: Model, out: Path, formats: tuple[str, ...] = BOTH, **options: Any) -> Any:
    (outcome,) = predict_all(find_cases([scans]), model, out, Settings(formats=formats, **options))
    return outcome


def segs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.dcm"))


def write_segs(case: Case, mask: Cine, measures: Measures, folder: Path) -> str:
    assert case.series
    description = Description(measures, (), {}, (), Acquisition())
    predicted = PredictedCase(mask, description, STRUCTURES, AUTHOR, case.series.stack, case.is_4d)
    return dicom_seg_format.write(predicted, CaseFolder(folder))


@pytest.mark.parametrize("text", ["nifti", "dicom-seg", "nifti,dicom-seg", "dicom-seg, nifti"])
def test_nifti_is_always_among_the_formats(text: str) -> None:
    assert parse_formats(text) == {"nifti"} | ({"dicom-seg"} if "seg" in text else set())


def test_a_structured_report_brings_the_masks_that_it_refers_to() -> None:
    assert parse_formats("dicom-sr") == {"nifti", "dicom-seg", "dicom-sr"}
    assert parse_formats("dicom-sc") == {"nifti", "dicom-sc"}


@pytest.mark.parametrize("text", ["", "png", "nifti,", "nifti dicom-seg"])
def test_another_format_is_a_usage_error(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="no format"):
        parse_formats(text)
    assert run(["predict", "nowhere", "-o", str(tmp_path / "out"), "--format", text]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: no format '")
    assert hint == (
        "hint: nifti, dicom-seg, dicom-seg-phases, dicom-sr, dicom-sc, rtstruct, seg-nrrd; nifti is always written"
    )


def test_the_segs_hold_the_masks_of_ed_and_es(case: Case, tmp_path: Path) -> None:
    mask = reference(SMALL)
    measures = measure(LabelledCine(mask, STRUCTURES))
    assert write_segs(case, mask, measures, tmp_path) == ""
    assert case.series
    assert case.series.stack
    for name, phase in zip(SEGS, (measures.ed_phase, measures.es_phase), strict=True):
        assert phase is not None
        images = [dcmread(header.path).SOPInstanceUID for header in case.series.stack.headers[phase]]
        segmentation = highdicom.seg.segread(tmp_path / name)
        numbers = segmentation.get_pixels_by_source_instance(images, combine_segments=True)
        assert np.array_equal(numbers, mask.phase(phase).voxels)  # the segments are numbered as the labels are


@pytest.mark.parametrize(
    ("ed_phase", "written", "remark"),
    [
        (7, ["seg_ed.dcm"], "no DICOM SEG of end-systole, which is not known"),
        (None, [], "no DICOM SEG of end-diastole, which is not known; no DICOM SEG of end-systole, which is not known"),
    ],
)
def test_a_phase_that_is_not_known(
    ed_phase: int | None, written: list[str], remark: str, case: Case, tmp_path: Path
) -> None:
    measures = Measures({} if ed_phase is None else {"ed_phase": ed_phase})
    assert write_segs(case, reference(SMALL), measures, tmp_path) == remark
    assert segs(tmp_path) == written


def test_contours_of_a_phase_that_is_not_known(case: Case, tmp_path: Path) -> None:
    assert case.series
    description = Description(Measures({"ed_phase": 7}), (), {}, (), Acquisition())
    predicted = PredictedCase(reference(SMALL), description, STRUCTURES, AUTHOR, case.series.stack, case.is_4d)
    assert rtstruct_format.write(predicted, CaseFolder(tmp_path)) == "no RTSTRUCT of end-systole, which is not known"
    assert segs(tmp_path) == CONTOURS[:1]


def test_a_source_that_cannot_be_referred_to_is_a_remark_that_stays(model: Model, tmp_path: Path) -> None:
    for path in write_dicom(SMALL, tmp_path / "scans").iterdir():
        dataset = dcmread(path)
        del dataset.FrameOfReferenceUID
        dataset.save_as(path)
    first = predict(tmp_path / "scans", model, tmp_path / "out")
    again = predict(tmp_path / "scans", model, tmp_path / "out")
    assert first.status == again.status == "done"
    assert "no DICOM SEG: " in first.reason
    assert "does not name the frame of reference" in first.reason
    assert (again.reason, again.seconds) == (first.reason, 0)


def test_a_nifti_scan_is_done_with_a_remark(model: Model, tmp_path: Path) -> None:
    write_volume(tmp_path / "a.nii.gz", cine(SMALL).phase(0))
    outcome = predict(tmp_path / "a.nii.gz", model, tmp_path / "out", ALL)
    assert outcome.status == "done"
    assert "no DICOM SEG: the scan has no DICOM images that it could refer to" in outcome.reason
    assert "no RTSTRUCT: the scan has no DICOM images that it could refer to" in outcome.reason
    assert "no DICOM SR: the scan has no DICOM images that it could refer to" in outcome.reason
    assert "no DICOM secondary capture: the scan has no DICOM study that it could belong to" in outcome.reason
    assert (tmp_path / "out" / "a" / "mask.nii.gz").is_file()
    assert not segs(tmp_path / "out")
    assert (tmp_path / "out" / "a" / "mask.seg.nrrd").is_file()


@pytest.fixture(scope="session")
def results(scans: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    assert predict(scans, model, out).status == "done"
    return out


@pytest.fixture
def finished(results: Path, tmp_path: Path) -> Path:
    """The case's folder, both formats written."""
    shutil.copytree(results, tmp_path / "out")
    (folder,) = (path.parent for path in (tmp_path / "out").glob("*/case.json"))
    assert segs(folder) == SEGS
    return folder


def test_done_means_all_formats_that_are_asked_for(finished: Path, scans: Path, model: Model) -> None:
    out = finished.parent
    assert predict(scans, model, out).seconds == 0
    assert predict(scans, model, out, ("nifti",)).seconds == 0  # more than asked for is done, and is kept
    assert segs(finished) == SEGS
    (finished / "seg_es.dcm").write_bytes(b"damaged")
    assert predict(scans, model, out).seconds > 0
    assert dcmread(finished / "seg_es.dcm").Modality == "SEG"


def test_what_is_not_asked_for_again_does_not_go_stale(finished: Path, scans: Path, model: Model) -> None:
    written = (finished / "seg_ed.dcm").stat().st_mtime_ns
    assert predict(scans, model, finished.parent, ("nifti",), overwrite=True).seconds > 0
    assert segs(finished) == SEGS  # what an earlier run was asked for is written again
    assert (finished / "seg_ed.dcm").stat().st_mtime_ns > written


def test_every_phase_has_an_object(finished: Path, scans: Path, model: Model, case: Case) -> None:
    assert predict(scans, model, finished.parent, ("nifti", "dicom-seg", "dicom-seg-phases")).seconds > 0
    assert segs(finished) == [*SEGS, *PHASES]
    mask = read_cine(finished / "mask.nii.gz")
    assert case.series
    assert case.series.stack
    for name in PHASES:
        phase = int(name[9:11])
        segmentation = highdicom.seg.segread(finished / name)
        images = [dcmread(header.path).SOPInstanceUID for header in case.series.stack.headers[phase]]
        numbers = segmentation.get_pixels_by_source_instance(images, segment_numbers=[1])[..., 0]
        assert np.array_equal(numbers > 0, mask.voxels[phase] == Label.LV_CAVITY)
        assert (segmentation.ContentLabel, segmentation.SeriesNumber) == (f"PHASE{phase:02d}", 9100 + phase)
    assert predict(scans, model, finished.parent).seconds == 0  # more than asked for is done, and is kept
    (finished / PHASES[2]).unlink()
    assert predict(scans, model, finished.parent).seconds > 0
    assert segs(finished) == [*SEGS, *PHASES]


def test_phases_of_an_earlier_run_do_not_stay(finished: Path, scans: Path, model: Model) -> None:
    """If a person chooses other moments, other phases have objects."""
    asked = "nifti", "dicom-seg", "dicom-seg-phases"
    predict(scans, model, finished.parent, asked)
    choices = Choices(Moments(0, 4))
    assert predict(scans, model, finished.parent, asked, choices=choices).seconds > 0
    assert segs(finished) == [*SEGS, *(f"seg_phase{phase:02d}.dcm" for phase in (1, 2, 3, 5, 6, 7))]


@pytest.mark.parametrize("text", ["all", "ed-es", "ES"])
def test_seg_phases_on_the_command_line(
    text: str, scans: Path, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", str(scans), "-o", str(tmp_path / "out"), "-m", str(model_folder), "--format", "dicom-seg"]
    code = run([*command, "--seg-phases", text])
    if text == "ES":
        assert code == 2
        assert "error: --seg-phases 'ES' is unknown" in capsys.readouterr().err
    else:
        assert code == 0
        assert segs(tmp_path / "out") == [*SEGS, *(PHASES if text == "all" else [])]


def test_no_phase_can_be_referred_to(model: Model, tmp_path: Path) -> None:
    for path in write_dicom(SMALL, tmp_path / "scans").iterdir():
        dataset = dcmread(path)
        del dataset.FrameOfReferenceUID
        dataset.save_as(path)
    outcome = predict(tmp_path / "scans", model, tmp_path / "out", ALL)
    assert "no DICOM SEG of other phases: " in outcome.reason
    assert "no RTSTRUCT: " in outcome.reason
    assert not segs(tmp_path / "out")


def test_no_object_is_a_scan_again(scans: Path, model: Model, tmp_path: Path) -> None:
    """Where a PACS exports all that it has of a study."""
    shutil.copytree(scans, tmp_path / "export")
    predict(scans, model, tmp_path / "out", ALL)
    for path in (tmp_path / "out").rglob("*.dcm"):
        shutil.copy(path, tmp_path / "export")
    findings = find_cases([tmp_path / "export"])
    assert len(findings.cases) == 1
    assert [item.why.split(":")[0] for item in findings.others].count("not MR") == SMALL.phases
    names = sorted(Path(item.where).name for item in findings.unused)
    assert names == [*CONTOURS, "sc_measures.dcm", "sc_sheet.dcm", "sr.dcm"]
    assert {item.why for item in findings.unused} == {"a DICOM object without an image plane in space"}


def test_segs_are_no_scans(finished: Path, scans: Path, tmp_path: Path) -> None:
    """Not in OUT, and not where a PACS exports them beside the scan."""
    together = tmp_path / "export"
    shutil.copytree(scans, together)
    shutil.copy(finished / "seg_ed.dcm", together / "SEG0001.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        findings = find_cases([together])
    assert len(findings.cases) == 1
    assert sorted(item.why.split(":")[0] for item in findings.others) == ["localizer", "not MR"]
    for out in (finished.parent, None):  # results of this run, and of another one that lie among the scans
        parts = list(Search([scans, finished.parent], out))
        assert [case.series is None for part in parts for case in part.cases] == [False]
        assert [item.why.split(":")[0] for part in parts for item in part.others] == ["localizer"]


def test_no_identity_leaves_the_dicom_files(model: Model, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    surname = "Zebedee"
    for path in write_dicom(SMALL, tmp_path / "scans").iterdir():
        dataset = dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.StudyID = f"{surname}^Anna", f"{surname}-1", f"{surname}-2"
        dataset.AccessionNumber, dataset.ReferringPhysicianName = f"{surname}-3", f"{surname}^Doc"
        dataset.save_as(path)
    assert predict(tmp_path / "scans", model, tmp_path / "out", ALL).status == "done"
    holding = [
        path.name for path in (tmp_path / "out").rglob("*") if path.is_file() and surname.encode() in path.read_bytes()
    ]
    assert sorted(holding) == [*CONTOURS, "sc_measures.dcm", "sc_sheet.dcm", *SEGS, *PHASES, "sr.dcm"]
    assert surname not in "".join(capfd.readouterr())


def test_the_label_numbers_of_a_seg_are_those_of_its_segments(model: Model, finished: Path) -> None:
    segmentation = highdicom.seg.segread(finished / "seg_ed.dcm")
    assert [segment.SegmentLabel for segment in segmentation.SegmentSequence] == ["LV cavity"]
    assert segmentation.DeviceSerialNumber == model.card.sha256
    written = read_cine(finished / "mask.nii.gz")
    counts = [int((phase == Label.LV_CAVITY).sum()) for phase in written.voxels]
    assert int(segmentation.pixel_array.sum()) == max(counts)
