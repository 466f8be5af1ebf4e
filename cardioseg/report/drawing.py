"""Drawing: one slice with the outlines of its mask as a picture, and text on pictures."""

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cardioseg.image.bounding_box import bounding_box
from cardioseg.image.labels import STRUCTURES
from cardioseg.report.outlines import Points, outlines
from cardioseg.report.palette import CASING, COLOURS, FLAGGED, INK

_DARKEST, _BRIGHTEST = 1, 97  # percentiles of the shown intensities
_MARGIN_PIXELS = 4
_FINE = 4  # lines are drawn this many times larger and then reduced, which makes their edges soft
_LINE_PX, _CASING_PX = 1.5, 3.0
_CASING_SHARES = [round(0.55 * share) for share in range(256)]
_TEXT_PX = 15
_PLATE_PX = 4  # around a text


def window(intensities: NDArray[np.generic], labels: NDArray[np.generic]) -> NDArray[np.float32]:
    """Scale the intensities of one slice (phase, row, column) to 0 to 1.

    The heart and its surroundings set the scale, or the whole slice if the mask is empty: fat is brighter than blood,
    and a surface coil makes the apex brighter than the base.

    Args:
        intensities: the intensities of one slice (phase, row, column).
        labels: `Label` values of the same shape.
    """
    finite = np.nan_to_num(np.asarray(intensities, np.float32))
    rows, columns = _box(np.asarray(labels.any(axis=0)))
    low, high = np.percentile(finite[:, rows, columns], (_DARKEST, _BRIGHTEST))
    return np.asarray(((finite - low) / max(high - low, 1e-9)).clip(0, 1), np.float32)


def _box(region: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns of a region with a margin; all rows and columns if it is empty."""
    if not region.any():
        return slice(None), slice(None)
    rows, columns = (
        slice(max(0, inside.start - _MARGIN_PIXELS), inside.stop + _MARGIN_PIXELS) for inside in bounding_box(region)
    )
    return rows, columns


def draw_slice(grey: NDArray[np.float32], labels: NDArray[np.uint8], shape: tuple[int, int]) -> Image.Image:
    """Draw one slice with its outlines, RGB.

    Args:
        grey: intensities from 0 to 1 (row, column).
        labels: `Label` values (row, column).
        shape: (height, width) of the picture.
    """
    resized = Image.fromarray(grey).resize(shape[::-1], Image.Resampling.BICUBIC)
    picture = Image.fromarray((255 * np.asarray(resized).clip(0, 1)).round().astype(np.uint8)).convert("RGB")
    lines_of = {label: _scaled(outlines(labels, label), shape, labels.shape) for label in STRUCTURES}
    all_lines = [line for lines in lines_of.values() for line in lines]
    if all_lines:
        casing, corner = _coverage(all_lines, shape, _CASING_PX)
        picture.paste(CASING, corner, casing.point(_CASING_SHARES))
    for label, lines in lines_of.items():
        if lines:
            coverage, corner = _coverage(lines, shape, _LINE_PX)
            picture.paste(COLOURS[label], corner, coverage)
    return picture


def write_name(picture: Image.Image, corner: tuple[int, int], name: str, is_flagged: bool = False) -> None:
    """Write a name on a plate, to be legible on bright fat too; `corner` is the plate's top left (x, y)."""
    draw, font = ImageDraw.Draw(picture), text_font()
    x, y = corner
    width, height = round(font.getlength(name)) + 2 * _PLATE_PX, _TEXT_PX + _PLATE_PX
    draw.rounded_rectangle((x, y, x + width, y + height), 3, fill=FLAGGED if is_flagged else CASING)
    draw.text((x + _PLATE_PX, y + height / 2), name, CASING if is_flagged else INK, font, "lm")


@cache
def text_font(size_px: int = _TEXT_PX) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which is the same on every machine; it has the letters of ASCII alone."""
    return ImageFont.load_default(size_px)


def _scaled(lines: Iterable[Points], shape: tuple[int, int], mask_shape: tuple[int, ...]) -> list[Points]:
    """Lines in pixels of a mask, converted to fine pixels of a picture of `shape`; both count from pixel centres."""
    scale = np.divide(shape, mask_shape)
    return [(line + 0.5) * scale * _FINE - 0.5 for line in lines]


def _coverage(lines: list[Points], shape: tuple[int, int], width_px: float) -> tuple[Image.Image, tuple[int, int]]:
    """How much of each pixel the lines cover, 0 to 255, in the part of a picture around them; and its corner (x, y)."""
    points = np.concatenate(lines) / _FINE
    top, left = np.maximum(np.floor(points.min(0) - width_px).astype(int), 0).tolist()
    bottom, right = np.minimum(np.ceil(points.max(0) + width_px).astype(int) + 1, shape).tolist()
    fine = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    draw, start = ImageDraw.Draw(fine), np.array((top, left)) * _FINE
    for line in lines:
        draw.line([(x, y) for y, x in (line - start).tolist()], fill=255, width=round(width_px * _FINE))
    return fine.reduce(_FINE), (left, top)
