"""Shape: what no heart looks like in a short-axis slice. Each rule gives one flag for all slices that break it.

The bounds leave all 160 reference masks of ACDC alone (80 patients, ED and ES, drawn by experts).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.bounding_box import in_plane_box
from cardioseg.image.components import component_numbers
from cardioseg.image.flag import Flag, Place
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.orientation import is_base_first
from cardioseg.image.volume import Voxels
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.labelled_cine import LabelledCine

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]  # (phase, slice), 0 where nothing is wrong

OPEN_PERCENT = 5.0  # of the cavity's outline: 18 degrees. ACDC's references: 0 in every slice between base and apex
ISLAND_PERCENT = 5.0  # of a structure's area in a slice. ACDC's references: 1.7 at most
BARE_PERCENT = 5.0  # of a phase's largest area of myocardium
CAP_MM = 20.0  # of myocardium beyond the apical end of the cavity. ACDC's references: two slices of 10 mm at most
ISLAND_MM2 = 20.0  # a cavity of 5 mm across, and smaller than anything drawn on purpose. ACDC's references: 11


@dataclass(frozen=True)
class Rule:
    """What a slice must not have.

    Attributes:
        kind: of its flag.
        reason: of its flag; `{}` is what was seen in the slice that it names.
        bound: the largest score that is sound.
        unit: of the scores.
    """

    kind: str
    reason: str
    bound: float = 0.0
    unit: str = "%"

    def seen(self, score: float) -> str:
        """A score with its unit."""
        return f"{score:.0f} {self.unit}"


_OPEN = f"{{}} of the LV cavity's outline has no myocardium next to it (limit {OPEN_PERCENT:g} %)"
_ISLANDS = f"{{}} of its area is not connected to the largest part (limit {ISLAND_PERCENT:g} % and {ISLAND_MM2:g} mm²)"
_BARE = f"{{}} of the largest area in a slice without LV cavity that is not the apex (limit {BARE_PERCENT:g} %)"
_EDGE = "{} lie on the edge of the image: the structure may extend outside"


def shape_flags(heart: LabelledCine, measures: Measures) -> Iterator[Flag]:
    """Flags of single slices.

    Args:
        heart: the mask and its structures; slices without a picture are not looked at.
        measures: of this mask; where a flag can, it names a place at the end-diastole or end-systole of its ventricle.
    """
    mask, voxels, missing = heart.mask, heart.mask.voxels, heart.acquisition.missing
    if missing:
        voxels = voxels.copy()
        voxels[:, list(missing)] = Label.BACKGROUND
    inside = cropped(voxels)
    pixel_mm2 = float(np.prod(mask.grid.pixel_mm))
    if {Label.LV_CAVITY, Label.LV_MYOCARDIUM} <= set(heart.labels):
        bare = _bare_percent(inside, heart.step_mm, is_base_first(mask))
        moments = measures.moments(Label.LV_CAVITY).known
        yield from _flags(Rule("myocardium without a cavity", _BARE, BARE_PERCENT), bare, moments)
        yield from _flags(Rule("open ring", _OPEN, OPEN_PERCENT), _open_percent(inside), moments)
    for label in STRUCTURES:
        if label in heart.labels:
            moments = measures.moments(label).known
            island_percent = _island_percent(inside == label, ISLAND_MM2 / pixel_mm2)
            islands = Rule("several components", f"{label.title}: {_ISLANDS}", ISLAND_PERCENT)
            yield from _flags(islands, island_percent, moments)
            edge = Rule("touches the border", f"{label.title}: {_EDGE}", unit="pixels")
            yield from _flags(edge, _at_edge(voxels, label), moments)


def _flags(rule: Rule, scores: Scores, moments: Collection[int]) -> Iterator[Flag]:
    """One flag for all scores beyond the rule's bound.

    It names the worst of those at end-diastole and end-systole, from which the numbers come, else the worst of all.
    """
    beyond = scores > rule.bound
    if not beyond.any():
        return
    counted = np.zeros_like(beyond)
    counted[list(moments)] = beyond[list(moments)]
    place, worst = _highest(np.where(counted if counted.any() else beyond, scores, 0.0)), _highest(scores)
    places = [(int(phase), int(index)) for phase, index in np.argwhere(beyond)]
    places.sort(key=lambda at: (not counted[at], -scores[at]))
    reason = rule.reason.format(rule.seen(scores[place]))
    if len(places) > 1:
        reason += f"; found in {len(places)} images"
        reason += f", {counted.sum()} of them at end-diastole or end-systole" if counted.any() else ""
    if scores[worst] > scores[place]:
        reason += f"; worst: {rule.seen(scores[worst])} (slice {worst[1]}, phase {worst[0]})"
    yield Flag(rule.kind, reason, *place, tuple(places))


def _highest(scores: Scores) -> Place:
    phase, index = np.unravel_index(int(scores.argmax()), scores.shape)
    return int(phase), int(index)


def cropped(voxels: Voxels) -> Voxels:
    """The rows and columns that hold anything, and a margin of one, in every slice and phase."""
    rows, columns = in_plane_box(voxels)
    return np.pad(voxels[:, :, rows, columns], ((0, 0), (0, 0), (1, 1), (1, 1)))


def _bare_percent(voxels: NDArray[np.generic], step_mm: float, base_first: bool) -> Scores:
    """Area of myocardium in slices without LV cavity, in percent of the largest of its phase.

    The cap of the apex, as long as a wall can be thick, is left out. A phase without any cavity has a flag of its own.
    """
    order = slice(None) if base_first else slice(None, None, -1)
    cavity = (voxels == Label.LV_CAVITY).any((2, 3))[:, order]
    areas = (voxels == Label.LV_MYOCARDIUM).sum((2, 3))[:, order]
    percent = 100 * areas / np.maximum(areas.max(1, keepdims=True), 1)
    to_apex = np.logical_or.accumulate(cavity[:, ::-1], axis=1)[:, ::-1]  # some cavity follows, or is here
    depth = np.cumsum(~to_apex, axis=1)  # slices beyond the last cavity
    cap = (depth > 0) & (depth <= max(1, round(CAP_MM / step_mm)))
    return np.where(~cavity & ~cap & cavity.any(1, keepdims=True), percent, 0.0)[:, order]


def _open_percent(voxels: NDArray[np.generic]) -> Scores:
    """Of the pixels around the cavity, how many are no myocardium, between the cavity's first and last slice.

    In the outermost slices the ring may be open: at the base the outflow tract interrupts it. A phase without any
    myocardium has a flag of its own.
    """
    cavity = voxels == Label.LV_CAVITY
    around = _grown(cavity) & ~cavity
    bare = around & (voxels != Label.LV_MYOCARDIUM)
    percent = 100 * bare.sum((2, 3)) / np.maximum(around.sum((2, 3)), 1)
    drawn = (voxels == Label.LV_MYOCARDIUM).any((1, 2, 3))[:, None]
    return np.where(inner(cavity.any((2, 3))) & drawn, percent, 0.0)


def inner(filled: Mask) -> Mask:
    """Of (phase, slice), the filled slices that have filled ones on both sides."""
    before = np.logical_or.accumulate(filled, axis=1)
    after = np.logical_or.accumulate(filled[:, ::-1], axis=1)[:, ::-1]
    result = filled.copy()
    result[:, 1:] &= before[:, :-1]
    result[:, :-1] &= after[:, 1:]
    result[:, [0, -1]] = False
    return result


def _grown(mask: Mask) -> Mask:
    """With each pixel's four neighbours in the slice; the edge of the image is empty."""
    grown = mask.copy()
    grown[..., 1:, :] |= mask[..., :-1, :]
    grown[..., :-1, :] |= mask[..., 1:, :]
    grown[..., :, 1:] |= mask[..., :, :-1]
    grown[..., :, :-1] |= mask[..., :, 1:]
    return grown


def _island_percent(mask: Mask, least_pixels: float) -> Scores:
    """Per slice, how much of a structure is not in its largest component; 0 where that is less than `least_pixels`."""
    total = mask.sum((2, 3))
    separate = total - [[_largest_component(plane) for plane in slices] for slices in mask]
    return np.where(separate >= least_pixels, 100 * separate / np.maximum(total, 1), 0.0)


def _largest_component(plane: Mask) -> int:
    """Pixels of the largest component of a slice; 0 where it is empty."""
    numbers = component_numbers(plane, corners=True)
    return int(np.bincount(numbers[plane], minlength=1).max())


def _at_edge(voxels: NDArray[np.generic], label: Label) -> Scores:
    """Pixels of a label in the first and last rows and columns."""
    rows, columns = voxels[:, :, [0, -1]], voxels[:, :, 1:-1, [0, -1]]
    return np.asarray((rows == label).sum((2, 3)) + (columns == label).sum((2, 3)), np.float64)
