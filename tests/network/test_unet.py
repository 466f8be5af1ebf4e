"""The U-Net's shape, size and first weights."""

import pytest
import torch
from torch import nn

from cardioseg.network.normalization import ChannelNorm
from cardioseg.network.norms import NORMS
from cardioseg.network.unet import UNet


@pytest.mark.parametrize("norm", NORMS)
def test_forward_and_backward(norm: str) -> None:
    network = UNet(4, norm, torch.Generator().manual_seed(0))
    logits = network(torch.rand(2, 1, 32, 48))
    assert logits.shape == (2, 4, 32, 48)
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_twenty_two_norm_layers_and_rhos() -> None:
    network = UNet(2, "iln")
    assert sum(isinstance(layer, ChannelNorm) for layer in network.modules()) == 22
    assert sum(isinstance(layer, nn.ReLU) for layer in network.modules()) == 22
    assert len(network.rhos()) == 22
    assert UNet(2, "in").rhos() == {}


def test_iln_has_twenty_two_parameters_more_than_in() -> None:
    sizes = {norm: sum(p.numel() for p in UNet(2, norm).parameters()) for norm in ("in", "iln", "iln-softmax")}
    assert sizes["iln"] - sizes["in"] == 22
    assert sizes["iln-softmax"] - sizes["in"] == 44


def test_channels_and_kernels() -> None:
    network = UNet(2)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(convolutions) == 23
    assert [layer.out_channels for layer in convolutions[:10]] == [16, 16, 32, 32, 64, 64, 128, 128, 256, 256]
    assert sum(isinstance(layer, nn.ConvTranspose2d) and layer.stride == (2, 2) for layer in convolutions) == 4
    assert {layer.kernel_size for layer in convolutions[:-1]} == {(3, 3)}
    assert convolutions[-1].kernel_size == (1, 1)


@pytest.mark.parametrize("literal", [False, True])
def test_initial_weights(literal: bool) -> None:
    network = UNet(2, "iln", torch.Generator().manual_seed(1), literal)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.weight.numel() > 10000:
            variance = 2 / (9 * layer.out_channels)
            std = variance if literal else variance**0.5
            assert layer.weight.abs().max() <= 2 * std
            assert layer.weight.detach().std().item() == pytest.approx(
                0.88 * std, rel=0.05
            )  # of a normal cut at two deviations
            assert layer.bias is not None
            assert (layer.bias == 0.1).all()


def test_seeded() -> None:
    one, same, other = (UNet(2, "iln", torch.Generator().manual_seed(seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])
