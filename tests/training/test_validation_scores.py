"""The Dice of validation: a structure that a volume does not draw is not scored, as in `evaluate`."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cardioseg.evaluation.comparison import collect
from cardioseg.evaluation.judgement import judge
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.summary import subject_means
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.network.unet import UNet
from cardioseg.training.recipe import Recipe
from cardioseg.training.slice_scores import SliceScore, per_subject
from cardioseg.training.validation import predict, validate

LV = Label.LV_CAVITY


def volume(name: str, drawn: Sequence[bool]) -> LabelledVolume:
    """Discs of bright pixels; the label is drawn on some slices."""
    rows, columns = np.mgrid[:32, :32]
    disc = (rows - 16) ** 2 + (columns - 15) ** 2 < 36
    image = np.stack([100 + 80 * disc] * len(drawn)).astype(np.int16)
    mask = np.stack([np.where(disc & is_drawn, LV, 0) for is_drawn in drawn]).astype(np.uint8)
    annotated = np.zeros((len(drawn), len(Label)), bool)
    annotated[:, LV] = True
    return LabelledVolume(name, image, mask, annotated, (8.0, 2.0, 2.0), (name,), None, ("",) * len(drawn))


@pytest.fixture(scope="module")
def network() -> UNet:
    """An untrained network that sees the structure on every slice."""
    network = UNet(2, "iln")
    with torch.no_grad():
        network.get_parameter("head.bias")[1] += 100
    return network


def scores_of(network: UNet, tiny: Recipe, volumes: Sequence[LabelledVolume]) -> tuple[SliceScore, ...]:
    return tuple(validate(network, tiny, [Subject("s", tuple(volumes))]))


def test_a_structure_that_a_volume_does_not_draw_has_no_dice(network: UNet, tiny: Recipe) -> None:
    volumes = [volume("ed", [True, True, False]), volume("es", [False, False])]
    scores = scores_of(network, tiny, volumes)
    assert [(score.volume, score.dice is None) for score in scores] == [("ed", False)] * 3 + [("es", True)] * 2
    assert scores[2].dice == 0  # a single slice of a volume that draws it


def test_a_single_slice_may_be_empty_rightly(network: UNet, tiny: Recipe) -> None:
    assert [score.dice for score in scores_of(network, tiny, [volume("es", [False])])] == [0]


def test_train_and_evaluate_agree(network: UNet, tiny: Recipe) -> None:
    volumes = [volume("ed", [True, True, False]), volume("es", [False, False])]
    pairs = [Pair("s", each.name, each, predicted(network, tiny, each)) for each in volumes]
    evaluation = collect([judge(pairs, [LV])], Origin("network", "discs"))
    expected = subject_means(evaluation.scores, "dice")["s"]
    assert per_subject(scores_of(network, tiny, volumes), LV.key).mean == pytest.approx(expected)
    assert expected > 0


def predicted(network: UNet, tiny: Recipe, each: LabelledVolume) -> NDArray[np.uint8]:
    classes = predict(network, tiny, each.image, each.pixel_mm())
    return np.where(classes == 1, LV, 0).astype(np.uint8)
