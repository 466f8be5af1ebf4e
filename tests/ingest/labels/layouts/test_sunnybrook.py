import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from only_subject import subject
from read_subjects import read_layout

from cardioseg.image.labels import Label
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.layouts import sunnybrook
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.skipped import Skipped

WriteCine = Callable[..., Path]
SLICES, PHASES, SIDE = 5, 8, 40
ED, ES = 7, 3


def number(index: int, phase: int) -> int:
    return 1 + index * PHASES + phase


def draw(root: Path, instance: int, side: str, radius: float, case: str = "SC-HF-I-01") -> Path:
    """A circle around pixel (row 20, column 15), 1-based as in the release."""
    angles = np.linspace(0, 2 * np.pi, 90)
    points = np.stack([15 + radius * np.cos(angles), 20 + radius * np.sin(angles)], axis=1) + 1
    folder = root / "SCD_ManualContours" / case / "contours-manual" / "IRCCI-expert"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"IM-0001-{instance:04d}-{side}contour-manual.txt"
    path.write_text("".join(f"{x:.2f} {y:.2f}\n" for x, y in points))
    return path


@pytest.fixture
def release(tmp_path: Path, write_cine: WriteCine) -> Path:
    """One case: ED on slices 1 to 3 with epicardium, ES on slices 1 and 2; beside the cine a decoy of equal numbers."""
    images = tmp_path / "SCD_IMAGES_01" / "SCD0000101"
    write_cine(images / "anything", SLICES, PHASES, (SIDE, SIDE), SeriesInstanceUID="1.1")
    write_cine(images / "CINESAX", 1, SLICES * PHASES, (SIDE, SIDE), SeriesInstanceUID="1.2")
    (tmp_path / "scd_patientdata.csv").write_text(
        "\ufeffPatientID,OriginalID,Gender,Age,Pathology\nSCD0000101,SC-HF-I-1,Male,53,Infarct\n"
        "SCD0000201,SC-HF-I-2,Male,48,Infarct\nSCD0000301,SC-HF-I-4,Male,79,Infarct\n"
    )
    for index in (1, 2, 3):
        draw(tmp_path, number(index, ED), "i", 8)
        draw(tmp_path, number(index, ED), "o", 11)
    for index in (1, 2):
        draw(tmp_path, number(index, ES), "i", 5)
    return tmp_path


def skipped(root: Path) -> Skipped:
    (only,) = read_layout(root)
    assert isinstance(only, Skipped)
    return only


def named(one: Subject) -> dict[str, LabelledVolume]:
    return {volume.name: volume for volume in one.volumes}


def test_contours_become_masks_on_their_slices(release: Path) -> None:
    assert layouts.detect(release) is sunnybrook
    one = subject(release)
    assert (one.subject_id, one.group, one.skipped) == ("SC-HF-I-01", "Infarct", ())
    assert one.counts == (("endocardial contours", 5), ("epicardial contours", 3))
    ed, es = named(one)["ed"], named(one)["es"]
    assert (ed.phase, es.phase) == (ED, ES)
    assert ed.case_ids == es.case_ids == ("SC-HF-I-01", "SCD0000101")
    assert ed.spacing_mm == pytest.approx((8, 1.5, 1.25))
    assert (ed.image[:, 0, 0] == [number(index, ED) for index in range(SLICES)]).all()
    assert ed.sources[2] == f"SCD_IMAGES_01/SCD0000101/anything/{number(2, ED):04d}.dcm"
    assert ed.annotated[:, Label.LV_CAVITY].tolist() == [False, True, True, True, False]
    assert ed.annotated[:, Label.LV_MYOCARDIUM].tolist() == [False, True, True, True, False]
    assert not es.annotated[:, Label.LV_MYOCARDIUM].any()
    assert not ed.annotated[:, Label.RV_CAVITY].any()


def test_masks_lie_where_they_were_drawn(release: Path) -> None:
    ed = named(subject(release))["ed"].mask[1]
    rows, columns = np.nonzero(ed == Label.LV_CAVITY)
    assert (rows.mean(), columns.mean()) == pytest.approx((20, 15), abs=0.05)
    assert (ed == Label.LV_CAVITY).sum() == pytest.approx(np.pi * 8**2, rel=0.05)
    assert (ed == Label.LV_MYOCARDIUM).sum() == pytest.approx(np.pi * (11**2 - 8**2), rel=0.05)


def test_without_epicardium_ed_is_the_larger_and_a_stray_phase_stands_alone(release: Path) -> None:
    for path in release.rglob("*-ocontour-*"):
        path.unlink()
    draw(release, number(3, 5), "i", 9)
    volumes = named(subject(release))
    assert {name: volume.phase for name, volume in volumes.items()} == {"ed": ED, "es": ES, "phase-05": 5}
    assert volumes["phase-05"].annotated[:, Label.LV_CAVITY].tolist() == [False, False, False, True, False]


def test_contours_that_cannot_be_used_are_named(release: Path) -> None:
    unmatched = draw(release, 999, "i", 5)
    alone = draw(release, number(3, ES), "o", 5)
    damaged = draw(release, number(1, ES), "i", 5)
    damaged.write_text("nothing")
    one = subject(release)
    assert {(entry.where, entry.why) for entry in one.skipped} == {
        (str(unmatched), "the short-axis cine has no image for it"),
        (str(alone), "its image has no endocardial contour"),
        (str(damaged), "not a contour file"),
    }
    assert one.counts == (("endocardial contours", 4), ("epicardial contours", 3))


def test_a_cavity_that_cannot_be_read_leaves_no_full_wall(release: Path) -> None:
    draw(release, number(1, ED), "i", 8).write_text("nothing")
    ed = named(subject(release))["ed"]
    assert ed.mask[1].max() == 0
    assert not ed.annotated[1].any()


def test_a_case_that_cannot_be_used_says_why(release: Path) -> None:
    draw(release, 1, "i", 5, case="SC-HF-I-02")
    draw(release, 1, "i", 5, case="SC-XX-01")
    for number in (2, 3, 5):
        (release / "SCD_IMAGES_01" / "SCD0000101" / "anything" / f"000{number}.dcm").unlink()
    draw(release, 1, "i", 5, case="SC-HF-I-04")
    (release / "SCD_IMAGES_01" / "SCD0000301").mkdir()
    entries = list(read_layout(release))
    whys = {Path(entry.where).name: entry.why for entry in entries if isinstance(entry, Skipped)}
    assert whys["SC-HF-I-02"] == whys["SC-XX-01"] == "scd_patientdata.csv gives no folder of images for it"
    assert whys["SC-HF-I-04"].endswith("SCD0000301: no short-axis cine")
    assert whys["SC-HF-I-01"].endswith("slice 0 has 5 phases, the others have 8: more than a third is missing")


def test_a_case_without_any_usable_contour(release: Path) -> None:
    for path in release.rglob("*contour-manual.txt"):
        path.write_text("nothing")
    assert skipped(release).why == "none of its contours can be used; the first: not a contour file"


def test_real_cases(shared_data: Path) -> None:
    root = shared_data / "sunnybrook"
    subjects = [entry for entry in read_layout(root) if isinstance(entry, Subject)]
    assert [one.subject_id for one in subjects] == ["SC-HF-I-01", "SC-HF-I-02", "SC-HF-I-04"]
    assert not any(one.skipped for one in subjects)
    counts = np.array([[count for _, count in one.counts] for one in subjects])
    assert counts.sum(axis=0).tolist() == [56, 28]
    with (root / "scd_cases.csv").open(newline="") as file:
        cases = {row["contour_id"]: row for row in csv.DictReader(file)}
    for one in subjects:
        phases = {volume.name: str(volume.phase) for volume in one.volumes}
        case = cases[one.subject_id]
        assert phases == {"ed": case["ed_frame0"], "es": case["es_frame0"]}
        assert one.volumes[0].case_ids == (one.subject_id, case["cap_id"])
