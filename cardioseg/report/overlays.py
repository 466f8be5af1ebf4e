"""Overlays: a contact sheet of one case, the masks' outlines on the images."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardioseg.files import atomic_path
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine
from cardioseg.report.palette import COLOURS
from cardioseg.report.sheet import Sheet, lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 100
_PAPER, _INK, _FAINT = "#0d1014", "#eceff2", "#98a2ad"
_DARKEST, _BRIGHTEST = 1, 98  # percentiles of the shown intensities
_STEP = 3  # between grey levels: not visible, and a quarter of the file less
_CASING = "#000000b0"


def write_overlay(
    path: Path,
    image: Cine,
    mask: Cine,
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    title: str = "",
) -> None:
    """Draw a PNG contact sheet: slices from base to apex, end-diastole above end-systole.

    Outlines are the masks' own, not smoothed; the myocardium is outlined on its outside, as the cavity's outline is
    its inside. The same input gives the same bytes.

    Args:
        path: where to write.
        image: intensities (phase, slice, row, column).
        mask: `Label` values on the same grid.
        ed_phase: 0-based end-diastole; the first phase is shown where neither phase is known.
        es_phase: 0-based end-systole.
        title: the case's name.

    Raises:
        ResourceError: the file system refuses the write.
        ValueError: image and mask differ in shape.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    if image.voxels.shape != mask.voxels.shape:
        raise ValueError(f"image {image.voxels.shape} and mask {mask.voxels.shape} differ in shape")
    captions = _captions(image.phases, ed_phase, es_phase)
    sheet = lay_out(mask, list(captions))
    height, width = sheet.size
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)
    figure.figimage(_photograph(sheet, image), origin="upper", zorder=-1)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _outline(axes, sheet, mask)
    _caption(axes, sheet, captions)
    _head(axes, sheet, mask, title)
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", metadata={"Software": None})


def _captions(phases: int, ed_phase: int | None, es_phase: int | None) -> dict[int, str]:
    """Caption by phase index, in the order of the rows."""
    if phases == 1:
        return {0: ""}
    known = {phase: name for phase, name in ((es_phase, "ES"), (ed_phase, "ED")) if phase is not None}
    return {phase: f"{known[phase]}   phase {phase}" for phase in reversed(known)} or {0: "phase 0"}


def _photograph(sheet: Sheet, image: Cine) -> NDArray[np.uint8]:
    """The grey tiles on the sheet's background, (y, x, RGB)."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - slow to import
    from skimage.transform import resize  # noqa: PLC0415 - slow to import

    crop, (height, width) = sheet.crop, sheet.tile
    shown = image.voxels[np.ix_(sheet.phases, sheet.slices)][..., crop.top : crop.bottom, crop.left : crop.right]
    grey = _window(shown)
    photograph = np.full((*sheet.size, 3), np.multiply(to_rgb(_PAPER), 255).round(), np.uint8)
    for phase_rank, slice_rank in np.ndindex(*grey.shape[:2]):
        y, x = sheet.corner(slice_rank, phase_rank)
        tile = resize(grey[phase_rank, slice_rank], sheet.tile, order=3, anti_aliasing=True)
        photograph[y : y + height, x : x + width] = (_STEP * (tile.clip(0, 1) * (255 // _STEP)).round())[..., None]
    return photograph


def _window(intensities: NDArray[np.generic]) -> NDArray[np.float64]:
    """Intensities (phase, slice, row, column) to 0 to 1, slice by slice: a surface coil makes the apex brighter."""
    finite = np.nan_to_num(np.asarray(intensities, np.float64))
    low, high = np.percentile(finite, (_DARKEST, _BRIGHTEST), axis=(0, 2, 3), keepdims=True)
    return np.asarray(((finite - low) / np.maximum(high - low, 1e-9)).clip(0, 1))


def _outline(axes: "Axes", sheet: Sheet, mask: Cine) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - slow to import
    from matplotlib.patheffects import Normal, Stroke  # noqa: PLC0415 - slow to import

    for label in STRUCTURES:
        lines = [line for ranks in _tiles(sheet) for line in _lines(sheet, mask, label, *ranks)]
        casing = Stroke(linewidth=2.6, foreground=_CASING)
        axes.add_collection(
            LineCollection(lines, colors=COLOURS[label], linewidths=1.2, path_effects=[casing, Normal()])
        )


def _tiles(sheet: Sheet) -> Iterator[tuple[int, int]]:
    yield from np.ndindex(len(sheet.slices), len(sheet.phases))


def _lines(sheet: Sheet, mask: Cine, label: Label, slice_rank: int, phase_rank: int) -> Iterator[NDArray[np.float64]]:
    """Outlines (point, (x, y)) of a label on one tile, in the sheet's pixels."""
    from skimage.measure import find_contours  # noqa: PLC0415 - slow to import

    labels = mask.voxels[sheet.phases[phase_rank], sheet.slices[slice_rank]]
    region = _region(labels[sheet.crop.top : sheet.crop.bottom, sheet.crop.left : sheet.crop.right], label)
    scale = np.divide(sheet.tile, region.shape)
    for line in find_contours(np.pad(region, 1).astype(float), 0.5):
        yield ((line - 0.5) * scale + sheet.corner(slice_rank, phase_rank))[:, ::-1]


def _region(labels: NDArray[np.uint8], label: Label) -> NDArray[np.bool_]:
    """The pixels inside a label's outline: the myocardium's holds the cavity."""
    region = labels == label
    if label == Label.LV_MYOCARDIUM and region.any():
        region |= labels == Label.LV_CAVITY
    return np.asarray(region)


def _caption(axes: "Axes", sheet: Sheet, captions: dict[int, str]) -> None:
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - slow to import

    for slice_rank, phase_rank in _tiles(sheet):
        y, x = sheet.corner(slice_rank, phase_rank)
        first = slice_rank % sheet.columns == 0
        name = f"{'slice ' if first else ''}{sheet.slices[slice_rank]}"
        number = axes.text(x + 6, y + 5, name, color=_INK, fontsize=9, va="top")
        number.set_path_effects([withStroke(linewidth=2.5, foreground=_CASING)])
        if first:
            middle = y + sheet.tile[0] / 2
            caption = captions[sheet.phases[phase_rank]]
            axes.text(x - 8, middle, caption, color=_FAINT, fontsize=9, rotation=90, ha="right", va="center")


def _head(axes: "Axes", sheet: Sheet, mask: Cine, title: str) -> None:
    left, right, middle = sheet.corner(0, 0)[1], sheet.size[1] - 16.0, 34
    axes.text(left, middle, title, color=_INK, fontsize=12, weight="bold", va="center", parse_math=False)
    found = [label for label in STRUCTURES if (mask.voxels == label).any()]
    for label in reversed(found):
        text = axes.text(right, middle, label.title, color=_INK, fontsize=9, ha="right", va="center")
        right -= text.get_window_extent().width + 8
        axes.plot((right - 18, right), (middle, middle), color=COLOURS[label], linewidth=2.5, solid_capstyle="round")
        right -= 40
