"""Phases: put the images of each slice in the order of the heart beat, one image per phase.

The clocks that order them, best first: the heart's clocks (trigger time, the scanner's numbers of the temporal
position), the acquisition time, the instance number. The heart's clocks mean the same on every slice. A value that
occurs twice on a slice is a second acquisition, or another kind of image of the same moment. A clock that does not vary
cannot order. The other clocks are used only if they differ for all images of a slice, on every slice. The content time
is not used: on GE scanners it is the order of reconstruction (nearly random within a slice in the Sunnybrook studies),
and on others it is the acquisition time or constant.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from operator import attrgetter
from statistics import median, median_low

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom.slice_header import SliceHeader

_SHORTEST = 1e-6  # smallest difference of any clock between two phases
_SINGLE_STEP = 1.5  # times the smallest gap: gaps up to this are one step, allowing for unevenness
MISSING_LIMIT = 1 / 3  # of the slices, or of a slice's phases: if more are missing, they are not filled in

Clock = Callable[[SliceHeader], float | None]
Slices = Sequence[Sequence[SliceHeader]]
TRIGGERS: tuple[Clock, ...] = (attrgetter("trigger_ms"), attrgetter("actual_trigger_ms"))  # in ms after the R wave
HEART_CLOCKS: tuple[Clock, ...] = (
    *TRIGGERS, *map(attrgetter, ("temporal_position", "time_offset_s", "beat_percent", "time_index"))
)  # fmt: skip
INSTANCE_NUMBER: Clock = attrgetter("instance_number")
_OTHER_CLOCKS: tuple[Clock, ...] = (attrgetter("acquisition_s"), INSTANCE_NUMBER)


@dataclass(frozen=True)
class Film:
    """The images of all slices, ordered in time.

    Attributes:
        images: [slice][phase].
        filled_in: (slice, phase) for which there is no image; the nearest phase of the slice is used instead.
        surplus: slice -> number of images left out, for slices that had more than most.
        clock: the clock that ordered them.
    """

    images: tuple[tuple[SliceHeader, ...], ...]
    filled_in: frozenset[tuple[int, int]]
    surplus: Mapping[int, int]
    clock: Clock


def heart_clock(slices: Slices) -> Clock | None:
    """The first of the heart's clocks that varies on most slices, if there is one."""
    several = [group for group in slices if len(group) > 1]
    for clock in HEART_CLOCKS:
        if all(clock(header) is not None for group in slices for header in group):
            varies = sum(len(set(map(clock, group))) > 1 for group in several)
            if 2 * varies > len(several):
                return clock
    return None


def film_of(slices: Slices) -> Film:
    """Order each slice's images, fill in missing phases and leave out surplus ones.

    Raises:
        UnusableError: no clock orders them; it is unclear which phases are missing or surplus; or more than a third
            are.
    """
    clock = _ordering_clock(slices)
    ordered = [sorted(group, key=partial(time_of, clock)) for group in slices]
    counts = Counter(map(len, ordered))
    usual = max(counts, key=lambda count: (counts[count], count))
    complete = [row for row in ordered if len(row) == usual]
    rows = [_images_by_phase(number, row, complete, clock) for number, row in enumerate(ordered)]
    phases = range(usual)
    filled_in = {(number, phase) for number, row in enumerate(rows) for phase in phases if phase not in row}
    nearest = [
        tuple(row[min(row, key=lambda acquired: (abs(acquired - phase), acquired))] for phase in phases) for row in rows
    ]
    surplus = {number: len(row) - usual for number, row in enumerate(ordered) if len(row) > usual}
    return Film(tuple(nearest), frozenset(filled_in), surplus, clock)


def _ordering_clock(slices: Slices) -> Clock:
    clock = heart_clock(slices)
    if clock is not None or all(len(group) == 1 for group in slices):
        return clock or TRIGGERS[0]
    for candidate in _OTHER_CLOCKS:
        times = [[candidate(header) for header in group] for group in slices]
        if all(None not in group and len(set(group)) == len(group) for group in times):
            return candidate
    raise UnusableError("its phases cannot be told apart: neither their times nor their instance numbers differ")


def _images_by_phase(number: int, row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader]:
    """Phase -> image on one slice."""
    usual = len(complete[0])
    counts = f"slice {number} has {len(row)} phases, the others have {usual}"
    if len(row) == usual:
        return dict(enumerate(row))
    if abs(len(row) - usual) > MISSING_LIMIT * usual:
        raise UnusableError(f"{counts}: more than a third is {'missing' if len(row) < usual else 'surplus'}")
    if clock is INSTANCE_NUMBER and (by_number := _placed_by_number(row, complete)) is not None:
        return by_number
    if clock not in HEART_CLOCKS:
        kind = "missing" if len(row) < usual else "surplus"
        raise UnusableError(f"{counts}, and nothing shows which phases are {kind}")
    by_time = _placed_by_time(row, complete, clock) if len(row) < usual else _without_surplus(row, complete, clock)
    if by_time is None:
        raise UnusableError(f"{counts}, and its times do not show which phases are missing")
    return by_time


def _placed_by_number(row: Sequence[SliceHeader], complete: Slices) -> dict[int, SliceHeader] | None:
    """Phase -> image on a slice that lacks phases, if each slice's instance numbers are one consecutive block."""
    usual = len(complete[0])
    first = {int(time_of(INSTANCE_NUMBER, group[0])) for group in complete}
    last = {int(time_of(INSTANCE_NUMBER, group[-1])) - usual + 1 for group in complete}
    starts = {number % usual for number in first}
    blocks = {divmod(int(time_of(INSTANCE_NUMBER, header)) - min(starts), usual): header for header in row}
    if first != last or len(starts) > 1 or len({block for block, _ in blocks}) > 1:
        return None
    return {phase: header for (_, phase), header in blocks.items()}


def _placed_by_time(row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader] | None:
    """Phase -> image on a slice that lacks phases, by comparing its times with the even steps of complete slices.

    Phase k of a slice is at t_k = step (k + start). The step differs from slice to slice because the heart rate does.
    The start, in steps, is set by the sequence and is the same on all slices.
    """
    if min(_step(clock, group) for group in (row, *complete)) < _SHORTEST:
        return None
    start = median(time_of(clock, group[0]) / _step(clock, group) for group in complete)
    places = [round(time_of(clock, header) / _step(clock, row) - start) for header in row]
    if len(set(places)) < len(places) or not 0 <= min(places) <= max(places) < len(complete[0]):
        return None
    return dict(zip(places, row, strict=True))


def _without_surplus(row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader]:
    """Phase -> image on a slice with surplus phases: the images furthest from the usual times are left out.

    Times after the R wave are compared, not fractions of the beat: systole lasts about as long at any heart rate, and
    the extra phases of a slow beat come at its end.
    """
    usual_times = [median(map(partial(time_of, clock), images)) for images in zip(*complete, strict=True)]
    off = [min(abs(time_of(clock, header) - time) for time in usual_times) for header in row]
    kept = sorted(sorted(range(len(row)), key=off.__getitem__)[: len(usual_times)])
    return {phase: row[place] for phase, place in enumerate(kept)}


def single_step(gaps: Sequence[float]) -> float:
    """The step of a regular series with holes: the median of the smallest gaps, those without a hole."""
    return median_low([gap for gap in gaps if gap <= _SINGLE_STEP * min(gaps)])


def _step(clock: Clock, row: Sequence[SliceHeader]) -> float:
    """The time from phase to phase."""
    return single_step([time_of(clock, after) - time_of(clock, before) for before, after in pairwise(row)])


def time_of(clock: Clock, header: SliceHeader) -> float:
    """The time of an image by a clock; 0 if it has none."""
    return clock(header) or 0.0
