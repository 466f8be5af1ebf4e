"""A step updates the weights once, on a GPU too where there is one."""

import pytest
import torch

from cardioseg.network.unet import UNet
from cardioseg.training.optimization import Optimization
from cardioseg.training.step import Step, step_of

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU"))]


def made(device: str, settings: Optimization, norm: str = "iln") -> Step:
    network = UNet(4, norm, torch.Generator().manual_seed(0)).to(device).train()
    return step_of(network, settings)


def batch(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    images = torch.rand(2, 1, 32, 32, generator=rng)
    return images.to(device), (images[:, 0] * 3.999).long().to(device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_steps_lower_the_loss(device: str, precision: str, kind: str) -> None:
    settings = Optimization(optimizer=kind, precision=precision)  # type: ignore[arg-type]
    step, (images, targets) = made(device, settings), batch(device)
    losses = [step(images, targets, 0.02) for _ in range(12)]
    assert len({loss.item() for loss in losses}) == 12  # each kept its own value
    assert losses[-1] < losses[0] - 0.1


def test_the_rate_is_that_of_the_step() -> None:
    step, (images, targets) = made("cpu", Optimization(momentum=0)), batch("cpu")
    before = [parameter.detach().clone() for parameter in step.network.parameters()]
    step(images, targets, 0.0)
    assert all(map(torch.equal, before, step.network.parameters()))
    step(images, targets, 0.5)
    for old, parameter in zip(before, step.network.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.detach(), old - 0.5 * parameter.grad)


@pytest.mark.parametrize("has", [{}, {"avx512_bf16": False}, {"avx512_bf16": True}, {"amx_bf16": True}])
def test_a_cpu_calculates_with_bfloat16_if_it_has_the_instructions(
    has: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    losses = {}
    for precision in ("float32", "bfloat16"):
        settings = Optimization(learning_rate=0.1, precision=precision)  # type: ignore[arg-type]
        step, (images, targets) = made("cpu", settings), batch("cpu")
        losses[precision] = [step(images, targets, 0.1).item() for _ in range(5)]
        assert {parameter.dtype for parameter in step.network.parameters()} == {torch.float32}
    assert (losses["float32"] == losses["bfloat16"]) == (not any(has.values()))
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_a_gpu_agrees_with_the_cpu() -> None:
    losses = []
    for device in ("cpu", "cuda"):
        step, (images, targets) = made(device, Optimization(learning_rate=0.1)), batch(device)
        losses.append([step(images, targets, 0.1).item() for _ in range(5)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
