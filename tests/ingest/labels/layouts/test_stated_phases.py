"""The column `phase` beside masks of several phases: it chooses one of them, or the row is refused in words."""

from pathlib import Path

import numpy as np
import pytest
from only_subject import subject, why

from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine, Grid

GRID = Grid((2, 8, 9), (8.0, 2.0, 2.0))
PHASES = 6


def row(folder: Path, mask: np.ndarray, phase: str) -> Path:
    """A table with one 4D image, the LV cavity at some phases, and the column `phase`."""
    for name, voxels in (("scan", np.ones((PHASES, *GRID.shape), np.uint8)), ("lv", mask.astype(np.uint8))):
        write_cine(folder / f"{name}.nii.gz", Cine(voxels, GRID, tuple(40.0 * n for n in range(len(voxels)))))
    (folder / "table.csv").write_text(f"subject,image,lv_mask,phase\np1,scan.nii.gz,lv.nii.gz,{phase}\n")
    return folder


def widths(*pixels: int) -> np.ndarray:
    """A cavity of 2 x 2 x so many pixels at each phase."""
    mask = np.zeros((len(pixels), *GRID.shape), np.uint8)
    for phase, width in enumerate(pixels):
        mask[phase, :, 2:4, 1 : 1 + width] = 1
    return mask


@pytest.mark.parametrize("phase", ["1", "4", "5", "ED", ""])
def test_a_mask_of_fewer_phases_is_refused(phase: str, tmp_path: Path) -> None:
    assert f"the image has {PHASES} phases, the mask 3" in why(row(tmp_path, widths(5, 4, 3), phase))


def test_a_number_chooses_a_phase(tmp_path: Path) -> None:
    (volume,) = subject(row(tmp_path, widths(6, 5, 4, 3, 2, 1), "3")).volumes
    assert (volume.phase, np.count_nonzero(volume.mask == Label.LV_CAVITY)) == (3, 2 * 2 * 3)


def test_a_phase_at_which_nothing_is_drawn(tmp_path: Path) -> None:
    assert "nothing is drawn at phase 2" in why(row(tmp_path, widths(6, 5, 0, 3, 2, 1), "2"))


@pytest.mark.parametrize("word", ["ED", "rest", "1.5"])
def test_a_word_does_not_choose_among_several_phases(word: str, tmp_path: Path) -> None:
    said = f"the column phase says '{word}', but the mask is drawn at 2 phases (give the number of the one phase"
    assert said in why(row(tmp_path, widths(6, 0, 0, 3, 0, 0), word))


def test_a_word_names_the_only_phase(tmp_path: Path) -> None:
    (volume,) = subject(row(tmp_path, widths(0, 0, 0, 3, 0, 0), "End-Systole")).volumes
    assert (volume.name, volume.phase, np.count_nonzero(volume.mask)) == ("es", 3, 2 * 2 * 3)
