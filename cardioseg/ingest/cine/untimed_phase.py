"""An untimed phase: images without a trigger time that are one phase of a film, usually the first.

Some writers leave the trigger time out where it is 0. If each slice has exactly one such image, with the same place in
the order of the instance numbers, and the times of the others leave this place free, it is this phase.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter

from cardioseg.ingest.cine.phase_order import single_step
from cardioseg.ingest.cine.slice_positions import by_position
from cardioseg.ingest.dicom.slice_header import SliceHeader

_ROUNDING = 0.25  # of a step: what a time may be off

Images = Sequence[SliceHeader]


def with_untimed_phase(headers: Images) -> list[SliceHeader]:
    """The images in the same order; those of the untimed phase with its time, if there is such a phase."""
    count = sum(header.trigger_ms is None for header in headers)
    if not 0 < 2 * count < len(headers) or len({header.image_type for header in headers}) > 1:
        return list(headers)
    rows = [_by_number(group) for group in by_position(headers)]
    times_ms = [[header.trigger_ms for header in row] for row in rows]
    if any(row.count(None) != 1 for row in times_ms) or len({row.index(None) for row in times_ms}) > 1:
        return list(headers)
    place = times_ms[0].index(None)
    timed = {
        row[place]: replace(row[place], trigger_ms=free_ms)
        for row, of_row_ms in zip(rows, times_ms, strict=True)
        if (free_ms := _free_time_ms(of_row_ms)) is not None
    }
    return [timed.get(header, header) for header in headers] if len(timed) == count else list(headers)


def _by_number(group: Images) -> list[SliceHeader]:
    """The images of a slice in the order of their instance numbers; none if one has no number of its own."""
    numbers = {header.instance_number for header in group}
    is_clear = None not in numbers and len(numbers) == len(group)
    return sorted(group, key=attrgetter("instance_number")) if is_clear else []


def _free_time_ms(times_ms: Sequence[float | None]) -> float | None:
    """The time at the place of the only None: a step before the first image, or between two others.

    None if the others have no even order in time, or leave no time free; the first image is not before the R wave.
    """
    place, others = times_ms.index(None), [time for time in times_ms if time is not None]
    gaps = [after - before for before, after in pairwise(others)]
    if not gaps or min(gaps) <= 0 or place == len(others):
        return None
    step = single_step(gaps)
    if place == 0:
        time = others[0] - step
        return max(0.0, time) if -_ROUNDING * step <= time <= step else None
    gap = gaps[place - 1]
    return others[place - 1] + gap / 2 if abs(gap - 2 * step) <= _ROUNDING * step else None
