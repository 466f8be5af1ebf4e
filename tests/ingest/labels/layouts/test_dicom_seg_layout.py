"""DICOM SEG of several programs as labels: identical voxels, the right image, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from only_subject import why
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from read_subjects import read_layout
from segmentation_objects import (
    ED,
    ES,
    HEART,
    by_dcmqi,
    by_highdicom,
    mask_at,
    move,
    stack_of,
    with_frames,
)

from cardioseg.cli.app import run
from cardioseg.dataset.store import open_dataset
from cardioseg.errors import NoInputError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Volume
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.labels.layouts import dicomseg
from cardioseg.ingest.labels.subject import Subject
from cardioseg.phantom import Vendor, reference, write_dicom
from cardioseg.report.dicom_object import Author
from cardioseg.report.dicom_seg import END_DIASTOLE, END_SYSTOLE, Drawing, write_segmentation

DRAWN_SLICES = np.flatnonzero(mask_at(ED).any(axis=(1, 2)))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_dicom(HEART, folder / "p1")
    return folder


@pytest.fixture(scope="module")
def source(scan: Path) -> Stack:
    return stack_of(scan)


@pytest.fixture
def study(scan: Path, tmp_path: Path) -> Path:
    """The scan, with room for segmentations beside it."""
    return Path(shutil.copytree(scan, tmp_path / "study"))  # links would change the state of the files of `source`


def only(study: Path) -> Subject:
    (subject,) = read_layout(study)
    assert isinstance(subject, Subject), subject
    return subject


def assert_ed(subject: Subject, mask: np.ndarray | None = None) -> None:
    (volume,) = subject.volumes
    assert volume.phase == ED
    assert np.array_equal(volume.mask, mask_at(ED) if mask is None else mask)


def test_our_own_at_ed_and_es(study: Path, source: Stack) -> None:
    for moment, phase, name in ((END_DIASTOLE, ED, "ed"), (END_SYSTOLE, ES, "es")):
        drawing = Drawing(Volume(mask_at(phase), HEART.grid), STRUCTURES, moment, Author("sax", "ab" * 32))
        write_segmentation(study / f"seg_{name}.dcm", drawing, source.headers[phase])
    subject = only(study)
    assert subject.skipped == ()
    assert {volume.name: volume.phase for volume in subject.volumes} == {"ed": ED, "es": ES}
    for volume in subject.volumes:
        assert np.array_equal(volume.mask, mask_at(volume.phase or 0))
        assert np.array_equal(volume.image, source.volume(volume.phase or 0).voxels)
        assert volume.annotated.all()
    assert subject.counts == tuple((f"{name} slices", 10) for name in ("LV cavity", "LV myocardium", "RV cavity"))


def test_frames_of_a_multi_frame_object(tmp_path: Path) -> None:
    write_dicom(HEART, tmp_path / "p1", Vendor.ENHANCED)
    drawing = Drawing(Volume(mask_at(ED), HEART.grid), STRUCTURES, END_DIASTOLE, Author("sax", "ab" * 32))
    write_segmentation(tmp_path / "seg.dcm", drawing, stack_of(tmp_path).headers[ED])
    assert_ed(only(tmp_path))


@pytest.mark.parametrize("omit", [True, False])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_of_highdicom(kind: str, omit: bool, study: Path, source: Stack) -> None:
    by_highdicom(study / "a", source, ED, kind=kind, omit=omit)
    subject = only(study)
    assert_ed(subject)
    annotated = DRAWN_SLICES if omit else np.arange(HEART.slices)
    assert np.flatnonzero(subject.volumes[0].annotated.all(axis=1)).tolist() == annotated.tolist()
    assert subject.volumes[0].annotated.any(axis=1).sum() == len(annotated)


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_of_dcmqi(kind: str, study: Path, source: Stack) -> None:
    by_dcmqi(study / "deep" / "er" / "a.dcm", source, ED, "--segmentationType", kind)
    assert_ed(only(study))


def test_dcmqi_with_all_phases_does_not_say_which_is_meant(study: Path, source: Stack) -> None:
    by_dcmqi(study / "a.dcm", source, ED, phases=range(HEART.phases))
    assert "it does not say to which of 8 phases it belongs (make it of the images of one phase; or" in why(study)


def test_frames_in_any_order(study: Path, source: Stack) -> None:
    def shuffle(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        order = np.random.default_rng(1).permutation(len(frames))
        groups = dataset.PerFrameFunctionalGroupsSequence
        dataset.PerFrameFunctionalGroupsSequence = [groups[number] for number in order]
        return frames[order]

    with_frames(by_highdicom(study / "a", source, ED), shuffle)
    assert_ed(only(study))


def test_frames_that_name_no_image_lie_on_those_that_the_object_lists(study: Path, source: Stack) -> None:
    path = by_highdicom(study / "a", source, ED)

    def forget(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        for groups in dataset.PerFrameFunctionalGroupsSequence:
            del groups.DerivationImageSequence
        return frames

    with_frames(path, forget)
    assert_ed(only(study))

    def forget_all(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        del dataset.ReferencedSeriesSequence
        return frames

    with_frames(path, forget_all)
    assert "it does not say to which of 8 phases it belongs" in why(study)

    def elsewhere(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        dataset.FrameOfReferenceUID = "1.2.3"
        return frames

    with_frames(path, elsewhere)
    assert "its frame of reference is not that of the cine" in why(study)


def test_a_part_of_the_image_lies_right(study: Path, source: Stack) -> None:
    def crop(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        move(dataset, 4, 2)
        return frames[:, 4:42, 2:35]

    assert not mask_at(ED)[:, [*range(4), *range(42, 45)]].any()
    with_frames(by_highdicom(study / "a", source, ED), crop)
    assert_ed(only(study))


def test_other_orders_of_rows_and_columns_lie_right(study: Path, source: Stack) -> None:
    def turn(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        plane = dataset.SharedFunctionalGroupsSequence[0]
        across, down = np.reshape(plane.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
        move(dataset, 0, HEART.columns - 1)
        plane.PlaneOrientationSequence[0].ImageOrientationPatient = [*down.tolist(), *(-across).tolist()]
        plane.PixelMeasuresSequence[0].PixelSpacing = plane.PixelMeasuresSequence[0].PixelSpacing[::-1]
        return frames[:, :, ::-1].transpose(0, 2, 1)

    with_frames(by_highdicom(study / "a", source, ED), turn)
    assert_ed(only(study))


@pytest.mark.parametrize("what", ["finer", "shifted", "between", "beyond", "far"])
def test_another_grid_is_refused(what: str, study: Path, source: Stack) -> None:
    def change(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        if what == "finer":
            dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [3.0, 2.5]
            return frames.repeat(2, axis=1).repeat(2, axis=2)
        move(dataset, *{"shifted": (0.5, 0, 0), "between": (0, 0, 0.25), "beyond": (40, 0, 0), "far": (0, 0, 20)}[what])
        return frames

    with_frames(by_highdicom(study / "a", source, ED), change)
    said = {
        "between": "it lies between the images, 4.0 mm",
        "beyond": "beyond the edge",
        "far": "off the plane of its image by more than half a slice",
    }
    reason = why(study)
    assert said.get(what, "its pixels are not those of the image") in reason
    assert "one phase" not in reason


def test_fractions_below_one_half_are_left_out_with_words(study: Path, source: Stack) -> None:
    cavity = (mask_at(ED) == Label.LV_CAVITY).astype(float)
    faint = (mask_at(ED) == Label.RV_CAVITY) * 0.4
    by_highdicom(study / "a", source, ED, (0.6 * cavity + faint)[..., None], kind="FRACTIONAL", labels=["LV"])
    subject = only(study)
    assert_ed(subject, np.where(cavity, mask_at(ED), 0))
    assert "less than half" in subject.skipped[0].why
    assert subject.volumes[0].annotated.any(axis=0).tolist() == [True, False, False, True]


def test_codes_tell_what_labels_do_not(study: Path, source: Stack) -> None:
    mask = (mask_at(ED) == Label.RV_CAVITY)[..., None]
    by_highdicom(study / "a", source, ED, mask, labels=["x"], code=Code("53085002", "SCT", "Right ventricle"))
    assert_ed(only(study), np.where(mask[..., 0], mask_at(ED), 0))


def test_cavities_that_overlap(study: Path, source: Stack) -> None:
    mask = np.stack([mask_at(ED) == Label.LV_CAVITY, np.isin(mask_at(ED), (Label.LV_CAVITY, Label.RV_CAVITY))], axis=-1)
    by_highdicom(study / "a", source, ED, mask, labels=["LV", "RV"])
    subject = only(study)
    assert_ed(subject, np.where(mask_at(ED) == Label.LV_MYOCARDIUM, 0, mask_at(ED)))
    assert f"{np.count_nonzero(mask[..., 0])} pixels of the RV cavity" in subject.skipped[0].why


def test_segments_of_ed_and_of_es_are_told_apart_by_their_images(study: Path, source: Stack) -> None:
    cavity = (mask_at(ED) == Label.LV_CAVITY)[..., None]
    by_highdicom(study / "a", source, ED, cavity, labels=["LV ED"])
    by_highdicom(study / "b", source, ES, (mask_at(ES) == Label.LV_CAVITY)[..., None], labels=["LV ES"])
    volumes = {volume.name: volume.mask == Label.LV_CAVITY for volume in only(study).volumes}
    assert np.array_equal(volumes["ed"], mask_at(ED) == Label.LV_CAVITY)
    assert np.array_equal(volumes["es"], mask_at(ES) == Label.LV_CAVITY)
    both = np.concatenate([cavity, np.roll(cavity, 3, axis=1)], axis=-1)
    by_highdicom(study / "a", source, ED, both, labels=["LV ED", "LV ES"])
    (study / "b").unlink()
    assert "segments 'LV ED', 'LV ES' are drawn on one phase (save the segments of ED and those of ES" in why(study)


def test_a_filled_ventricle_and_its_wall(study: Path, source: Stack) -> None:
    wall, cavity = (mask_at(ED) == label for label in (Label.LV_MYOCARDIUM, Label.LV_CAVITY))
    by_highdicom(study / "a", source, ED, np.stack([wall, wall | cavity], axis=-1), labels=["Myocardium", "LV"])
    assert f"{wall.sum()} of the {wall.sum()} pixels of the LV myocardium are also drawn as LV cavity" in why(study)


def test_training_data_by_the_command(
    study: Path, source: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_highdicom(study / "a.dcm", source, ED, labels=["RV", "Herzmuskel", "LV"])
    assert run(["ingest", str(study), "-o", str(tmp_path / "d")]) == 3
    (subject,) = open_dataset(tmp_path / "d").subjects()
    assert_ed(subject, np.where(mask_at(ED) == Label.LV_MYOCARDIUM, 0, mask_at(ED)))
    seen = " ".join(capsys.readouterr().err.split())
    assert "'Herzmuskel'" in seen
    assert "--structures" in seen
    (tmp_path / "table.toml").write_text('lv_myocardium = ["Herzmuskel"]')
    assert run(["ingest", str(study), "-o", str(tmp_path / "d"), "--structures", str(tmp_path / "table.toml")]) == 0
    (subject,) = open_dataset(tmp_path / "d").subjects()
    assert_ed(subject)


def test_references_by_the_command(study: Path, source: Stack, tmp_path: Path) -> None:
    by_highdicom(study / "a.dcm", source, ED)
    by_highdicom(study / "b.dcm", source, ES, kind="LABELMAP")
    name = only(study).volumes[0].case_ids[0]
    (tmp_path / "predicted").mkdir()
    write_cine(tmp_path / "predicted" / f"{name}.nii.gz", reference(HEART))
    assert run(["evaluate", str(tmp_path / "predicted"), str(study), "-o", str(tmp_path / "out"), "-q"]) == 0
    rows = json.loads((tmp_path / "out" / "evaluation.json").read_text())["volumes"]
    assert {(row["volume"], row["label"], row["dice"]) for row in rows} == {
        (moment, label.key, 1.0) for moment in ("ed", "es") for label in STRUCTURES
    }


def test_without_any_known_structure(study: Path, source: Stack) -> None:
    by_highdicom(study / "a", source, ED, labels=["one", "two", "three"])
    assert "nothing says what structures its segments 'one', 'two', 'three' are (rename them, or list" in why(study)


def test_what_is_no_study_of_it(study: Path, source: Stack, tmp_path: Path) -> None:
    path = by_highdicom(tmp_path / "results" / "seg.dcm", source, ED)
    assert not dicomseg.recognises(path.parent)
    with pytest.raises(NoInputError) as error:
        list(read_layout(path.parent))
    assert any("there are no MR images" in reason for reason in error.value.reasons)
    assert not dicomseg.recognises(study)


def test_what_cannot_be_read_is_named(study: Path, source: Stack) -> None:
    path = by_highdicom(study / "a", source, ED)

    def double(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        dataset.SegmentSequence[1].SegmentNumber = 1
        return frames

    with_frames(path, double)
    assert why(study) == "two of its segments have one number"

    def anonymous(dataset: Dataset, frames: np.ndarray) -> np.ndarray:
        dataset.SegmentSequence[1].SegmentNumber = 2
        del dataset.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence
        return frames

    with_frames(path, anonymous)
    assert why(study) == "one of its frames does not say which segment it shows"


def test_a_truncated_one_is_named(study: Path, source: Stack) -> None:
    path = by_highdicom(study / "a", source, ED)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 100])
    assert why(study) == "its pixel data is missing or truncated"


def test_it_is_no_scan(study: Path, source: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_highdicom(study / "p1" / "a.dcm", source, ED)
    assert run(["inspect", str(study), "--json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]
    assert sorted(row["kind"] for row in series) == ["localizer", "not MR", "short-axis cine"]
