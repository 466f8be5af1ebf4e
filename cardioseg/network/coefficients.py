r"""Coefficients of IN, LN, GN and their mixes, computed from the moments of a feature map's channels.

With $m_c, v_c$ the mean and variance of channel c over its pixels, each of these norms is $a_c (f_c - m_c) + t_c$. The
functions here return a and t, [n, c] each, and their pullback: from the gradients of the results to the gradients of
the arguments, as in reverse-mode differentiation. For so few numbers this takes a fifth of the time of autograd.

Source: Zhou et al., U-Net Training with Instance-Layer Normalization (2019), equations 1-6.
"""

from collections.abc import Callable

import torch
from torch import Tensor

EPSILON = 1e-5  # the default of the common frameworks; the paper does not give one

Pullback = Callable[..., tuple[Tensor, ...]]


def mix(m: Tensor, v: Tensor, instance: Tensor, layer: Tensor) -> tuple[Tensor, Tensor, Pullback]:
    r"""Equation 4: instance * IN(f) + layer * LN(f), with weights [1].

    With M and V the mean and variance of all channels: $r = (v + \epsilon)^{-1/2}$, $R = (V + \epsilon)^{-1/2}$,
    a = instance r + layer R, t = layer R (m - M).

    Returns:
        a, t, and the pullback from their gradients to the gradients of m, v, instance and layer.
    """
    d = m - m.mean(1, keepdim=True)
    r = torch.rsqrt(v + EPSILON)
    by_layer = torch.rsqrt((v + d * d).mean(1, keepdim=True) + EPSILON)  # R
    weighted = layer * by_layer

    def pullback(d_a: Tensor, d_t: Tensor) -> tuple[Tensor, ...]:
        to_r = d_a * r
        to_layer = (d_a + d_t * d).sum(1, keepdim=True) * by_layer
        d_variance = to_layer * (-layer / m.shape[1]) * by_layer * by_layer  # twice that of V, for each channel
        d_d = d_t * weighted + d_variance * d
        d_v = 0.5 * (d_variance - instance * to_r * r * r)
        return d_d - d_d.mean(1, keepdim=True), d_v, to_r.sum()[None], to_layer.sum()[None]

    return instance * r + weighted, weighted * d, pullback


def normalize_groups(v: Tensor, a: Tensor, t: Tensor, groups: int) -> tuple[Tensor, Tensor, Pullback]:
    r"""Equations 5 and 6: GN of a (f - m) + t over `groups` groups of neighbouring channels.

    With e = t minus the mean of t in its group and $S = (\text{mean}(a^2 v + e^2) + \epsilon)^{-1/2}$: S a and S e.

    Returns:
        The new a and t, and the pullback from their gradients to the gradients of v, a and t.
    """
    e = _from_mean(t, groups)
    square = a * a
    s = torch.rsqrt(_mean(square * v + e * e, groups) + EPSILON)

    def pullback(d_a: Tensor, d_t: Tensor) -> tuple[Tensor, ...]:
        d_spread = -_mean(d_a * a + d_t * e, groups) * s * s * s  # twice that of a^2 v + e^2
        d_e = s * d_t + d_spread * e
        return 0.5 * d_spread * square, s * d_a + d_spread * a * v, _from_mean(d_e, groups)

    return s * a, s * e, pullback


def clip(rho: Tensor) -> tuple[Tensor, Tensor, Pullback]:
    """The weights of IN and LN by BIN's gate, and the pullback to rho [1]."""
    inside = (rho >= 0) & (rho <= 1)
    return rho.clamp(0, 1), 1 - rho.clamp(0, 1), lambda instance, layer: ((instance - layer) * inside,)


def sigmoid(rho: Tensor) -> tuple[Tensor, Tensor, Pullback]:
    """The weights of IN and LN by the paper's gate, and the pullback to rho [1]."""
    s = torch.sigmoid(rho)
    return s, 1 - s, lambda instance, layer: ((instance - layer) * s * (1 - s),)


def softmax(rho: Tensor) -> tuple[Tensor, Tensor, Pullback]:
    """The weights of IN and LN by a gate of two parameters, and the pullback to rho [2]."""
    weights = torch.softmax(rho, 0)
    s, rest = weights[:1], weights[1:]

    def pullback(instance: Tensor, layer: Tensor) -> tuple[Tensor, ...]:
        first = (instance - layer) * s * rest
        return (torch.cat((first, -first)),)

    return s, rest, pullback


def _mean(x: Tensor, groups: int) -> Tensor:
    """The mean of each group, for each of its channels; with one channel per group, x itself."""
    n, c = x.shape
    if groups == c:
        return x
    mean = x.view(n, groups, -1).mean(2, keepdim=True)
    return mean.expand(n, groups, c // groups).reshape(n, c)


def _from_mean(x: Tensor, groups: int) -> Tensor:
    return x - _mean(x, groups)
