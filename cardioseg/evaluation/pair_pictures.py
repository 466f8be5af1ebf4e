"""Pictures: the slices of a pair from base to apex, with the outlines of both masks, as parts of an SVG.

The scan is a PNG with few pixels and greys. The outlines are SVG paths: sharp at any size, and small.
"""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.report.crop import Crop, crop_around, shown_slices
from cardioseg.report.drawing import window
from cardioseg.report.outlines import Points, outlines
from cardioseg.wording import UNKNOWN

WIDTH = 160.0  # of a tile, in units of the SVG
_SHORT = 24  # points of an outline, which is about as many pixels long
_PNG_PX = 160  # longest side
_GREYS = 64
_BEYOND = 1  # slices on either side of both masks


@dataclass(frozen=True)
class Tile:
    """One slice.

    Attributes:
        name: `slice 3`.
        source: the scan as a data URI, or "" if there is no scan.
        note: what is missing, or "".
        reference: the outlines of the reference as an SVG path, all labels together.
        predicted: the outlines of the prediction, by label.
        dice: the Dice of this slice as text, by label.
    """

    name: str
    source: str
    note: str
    reference: str
    predicted: tuple[tuple[Label, str], ...]
    dice: tuple[tuple[Label, str], ...]

    @property
    def summary(self) -> str:
        """The tile as a sentence."""
        scores = (f"{label.title} {text}" for label, text in self.dice if text != UNKNOWN)
        return f"{', '.join(filter(None, [self.name, self.note]))}; Dice: {', '.join(scores) or UNKNOWN}"


@dataclass(frozen=True)
class CasePicture:
    """One pair.

    Attributes:
        case_id: the case id of the prediction.
        volume: the name of the reference volume.
        scores: one per label.
        tiles: one per slice, base first.
        height: the height of a tile; its width is `WIDTH`.
    """

    case_id: str
    volume: str
    scores: tuple[VolumeScore, ...]
    tiles: tuple[Tile, ...]
    height: float


@dataclass(frozen=True)
class _View:
    """The part of a slice that a tile shows, and the height of the tile in units of the SVG."""

    crop: Crop
    height: float

    def of(self, voxels: NDArray[np.generic]) -> NDArray[Any]:
        return np.asarray(self.crop.of(voxels))

    def path(self, labels: NDArray[np.uint8], label: Label) -> str:
        """The outlines of a label in a cropped slice (row, column)."""
        scale = np.divide((self.height, WIDTH), labels.shape)
        return " ".join(_svg_path((line + 0.5) * scale) for line in outlines(labels, label))


def case_picture(pair: Pair, scores: Sequence[VolumeScore]) -> CasePicture:
    """Draw a pair, cropped around both masks, in true proportions; only the labels of its `scores` are drawn."""
    labels = [score.label for score in scores]
    reference = np.where(np.isin(pair.reference.mask, labels) & _is_annotated(pair), pair.reference.mask, 0)
    predicted = np.where(np.isin(pair.predicted, labels), pair.predicted, 0)
    grid = pair.reference.grid_or_nominal()
    both = Cine(np.stack([reference, predicted]), grid)
    crop = crop_around(both)
    row_mm, column_mm = grid.pixel_mm
    height_mm, width_mm = (crop.bottom - crop.top) * row_mm, (crop.right - crop.left) * column_mm
    view = _View(crop, round(WIDTH * height_mm / width_mm, 1))
    tiles = tuple(_tile(pair, index, view, both.voxels[:, index], scores) for index in _tile_slices(both))
    return CasePicture(pair.case_id, pair.reference.name, tuple(scores), tiles, view.height)


def _is_annotated(pair: Pair) -> NDArray[np.bool_]:
    """Whether the label of each voxel of the reference is annotated on its slice (slice, row, column)."""
    slices = np.arange(len(pair.reference.mask))[:, None, None]
    return np.asarray(pair.reference.annotated[slices, pair.reference.mask])


def _tile_slices(both: Cine) -> list[int]:
    """The slices from the first labelled one to the last and their neighbours, base first; all if none is labelled."""
    filled = np.flatnonzero(both.voxels.any(axis=(0, 2, 3))).tolist() or [0, both.grid.shape[0] - 1]
    return [index for index in shown_slices(both) if filled[0] - _BEYOND <= index <= filled[-1] + _BEYOND]


def _tile(pair: Pair, index: int, view: _View, masks: NDArray[np.uint8], scores: Sequence[VolumeScore]) -> Tile:
    reference, predicted = (view.of(mask) for mask in masks)
    image = view.of(pair.reference.image[index])
    labels = [score.label for score in scores]
    has_scan = image.any() and pair.reference.has_scan
    paths = {label: view.path(predicted, label) for label in labels}
    return Tile(
        name=f"slice {index}",
        source=_png(image, np.maximum(reference, predicted)) if has_scan else "",
        note="" if pair.reference.annotated[index, labels].any() else "no reference",
        reference=" ".join(filter(None, (view.path(reference, label) for label in labels))),
        predicted=tuple((label, path) for label, path in paths.items() if path),
        dice=tuple((score.label, _dice(score, index)) for score in scores),
    )


def _dice(score: VolumeScore, index: int) -> str:
    """The Dice of one slice, or a dash if the slice has none."""
    values = (part.overlap.dice for part in score.scored if part.index == index)
    return next((f"{dice:.2f}" for dice in values if dice is not None), UNKNOWN)


def _png(image: NDArray[np.generic], labels: NDArray[np.uint8]) -> str:
    """A cropped slice as a data URI, with the contrast set by the region of `labels`. Browsers enlarge it smoothly."""
    grey = window(image[None], labels[None])[0]
    picture = Image.fromarray(grey)
    picture.thumbnail((_PNG_PX, _PNG_PX), Image.Resampling.BICUBIC)
    levels = (np.asarray(picture).clip(0, 1) * (_GREYS - 1)).round() * (255 / (_GREYS - 1))
    file = io.BytesIO()
    Image.fromarray(levels.round().astype(np.uint8)).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def _svg_path(points: Points) -> str:
    """A closed line (point, (row, column)) as part of an SVG path; of a long line, every second point is enough."""
    corners = points[: -1 : 1 if len(points) < _SHORT else 2].round(1).tolist()
    return "M" + "L".join(f"{x:g} {y:g}" for y, x in corners) + "Z"
