"""The reader of DICOM SEG: damaged objects."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from segmentation_objects import ED, HEART, by_highdicom, mask_at, stack_of

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.segment_frames import read_segmentation
from cardioseg.phantom import write_dicom

MUTANTS = 1000


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    write_dicom(HEART, folder)
    return folder


def damaged(content: bytes, random: Random) -> bytes:
    """A copy with bytes changed, taken out, put in or cut off."""
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 9))):
        at = random.randrange(len(made))
        match random.randrange(9):
            case 0:
                del made[at : at + random.randrange(1, 20)]
            case 1:
                made[at:at] = bytes(random.randrange(256) for _ in range(random.randrange(1, 9)))
            case 2:
                del made[max(at, 200) :]
            case _:
                made[at] = random.choice((0, 1, 255, random.randrange(256)))
    return bytes(made)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_damage_is_refused_or_read_and_nothing_else_happens(kind: str, scan: Path, tmp_path: Path) -> None:
    one_slice = np.where(np.arange(HEART.slices)[:, None, None] == 2, mask_at(ED), 0)  # few frames are read fast
    good = by_highdicom(tmp_path / "a", stack_of(scan), ED, one_slice, kind=kind).read_bytes()
    path, refused = tmp_path / "mutant", 0
    for seed in range(MUTANTS):
        path.write_bytes(damaged(good, Random(seed)))  # noqa: S311 - damage is no secret
        try:
            segmentation = read_segmentation(path)
            for segment in segmentation.segments:
                assert sum(inside.size for _, inside, _ in segmentation.drawn(segment, segmentation.frames)) < 1e6
        except UnusableError as error:
            refused += str(path) in error.message
    assert MUTANTS / 10 < refused < MUTANTS
