"""Imaging differences: why the images of two series are not slices of one acquisition, in words.

A value that one of the two images does not give is not compared.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from cardioseg.ingest.cine.phase_order import MISSING_LIMIT, TRIGGERS, heart_clock, time_of
from cardioseg.ingest.cine.series import CINE_SLICES, Series
from cardioseg.ingest.cine.shared_ids import shared_slices
from cardioseg.ingest.cine.slice_positions import by_position, in_line, same_pixels, same_plane_direction, tilt_degrees
from cardioseg.ingest.dicom.slice_header import SliceHeader

_TWO_STACKS = 1 / 2  # of the slices of the smaller stack: two that share as many are two acquisitions
_ECHO_MS = 0.1  # a scanner that minimises the echo time changes it by less from series to series
_FLIP_DEGREES = 1.0
_TILT_DEGREES = 0.1  # planes that are tilted by less are parallel
_THICKNESS_RTOL = 0.01
_STEP_RTOL = 0.05  # of the time from phase to phase
_RATE_RATIO = 1.25  # breath-holds at rest differ by less; the heart under stress is faster
_ECHO_TRAIN = re.compile(r"_\d+$")  # in names such as tfi2d1_15; it changes with the heart rate
_MS_PER_MINUTE = 60_000


def other_sequence(first: SliceHeader, second: SliceHeader) -> str:
    """Why two images are from sequences of other kinds; "" if they may be from one."""
    if _differ(first.echo_ms, second.echo_ms, _ECHO_MS):
        return "its echo time differs"
    kinds, names = zip(first.sequence, second.sequence, strict=True)
    if all(kinds) and kinds[0] != kinds[1]:
        return "its sequence is of another kind"
    if all(names) and len({_ECHO_TRAIN.sub("", name) for name in names}) > 1:
        return "its sequence has another name"
    return ""


def difference(stack: Series, other: Series) -> str:
    """Why a series cannot be joined with a stack; "" if nothing is known against it."""
    return (
        other_imaging(stack.headers[0], other.headers[0]) or _other_phases(stack, other)
        or _other_acquisition(stack, other)
    )  # fmt: skip


def other_imaging(first: SliceHeader, second: SliceHeader) -> str:
    """Why two images cannot be slices of one stack, whatever their times; "" if nothing is known against it."""
    if not same_plane_direction(first, second):
        return _other_direction(first, second)
    return other_sequence(first, second) or _other_image(first, second)


def by_heart_rate(parts: Sequence[Series]) -> list[list[Series]]:
    """Slices of one stack as one group; by heart rate if some show the same place at rest and under stress.

    Slices whose heart rate is unknown are left with the slower ones.
    """
    rates = [_rate_bpm(part) or 0.0 for part in parts]
    ordered = sorted(set(rates) - {0.0})
    if not ordered or ordered[-1] <= _RATE_RATIO * ordered[0] or not _differ_at_one_place(parts, rates):
        return [list(parts)]
    limit = max(pairwise(ordered), key=lambda pair: pair[1] / pair[0])[1]
    slower = [part for part, rate in zip(parts, rates, strict=True) if rate < limit]
    faster = [part for part, rate in zip(parts, rates, strict=True) if rate >= limit]
    return [*by_heart_rate(slower), *by_heart_rate(faster)]


def _differ_at_one_place(parts: Sequence[Series], rates: Sequence[float]) -> bool:
    rate_of = {header: rate for part, rate in zip(parts, rates, strict=True) for header in part.film if rate}
    at_places = [[rate_of[header] for header in group if header in rate_of] for group in by_position(rate_of)]
    return any(max(place) > _RATE_RATIO * min(place) for place in at_places)


def _other_acquisition(stack: Series, other: Series) -> str:
    """Why a series with slices of the stack is no repetition of single slices."""
    shared = shared_slices(stack.film, other.film)
    if not shared:
        return ""
    if other.slices >= CINE_SLICES and shared >= _TWO_STACKS * min(stack.slices, other.slices):
        return "it is another acquisition of the stack"
    if have_same_ids(stack, other):
        return "it is another scan with the same ids"
    if stack.phases != other.phases:
        return _phases_differ(stack, other)
    return _other_heart_rate(stack, other)


def _other_direction(first: SliceHeader, second: SliceHeader) -> str:
    tilt = tilt_degrees(first, second)
    if tilt > _TILT_DEGREES:
        return f"its planes are tilted by {tilt:.1f} degrees"
    return "its images are turned within their plane, as with another phase encoding direction"


def have_same_ids(first: Series, second: Series) -> bool:
    """Whether two series have one id, although they are different scans: see `shared_ids`."""
    return bool(_series_ids(first) & _series_ids(second))


def _series_ids(series: Series) -> set[str]:
    return {header.series_uid for header in series.headers} - {""}


def _other_heart_rate(stack: Series, other: Series) -> str:
    """Whether one of two series shows the heart under stress; "" if a heart rate is unknown."""
    rates = [rate for series in (stack, other) if (rate := _rate_bpm(series))]
    if len(rates) < 2 or max(rates) <= _RATE_RATIO * min(rates):
        return ""
    return f"its heart rate is {rates[1]:.0f} per minute instead of {rates[0]:.0f}, as under stress or at rest"


def _other_image(first: SliceHeader, second: SliceHeader) -> str:
    thickness_mm = first.thickness_mm, second.thickness_mm
    if first.image_type != second.image_type:
        return "its images are of another type"
    if _differ(first.flip_degrees, second.flip_degrees, _FLIP_DEGREES):
        return "its flip angle differs"
    if first.shape != second.shape:
        return "its rows or columns differ"
    if not same_pixels(first, second):
        return "its pixel spacing differs"
    if _differ(*thickness_mm, _THICKNESS_RTOL * max(mm or 0 for mm in thickness_mm)):
        return "its slice thickness differs"
    return "" if in_line(first, second) else "it is shifted sideways"


def _other_phases(stack: Series, other: Series) -> str:
    if heart_clock(by_position(stack.film)) is not heart_clock(by_position(other.film)):
        return "its phases have times of another kind"
    if stack.phases == other.phases:
        return ""
    if abs(stack.phases - other.phases) <= MISSING_LIMIT * min(stack.phases, other.phases):
        steps_ms = _step_ms(stack), _step_ms(other)
        if steps_ms[0] and steps_ms[1] and not _differ(*steps_ms, _STEP_RTOL * steps_ms[0]):
            return ""
    return _phases_differ(stack, other)


def _phases_differ(stack: Series, other: Series) -> str:
    return f"it has {other.phases} phases instead of {stack.phases}"


def _step_ms(series: Series) -> float | None:
    """Median time from phase to phase on the slice with the most images."""
    for clock in TRIGGERS:
        times_ms = sorted(time_of(clock, header) for header in max(by_position(series.film), key=len))
        if times_ms[-1] > times_ms[0]:
            return median(after - before for before, after in pairwise(times_ms))
    return None


def _rate_bpm(series: Series) -> float | None:
    """The heart rate by the median RR interval, or else as given."""
    interval_ms = _median(series.film, lambda header: header.nominal_interval_ms or None)
    rate = _median(series.film, lambda header: header.heart_rate_bpm or None)
    return _MS_PER_MINUTE / interval_ms if interval_ms else rate


def _median(headers: Sequence[SliceHeader], value: Callable[[SliceHeader], float | None]) -> float | None:
    values = [number for header in headers if (number := value(header)) is not None]
    return median(values) if values else None


def _differ(first: float | None, second: float | None, limit: float) -> bool:
    return first is not None and second is not None and abs(first - second) > limit
