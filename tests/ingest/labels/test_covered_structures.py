"""A structure that another one covers is refused in words: it would be lost in the label map."""

from pathlib import Path

import numpy as np
import pytest
from only_subject import subject, why
from slicer_files import keys, write_slicer

from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.ingest.labels.painting import CoveredStructureError, painted
from cardioseg.ingest.labels.structures import Structure

GRID = Grid((2, 40, 40), (8.0, 1.5, 1.5))
ROWS, COLUMNS = np.mgrid[:40, :40]
FROM_MIDDLE = np.broadcast_to(np.hypot(ROWS - 20, COLUMNS - 20), GRID.shape)
FILLED, CAVITY = FROM_MIDDLE < 12, FROM_MIDDLE < 8
WALL = FILLED & ~CAVITY
BESIDE = np.broadcast_to(np.hypot(ROWS - 20, COLUMNS - 3) < 4, GRID.shape)
IS_LOST = rf"{WALL.sum()} of the {WALL.sum()} pixels of the LV myocardium are also drawn as LV cavity, so that it would"
LV, EPICARDIUM, MYOCARDIUM, RV = (
    Structure.LV_CAVITY, Structure.LV_EPICARDIUM, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY,
)  # fmt: skip


@pytest.mark.parametrize(
    ("drawn", "lost"),
    [
        ({LV: FILLED, MYOCARDIUM: WALL}, "LV myocardium"),
        ({LV: FILLED, EPICARDIUM: CAVITY}, "LV epicardium"),  # the names exchanged
        ({LV: CAVITY, EPICARDIUM: CAVITY}, "LV epicardium"),
        ({LV: FILLED | BESIDE, RV: BESIDE}, "RV cavity"),
        ({RV: FILLED, MYOCARDIUM: WALL}, "LV myocardium"),
    ],
)
def test_what_would_be_lost(drawn: dict[Structure, np.ndarray], lost: str) -> None:
    with pytest.raises(CoveredStructureError, match=f"pixels of the {lost} are also"):
        painted(drawn, GRID.shape)


@pytest.mark.parametrize("cavity", [FROM_MIDDLE < 8, FROM_MIDDLE < 11])  # of a thin wall, 5 of 6 pixels are cavity
@pytest.mark.parametrize("outer", [EPICARDIUM, MYOCARDIUM])
def test_a_filled_outline_is_the_wall_around_the_cavity(cavity: np.ndarray, outer: Structure) -> None:
    mask = painted({LV: cavity, outer: FILLED, RV: BESIDE}, GRID.shape)
    assert np.array_equal(mask == Label.LV_MYOCARDIUM, FILLED & ~cavity & ~BESIDE)
    assert np.array_equal(mask == Label.LV_CAVITY, cavity)


def test_an_outline_beside_its_ring_and_what_is_empty() -> None:
    drawn = {EPICARDIUM: FILLED, MYOCARDIUM: WALL, LV: CAVITY, RV: np.zeros_like(CAVITY)}
    assert np.array_equal(painted(drawn, GRID.shape) == Label.LV_MYOCARDIUM, WALL)


def columns(folder: Path, phases: list[dict[str, np.ndarray]]) -> Path:
    """A folder in the layout `pairs`, with the masks of each phase in columns of their own."""
    images = np.random.default_rng(0).integers(0, 900, (len(phases), *GRID.shape)).astype(np.int16)
    write_cine(folder / "scan.nii.gz", Cine(images, GRID, tuple(40.0 * n for n in range(len(phases)))))
    for name in phases[0]:
        drawn = np.stack([phase[name] for phase in phases]).astype(np.uint8)
        write_cine(folder / f"{name}.nii.gz", Cine(drawn, GRID, tuple(40.0 * n for n in range(len(phases)))))
    files = ",".join(f"{name}.nii.gz" for name in phases[0])
    (folder / "table.csv").write_text(f"subject,image,{','.join(phases[0])}\np1,scan.nii.gz,{files}\n")
    return folder


def test_columns(tmp_path: Path) -> None:
    assert IS_LOST in why(columns(tmp_path, [{"lv_mask": FILLED, "myo_mask": WALL, "rv_mask": BESIDE & ~FILLED}]))


def test_columns_at_one_of_several_phases(tmp_path: Path) -> None:
    right, wrong = {"lv_mask": CAVITY, "myo_mask": WALL}, {"lv_mask": FILLED, "myo_mask": WALL}
    assert IS_LOST in why(columns(tmp_path, [right, right, wrong]))


def test_columns_say_what_they_share(tmp_path: Path) -> None:
    one = subject(columns(tmp_path, [{"lv_mask": CAVITY, "rv_mask": (COLUMNS < 15) & (ROWS > 0) & FILLED}]))
    shared = np.count_nonzero(CAVITY & (COLUMNS < 15))
    assert [item.why for item in one.skipped] == [
        f"{shared} pixels of the RV cavity are left out, since they are LV cavity, too"
    ]


def test_segments_of_3d_slicer(tmp_path: Path) -> None:
    layers = np.stack([FILLED, WALL]).astype(np.uint8)
    write_slicer(tmp_path / "a.seg.nrrd", layers, GRID, keys(["Left ventricle", "myocardium"], [(0, 1), (1, 1)]))
    write_volume(tmp_path / "scan.nii.gz", Volume(np.ones(GRID.shape, np.int16), GRID))
    (tmp_path / "table.csv").write_text("subject,image,mask\np1,scan.nii.gz,a.seg.nrrd\n")
    assert IS_LOST in why(tmp_path)
