import csv
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from only_subject import subject
from read_subjects import read_layout

from cardioseg.errors import UsageError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.layouts import acdc
from cardioseg.ingest.labels.structures import Meaning
from cardioseg.ingest.labels.subject import Subject
from cardioseg.skipped import Skipped

GRID = Grid((3, 6, 5), (10.0, 1.5, 1.25))
MASK = np.arange(90, dtype=np.uint8).reshape(GRID.shape) % 4


@pytest.fixture
def write_patient(tmp_path: Path) -> Callable[..., Path]:
    """write_patient(name, under): a patient with ED at frame 1 and ES at frame 12, below `tmp_path / under`."""

    def write(name: str = "patient007", under: str = "training") -> Path:
        folder = tmp_path / under / name
        for frame in ("01", "12"):
            image = Volume(np.full(GRID.shape, int(frame), np.int16), GRID)
            write_volume(folder / f"{name}_frame{frame}.nii.gz", image)
            write_volume(folder / f"{name}_frame{frame}_gt.nii.gz", Volume(MASK, GRID))
        (folder / "Info.cfg").write_text("ED: 1\nES: 12\nGroup: DCM\nHeight: 184.0\n")
        return folder

    return write


@pytest.mark.parametrize("under", ["training", "."])
def test_a_patient_has_two_volumes(tmp_path: Path, write_patient: Callable[..., Path], under: str) -> None:
    write_patient(under=under)
    assert layouts.detect(tmp_path) is acdc
    (one,) = read_layout(tmp_path)
    assert isinstance(one, Subject)
    assert (one.subject_id, one.group, one.skipped) == ("patient007", "DCM", ())
    ed, es = one.volumes
    assert (ed.name, ed.case_ids, ed.phase) == ("ed", ("patient007_frame01",), None)
    assert (es.name, es.case_ids) == ("es", ("patient007_frame12",))
    assert (ed.image == 1).all()
    assert (es.image == 12).all()
    np.testing.assert_array_equal(ed.mask, MASK)
    assert ed.annotated.all()
    assert ed.spacing_mm == pytest.approx(GRID.spacing_mm)
    assert ed.sources == (str(Path(under) / "patient007" / "patient007_frame01.nii.gz"),) * 3
    assert ed.volume_ml(Label.LV_CAVITY) == pytest.approx((MASK == 3).sum() * 10 * 1.5 * 1.25 / 1000)


def test_one_patients_folder_is_one_patient(
    tmp_path: Path, write_patient: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_patient())
    assert layouts.detect(Path()) is acdc
    (one,) = read_layout(Path())
    assert isinstance(one, Subject)
    assert (one.subject_id, len(one.volumes)) == ("patient007", 2)


def test_half_a_patient_is_used_and_the_rest_named(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    folder = write_patient()
    (folder / "patient007_frame12_gt.nii.gz").unlink()
    (one,) = read_layout(tmp_path)
    assert [volume.name for volume in one.volumes] == ["ed"] if isinstance(one, Subject) else False
    assert one.skipped[0].why.endswith("patient007_frame12_gt.nii.gz: no such file")


def test_bad_patients_do_not_stop_the_others(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    (write_patient("patient001") / "Info.cfg").write_text("ED: one\n")
    for path in write_patient("patient002").glob("*.nii.gz"):
        path.write_bytes(b"no")
    moved = Volume(MASK, replace(GRID, origin_mm=(5.0, 0.0, 0.0)))
    unknown = Volume(MASK + 1, GRID)
    for name, bad in (("patient003", moved), ("patient004", unknown)):
        for path in write_patient(name).glob("*_gt.nii.gz"):
            write_volume(path, bad)
    write_patient("patient005")
    *bad_ones, good = read_layout(tmp_path)
    assert isinstance(good, Subject)
    reasons = [
        "no frame number for ED",
        "not a readable NIfTI file",
        "not on the grid of the image",
        "the mask holds the label 4",
    ]
    for entry, reason in zip(bad_ones, reasons, strict=True):
        assert isinstance(entry, Skipped)
        assert reason in entry.why


def agrees(root: Path, patients: int | None) -> int:
    with (root / "training.csv").open(newline="") as file:
        table = {row["patient"]: row for row in csv.DictReader(file)}
    checked = 0
    for one in islice(read_layout(root), patients):
        assert isinstance(one, Subject)
        assert [volume.name for volume in one.volumes] == ["ed", "es"]
        for volume in one.volumes:
            for side, label in (("lv", Label.LV_CAVITY), ("rv", Label.RV_CAVITY)):
                reference_ml = float(table[one.subject_id][f"{side}_{volume.name}v_ml"])
                assert volume.volume_ml(label) == pytest.approx(reference_ml, rel=1e-3)
        checked += 1
    return checked


def test_real_volumes(shared_data: Path) -> None:
    assert agrees(shared_data / "acdc", 4) == 4


@pytest.mark.slow
def test_all_real_volumes(shared_data: Path) -> None:
    assert agrees(shared_data / "acdc", None) == 80


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("ED: 1\nHeight: 184.0\nWeight: 95.0\n", (1.84, 95.0)),
        ("Height: 184.0\n", (1.84, None)),
        ("Height: tall\nWeight: -3\n", (None, None)),
        ("Weight: inf\n", (None, None)),
    ],
)
def test_the_body_in_info_cfg(tmp_path: Path, text: str, body: tuple[float | None, float | None]) -> None:
    assert acdc.read_body(tmp_path / "patient007_4d.nii.gz") == (None, None)
    (tmp_path / "Info.cfg").write_text(text)
    assert acdc.read_body(tmp_path / "patient007_4d.nii.gz") == body


def test_a_mask_with_its_axes_in_another_direction_is_aligned(
    tmp_path: Path, write_patient: Callable[..., Path]
) -> None:
    flipped = Volume(np.ascontiguousarray(MASK[:, ::-1]), GRID.turned((0, 1, 2), (False, True, False)))
    write_volume(write_patient() / "patient007_frame12_gt.nii.gz", flipped)
    for volume in subject(tmp_path).volumes:
        np.testing.assert_array_equal(volume.mask, MASK)


def test_masks_of_one_number_do_not_say_what_it_is(tmp_path: Path, write_patient: Callable[..., Path]) -> None:
    folder = write_patient()
    for frame in ("01", "12"):
        binary = Volume((MASK == Label.LV_CAVITY).astype(np.uint8), GRID)
        write_volume(folder / f"patient007_frame{frame}_gt.nii.gz", binary)
    with pytest.raises(UsageError, match="hold only the number 1: which structure is it") as error:
        subject(tmp_path)
    assert "--labels" in error.value.hint
    for volume in subject(tmp_path, meaning=Meaning(CONVENTIONS["mnms"])).volumes:
        assert volume.labels == STRUCTURES
        np.testing.assert_array_equal(volume.mask == Label.LV_CAVITY, MASK == Label.LV_CAVITY)
