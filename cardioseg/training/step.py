"""Step: one update of a network's weights; compiled on a GPU if there is a compiler."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shutil import which

import torch
from torch import Tensor

from cardioseg.network.unet import UNet
from cardioseg.training.optimization import Optimization, loss, optimizer
from cardioseg.versions import NOT_INSTALLED, version_of

Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Step:
    """The update of a network's weights.

    Attributes:
        network: the network.
        weights: the optimizer of its weights.
        objective: the loss for images [n, 1, h, w] and targets [n, h, w].
    """

    network: UNet
    weights: torch.optim.Optimizer
    objective: Objective

    def __call__(self, images: Tensor, targets: Tensor, rate: float) -> Tensor:
        """Update the weights once; returns the loss before the update."""
        for group in self.weights.param_groups:
            group["lr"] = rate
        value = self.objective(images, targets)
        self.weights.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        self.weights.step()
        return value.detach().clone()  # a compiled step writes the next loss to the same place


def step_of(network: UNet, settings: Optimization) -> Step:
    """The step of a network on its device."""
    on_gpu = next(network.parameters()).is_cuda
    mixed = settings.precision == "bfloat16" and (on_gpu or _cpu_calculates_with_bfloat16())
    if mixed or not on_gpu:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def objective(images: Tensor, targets: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=mixed):
            logits = network(images)
        return loss(settings, logits.float(), targets)

    weights = optimizer(settings, network.parameters())
    return Step(network, weights, _compiled(objective) if on_gpu and _can_compile() else objective)


def _compiled(objective: Objective) -> Objective:
    """The objective with fused kernels that are launched together."""
    torch.compiler.reset()  # torch keeps eight variants of a function, and does not compile it for a ninth network
    return torch.compile(objective, mode="reduce-overhead", dynamic=False)


def _cpu_calculates_with_bfloat16() -> bool:
    """Whether the CPU has instructions for products of bfloat16; without them, bfloat16 is slower than float32."""
    has: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of torch do not say
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))


def _can_compile() -> bool:
    """Whether torch.compile has what it needs for a GPU: Triton, and a C compiler for its launchers."""
    return version_of("triton") != NOT_INSTALLED and which(os.environ.get("CC", "cc")) is not None
