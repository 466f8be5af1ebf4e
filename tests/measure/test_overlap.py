"""Overlap: its algebra, its empty cases, and other implementations."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from cardioseg.measure.overlap import Overlap, dice, overlap

Mask = NDArray[np.bool_]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)


@st.composite
def mask_pairs(draw: st.DrawFn) -> tuple[Mask, Mask]:
    shape = draw(SHAPES)
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(np.bool_, shape))


@given(mask_pairs())
def test_is_symmetric_and_between_0_and_1(masks: tuple[Mask, Mask]) -> None:
    score = dice(*masks)
    assert score == dice(*masks[::-1])
    assert score is None or 0 <= score <= 1


@given(mask_pairs())
def test_is_not_scored_exactly_where_both_are_empty(masks: tuple[Mask, Mask]) -> None:
    assert (dice(*masks) is None) == (not masks[0].any() and not masks[1].any())


@given(mask_pairs())
def test_is_1_exactly_where_the_masks_are_equal(masks: tuple[Mask, Mask]) -> None:
    reference, predicted = masks
    if reference.any() or predicted.any():
        assert (dice(reference, predicted) == 1) == np.array_equal(reference, predicted)


@given(hnp.arrays(np.bool_, SHAPES))
def test_disjoint_masks_score_0(mask: Mask) -> None:
    assert dice(mask, ~mask) == 0


@given(hnp.arrays(np.bool_, SHAPES).filter(np.any))
def test_one_empty_mask_scores_0(mask: Mask) -> None:
    assert dice(mask, np.zeros_like(mask)) == dice(np.zeros_like(mask), mask) == 0


def test_scores_by_hand() -> None:
    counts = overlap(np.arange(10) < 6, np.arange(10) >= 4)
    assert counts == Overlap(reference=6, predicted=6, both=2)
    assert (counts.dice, counts.jaccard) == (pytest.approx(1 / 3), 0.2)
    assert (Overlap(8, 5, 4).sensitivity, Overlap(8, 5, 4).precision) == (0.5, 0.8)


def test_a_score_without_a_mask_is_undefined() -> None:
    nothing, only_reference, only_predicted = Overlap(), Overlap(reference=3), Overlap(predicted=3)
    assert {nothing.dice, nothing.jaccard, nothing.sensitivity, nothing.precision} == {None}
    assert {only_reference.dice, only_reference.jaccard, only_reference.sensitivity} == {0}
    assert {only_predicted.dice, only_predicted.jaccard, only_predicted.precision} == {0}
    assert only_reference.precision is only_predicted.sensitivity is None


@given(mask_pairs())
def test_slices_add_up_to_their_volume(masks: tuple[Mask, Mask]) -> None:
    slices = [
        overlap(np.atleast_1d(reference), np.atleast_1d(predicted)) for reference, predicted in zip(*masks, strict=True)
    ]
    assert sum(slices, Overlap()) == overlap(*masks)


@given(mask_pairs())
def test_scores_follow_from_each_other(masks: tuple[Mask, Mask]) -> None:
    counts = overlap(*masks)
    if counts.dice is not None and counts.jaccard is not None:
        assert counts.jaccard == pytest.approx(counts.dice / (2 - counts.dice))
    if counts.both and counts.sensitivity and counts.precision:
        assert counts.dice == pytest.approx(2 / (1 / counts.sensitivity + 1 / counts.precision))


def agrees_with_simpleitk(reference: Mask, predicted: Mask) -> None:
    ours, theirs = overlap(reference, predicted), sitk.LabelOverlapMeasuresImageFilter()
    theirs.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (predicted, reference)))
    assert ours.dice == pytest.approx(theirs.GetDiceCoefficient(), abs=1e-12)
    assert ours.jaccard == pytest.approx(theirs.GetJaccardCoefficient(), abs=1e-12)
    assert ours.sensitivity == pytest.approx(1 - theirs.GetFalseNegativeError(), abs=1e-12)
    assert ours.precision == pytest.approx(1 - theirs.GetFalseDiscoveryRate(), abs=1e-12)


def agrees_with_monai_and_deepmind(reference: Mask, predicted: Mask) -> None:
    import torch
    from monai.metrics import compute_dice, compute_iou
    from surface_distance import compute_dice_coefficient

    ours, pair = overlap(reference, predicted), [torch.from_numpy(mask)[None, None] for mask in (predicted, reference)]
    assert ours.dice == pytest.approx(compute_dice(*pair, include_background=True).item(), abs=1e-6)
    assert ours.jaccard == pytest.approx(compute_iou(*pair, include_background=True).item(), abs=1e-6)
    assert ours.dice == pytest.approx(compute_dice_coefficient(reference, predicted), abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_other_implementations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 20, size=2 + seed % 2)
    reference, predicted = (rng.random(shape) < rng.uniform(0.05, 0.95) for _ in range(2))
    reference[0] = predicted[-1] = True  # neither is empty, and both touch a border
    agrees_with_simpleitk(reference, predicted)
    agrees_with_monai_and_deepmind(reference, predicted)


def test_real_masks_agree_with_other_implementations(real_pairs: list[tuple[Mask, Mask, tuple[float, ...]]]) -> None:
    for reference, predicted, _ in real_pairs:
        agrees_with_simpleitk(reference, predicted)
        agrees_with_monai_and_deepmind(reference, predicted)


def test_refuses_shapes_that_would_broadcast() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        dice(np.ones((3, 4), np.bool_), np.ones((1, 4), np.bool_))


def test_refuses_labels_in_place_of_masks() -> None:
    labels = np.full((2, 2), 3, np.uint8)
    with pytest.raises(ValueError, match="expected bool"):
        dice(labels, labels)  # type: ignore[arg-type]
