"""Wall measures: thickness and thickening of the LV's wall by AHA segments, its thickest place, and its strain."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.orientation import is_placed
from cardioseg.image.volume import Cine
from cardioseg.measure.curves import Moments
from cardioseg.measure.quantity import KEPT_DIGITS
from cardioseg.measure.segments import NAMES, Segmented, segmented
from cardioseg.measure.strain import GeometricStrain, geometric_strain
from cardioseg.measure.wall import ANGLES, Wall

_TABLE_DIGITS = 2
_LEAST_SHARE = 0.5  # of a segment's rays, that have a wall
_PATCH_RAYS = 5  # over which the thickest place is averaged: 15 degrees
_LEAST_CAVITY = 0.04  # of the largest; a slice with less lies in the apex's cap and cuts the wall along its surface
_OPEN_AT_ED = "the wall is open here at end-diastole"
_OPEN_AT_ES = "the wall is open here at end-systole"


SEGMENT_COLUMNS: Mapping[str, str] = {
    "case_id": "name of the case and of its folder",
    "segment": "AHA number, 1 to 16",
    "name": "level and wall of the segment",
    "ed_thickness_mm": "thickness of the wall at end-diastole: mean over the segment in all slices of its level",
    "es_thickness_mm": "the same at end-systole",
    "thickening_percent": "100 (thickness at end-systole - at end-diastole) / thickness at end-diastole",
    "ed_area_mm2": "mean area of the wall of the segment in a slice at end-diastole",
    "es_area_mm2": "the same at end-systole",
    "reason": "why a value is missing",
}
"""The columns of `segments.csv`, and what they mean."""


@dataclass(frozen=True)
class SegmentMeasures:
    """One segment of the wall.

    Thickness is the mean over the segment's rays and slices. If end-systole is known, both phases are measured on the
    slices that have a wall at both.

    Attributes:
        ed_mm: thickness at end-diastole.
        es_mm: thickness at end-systole.
        thickening_percent: 100 (es_mm - ed_mm) / ed_mm.
        ed_area_mm2: mean area of the segment's wall in a slice at end-diastole.
        es_area_mm2: the same at end-systole.
        curve_mm: thickness at each phase; None where the wall is open.
        reason: why a value is missing; empty if none is.
    """

    ed_mm: float | None = None
    es_mm: float | None = None
    thickening_percent: float | None = None
    ed_area_mm2: float | None = None
    es_area_mm2: float | None = None
    curve_mm: tuple[float | None, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ThickestPlace:
    """Where the wall is thickest at end-diastole, in a slice whose cavity has at least 4 % of the largest one's area.

    Attributes:
        mm: mean thickness over 15 degrees of one slice.
        slice: 0-based slice.
        segment: AHA number.
    """

    mm: float
    slice: int
    segment: int


@dataclass(frozen=True)
class WallMeasures:
    """What is measured of the LV's wall.

    Attributes:
        segments: by AHA number, all 16; none if the model does not segment both the LV's cavity and its wall.
        thickest: the thickest place at end-diastole, if there are segments.
        borrowed: slices whose segments lie between the RV's insertion points of another slice.
        is_placed: whether the file says how the stack lies in the patient; if not, which wall is anterior follows from
            the usual way of showing a short axis.
        strain: the strain curves; None with a single phase.
    """

    segments: Mapping[int, SegmentMeasures] = field(default_factory=dict)
    thickest: ThickestPlace | None = None
    borrowed: tuple[int, ...] = ()
    is_placed: bool = True
    strain: GeometricStrain | None = None

    @property
    def without_curves(self) -> "WallMeasures":
        """The same without the segments' values of each phase: thousands of cases fit into memory."""
        segments = {number: replace(segment, curve_mm=()) for number, segment in self.segments.items()}
        return replace(self, segments=segments)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each segment with the columns `SEGMENT_COLUMNS` after the case, rounded to 0.01."""
        for number, segment in self.segments.items():
            thickness = {"ed_thickness_mm": segment.ed_mm, "es_thickness_mm": segment.es_mm}
            areas = {"ed_area_mm2": segment.ed_area_mm2, "es_area_mm2": segment.es_area_mm2}
            thickening = {"thickening_percent": segment.thickening_percent, "reason": segment.reason}
            yield {"segment": number, "name": NAMES[number]} | _rounded(thickness | thickening | areas, _TABLE_DIGITS)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return dict(_rounded(asdict(self), KEPT_DIGITS))


def measure_wall(mask: Cine, wall: Wall | None, moments: Moments) -> WallMeasures:
    """Measure the wall.

    Args:
        mask: `Label` values (phase, slice, row, column).
        wall: the wall of this mask; None if the cavity and its wall are not both segmented.
        moments: end-diastole and end-systole of the LV. Without end-diastole, there are neither segments nor strain.
    """
    if wall is None:
        return WallMeasures()
    if moments.ed_phase is None:
        return _without_segments("the phase of end-diastole is unknown")
    strain = geometric_strain(wall, moments.ed_phase) if mask.phases > 1 else None
    found = segmented(mask, wall, moments.ed_phase)
    if isinstance(found, str):
        return _without_segments(found, strain)
    segments = {number: _measured(found.numbers == number, wall, moments) for number in NAMES}
    return WallMeasures(
        segments, _thickest(found, wall, moments.ed_phase), found.borrowed, is_placed(mask.grid), strain
    )


def _without_segments(reason: str, strain: GeometricStrain | None = None) -> WallMeasures:
    return WallMeasures({number: SegmentMeasures(reason=reason) for number in NAMES}, strain=strain)


def _measured(rays: NDArray[np.bool_], wall: Wall, moments: Moments) -> SegmentMeasures:
    """Measure the segment of some rays (slice, ray)."""
    ed, es = moments.ed_phase, moments.es_phase
    at_both = np.asarray(wall.is_present[[phase for phase in (ed, es) if phase is not None]].all(axis=0))
    if not (rays & at_both[:, None]).any():
        return SegmentMeasures(reason="no slice of this level has a wall at end-diastole and at end-systole")
    rays = rays & at_both[:, None]
    curve = tuple(_mean(thickness[rays]) for thickness in wall.thickness_mm)
    ed_mm, es_mm = (None if phase is None else curve[phase] for phase in (ed, es))
    ed_area, es_area = (
        None if mm is None else _area_mm2(wall, phase, rays) for mm, phase in ((ed_mm, ed), (es_mm, es))
    )
    thickening = None if ed_mm is None or es_mm is None else 100 * (es_mm - ed_mm) / ed_mm
    open_then = [
        name
        for mm, phase, name in ((ed_mm, ed, _OPEN_AT_ED), (es_mm, es, _OPEN_AT_ES))
        if phase is not None and mm is None
    ]
    return SegmentMeasures(ed_mm, es_mm, thickening, ed_area, es_area, curve, "; ".join(open_then))


def _area_mm2(wall: Wall, phase: int | None, rays: NDArray[np.bool_]) -> float:
    """The mean area in a slice of the wall on some rays (slice, ray), at one phase."""
    area = (wall.outer_mm[phase] ** 2 - wall.inner_mm[phase] ** 2) / 2 * ANGLES[1]
    return float(np.nansum(area[rays]) / rays.any(1).sum())


def _mean(thickness_mm: NDArray[np.float64]) -> float | None:
    known = np.isfinite(thickness_mm)
    return float(thickness_mm[known].mean()) if known.mean() >= _LEAST_SHARE else None


def _thickest(found: Segmented, wall: Wall, ed_phase: int) -> ThickestPlace | None:
    """The thickest place; None if the wall is nowhere closed over 15 degrees outside the apex's cap."""
    reach = range(-(_PATCH_RAYS // 2), _PATCH_RAYS // 2 + 1)
    shifted = [np.roll(wall.thickness_mm[ed_phase], offset, axis=-1) for offset in reach]
    cavity = np.nansum(wall.inner_mm[ed_phase] ** 2, axis=-1)
    is_above_cap = cavity >= _LEAST_CAVITY * cavity.max()
    patches = np.where((found.numbers > 0) & is_above_cap[:, None], np.mean(shifted, axis=0), np.nan)
    if not np.isfinite(patches).any():
        return None
    index, ray = np.unravel_index(int(np.nanargmax(patches)), patches.shape)
    return ThickestPlace(float(patches[index, ray]), int(index), int(found.numbers[index, ray]))


def _rounded(value: Any, digits: int) -> Any:  # noqa: ANN401 - of JSON
    if isinstance(value, dict):
        return {key: _rounded(item, digits) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value
