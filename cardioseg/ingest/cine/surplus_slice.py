"""Surplus slice: the one slice without which a stack is regular. It is left out, and a flag says so."""

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.phase_order import Slices
from cardioseg.ingest.cine.slice_positions import STEP_RTOL, along, normal_of, regular_places

SURPLUS_SLICE = "surplus slice"
_EVEN_SLICES = 5  # fewer do not show which slice is one too many


def without_surplus_slice(slices: Slices) -> tuple[Slices, list[Flag]]:
    """The slices, without the one that breaks a regular stack, and a flag for it; all if the stack is regular.

    The slice belongs to the series of its neighbours, lies nearer to one than the others do, and without it no slice is
    missing. All slices are kept if it is unclear which one this is.
    """
    try:
        regular_places(slices)
    except UnusableError:
        candidates = [number for number in range(len(slices)) if _is_surplus(slices, number)]
        if len(candidates) == 1:
            number = candidates[0]
            return [*slices[:number], *slices[number + 1 :]], [_flag(slices, number)]
    return slices, []


def _is_surplus(slices: Slices, number: int) -> bool:
    """Whether a slice and its neighbours belong to one series, and the others are a regular stack without gaps."""
    nearby = slices[max(0, number - 1) : number + 2]
    rest = [*slices[:number], *slices[number + 1 :]]
    if (
        len(rest) < _EVEN_SLICES
        or len({(header.study_uid, header.series_uid) for group in nearby for header in group}) > 1
    ):
        return False
    gaps_mm = np.diff(_positions_mm(rest))
    is_near = _distance_mm(slices, number) < gaps_mm.min()
    return bool(is_near and gaps_mm.max() - gaps_mm.min() <= STEP_RTOL * gaps_mm.min())


def _flag(slices: Slices, number: int) -> Flag:
    step_mm = float(np.median(np.diff(_positions_mm([*slices[:number], *slices[number + 1 :]]))))
    if 0 < number < len(slices) - 1:
        where = f"between slices {number - 1} and {number}, which are {step_mm:.1f} mm apart as all others are"
    else:
        neighbour = max(0, number - 1)
        near = f"only {_distance_mm(slices, number):.1f} mm from slice {neighbour}"
        where = f"{near}, at the end of the stack, whose slices are {step_mm:.1f} mm apart"
    return Flag(SURPLUS_SLICE, f"one more slice of the series lies {where}: it is left out", slice=max(0, number - 1))


def _distance_mm(slices: Slices, number: int) -> float:
    """The distance of a slice from the nearest other slice."""
    return float(np.diff(_positions_mm(slices[max(0, number - 1) : number + 2])).min())


def _positions_mm(slices: Slices) -> list[float]:
    normal = normal_of(slices[0][0])
    return [along(normal, group[0]) for group in slices]
