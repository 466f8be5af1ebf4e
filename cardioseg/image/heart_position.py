"""Position of the heart in a stack of slices, found by the network itself on a coarse grid."""

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import bounding_box
from cardioseg.image.components import largest_component
from cardioseg.image.preprocessing import Floats, Preprocessing, prepare
from cardioseg.image.window import Window


def locate(
    slices: NDArray[np.generic],
    pixel_mm: tuple[float, float] | None,
    settings: Preprocessing,
    network: Callable[[Floats], Floats],
) -> list[Window]:
    """The window of each slice around the heart as the network segments it; at their middle if it finds none.

    Args:
        slices: whole slices [n, h, w] of one stack, in order.
        pixel_mm: (row, column) spacing, or None if unknown.
        settings: those of a model with `locate_mm`.
        network: images [n, H, W] to logits [n, c, H, W].
    """
    images, undo = prepare(slices, pixel_mm, settings.coarse)
    return windows(undo.classes(network(images)) > 0, pixel_mm, settings)


def windows(heart: NDArray[np.bool_], pixel_mm: tuple[float, float] | None, settings: Preprocessing) -> list[Window]:
    """The window of each slice of a stack in which `heart` [n, h, w] marks the heart.

    With `margin_mm`, a window shows the heart of its slice and of both neighbours: the heart moves through the slices
    with the beat. Without it, all slices have the same window; without `locate_mm`, at the middle of the slices.
    """
    if settings.locate_mm is None:
        return [Window(settings.largest_window)] * len(heart)
    if settings.margin_mm is None:
        return [Window(settings.largest_window, middle(heart))] * len(heart)
    heart = largest_component(heart)
    held = np.flatnonzero(heart.any((1, 2)))
    if not len(held):
        return [Window(settings.largest_window)] * len(heart)
    away = np.abs(held - np.arange(len(heart))[:, None])  # slices between each slice and each that holds the heart
    near = away <= np.maximum(away.min(1, keepdims=True), 1)
    return [_window(np.asarray(heart[held[row]].any(0)), pixel_mm, settings) for row in near]


def middle(heart: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The median row and column of the marked pixels of masks [n, h, w]; None if they are empty.

    A median, so that a distant false spot does not shift it.
    """
    counts = heart.sum(0)
    if not counts.any():
        return None
    row, column = (int(np.searchsorted(along.cumsum(), along.sum() / 2)) for along in (counts.sum(1), counts.sum(0)))
    return float(row), float(column)


def _window(heart: NDArray[np.bool_], pixel_mm: tuple[float, float] | None, settings: Preprocessing) -> Window:
    """The smallest window that shows a heart [h, w] and the margin."""
    spacing_mm, margin_mm = settings.spacing_mm or 1.0, settings.margin_mm or 0.0
    box = bounding_box(heart)
    extents_mm = [(b.stop - b.start) * mm for b, mm in zip(box, pixel_mm or (spacing_mm, spacing_mm), strict=True)]
    pixels = (max(extents_mm) + 2 * margin_mm) / spacing_mm
    size = settings.multiple * ceil(pixels / settings.multiple)
    row, column = ((b.start + b.stop - 1) / 2 for b in box)
    return Window(min(size, settings.largest_window), (row, column))
