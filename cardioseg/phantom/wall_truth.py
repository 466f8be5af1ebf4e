"""Wall truth: the thickness of the phantom's wall in each AHA segment, from its outlines."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioseg.phantom.beating_heart import Array, Section, sections
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.plane import plane

_TURN = np.arange(0, 2 * np.pi, 2 * np.pi / 4096)
_QUARTER = np.pi / 4
_BASAL, _APICAL = (
    np.array([5, 4, 3, 2, 1, 6]),
    np.array([16, 15, 14, 13, 16]),
)  # from behind, over the septum, to behind


@dataclass(frozen=True)
class SegmentTruth:
    """The thickness of one segment along the normal of the wall's midline, in mm."""

    ed_mm: float
    es_mm: float

    @property
    def thickening_percent(self) -> float:
        """100 (es_mm - ed_mm) / ed_mm."""
        return 100 * (self.es_mm - self.ed_mm) / self.ed_mm


def segment_truth(phantom: Phantom) -> Mapping[int, SegmentTruth]:
    """The thickness of each segment by its AHA number, from the slices with a cavity at end-diastole and end-systole.

    The RV's insertion points lie where its cavity becomes deeper than half a pixel at end-diastole, as a mask can show
    it; slices that it does not reach have those of the next slice above. Segments of a level without slices are left
    out.
    """
    ed, es = (sections(phantom, phase) for phase in phantom.ed_es_phases)
    from_base = [index for index, section in enumerate(ed) if section.cavity_mm][::-1]
    truth: dict[int, SegmentTruth] = {}
    septum = (0.0, 0.0)
    for level, slices in enumerate(np.array_split(np.array(from_base), 3)):
        parts: dict[int, list[tuple[float, float]]] = {}
        for index in slices.tolist():
            septum = _septum(ed[index], plane(phantom).pixel_mm) or septum
            if es[index].cavity_mm:
                numbers, at_ed, at_es = _numbers(level, *septum), _thickness_mm(ed[index]), _thickness_mm(es[index])
                for number in np.unique(numbers).tolist():
                    part = numbers == number
                    parts.setdefault(number, []).append((float(at_ed[part].mean()), float(at_es[part].mean())))
        truth |= {number: SegmentTruth(*np.mean(values, axis=0).tolist()) for number, values in parts.items()}
    return truth


def _septum(section: Section, pixel_mm: float) -> tuple[float, float] | None:
    """Middle and half width of the part of the wall beyond which the RV lies, in radians; None where it does not."""
    from_middle = _TURN - np.pi
    angles = section.pose.septum + from_middle
    touching = from_middle[section.rv(angles) - section.epicardium(angles) > pixel_mm / 2]
    if not len(touching):
        return None
    return float(section.pose.septum + (touching[0] + touching[-1]) / 2), float(touching[-1] - touching[0]) / 2


def _thickness_mm(section: Section) -> Array:
    inner, outer = section.cavity(_TURN), section.epicardium(_TURN)
    middle = (inner + outer) / 2
    slope = np.gradient(np.concatenate([middle[-1:], middle, middle[:1]]), _TURN[1])[1:-1]
    return np.asarray((outer - inner) / np.hypot(1, slope / middle))


def _numbers(level: int, septum: float, half_width: float) -> NDArray[np.int64]:
    """The AHA number of each angle of `_TURN` in the basal (0), mid (1) and apical (2) level."""
    from_septum = (_TURN - septum + np.pi) % (2 * np.pi) - np.pi  # positive towards the anterior wall
    if level == 2:
        return _APICAL[np.searchsorted((-3 * _QUARTER, -_QUARTER, _QUARTER, 3 * _QUARTER), from_septum)]
    halved = (np.pi + half_width) / 2
    place = np.searchsorted((-halved, -half_width, 0.0, half_width, halved), from_septum)
    return _BASAL[place] + (6 if level == 1 else 0)
