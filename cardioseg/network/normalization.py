r"""Normalization: every norm of the paper as one layer, an affine map per channel computed from one pass of moments.

With $m_c, v_c$ the mean and variance of feature map $f_{n,c}$ over its pixels, all of IN, LN, GN and ILN are
$y = A_c (f - m_c) + B_c$, where $A, B$ depend on $f$ only through $m$ and $v$. So a layer reads its input once for the
moments, calculates with [n, c] numbers, and writes its output once; the backward pass needs two sums per channel and
one pass over the pixels.

Source: Zhou et al., U-Net Training with Instance-Layer Normalization (2019), equations 1-6.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cardioseg.network.coefficients import EPSILON, Pullback, clip, mix, normalize_groups, sigmoid, softmax
from cardioseg.network.norms import NORMALIZATIONS, Normalization

INITIAL_RHO = 0.5  # the paper, section 2.2

GATES = {"clip": clip, "sigmoid": sigmoid, "softmax": softmax}
_RHOS = {"clip": 1, "sigmoid": 1, "softmax": 2}


def norm_layer(name: str, channels: int) -> nn.Module:
    """The norm layer `name` (one of `norms.NORMS`) for `channels` channels: [n, c, h, w] to the same shape.

    Raises:
        KeyError: no such norm.
    """
    if name == "none":
        return nn.Identity()
    if name == "bn":
        return nn.BatchNorm2d(channels, eps=EPSILON)
    return ChannelNorm(channels, NORMALIZATIONS[name])


class ChannelNorm(nn.Module):
    r"""$y = \gamma_c (a_c (f - m_c) + t_c) + \beta_c$, a, t from the moments of $f$: IN, LN, GN or a mix of IN and LN.

    Attributes:
        gamma: [c] scale, initially 1.
        beta: [c] shift, initially 0.
        rho: the gate's parameter: [1] for clip and sigmoid, [2] for softmax, [0] without a gate.
    """

    def __init__(self, channels: int, kind: Normalization) -> None:
        super().__init__()
        self.gate = GATES[kind.gate] if kind.gate else None
        self.groups = channels if kind.groups == "channel" else kind.groups
        if isinstance(self.groups, int) and channels % self.groups:
            raise ValueError(f"{channels} channels do not divide into {self.groups} groups")
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.rho = nn.Parameter(torch.full((_RHOS[kind.gate],), INITIAL_RHO)) if kind.gate else None

    def forward(self, f: Tensor) -> Tensor:
        """Normalize feature maps [n, c, h, w]."""
        parameters = (self.gamma, self.beta) if self.rho is None else (self.gamma, self.beta, self.rho)
        if torch.compiler.is_compiling():  # a compiler derives the backward pass and fuses both
            v, m = torch.var_mean(f.float(), (2, 3), correction=0)
            scale, shift, _ = self.coefficients(m, v, *parameters)
            return (_per_pixel(scale) * (f - _per_pixel(m)) + _per_pixel(shift)).to(f.dtype)
        dtype, f = f.dtype, f.float() if f.dtype == torch.bfloat16 else f
        if torch.is_grad_enabled() and f.requires_grad:
            result: Tensor = _Affine.apply(f, self, *parameters)  # type: ignore[no-untyped-call]
            return result.to(dtype)
        m, v, distance = moments(f)
        scale, shift, _ = self.coefficients(m, v, *parameters)
        return distance.mul_(_per_pixel(scale)).add_(_per_pixel(shift)).to(dtype)

    def coefficients(
        self, m: Tensor, v: Tensor, gamma: Tensor, beta: Tensor, rho: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Pullback]:
        """A, B [n, c] of y = A (f - m) + B, and the pullback to m, v and the parameters."""
        a, t, mixed, grouped, gated = torch.ones_like(m), m, None, None, None
        if self.gate is not None and rho is not None:
            instance, layer, gated = self.gate(rho)
            a, t, mixed = mix(m, v, instance, layer)
        if isinstance(self.groups, int):
            a, t, grouped = normalize_groups(v, a, t, self.groups)

        def pullback(d_scale: Tensor, d_shift: Tensor) -> tuple[Tensor, ...]:
            d_gamma, d_beta = (d_scale * a + d_shift * t).sum(0), d_shift.sum(0)
            d_a, d_t = gamma * d_scale, gamma * d_shift
            d_v = torch.zeros_like(m)
            if grouped:
                d_v, d_a, d_t = grouped(d_a, d_t)
            if not (mixed and gated):
                return d_t, d_v, d_gamma, d_beta
            d_m, more, *weights = mixed(d_a, d_t)
            return d_m, d_v + more, d_gamma, d_beta, *gated(*weights)

        return gamma * a, gamma * t + beta, pullback


def moments(f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and (biased) variance [n, c] of feature maps [n, c, h, w] over their pixels, and f minus its mean.

    In two vectorized passes; `torch.var_mean` goes pixel by pixel on a CPU and takes ten times as long.
    """
    m = f.mean((2, 3))
    distance = f - _per_pixel(m)
    return m, _sums_of_products(distance, distance) / f[0, 0].numel(), distance


def _per_pixel(numbers: Tensor) -> Tensor:
    """Numbers [n, c] as [n, c, 1, 1], for every pixel."""
    return numbers[:, :, None, None]


def _sums_of_products(f: Tensor, g: Tensor) -> Tensor:
    """Sum over the pixels of f g: [n, c] from two [n, c, h, w]."""
    sums: Tensor = torch.linalg.vecdot(f.flatten(2), g.flatten(2))
    return sums


class _Affine(torch.autograd.Function):
    r"""y = A (f - m) + B with A, B = layer.coefficients(m(f), v(f), parameters).

    Backward: with $g = \partial L/\partial y$ and N pixels, dA = sum(g (f - m)) and dB = sum(g) over the pixels; the
    pullback turns them into dm, dv and the gradients of the parameters; then, in one pass over the pixels,
    df = A g + (2 dv / N) (f - m) + (dm - A dB) / N.
    """

    @staticmethod
    def forward(ctx: Any, f: Tensor, layer: ChannelNorm, *parameters: Tensor) -> Tensor:  # noqa: ANN401
        m, v, distance = moments(f)
        scale, shift, ctx.pullback = layer.coefficients(m, v, *parameters)
        ctx.save_for_backward(f, m, scale)
        return distance.mul_(_per_pixel(scale)).add_(
            _per_pixel(shift)
        )  # another buffer would cost more than the arithmetic

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        f, m, scale = ctx.saved_tensors
        d_shift = g.sum((2, 3))
        d_m, d_v, *d_parameters = ctx.pullback(_sums_of_products(g, f) - m * d_shift, d_shift)
        slope = d_v * (2 / f[0, 0].numel())
        constant = (d_m - scale * d_shift) / f[0, 0].numel() - slope * m
        d_f = (g * _per_pixel(scale)).add_(_per_pixel(constant)).addcmul_(f, _per_pixel(slope))
        return d_f, None, *d_parameters
