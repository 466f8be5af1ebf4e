"""The pictures of a case in its folder."""

import time
from pathlib import Path

import numpy as np
import pytest

from cardioseg.image.volume import Cine, Grid
from cardioseg.measure.case_measures import Measures
from cardioseg.phantom import Phantom, cine, reference
from cardioseg.results.case_pictures import remove_pictures, write_pictures
from cardioseg.results.folder import CaseFolder


def scan(phases: int) -> Cine:
    ramp = np.arange(24 * 24).reshape(24, 24)
    return Cine(np.broadcast_to(ramp, (phases, 2, 24, 24)), Grid((2, 24, 24), (8.0, 3.0, 3.0)))


def mask(phases: int) -> Cine:
    voxels = np.zeros((phases, 2, 24, 24), np.uint8)
    voxels[:, :, 8:16, 8:16] = 3
    return Cine(voxels, scan(1).grid)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_cine_has_a_sheet_and_a_loop_and_a_volume_has_a_sheet(tmp_path: Path) -> None:
    write_pictures(CaseFolder(tmp_path), scan(2), mask(2), Measures({"ed_phase": 1, "es_phase": 0}), flags=(), title="")
    assert names(tmp_path) == ["cine.gif", "overlay.png"]
    write_pictures(CaseFolder(tmp_path), scan(1), mask(1), Measures(), flags=(), title="")
    assert names(tmp_path) == ["overlay.png"]


def test_they_are_removed_where_there_are_any(tmp_path: Path) -> None:
    write_pictures(CaseFolder(tmp_path / "a"), scan(2), mask(2), Measures(), flags=(), title="")
    for folder in (tmp_path / "a", tmp_path / "nowhere"):
        remove_pictures(CaseFolder(folder))
    assert not names(tmp_path / "a")


@pytest.mark.slow
def test_the_pictures_of_a_cine_take_no_time(tmp_path: Path) -> None:
    """12 slices x 20 phases: a second on a laptop, beside the half minute of the network."""
    phantom = Phantom(slices=12, spacing_mm=(8.0, 1.37, 1.37))
    image, labels = cine(phantom), reference(phantom)
    start = time.process_time()
    write_pictures(CaseFolder(tmp_path), image, labels, Measures({"ed_phase": 19, "es_phase": 7}), flags=(), title="")
    assert time.process_time() - start < 1.5
    assert (tmp_path / "cine.gif").stat().st_size < 1_000_000
