"""Surface distances: by hand, their algebra, and three other implementations.

Of these, SimpleITK knows the whole Hausdorff distance only, and MONAI works in single precision. DeepMind's surfaces
are other ones: the corners between the voxels inside and outside, weighted by area; so its distances from corner to
corner must be ours, and its scores near ours.
"""

from itertools import product

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from cardioseg.measure.distance import Distances, distances, nearest_mm, surface

Mask = NDArray[np.bool_]
Spacing = tuple[float, ...]
Example = tuple[Mask, Mask, Spacing]


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Two masks in 2D or 3D, each with a voxel at least, and a spacing."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, max_side=7))
    masks = [draw(hnp.arrays(np.bool_, shape).filter(np.any)) for _ in range(2)]
    return masks[0], masks[1], tuple(draw(st.sampled_from((0.7, 1.0, 1.37, 10.0))) for _ in shape)


def voxels(shape: tuple[int, ...], *positions: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.bool_)
    mask[tuple(np.transpose(positions))] = True
    return mask


def slow(reference: Mask, predicted: Mask, spacing_mm: Spacing) -> tuple[float, float, float]:
    """The definition, word by word."""
    surfaces = [np.argwhere(slow_surface(mask)) * spacing_mm for mask in (reference, predicted)]
    there, back = (
        [min(np.linalg.norm(a - b) for b in target) for a in start] for start, target in (surfaces, surfaces[::-1])
    )
    hd95_mm = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(hd95_mm), float(np.mean(there + back)), float(max(there + back))


def slow_surface(mask: Mask) -> Mask:
    inside = {tuple(index) for index in np.argwhere(mask).tolist()}
    steps = [tuple(sign * row) for row in np.eye(mask.ndim, dtype=int) for sign in (-1, 1)]
    bare = [at for at in inside if any(tuple(np.add(at, step).tolist()) not in inside for step in steps)]
    return voxels(mask.shape, *bare)


def numbers(found: Distances) -> tuple[float | None, ...]:
    return found.hd95_mm, found.assd_mm, found.hausdorff_mm


def test_two_voxels_by_hand() -> None:
    one, other = voxels((3, 9, 9), (0, 0, 0)), voxels((3, 9, 9), (2, 3, 0))
    assert numbers(distances(one, other, (2.0, 1.0, 0.5))) == pytest.approx((5, 5, 5))


def test_the_percentile_is_of_each_direction_and_interpolates() -> None:
    row, dot = voxels((1, 21), *[(0, column) for column in range(21)]), voxels((1, 21), (0, 0))
    found = distances(row, dot, (1.0, 2.0))
    assert found.hd95_mm == pytest.approx(38)  # the 19th of 0..20 pixels; the way back is 0
    assert found.assd_mm == pytest.approx(sum(range(0, 42, 2)) / 22)
    assert found.hausdorff_mm == pytest.approx(40)
    assert distances(row[:, :11], dot[:, :11], (1.0, 2.0)).hd95_mm == pytest.approx(19)


def test_slices_that_are_missing_in_between_keep_their_distance() -> None:
    """Slices 1, 3 and 7 of a stack, 10 mm apart: from 1 to 3 it is 20 mm, from 3 to 7 40 mm."""
    masks = [voxels((3, 4, 4), (place, 1, 2)) for place in range(3)]
    for one, other, expected in ((0, 1, 20), (1, 2, 40), (2, 0, 60)):
        found = distances(masks[one], masks[other], (10.0, 1.0, 1.0), (1, 3, 7))
        assert numbers(found) == pytest.approx((expected,) * 3)
    assert distances(masks[0], masks[1], (10.0, 1.0, 1.0)).hd95_mm == pytest.approx(10)


def test_a_missing_slice_is_not_outside() -> None:
    """The middle of three equal slices has no surface inside, whether slices are missing beside it or not."""
    block = np.zeros((3, 5, 5), np.bool_)
    block[:, 1:4, 1:4] = True
    hollow = block.copy()
    hollow[1, 2, 2] = False
    assert numbers(distances(block, hollow, (10.0, 1.0, 1.0), (0, 2, 4))) == pytest.approx((0, 0, 0))
    with pytest.raises(ValueError, match="2 places do not fit 3 slices"):
        distances(block, hollow, (10.0, 1.0, 1.0), (0, 2))


@settings(deadline=None)
@given(examples(), st.integers(0, 5))
def test_contiguous_places_change_nothing(example: Example, first: int) -> None:
    reference, predicted, spacing_mm = example
    places = range(first, first + len(reference))
    assert distances(reference, predicted, spacing_mm, places) == distances(reference, predicted, spacing_mm)


def test_the_inside_does_not_count() -> None:
    block = np.zeros((7, 7), np.bool_)
    block[1:6, 1:6] = True
    ring = block.copy()
    ring[2:5, 2:5] = False
    assert distances(block, ring, (1.0, 1.0)) == Distances(0, 0, 0)
    assert np.array_equal(surface(block), ring)


@given(examples())
def test_agrees_with_the_definition(example: Example) -> None:
    assert numbers(distances(*example)) == pytest.approx(slow(*example), abs=1e-9)


@given(examples())
def test_is_symmetric_ordered_and_0_only_for_equal_surfaces(example: Example) -> None:
    reference, predicted, spacing_mm = example
    found = distances(*example)
    assert numbers(found) == pytest.approx(numbers(distances(predicted, reference, spacing_mm)))
    assert 0 <= found.hd95_mm <= found.hausdorff_mm
    assert found.assd_mm <= found.hausdorff_mm
    assert (found.hausdorff_mm == 0) == np.array_equal(surface(reference), surface(predicted))


@given(examples(), st.integers(0, 3))
def test_where_the_masks_lie_does_not_matter(example: Example, margin: int) -> None:
    """Nor does a border of the array beside them: the crop is exact."""
    reference, predicted, spacing_mm = example
    padded = (np.pad(mask, [(margin, 3 - margin)] * mask.ndim) for mask in (reference, predicted))
    assert numbers(distances(*padded, spacing_mm)) == pytest.approx(numbers(distances(*example)), abs=1e-9)


@pytest.mark.parametrize("which", [(0,), (1,), (0, 1)])
def test_an_empty_mask_has_no_distance(which: tuple[int, ...]) -> None:
    masks = np.ones((2, 3, 4, 5), np.bool_)
    masks[list(which)] = False
    assert distances(*masks, (1.0, 1.0, 1.0)) == Distances(None, None, None)


def test_refuses_what_is_no_pair() -> None:
    mask = np.ones((3, 4), np.bool_)
    with pytest.raises(ValueError, match="differ in shape"):
        distances(mask, mask[:1], (1.0, 1.0))
    with pytest.raises(ValueError, match="expected bool"):
        distances(mask, mask.astype(np.uint8), (1.0, 1.0))  # type: ignore[arg-type]
    for spacing_mm in ((1.0,), (1.0, 1.0, 1.0), (1.0, 0.0), (1.0, -2.0)):
        with pytest.raises(ValueError, match="does not fit masks of 2 dimensions"):
            distances(mask, mask, spacing_mm)


def agrees_with_simpleitk(reference: Mask, predicted: Mask, spacing_mm: Spacing) -> None:
    surfaces = surface(reference), surface(predicted)
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in surfaces]
    for image in images:
        image.SetSpacing([float(step) for step in spacing_mm[::-1]])
    theirs = sitk.HausdorffDistanceImageFilter()
    theirs.Execute(*images)
    ours = distances(reference, predicted, spacing_mm)
    assert ours.hausdorff_mm == pytest.approx(theirs.GetHausdorffDistance(), abs=1e-9)
    means = [nearest_mm(*masks, spacing_mm).mean() for masks in (surfaces, surfaces[::-1])]
    assert np.mean(means) == pytest.approx(theirs.GetAverageHausdorffDistance(), abs=1e-9)


def agrees_with_monai(reference: Mask, predicted: Mask, spacing_mm: Spacing) -> None:
    import torch
    from monai.metrics import HausdorffDistanceMetric, SurfaceDistanceMetric
    from monai.metrics.utils import get_edge_surface_distance

    pair = [torch.from_numpy(mask) for mask in (predicted, reference)]
    batch, spacing = [mask[None, None] for mask in pair], list(spacing_mm)
    hd95 = HausdorffDistanceMetric(include_background=True, percentile=95)(*batch, spacing=spacing).item()
    hausdorff = HausdorffDistanceMetric(include_background=True)(*batch, spacing=spacing).item()
    assd = SurfaceDistanceMetric(include_background=True, symmetric=True)(*batch, spacing=spacing).item()
    ours = distances(reference, predicted, spacing_mm)
    assert (ours.assd_mm, ours.hausdorff_mm) == pytest.approx((assd, hausdorff), rel=1e-6, abs=1e-6)
    assert ours.hd95_mm == pytest.approx(hd95, rel=1e-5)  # its quantile's place is in single precision too
    directed = get_edge_surface_distance(*pair, spacing=spacing, symmetric=True)[1]
    in_double = max(np.percentile(one.numpy().astype(np.float64), 95) for one in directed)
    assert ours.hd95_mm == pytest.approx(in_double, rel=1e-6, abs=1e-6)


def corners(mask: Mask) -> Mask:
    """DeepMind's surface: the corners of voxels at which inside and outside meet."""
    padded = np.pad(mask, 1)
    around = [
        padded[tuple(slice(step, step + n + 1) for step, n in zip(steps, mask.shape, strict=True))]
        for steps in product((0, 1), repeat=mask.ndim)
    ]
    return np.logical_or.reduce(around) & ~np.logical_and.reduce(around)


def agrees_with_deepmind(reference: Mask, predicted: Mask, spacing_mm: Spacing) -> tuple[float, float]:
    """Returns how far ours lie from its HD95 and ASSD, in mm."""
    import surface_distance

    theirs = surface_distance.compute_surface_distances(reference, predicted, spacing_mm)
    there = np.sort(nearest_mm(corners(reference), corners(predicted), spacing_mm))
    back = np.sort(nearest_mm(corners(predicted), corners(reference), spacing_mm))
    assert there == pytest.approx(theirs["distances_gt_to_pred"], abs=1e-9)
    assert back == pytest.approx(theirs["distances_pred_to_gt"], abs=1e-9)
    ours, diagonal_mm = distances(reference, predicted, spacing_mm), float(np.linalg.norm(spacing_mm))
    # Every corner has a surface voxel of ours within half a diagonal, and the other way about.
    assert abs(ours.hausdorff_mm - surface_distance.compute_robust_hausdorff(theirs, 100)) <= diagonal_mm + 1e-9
    hd95_mm = surface_distance.compute_robust_hausdorff(theirs, 95)
    areas = [theirs["surfel_areas_gt"].sum(), theirs["surfel_areas_pred"].sum()]
    assd_mm = np.average(surface_distance.compute_average_surface_distance(theirs), weights=areas)
    return ours.hd95_mm - hd95_mm, ours.assd_mm - assd_mm


@given(examples())
def test_agrees_with_simpleitk(example: Example) -> None:
    agrees_with_simpleitk(*example)


@pytest.mark.filterwarnings("ignore:monai:FutureWarning")  # of its own calls among themselves
@settings(max_examples=20)
@given(examples())
def test_agrees_with_monai(example: Example) -> None:
    agrees_with_monai(*example)


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
@given(examples())
def test_agrees_with_deepmind(example: Example) -> None:
    agrees_with_deepmind(*example)


@pytest.mark.filterwarnings("ignore:monai:FutureWarning")
def test_real_masks_agree_with_simpleitk_and_monai(real_pairs: list[Example]) -> None:
    for example in real_pairs:
        agrees_with_simpleitk(*example)
        agrees_with_monai(*example)


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
def test_real_masks_agree_with_deepmind_to_a_voxel(real_pairs: list[Example]) -> None:
    for example in real_pairs:
        apart_mm = agrees_with_deepmind(*example)
        assert np.abs(apart_mm).max() <= np.linalg.norm(example[2]), apart_mm
