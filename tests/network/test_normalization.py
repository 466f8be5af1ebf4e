"""Every norm layer against its plain composition from the paper's equations, and its backward against numbers."""

import pytest
import torch
from torch import Tensor

from cardioseg.network.coefficients import EPSILON
from cardioseg.network.normalization import INITIAL_RHO, ChannelNorm, norm_layer
from cardioseg.network.norms import NORMALIZATIONS


def instance_norm(f: Tensor) -> Tensor:
    return (f - f.mean((2, 3), keepdim=True)) / (f.var((2, 3), keepdim=True, correction=0) + EPSILON).sqrt()


def layer_norm(f: Tensor) -> Tensor:
    return (f - f.mean((1, 2, 3), keepdim=True)) / (f.var((1, 2, 3), keepdim=True, correction=0) + EPSILON).sqrt()


def group_norm(f: Tensor, groups: int) -> Tensor:
    n, c, h, w = f.shape
    return layer_norm(f.reshape(n * groups, c // groups, h, w)).reshape(n, c, h, w)


def plain(name: str, layer: ChannelNorm, f: Tensor) -> Tensor:
    """Equations 1 to 6, one after another."""
    if name.startswith("il"):
        assert layer.rho is not None
        first, second = {
            "clip": lambda rho: (rho.clamp(0, 1), 1 - rho.clamp(0, 1)),
            "sigmoid": lambda rho: (rho.sigmoid(), 1 - rho.sigmoid()),
            "softmax": lambda rho: rho.softmax(0).split(1),
        }[NORMALIZATIONS[name].gate or ""](layer.rho)
        mixed = first * instance_norm(f) + second * layer_norm(f)
        normal = group_norm(mixed, 16) if name.startswith("iln") else mixed
    else:
        normal = {
            "in": instance_norm,
            "ln": layer_norm,
            "gn4": lambda f: group_norm(f, 4),
            "gn16": lambda f: group_norm(f, 16),
        }[name](f)
    return layer.gamma[:, None, None] * normal + layer.beta[:, None, None]


def random_layer(name: str, channels: int = 32, dtype: torch.dtype = torch.float32) -> ChannelNorm:
    layer = norm_layer(name, channels).to(dtype)
    assert isinstance(layer, ChannelNorm)
    for parameter in layer.parameters():
        torch.nn.init.uniform_(parameter, 0.2, 0.8)
    return layer


def features(channels: int = 32, dtype: torch.dtype = torch.float32) -> Tensor:
    offsets = torch.linspace(-2, 3, channels, dtype=dtype)[:, None, None]
    return torch.randn(3, channels, 9, 7, dtype=dtype) * (1 + offsets.abs()) + offsets


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(7)
    torch.compiler.reset()


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_agrees_with_the_plain_composition(name: str) -> None:
    layer, f = random_layer(name), features()
    assert torch.allclose(layer(f), plain(name, layer, f), rtol=0, atol=1e-6)
    layer, f = random_layer(name, dtype=torch.float64), features(dtype=torch.float64)
    assert torch.allclose(layer(f), plain(name, layer, f), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_gradients_agree_with_the_plain_composition(name: str) -> None:
    layer, weights = random_layer(name), torch.randn(3, 32, 9, 7)
    ours, theirs = features().requires_grad_(), None
    (layer(ours) * weights).sum().backward()
    gradients = [ours.grad, *(p.grad for p in layer.parameters())]
    layer.zero_grad()
    theirs = ours.detach().clone().requires_grad_()
    (plain(name, layer, theirs) * weights).sum().backward()
    for mine, reference in zip(gradients, [theirs.grad, *(p.grad for p in layer.parameters())], strict=True):
        assert mine is not None
        assert reference is not None
        assert torch.allclose(mine, reference, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_compiled_is_the_same(name: str) -> None:
    """A compiler sees plain arithmetic and derives the backward itself; here it is one that generates no code."""
    layer, weights = random_layer(name), torch.randn(3, 32, 9, 7)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    inputs, gradients = features(), []
    for norm in (layer, compiled):
        layer.zero_grad()
        f = inputs.clone().requires_grad_()
        result = norm(f)
        (result * weights).sum().backward()
        gradients.append([result.detach(), f.grad, *(p.grad for p in layer.parameters())])
    for mine, theirs in zip(*gradients, strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("compiled", [False, True])
def test_half_precision_maps_have_full_precision_moments(compiled: bool) -> None:
    layer, f = random_layer("iln"), (features() + 100).bfloat16()
    norm = torch.compile(layer, backend="aot_eager", fullgraph=True) if compiled else layer
    assert norm(f).dtype == torch.bfloat16
    assert torch.allclose(norm(f).float(), plain("iln", layer, f.float()), atol=0.05)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_gradcheck(name: str) -> None:
    layer = random_layer(name, 16, torch.float64)
    f = features(16, torch.float64)[:2, :, :3, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda f, *_: layer(f), (f, *layer.parameters()))


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_same_with_and_without_gradients(name: str) -> None:
    layer, f = random_layer(name), features()
    with torch.no_grad():
        quiet = layer(f)
    assert torch.allclose(quiet, layer(f.requires_grad_()), rtol=0, atol=1e-6)


def test_an_instance_does_not_depend_on_its_batch() -> None:
    layer, f = random_layer("iln"), features()
    assert torch.equal(layer(f)[1:2], layer(f[1:2]))


def test_iln_is_normalized_and_the_mix_alone_is_not() -> None:
    f = features()
    for name, normalized in (("iln", True), ("il-sigmoid", False)):
        layer = norm_layer(name, 32)
        groups = layer(f).reshape(3, 16, -1)
        assert (groups.mean(2).abs().max() < 1e-3) == normalized


def test_gates_at_their_ends() -> None:
    f = features()
    layer = random_layer("il-clip")
    assert layer.rho is not None
    for rho, expected in ((2.0, instance_norm), (-1.0, layer_norm)):
        torch.nn.init.constant_(layer.rho, rho)
        wanted = layer.gamma[:, None, None] * expected(f) + layer.beta[:, None, None]
        assert torch.allclose(layer(f), wanted, atol=1e-5)


def test_with_sixteen_channels_rho_acts_only_through_epsilon() -> None:
    f = features(16)
    layer = norm_layer("iln", 16)
    before = layer(f)
    assert isinstance(layer, ChannelNorm)
    assert layer.rho is not None
    torch.nn.init.constant_(layer.rho, 5.0)
    assert torch.allclose(layer(f), before, atol=1e-3)


def test_rhos_start_as_the_paper_says() -> None:
    for name, count in (("iln", 1), ("iln-clip", 1), ("il-softmax", 2)):
        layer = norm_layer(name, 32)
        assert isinstance(layer, ChannelNorm)
        assert layer.rho is not None
        assert layer.rho.tolist() == [INITIAL_RHO] * count


def test_none_and_bn() -> None:
    f = features()
    assert norm_layer("none", 32)(f) is f
    assert norm_layer("bn", 32)(f).mean().abs() < 1e-5


def test_refusals() -> None:
    with pytest.raises(KeyError):
        norm_layer("xn", 16)
    with pytest.raises(ValueError, match="16 groups"):
        norm_layer("gn16", 20)
