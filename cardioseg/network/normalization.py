r"""Normalization: every norm of the paper as one layer, an affine map per channel computed from one pass of moments.

With $m_c, v_c$ the mean and variance of feature map $f_{n,c}$ over its pixels, all of IN, LN, GN and ILN are
$y = A_c f + B_c$, where $A, B$ depend on $f$ only through $m$ and $v$. So a layer reads its input once for the moments,
does arithmetic on [n, c] numbers, and writes its output once; its backward needs two sums per channel and one pass.

Source: Zhou et al., U-Net Training with Instance-Layer Normalization (2019), equations 1-6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

EPSILON = 1e-5  # the default of the common frameworks; the paper does not give one
INITIAL_RHO = 0.5  # the paper, section 2.2

Coefficients = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Normalization:
    """What a norm layer does: mix IN and LN by a gate (or not), then normalize groups of channels (or not).

    Attributes:
        gate: how rho becomes the weights of IN and LN, or None for no mixing.
        groups: channel groups that are normalized afterwards; "channel" for one a channel (IN), None for none.
    """

    gate: str | None
    groups: int | str | None


NORMALIZATIONS = {
    "in": Normalization(None, "channel"),
    "ln": Normalization(None, 1),
    "gn4": Normalization(None, 4),
    "gn16": Normalization(None, 16),
    "il-clip": Normalization("clip", None),  # BIN's gate
    "il-sigmoid": Normalization("sigmoid", None),
    "il-softmax": Normalization("softmax", None),
    "iln-clip": Normalization("clip", 16),
    "iln": Normalization("sigmoid", 16),  # the paper's proposal
    "iln-softmax": Normalization("softmax", 16),
}
NORMS = ("none", "bn", *NORMALIZATIONS)


def norm_layer(name: str, channels: int) -> nn.Module:
    """The norm layer called `name` (one of NORMS) for `channels` channels: [n, c, h, w] to the same shape.

    Raises:
        KeyError: no such norm.
    """
    if name == "none":
        return nn.Identity()
    if name == "bn":
        return nn.BatchNorm2d(channels, eps=EPSILON)
    return ChannelNorm(channels, NORMALIZATIONS[name])


class ChannelNorm(nn.Module):
    r"""$y = \gamma_c (a_c f + b_c) + \beta_c$ with $a, b$ from the moments of $f$: IN, LN, GN or a mix of IN and LN.

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
        if torch.compiler.is_compiling():  # a compiler derives the backward and fuses both itself
            v, m = torch.var_mean(f.float(), (2, 3), correction=0)
            scale, shift = self.coefficients(m, v, *parameters)
            return (scale[:, :, None, None] * f + shift[:, :, None, None]).to(f.dtype)
        f = f.float() if f.dtype == torch.bfloat16 else f
        if torch.is_grad_enabled() and f.requires_grad:
            result: Tensor = _Affine.apply(f, self.coefficients, *parameters)  # type: ignore[no-untyped-call]
            return result
        m, v, distance = moments(f)
        scale, shift = self.coefficients(m, v, *parameters)
        return _scale_and_shift_(distance, scale, scale * m + shift)

    def coefficients(
        self, m: Tensor, v: Tensor, gamma: Tensor, beta: Tensor, rho: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """A, B [n, c] of y = A f + B from the moments m, v [n, c]."""
        a, b = torch.ones_like(m), torch.zeros_like(m)
        if self.gate is not None and rho is not None:
            a, b = mix(m, v, *self.gate(rho))
        if isinstance(self.groups, int):
            a, b = normalize_groups(m, v, a, b, self.groups)
        return gamma * a, gamma * b + beta


def moments(f: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and (biased) variance [n, c] of feature maps [n, c, h, w] over their pixels, and f minus its mean.

    In two passes, which vectorize; `torch.var_mean` goes pixel by pixel on a CPU and takes ten times as long.
    """
    m = f.mean((2, 3))
    distance = f - m[:, :, None, None]
    return m, _sums_of_products(distance, distance) / f[0, 0].numel(), distance


def mix(m: Tensor, v: Tensor, instance: Tensor, layer: Tensor) -> tuple[Tensor, Tensor]:
    """a, b [n, c] of the paper's equation 4: instance * IN(f) + layer * LN(f) = a f + b."""
    mean = m.mean(1, keepdim=True)
    variance = (v + (m - mean) ** 2).mean(1, keepdim=True)
    a_instance, a_layer = instance * torch.rsqrt(v + EPSILON), layer * torch.rsqrt(variance + EPSILON)
    return a_instance + a_layer, -(a_instance * m + a_layer * mean)


def normalize_groups(m: Tensor, v: Tensor, a: Tensor, b: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """The coefficients a, b [n, c] of GN(a f + b), equations 5 and 6, where f has the moments m, v [n, c]."""
    n, c = m.shape
    mean_c, variance_c = (a * m + b).reshape(n, groups, -1), (a * a * v).reshape(n, groups, -1)
    mean = mean_c.mean(2, keepdim=True)
    variance = (variance_c + (mean_c - mean) ** 2).mean(2, keepdim=True)
    scale = torch.rsqrt(variance + EPSILON)
    per_channel = (n, groups, c // groups)
    scale, shift = scale.expand(per_channel).reshape(n, c), (-mean * scale).expand(per_channel).reshape(n, c)
    return scale * a, scale * b + shift


def _clip(rho: Tensor) -> tuple[Tensor, Tensor]:
    s = rho.clamp(0, 1)
    return s, 1 - s


def _sigmoid(rho: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.sigmoid(rho)
    return s, 1 - s


def _softmax(rho: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.softmax(rho, 0)
    return s[:1], s[1:]


GATES: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {"clip": _clip, "sigmoid": _sigmoid, "softmax": _softmax}
_RHOS = {"clip": 1, "sigmoid": 1, "softmax": 2}


def _sums_of_products(f: Tensor, g: Tensor) -> Tensor:
    """Over the pixels: [n, c] of two [n, c, h, w]."""
    sums: Tensor = torch.linalg.vecdot(f.flatten(2), g.flatten(2))
    return sums


def _scale_and_shift_(f: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """In place: another buffer of this size would cost more than the arithmetic."""
    return f.mul_(scale[:, :, None, None]).add_(shift[:, :, None, None])


class _Affine(torch.autograd.Function):
    r"""y = A f + B with A, B = coefficients(m(f), v(f), parameters).

    Backward: with $g = \partial L/\partial y$ and N pixels, dA = sum(g f) and dB = sum(g) over the pixels; autograd
    takes them through `coefficients`, all of it on [n, c] numbers, to dm, dv and the parameters; then, in one pass over
    the pixels, df = A g + (2 dv / N) f + (dm - 2 dv m) / N.
    """

    @staticmethod
    def forward(ctx: Any, f: Tensor, coefficients: Coefficients, *parameters: Tensor) -> Tensor:  # noqa: ANN401
        m, v, distance = moments(f)
        leaves = [tensor.detach().requires_grad_() for tensor in (m, v, *parameters)]
        with torch.enable_grad():
            scale, shift = coefficients(*leaves)
        ctx.leaves, ctx.scale_and_shift = leaves, (scale, shift)
        ctx.save_for_backward(f)
        scale, shift = scale.detach(), shift.detach()
        return _scale_and_shift_(distance, scale, scale * m + shift)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        (f,) = ctx.saved_tensors
        sums = _sums_of_products(g, f), g.sum((2, 3))
        d_m, d_v, *d_parameters = torch.autograd.grad(ctx.scale_and_shift, ctx.leaves, sums, retain_graph=True)
        slope = 2 * d_v / f[0, 0].numel()
        constant = d_m / f[0, 0].numel() - slope * ctx.leaves[0].detach()
        d_f = (g * ctx.scale_and_shift[0].detach()[:, :, None, None]).add_(constant[:, :, None, None])
        d_f.addcmul_(f, slope[:, :, None, None])
        return d_f, None, *d_parameters
