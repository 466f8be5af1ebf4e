"""Cost: the time of 200 training iterations with ILN and with IN, in turns, so that changes of the machine cancel."""

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
    """The cost of ILN compared with IN.

    Attributes:
        iterations: number of iterations that the times are for.
        in_s, iln_s: time in seconds, from the medians of interleaved turns.
        ratio: ILN's time divided by IN's, median over turns.
        more_parameters: number of parameters that ILN has more than IN.
        device: the device on which it was measured.
    """

    iterations: int
    in_s: float
    iln_s: float
    ratio: float
    more_parameters: int
    device: str


def measure(device: str, iterations: int = ITERATIONS, pixels: int = _PIXELS) -> Cost:
    """Train both networks in turns with batch size 1; the first turn does not count."""
    networks = {norm: UNet(2, norm, torch.Generator().manual_seed(0)).to(device).train() for norm in ("in", "iln")}
    per_turn = max(1, iterations // _TURNS)
    turns = [
        {norm: _time(network, per_turn, pixels, device) for norm, network in networks.items()}
        for _ in range(_TURNS + 1)
    ]
    seconds = {norm: median(turn[norm] for turn in turns[1:]) * iterations / per_turn for norm in networks}
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
