"""Coverage: whether each ventricle is as long as one, without holes, and whether the stack holds all of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.image.orientation import is_base_first
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.labelled_cine import Counts, LabelledCine
from cardioseg.wording import counted

# Slices with the cavity times their distance. ACDC's references, ED and ES: LV 50 to 110 mm, RV 30 to 100 mm.
EXTENT_MM = {Label.LV_CAVITY: (40.0, 130.0), Label.RV_CAVITY: (25.0, 130.0)}
# Percent of its largest area that a ventricle may have in the outermost slice of the stack. The apex tapers: one of
# ACDC's 160 references exceeds 50.
APEX_PERCENT = 50.0
# The base does not taper, but at end-systole it moves towards the apex by 1 to 2 cm, so that a slice which covers it
# lies above it then. In 9 of ACDC's 80 patients both ventricles exceed 80; in all 9 their stroke volumes disagree.
BASE_PERCENT = 80.0


def coverage_flags(heart: LabelledCine, measures: Measures) -> Iterator[Flag]:
    """Flags of whole ventricles, at their end-diastole and end-systole (or the only phase).

    Args:
        heart: the mask and its structures.
        measures: of this mask; they say which phases are looked at.
    """
    mask = heart.mask
    areas = {label: heart.pixel_counts[label] for label in EXTENT_MM if label in heart.labels}
    for label, area in areas.items():
        phases = _phases(label, measures, mask.phases)
        yield from _together(list(_extents(area, label, phases, heart.step_mm)))
    base_first = is_base_first(mask)
    yield from _apex(areas, measures, mask.phases, -1 if base_first else 0)
    yield from _base(areas, measures, 0 if base_first else -1)


def _phases(label: Label, measures: Measures, phases: int) -> tuple[int, ...]:
    return measures.moments(label).known or ((0,) if phases == 1 else ())


def _together(flags: Sequence[Flag]) -> Iterator[Flag]:
    """The first of several flags of one rule, with the places of all."""
    if flags:
        yield replace(flags[0], places=tuple(sorted({place for flag in flags for place in flag.places})))


def _extents(areas: Counts, label: Label, phases: Iterable[int], step_mm: float) -> Iterator[Flag]:
    """What is wrong with a ventricle's length; an empty one has a flag of its own."""
    low_mm, high_mm = EXTENT_MM[label]
    for phase in phases:
        filled = np.flatnonzero(areas[phase])
        holes = np.setdiff1d(np.arange(filled[0], filled[-1]), filled) if len(filled) else filled
        if len(holes):
            reason = f"{label.title}: missing in {len(holes)} of its {np.ptp(filled) + 1} slices"
            places = tuple((phase, int(index)) for index in holes)
            yield Flag("slice extent", reason, phase, int(holes[0]), places)
        extent_mm = len(filled) * step_mm
        if len(filled) and not low_mm <= extent_mm <= high_mm:
            count = counted(len(filled), "slice")
            length = f"{count}, {extent_mm:.0f} mm (limits {low_mm:.0f} to {high_mm:.0f} mm)"
            place = (phase, int(filled[0]))
            yield Flag("slice extent", f"{label.title}: {length}", *place, (place,))


def _apex(areas: dict[Label, Counts], measures: Measures, phases: int, end: int) -> Iterator[Flag]:
    """A ventricle is still large in the most apical slice."""
    ends = {
        (_percent(area[phase], end), label.title, phase)
        for label, area in areas.items()
        for phase in _phases(label, measures, phases)
    }
    large = {title: percent for percent, title, _ in sorted(ends) if percent > APEX_PERCENT}
    if large:
        reason = f"the most apical slice still has {_listed(large)} of the largest area (limit {APEX_PERCENT:g} %)"
        index = end % len(next(iter(areas.values()))[0])
        places = tuple(sorted({(phase, index) for percent, _, phase in ends if percent > APEX_PERCENT}))
        yield Flag("apex not covered", f"{reason}: the stack may end above the apex", max(ends)[2], index, places)


def _base(areas: dict[Label, Counts], measures: Measures, end: int) -> Iterator[Flag]:
    """At end-systole, every ventricle still fills the most basal slice."""
    phases = {label: measures.moments(label).es_phase for label in areas}
    percents = {
        label: _percent(area[phase], end) for label, area in areas.items() if (phase := phases[label]) is not None
    }
    if percents and len(percents) == len(areas) and min(percents.values()) > BASE_PERCENT:
        shares = _listed({label.title: percent for label, percent in percents.items()})
        reason = (
            f"at end-systole the most basal slice still has {shares} of the largest area (limit {BASE_PERCENT:g} %)"
        )
        index = end % len(next(iter(areas.values()))[0])
        places = tuple(sorted({(phase, index) for label in areas if (phase := phases[label]) is not None}))
        yield Flag(
            "base not covered", f"{reason}: the stack may begin below the base", measures.es_phase, index, places
        )


def _listed(percents: Mapping[str, float]) -> str:
    return " and ".join(f"{title} {percent:.0f} %" for title, percent in percents.items())


def _percent(areas: NDArray[np.float64], end: int) -> float:
    return float(100 * areas[end] / areas.max()) if areas.any() else 0.0
