"""Augmented slices: render augmented slices in batches, on the device of the slices."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cardioseg.dataset.augmentation import Variation
from cardioseg.dataset.slices import Slices

_LEAST_SIGMA = 1e-3  # pixels; such a filter changes nothing


@dataclass(frozen=True)
class Look:
    """One slice and its variation.

    Attributes:
        index: index of the slice.
        variation: the variation.
        size: height and width in pixels.
        is_coarse: whether it shows the coarse slice.
    """

    index: int
    variation: Variation
    size: int
    is_coarse: bool = False


def render(slices: Slices, looks: Sequence[Look]) -> tuple[Tensor, Tensor]:
    """Images [b, 1, size, size] float32 in [0, 1] (linear interpolation) and targets [b, size, size] int64 (nearest).

    The looks have the same size. Both are zero outside a slice.
    """
    rows: list[int] = []
    images, targets = [], []
    for source, is_coarse in ((slices, False), (slices.coarse, True)):
        chosen = [row for row, look in enumerate(looks) if look.is_coarse == is_coarse]
        if source and chosen:
            image, target = _resampled(source, [looks[row] for row in chosen])
            rows += chosen
            images.append(image)
            targets.append(target)
    order = torch.from_numpy(np.argsort(rows)).to(slices.images.device)
    return _recolour(torch.cat(images)[order], [look.variation for look in looks]), torch.cat(targets)[order]


def _resampled(slices: Slices, looks: Sequence[Look]) -> tuple[Tensor, Tensor]:
    device, size = slices.images.device, looks[0].size
    index = torch.tensor([look.index for look in looks], device=device)
    points = _sampling_points([look.variation for look in looks], size, device)
    image = functional.grid_sample(slices.images[index, None], points, "bilinear", "zeros", align_corners=False)
    labels = slices.targets[index, None].float()
    target = functional.grid_sample(labels, points, "nearest", "zeros", align_corners=False)
    return image.clamp_(0, 1), target[:, 0].long()


def _sampling_points(variations: Sequence[Variation], size: int, device: torch.device) -> Tensor:
    """[b, size, size, 2]: for each pixel, its position (column, row) on the slice, from -1 to 1."""
    matrix = torch.tensor(np.stack([variation.matrix for variation in variations]), dtype=torch.float32, device=device)
    points = functional.affine_grid(matrix, [len(variations), 1, size, size], align_corners=False)
    bend = np.stack([variation.bend for variation in variations]).astype(np.float32)
    if not bend.any():
        return points
    displacements = functional.interpolate(
        torch.from_numpy(bend).to(device), (size, size), mode="bicubic", align_corners=True
    )
    return points + torch.einsum("bij,bjhw->bhwi", matrix[:, :, :2], displacements)


def _recolour(image: Tensor, variations: Sequence[Variation]) -> Tensor:
    image = _sharpened(_with_ghosts(image, variations), variations)
    numbers = [(variation.power, *variation.slope, variation.noise) for variation in variations]
    power, column, row, noise = _per_image(numbers, image).unbind(1)
    image = image**power
    across = torch.linspace(-1, 1, image.shape[-1], device=image.device)
    if any(any(variation.slope) for variation in variations):
        image = image * (1 + column * across + row * across[:, None])
    if any(variation.noise for variation in variations):
        generator = torch.Generator(image.device).manual_seed(variations[0].noise_seed)
        image = image + noise * torch.randn(image.shape, generator=generator, device=image.device)
    return image.clamp_(0, 1)


def _with_ghosts(image: Tensor, variations: Sequence[Variation]) -> Tensor:
    if not any(variation.ghost for variation in variations):
        return image
    size = image.shape[-1]
    shifts = [tuple(round(size * fraction) for fraction in variation.ghost_shift[::-1]) for variation in variations]
    copies = torch.stack([one.roll(shift, (-2, -1)) for one, shift in zip(image, shifts, strict=True)])
    strength = _per_image([(variation.ghost,) for variation in variations], image)[:, 0]
    return (image + strength * copies).clamp_(0, 1)


def _sharpened(image: Tensor, variations: Sequence[Variation]) -> Tensor:
    """Sharpen by adding what a Gaussian filter takes away; below 0, blur by that filter."""
    sigmas = [variation.sharpness for variation in variations]
    if not any(sigmas):
        return image
    sigma = _per_image([(abs(value),) for value in sigmas], image)[:, 0]
    reach = ceil(3 * max(map(abs, sigmas)))
    offsets = torch.arange(-reach, reach + 1, device=image.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma.clamp(min=_LEAST_SIGMA) ** 2))
    kernel = kernel / kernel.sum(-1, keepdim=True)  # [b, 1, 1, n]
    padded = functional.pad(image.transpose(0, 1), [reach] * 4, "replicate")
    rows = functional.conv2d(padded, kernel.transpose(2, 3), groups=len(variations))
    blurred = functional.conv2d(rows, kernel, groups=len(variations)).transpose(0, 1)
    is_sharper = _per_image([(value > 0,) for value in sigmas], image)[:, 0]
    return torch.where(is_sharper > 0, 2 * image - blurred, blurred).clamp_(0, 1)


def _per_image(numbers: Sequence[tuple[float, ...]], image: Tensor) -> Tensor:
    """[b, k, 1, 1, 1]: k numbers of each image."""
    return torch.tensor(numbers, dtype=image.dtype, device=image.device)[:, :, None, None, None]
