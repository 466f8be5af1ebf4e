"""U-Net: four levels down, four up, norm and ReLU after every convolution (22 norm layers), a 1x1 head.

Source: Ronneberger et al. 2015 in the size of Zhou et al. 2019: 16-32-64-128-256 channels, 3x3 kernels, transposed 3x3
convolutions of stride 2, skips by concatenation, truncated normal weights, biases of 0.1.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from cardioseg.network.normalization import ChannelNorm, norm_layer

CHANNELS = (16, 32, 64, 128, 256)
MULTIPLE = 2 ** (len(CHANNELS) - 1)  # height and width of an input must be multiples of it
_BIAS = 0.1


class UNet(nn.Module):
    """Images [n, 1, h, w] to logits [n, classes, h, w]; h and w are multiples of 16.

    Args:
        classes: number of output channels, including background.
        norm: one of `norms.NORMS`.
        generator: source of the initial weights; None: those of PyTorch, for a network whose weights are loaded.
        literal_std: initialize with the standard deviation 2 / (9 C) that the paper prints instead of its square root.
    """

    def __init__(
        self, classes: int, norm: str = "iln", generator: torch.Generator | None = None, literal_std: bool = False
    ) -> None:
        super().__init__()
        self.down = nn.ModuleList(DoubleConvolution(below, above, norm) for below, above in pairwise((1, *CHANNELS)))
        self.up = nn.ModuleList(UpConvolution(below, above, norm) for below, above in pairwise(CHANNELS[::-1]))
        self.head = nn.Conv2d(CHANNELS[0], classes, 1)
        self.pool = nn.MaxPool2d(2)
        if generator is not None:
            self._initialize(generator, literal_std)

    def forward(self, image: Tensor) -> Tensor:
        """Logits [n, classes, h, w] of images [n, 1, h, w]."""
        skips: list[Tensor] = []
        x = image
        for level in self.down:
            skips.append(level(self.pool(x) if skips else x))
            x = skips[-1]
        for level, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = level(x, skip)
        logits: Tensor = self.head(x)
        return logits

    def rhos(self) -> dict[str, Tensor]:
        """The gate parameters by layer name, from input to output: 22 for the norms with a gate, else none."""
        named = ((name, layer) for name, layer in self.named_modules() if isinstance(layer, ChannelNorm))
        return {name: layer.rho for name, layer in named if layer.rho is not None}

    @torch.no_grad()
    def _initialize(self, generator: torch.Generator, literal_std: bool) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                variance = 2 / (9 * layer.out_channels)
                std = variance if literal_std else variance**0.5
                nn.init.trunc_normal_(layer.weight, 0, std, -2 * std, 2 * std, generator=generator)
                if layer.bias is not None:
                    nn.init.constant_(layer.bias, _BIAS)


class Convolution(nn.Sequential):
    """Convolution, norm, ReLU: [n, below, h, w] to [n, above, h, w], or twice the height and width if `transposed`."""

    def __init__(self, below: int, above: int, norm: str, transposed: bool = False) -> None:
        convolution = (
            nn.ConvTranspose2d(below, above, 3, stride=2, padding=1, output_padding=1)
            if transposed
            else nn.Conv2d(below, above, 3, padding=1)
        )
        super().__init__(convolution, norm_layer(norm, above), nn.ReLU(inplace=True))


class DoubleConvolution(nn.Sequential):
    """Two convolutions: [n, below, h, w] to [n, above, h, w]."""

    def __init__(self, below: int, above: int, norm: str) -> None:
        super().__init__(Convolution(below, above, norm), Convolution(above, above, norm))


class UpConvolution(nn.Module):
    """[n, below, h, w] and a skip [n, above, 2h, 2w] to [n, above, 2h, 2w]."""

    def __init__(self, below: int, above: int, norm: str) -> None:
        super().__init__()
        self.up = Convolution(below, above, norm, transposed=True)
        self.merge = DoubleConvolution(2 * above, above, norm)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Double the size of x, append the skip, convolve twice."""
        merged: Tensor = self.merge(torch.cat((self.up(x), skip), 1))
        return merged
