"""M&Ms: the phases come from the CSV, wherever in the release one stands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from only_subject import subject
from read_subjects import read_layout

from cardioseg.errors import UsageError
from cardioseg.evaluation.comparison import evaluate
from cardioseg.image.labels import CONVENTIONS, relabel
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine, Grid
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.layouts import mnms
from cardioseg.ingest.labels.subject import Subject
from cardioseg.skipped import Skipped

GRID = Grid((3, 6, 5), (10.0, 1.5, 1.25))
PHASES, ED, ES = 4, 3, 1
MASK = (np.arange(PHASES * 90) % 4).reshape(PHASES, *GRID.shape).astype(np.uint8)
MASK[[0, 2]] = 0  # experts drew ED and ES only
HEADER = ",External code,VendorName,Vendor,Centre,ED,ES,Age,Pathology,Sex,Height,Weight\n"


@pytest.fixture
def write_patient(tmp_path: Path) -> Callable[..., Path]:
    """write_patient(code, under): a patient of four phases and its line in the CSV; its folder."""

    def write(code: str = "A0S9V9", under: str = "Training/Labeled", ed: object = ED, mask: Cine | None = None) -> Path:
        folder, table = tmp_path / under / code, tmp_path / "211230_M&Ms_Dataset_information.csv"
        phases = np.arange(PHASES, dtype=np.int16)[:, None, None, None]
        write_cine(folder / f"{code}_sa.nii.gz", Cine(np.broadcast_to(phases, MASK.shape), GRID))
        write_cine(folder / f"{code}_sa_gt.nii.gz", mask or Cine(MASK, GRID))
        known = table.read_text() if table.exists() else HEADER
        table.write_text(f"{known}0,{code},Siemens,A,1,{ed},{ES},54,HCM,M,,\n")
        return folder

    return write


@pytest.mark.parametrize("stand", [".", "Training", "Training/Labeled"])
def test_a_patient_has_two_volumes(tmp_path: Path, write_patient: Callable[..., Path], stand: str) -> None:
    folder = write_patient()
    root = tmp_path / stand
    assert layouts.detect(root) is mnms
    (one,) = read_layout(root)
    assert isinstance(one, Subject)
    assert (one.subject_id, one.group, one.skipped) == ("A0S9V9", "HCM", ())
    assert [(volume.name, volume.phase) for volume in one.volumes] == [("ed", ED), ("es", ES)]
    for volume in one.volumes:
        assert volume.phase is not None
        assert (volume.image == volume.phase).all()
        np.testing.assert_array_equal(volume.mask, relabel(MASK[volume.phase], CONVENTIONS["mnms"]))
        assert volume.annotated.all()
        assert volume.case_ids == ("A0S9V9_sa", "A0S9V9")
        assert {root / source for source in volume.sources} == {folder / "A0S9V9_sa_gt.nii.gz"}


def test_it_meets_what_predict_makes_of_the_cine(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    write_patient(under="Testing")
    write_cine(tmp_path / "out" / "A0S9V9_sa" / "mask.nii.gz", Cine(relabel(MASK, CONVENTIONS["mnms"]), GRID))
    evaluation = evaluate(tmp_path / "out", tmp_path / "Testing")
    assert evaluation.problems == ()
    assert {(one.volume, one.overlap.dice) for one in evaluation.scores} == {("ed", 1.0), ("es", 1.0)}


def test_without_its_csv_it_is_a_plain_folder(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    write_patient()
    [table] = tmp_path.glob("*.csv")
    table.write_text("code,ed,es\n")
    assert layouts.detect(tmp_path) is None
    table.write_bytes(b"\0" * 200_000)
    assert layouts.detect(tmp_path) is None


def test_bad_patients_do_not_stop_the_others(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    write_patient("A1", ed=PHASES)
    write_patient("A2", ed="")
    write_patient("B1", mask=Cine(MASK, replace(GRID, origin_mm=(5.0, 0.0, 0.0))))
    write_patient("B2", mask=Cine(np.zeros_like(MASK), GRID))
    write_patient("B3", mask=Cine(MASK + 1, GRID))
    (write_patient("B4") / "B4_sa_gt.nii.gz").write_bytes(b"no")
    (write_patient("B5") / "B5_sa.nii.gz").unlink()
    write_patient("C1")
    half, other, *bad_ones, good = read_layout(tmp_path)
    for one, why in ((half, "phase 4, but the mask ends at phase 3"), (other, "the CSV gives no phase for ED")):
        assert isinstance(one, Subject)
        assert [volume.name for volume in one.volumes] == ["es"]
        assert why in one.skipped[0].why
    reasons = [
        "not on the grid of the image", "nothing is drawn at phase 3; nothing is drawn at phase 1",
        "the mask holds the label 4", "not a readable NIfTI file", "B5_sa.nii.gz",
    ]  # fmt: skip
    assert isinstance(good, Subject)
    assert len(bad_ones) == len(reasons)
    for entry, reason in zip(bad_ones, reasons, strict=True):
        assert isinstance(entry, Skipped)
        assert reason in entry.why


def test_a_patient_that_the_csv_does_not_list(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    write_patient("A1").rename(tmp_path / "Training" / "Z9")
    for path in (tmp_path / "Training" / "Z9").iterdir():
        path.rename(path.with_name(path.name.replace("A1", "Z9")))
    [one] = read_layout(tmp_path)
    assert isinstance(one, Skipped)
    assert one.why == "the CSV does not list it"


def test_masks_in_another_direction_are_aligned_and_masks_of_one_number_refused(
    tmp_path: Path, write_patient: Callable[..., Path]
) -> None:
    turned = GRID.turned((0, 1, 2), (False, False, True))
    write_patient(mask=Cine(np.ascontiguousarray(MASK[..., ::-1]), turned))
    for volume in subject(tmp_path).volumes:
        np.testing.assert_array_equal(volume.mask, relabel(MASK[volume.phase], CONVENTIONS["mnms"]))
    write_patient(mask=Cine((MASK == 3).astype(np.uint8), GRID))
    with pytest.raises(UsageError, match="hold only the number 1: which structure is it"):
        subject(tmp_path)
