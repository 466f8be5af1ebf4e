"""Where labelled voxels lie in space: the same question to a mask and to whatever a reader made of its SEG."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from cardioseg.image.labels import Label
from cardioseg.image.volume import Volume

Points = dict[Label, NDArray[np.float64]]


def labelled_points(mask: Volume, labels: Sequence[Label]) -> Points:
    """LPS positions (n, 3) in mm of each label's voxels."""
    return {label: mask.grid.position_mm(np.argwhere(mask.voxels == label)) for label in labels}


def assert_same_points(found: Points, expected: Points, tolerance_mm: float = 0.001) -> None:
    """The same voxels at the same places, and so the same centroid."""
    assert found.keys() == expected.keys()
    for label, points in expected.items():
        assert len(found[label]) == len(points)
        if len(points):
            distance_mm, nearest = KDTree(points).query(found[label])
            assert distance_mm.max() < tolerance_mm
            assert len(set(nearest)) == len(points)
            assert np.allclose(found[label].mean(axis=0), points.mean(axis=0), rtol=0, atol=tolerance_mm)
