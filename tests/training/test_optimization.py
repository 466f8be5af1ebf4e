"""Losses and learning rates."""

import math

import pytest
import torch

from cardioseg.training.optimization import Optimization, learning_rate, loss, optimizer, soft_dice


def test_learning_rate_is_divided_at_each_epoch() -> None:
    settings = Optimization(learning_rate=1.5)
    assert [learning_rate(settings, epoch, 0.3) for epoch in (0, 1)] == [1.5, 0.3]


def test_cosine_falls_from_the_rate_to_zero() -> None:
    settings = Optimization(learning_rate=0.1, schedule="cosine")
    assert learning_rate(settings, 0, 0) == 0.1
    assert learning_rate(settings, 0, 0.5) == pytest.approx(0.05)
    assert learning_rate(settings, 5, 1) == pytest.approx(0)


def test_restarts_let_the_rate_fall_in_each_epoch_from_a_lower_peak() -> None:
    settings = Optimization(learning_rate=0.1, schedule="restarts", divisor=2, epochs=2)
    one_epoch = Optimization(learning_rate=0.1, schedule="cosine", epochs=1)
    steps = 4848
    first = [learning_rate(settings, 0, step / (2 * steps)) for step in range(steps)]
    assert first == [learning_rate(one_epoch, 0, step / steps) for step in range(steps)]
    assert learning_rate(settings, 1, 0.5) == 0.05
    assert learning_rate(settings, 1, 0.75) == pytest.approx(0.025)
    assert learning_rate(settings, 1, 1) == pytest.approx(0)


def test_cross_entropy_of_no_opinion() -> None:
    logits, targets = torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)
    assert loss(Optimization(), logits, targets).item() == pytest.approx(math.log(2))


def test_soft_dice_of_a_sure_network() -> None:
    targets = torch.zeros(2, 8, 8, dtype=torch.int64)
    targets[0, 2:5, 2:5] = 1
    right = torch.stack([10.0 - 20 * targets, -10.0 + 20 * targets], 1)
    assert soft_dice(right, targets).item() == pytest.approx(1, abs=1e-3)
    assert soft_dice(-right, targets).item() < 0.1
    settings = Optimization(loss="cross_entropy_dice")
    assert loss(settings, right, targets) < 0.01 < loss(settings, -right, targets)


def test_only_the_dice_of_a_batch_has_a_price_for_what_is_not_there() -> None:
    """On an image that lacks a structure, its own Dice is 0 however much of it is drawn."""
    targets = torch.zeros(2, 8, 8, dtype=torch.int64)
    targets[1, 2:6, 2:6] = 1

    def dice(invented: int, *, of_batch: bool) -> float:
        drawn = targets.clone()
        drawn[0].view(-1)[:invented] = 1
        logits = torch.stack([10.0 - 20 * drawn, -10.0 + 20 * drawn], 1)
        return soft_dice(logits, targets, of_batch=of_batch).item()

    assert dice(32, of_batch=False) == pytest.approx(dice(16, of_batch=False), abs=0.02)
    assert dice(0, of_batch=True) == pytest.approx(1, abs=1e-3)
    assert dice(16, of_batch=True) == pytest.approx(33 / 49, abs=1e-3)
    assert dice(32, of_batch=True) == pytest.approx(33 / 65, abs=1e-3)


def test_optimizers() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    assert isinstance(optimizer(Optimization(), [weight]), torch.optim.SGD)
    assert isinstance(optimizer(Optimization(optimizer="adamw"), [weight]), torch.optim.AdamW)
