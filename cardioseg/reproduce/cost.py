"""Cost: the time of 200 training iterations with ILN against IN, in turns so that the machine's mood cancels."""

import time
from dataclasses import dataclass
from statistics import median

import torch

from cardioseg.network.unet import UNet
from cardioseg.training.optimization import Optimization, loss, optimizer

ITERATIONS = 200  # the paper, section 3.5
_PIXELS = 256
_TURNS = 10


@dataclass(frozen=True)
class Cost:
    """What ILN costs beside IN.

    Attributes:
        iterations: that the times are for.
        in_s, iln_s: seconds, from the medians of interleaved turns.
        ratio: median over turns of ILN's time by IN's.
        more_parameters: of ILN.
        device: where it was measured.
    """

    iterations: int
    in_s: float
    iln_s: float
    ratio: float
    more_parameters: int
    device: str


def measure(device: str, iterations: int = ITERATIONS, pixels: int = _PIXELS) -> Cost:
    """Train both networks in turns, batch 1; the first turn is not counted."""
    networks = {norm: UNet(2, norm, torch.Generator().manual_seed(0)).to(device).train() for norm in ("in", "iln")}
    each = max(1, iterations // _TURNS)
    turns = [
        {norm: _time(network, each, pixels, device) for norm, network in networks.items()} for _ in range(_TURNS + 1)
    ]
    seconds = {norm: median(turn[norm] for turn in turns[1:]) * iterations / each for norm in networks}
    sizes = {norm: sum(p.numel() for p in network.parameters()) for norm, network in networks.items()}
    ratio = median(turn["iln"] / turn["in"] for turn in turns[1:])
    return Cost(iterations, seconds["in"], seconds["iln"], ratio, sizes["iln"] - sizes["in"], device)


def _time(network: UNet, iterations: int, pixels: int, device: str) -> float:
    settings = Optimization()
    weights = optimizer(settings, network.parameters())
    image = torch.rand(1, 1, pixels, pixels, device=device)
    target = torch.zeros(1, pixels, pixels, dtype=torch.int64, device=device)
    start = time.perf_counter()
    for _ in range(iterations):
        value = loss(settings, network(image), target)
        weights.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        weights.step()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
