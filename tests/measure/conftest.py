"""Real masks in pairs, as a reference and its prediction."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Example = tuple[Mask, Mask, tuple[float, ...]]  # reference, predicted, spacing_mm


@pytest.fixture(scope="session")
def real_pairs(shared_data: Path) -> list[Example]:
    """Each structure of two ACDC patients at ED against ES, and against itself a pixel further along both axes."""
    from cardioseg.image.labels import STRUCTURES
    from cardioseg.results.mask_files import read_mask

    folder = shared_data / "acdc" / "training"
    if not folder.is_dir():
        pytest.skip("ACDC is not in ../shared/data")
    pairs = []
    for patient in sorted(folder.iterdir())[::40]:
        ed, es = (read_mask(path) for path in sorted(patient.glob("*_gt.nii.gz")))
        for label in STRUCTURES:
            first, second = ed.voxels[0] == label, es.voxels[0] == label
            pairs += [(first, other, ed.grid.spacing_mm) for other in (second, np.roll(first, 1, axis=(1, 2)))]
    return pairs
