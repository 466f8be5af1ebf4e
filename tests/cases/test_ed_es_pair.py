"""ACDC's ED and ES images of one patient, given by the card that names them, are one case with its EF."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from thresholds import LEVELS, write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.cli.app import run
from cardioseg.errors import UnusableError
from cardioseg.image.ed_es_pair import read_cine
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.phantom import Phantom, reference, truth

HEART = Phantom(slices=6, phases=8, rows=96, columns=96, spacing_mm=(14.0, 2.0, 2.2), ed_phase=0)
ED, ES = HEART.ed_es_phases
FIGURES = ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent")
MIDWAY = 0.5 - LEVELS["lv_cavity"] / 2  # so that the model divides black from bright in the middle


def scan() -> Cine:
    """The phantom's LV cavity, bright with noise on black."""
    bright = np.random.default_rng(0).normal(1000, 30, reference(HEART).voxels.shape)
    return Cine(np.where(reference(HEART).voxels == Label.LV_CAVITY, bright, 0).astype(np.int16), HEART.grid)


def patient(folder: Path, card: str = f"ED: {ED + 1}\nES: {ES + 1}\nHeight: 180.0\nWeight: 80.0\n") -> Path:
    """A folder as in ACDC, without the whole cine; the path of its card."""
    for phase in (ED, ES):
        write_volume(folder / f"{folder.name}_frame{phase + 1:02d}.nii.gz", scan().phase(phase))
    (folder / "Info.cfg").write_text(card)
    return folder / "Info.cfg"


def measures(out: Path) -> list[Mapping[str, str]]:
    with (out / "measures.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_card_gives_volumes_and_ef(tmp_path: Path) -> None:
    model, card = (
        str(write_threshold_model(tmp_path / "model", ["lv_cavity"], MIDWAY)),
        patient(tmp_path / "patient001"),
    )
    assert run(["predict", str(card), "-o", str(tmp_path / "out"), "-m", model, "-q"]) == 0
    (row,) = measures(tmp_path / "out")
    assert (row["case_id"], row["ed_phase"], row["es_phase"], row["bsa_m2"]) == ("patient001", "0", "1", "2.0")
    for key in FIGURES:
        assert float(row[key]) == pytest.approx(truth(HEART).measures[key], rel=0.1), (
            key
        )  # the model smooths over 3 pixels
    both = Cine(scan().voxels[[ED, ES]], HEART.grid)
    write_cine(tmp_path / "cine" / "patient001.nii.gz", both)
    assert run(["predict", str(tmp_path / "cine"), "-o", str(tmp_path / "other"), "-m", model, "-q"]) == 0
    (same,) = measures(tmp_path / "other")
    assert [row[key] for key in FIGURES] == [same[key] for key in FIGURES]


def test_a_folder_still_has_a_case_for_each_image(tmp_path: Path) -> None:
    card = patient(tmp_path / "patient001")
    assert [case.case_id for case in find_cases([card.parent]).cases] == ["patient001_frame01", "patient001_frame04"]
    (case,) = find_cases([card]).cases
    assert (case.case_id, case.is_4d) == ("patient001", True)
    assert [path.name for path in case.files] == [
        "Info.cfg",
        "patient001_frame01.nii.gz",
        "patient001_frame04.nii.gz",
    ]
    cards = [card, patient(tmp_path / "patient002")]
    assert [case.case_id for case in find_cases(cards).cases] == ["patient001", "patient002"]


def test_inspect_describes_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", str(patient(tmp_path / "patient001")), "--json"]) == 0
    assert '"phases": 2' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("ED: 1\n", "Info.cfg: no frame number for ES"),
        ("ED: 1\nES: x\n", "Info.cfg: no frame number for ES"),
        ("ED: 1\nES: 1\n", "ED and ES are the same frame"),
        ("ED: 1\nES: 9\n", "patient001_frame09.nii.gz: no such file"),
    ],
)
def test_a_card_that_names_no_pair(tmp_path: Path, card: str, message: str) -> None:
    with pytest.raises(UnusableError) as refused:
        read_cine(patient(tmp_path / "patient001", card))
    assert message in refused.value.message
    assert len(find_cases([tmp_path / "patient001" / "Info.cfg"]).cases) == 1  # it is said when its turn comes


def test_images_on_different_grids(tmp_path: Path) -> None:
    card = patient(tmp_path / "patient001")
    other = Volume(scan().voxels[ES], Grid(HEART.grid.shape, HEART.spacing_mm))
    write_volume(card.parent / f"patient001_frame{ES + 1:02d}.nii.gz", other)
    with pytest.raises(UnusableError, match="the images of ED and ES are on different grids"):
        read_cine(card)
    with pytest.raises(UnusableError, match="cannot be read"):
        read_cine(tmp_path / "Info.cfg")
