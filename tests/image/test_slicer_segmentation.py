"""Segmentations of 3D Slicer: damaged files."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from itk_written import damaged
from slicer_files import keys, write_slicer

from cardioseg.errors import UnusableError
from cardioseg.image.slicer_segmentation import is_segmentation, read_segmentation
from cardioseg.image.volume import Grid

GRID = Grid((3, 8, 6), (8.0, 1.5, 1.25), (-20.0, 11.5, 40.0))


@pytest.mark.parametrize("layers", [1, 2])
def test_damaged_files_are_refused_in_words(layers: int, tmp_path: Path) -> None:
    places = [(0, 1), (layers - 1, 2)]
    voxels = np.random.default_rng(0).integers(0, 3, (layers, *GRID.shape)).astype(np.uint8)
    content = write_slicer(tmp_path / "a.seg.nrrd", voxels, GRID, keys(["LV", "RV"], places)).read_bytes()
    random, head = Random(4), content.index(b"\n\n")  # noqa: S311 - damage is no secret
    path, outcomes = tmp_path / "b.seg.nrrd", {True: 0, False: 0}
    for _ in range(1000):
        path.write_bytes(damaged(content, random, head))
        is_segmentation(path)
        try:
            outcomes[len(read_segmentation(path).segments) >= 0] += 1
        except UnusableError as error:
            outcomes[str(path) not in error.message] += 1
    assert min(outcomes.values()) > 100


def test_other_files_are_no_segmentations(tmp_path: Path) -> None:
    write_slicer(tmp_path / "a.nrrd", np.zeros((1, *GRID.shape), np.uint8), GRID, {})
    (tmp_path / "b.nrrd").write_bytes(b"a scan")
    assert not any(map(is_segmentation, (tmp_path / "a.nrrd", tmp_path / "b.nrrd", tmp_path / "c.nrrd")))
