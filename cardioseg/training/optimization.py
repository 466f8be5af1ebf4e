"""Optimization: the loss, the optimizer and the learning rate of a recipe."""

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from cardioseg.dataset.augmentation import Fraction

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_SMOOTH = 1.0  # pixels added to the soft Dice, so that a structure absent from an image has a gradient


class Optimization(BaseModel):
    """How the weights are fitted.

    Attributes:
        optimizer: `sgd` is stochastic gradient descent with momentum (the paper); `adamw` is AdamW.
        learning_rate: learning rate at the start.
        momentum: momentum of `sgd`.
        weight_decay: weight decay of the optimizer.
        schedule: how the learning rate falls. `divide` divides it by `divisor` at each new epoch (the paper). `cosine`
            lets it fall from step to step to 0 at the end. `restarts` does both: a cosine within each epoch
            (Loshchilov & Hutter, SGDR, 2017), so that a longer run continues where a shorter one ended.
        divisor: divisor of the learning rate at each new epoch (`divide` and `restarts`).
        epochs: number of epochs.
        batch_size: number of images in a step.
        loss: `cross_entropy` is the paper's. The others add 1 - soft Dice of the structures: `cross_entropy_dice` for
            each image alone, `cross_entropy_batch_dice` for the batch as a whole. Only the batch Dice penalizes a
            structure that is drawn on an image without it.
        precision: number format of the feature maps on a GPU, and on a CPU that has instructions for bfloat16; it is
            faster there. Sums, the loss and the weights are always float32, and so is everything on other CPUs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Positive = 0.5
    momentum: Fraction = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0
    schedule: Literal["divide", "cosine", "restarts"] = "divide"
    divisor: Positive = 5
    epochs: Annotated[int, Field(ge=1)] = 2
    batch_size: Annotated[int, Field(ge=1)] = 1
    loss: Literal["cross_entropy", "cross_entropy_dice", "cross_entropy_batch_dice"] = "cross_entropy"
    precision: Literal["float32", "bfloat16"] = "float32"


def optimizer(settings: Optimization, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of a recipe; it updates all parameters at once."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, rate, momentum=settings.momentum, weight_decay=decay, fused=True)
    return torch.optim.AdamW(parameters, rate, weight_decay=decay, fused=True)


def learning_rate(settings: Optimization, epoch: int, progress: float) -> float:
    """The learning rate in `epoch` (0-based), `progress` in [0, 1) through the whole run."""
    peak = settings.learning_rate / (1 if settings.schedule == "cosine" else settings.divisor**epoch)
    if settings.schedule == "divide":
        return peak
    fraction = progress if settings.schedule == "cosine" else progress * settings.epochs - epoch
    return peak * (1 + math.cos(math.pi * fraction)) / 2


def loss(settings: Optimization, logits: Tensor, targets: Tensor) -> Tensor:
    """The scalar loss of logits [n, c, h, w] for targets [n, h, w] int64."""
    # torch's cross entropy sums in no fixed order on a GPU
    cross_entropy = -(logits.log_softmax(1) * _one_hot(logits, targets)).sum(1).mean()
    if settings.loss == "cross_entropy":
        return cross_entropy
    return cross_entropy + 1 - soft_dice(logits, targets, of_batch=settings.loss == "cross_entropy_batch_dice")


def soft_dice(logits: Tensor, targets: Tensor, *, of_batch: bool = False) -> Tensor:
    """Mean over structures, without background, of 2 |P T| / (|P| + |T|) with probabilities P and targets T.

    Sums are over each image, and the mean also over images; with `of_batch`, sums are over all images together.
    """
    p = logits.softmax(1)[:, 1:]
    t = _one_hot(logits, targets)[:, 1:]
    pixels = (0, 2, 3) if of_batch else (2, 3)
    overlap, total = (p * t).sum(pixels), (p + t).sum(pixels)
    return ((2 * overlap + _SMOOTH) / (total + _SMOOTH)).mean()


def _one_hot(logits: Tensor, targets: Tensor) -> Tensor:
    """[n, c, h, w], in the type of the logits."""
    classes = torch.arange(logits.shape[1], device=logits.device)
    return (targets[:, None] == classes[:, None, None]).to(logits.dtype)
