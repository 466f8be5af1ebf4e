"""Phases: the images of each slice in the order of the heart beat, one a phase.

What orders them, best first: the heart's clocks (the trigger time, the scanner's own numbers of the temporal position),
the acquisition time, the instance number. The heart's clocks mean the same on every slice, and a value that comes twice
on one slice is a second acquisition, or another kind of image of the same moment. A clock that does not vary orders
nothing. The others are used only where they tell all images of every slice apart. The content time is left out: on GE
scanners it is the order of reconstruction (in the Sunnybrook studies, within a slice, nearly random), and elsewhere it
is the acquisition time or constant.
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

_SHORTEST = 1e-6  # of any clock, between two phases
_SINGLE_STEP = 1.5  # of the smallest: gaps up to it are one step, with what they are uneven
INVENTED = 1 / 3  # of the slices or of a slice's phases: with more than this missing, nothing is filled

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
    """Slices in time.

    Attributes:
        images: [slice][phase].
        invented: (slice, phase) without an image of its own; the nearest phase of the slice stands in.
        surplus: slice -> images that were left out, on those that had more than most.
        clock: what ordered them.
    """

    images: tuple[tuple[SliceHeader, ...], ...]
    invented: frozenset[tuple[int, int]]
    surplus: Mapping[int, int]
    clock: Clock


def heart_clock(slices: Slices) -> Clock | None:
    """The first of the heart's clocks that tells images of most slices apart, if there is one."""
    several = [group for group in slices if len(group) > 1]
    for clock in HEART_CLOCKS:
        if all(clock(header) is not None for group in slices for header in group):
            varies = sum(len(set(map(clock, group))) > 1 for group in several)
            if 2 * varies > len(several):
                return clock
    return None


def in_time(slices: Slices) -> Film:
    """Order each slice's images, fill the phases that a slice lacks and leave out those that it has beyond most.

    Raises:
        UnusableError: nothing orders them, or which are missing or too many cannot be told, or more than a third are.
    """
    clock = _telling_clock(slices)
    ordered = [sorted(group, key=partial(time_of, clock)) for group in slices]
    counts = Counter(map(len, ordered))
    usual = max(counts, key=lambda count: (counts[count], count))
    complete = [row for row in ordered if len(row) == usual]
    rows = [_placed(number, row, complete, clock) for number, row in enumerate(ordered)]
    phases = range(usual)
    invented = {(number, phase) for number, row in enumerate(rows) for phase in phases if phase not in row}
    nearest = [tuple(row[min(row, key=lambda known: (abs(known - phase), known))] for phase in phases) for row in rows]
    surplus = {number: len(row) - usual for number, row in enumerate(ordered) if len(row) > usual}
    return Film(tuple(nearest), frozenset(invented), surplus, clock)


def _telling_clock(slices: Slices) -> Clock:
    clock = heart_clock(slices)
    if clock is not None or all(len(group) == 1 for group in slices):
        return clock or TRIGGERS[0]
    for other in _OTHER_CLOCKS:
        times = [[other(header) for header in group] for group in slices]
        if all(None not in group and len(set(group)) == len(group) for group in times):
            return other
    raise UnusableError("its phases cannot be told apart: neither their times nor their instance numbers differ")


def _placed(number: int, row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader]:
    """Phase -> image on one slice."""
    usual = len(complete[0])
    said = f"slice {number} has {len(row)} phases, the others have {usual}"
    if len(row) == usual:
        return dict(enumerate(row))
    if abs(len(row) - usual) > INVENTED * usual:
        raise UnusableError(f"{said}: more than a third is {'missing' if len(row) < usual else 'surplus'}")
    if clock is INSTANCE_NUMBER and (counted := _counted(row, complete)) is not None:
        return counted
    if clock not in HEART_CLOCKS:
        which = "missing" if len(row) < usual else "surplus"
        raise UnusableError(f"{said}, and nothing shows which phases are {which}")
    places = _fewer(row, complete, clock) if len(row) < usual else _thinned(row, complete, clock)
    if places is None:
        raise UnusableError(f"{said}, and its times do not show which phases are missing")
    return places


def _counted(row: Sequence[SliceHeader], complete: Slices) -> dict[int, SliceHeader] | None:
    """Phase -> image on a slice that has fewer, where each slice's instance numbers are a row of their own."""
    usual = len(complete[0])
    first = {int(time_of(INSTANCE_NUMBER, group[0])) for group in complete}
    last = {int(time_of(INSTANCE_NUMBER, group[-1])) - usual + 1 for group in complete}
    starts = {number % usual for number in first}
    blocks = {divmod(int(time_of(INSTANCE_NUMBER, header)) - min(starts), usual): header for header in row}
    if first != last or len(starts) > 1 or len({block for block, _ in blocks}) > 1:
        return None
    return {phase: header for (_, phase), header in blocks.items()}


def _fewer(row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader] | None:
    """Phase -> image on a slice that has fewer, from how its times lie on the even beat of the complete slices.

    Each slice has its own beat t_k = step (k + start): hearts do not keep their rate. The start, in steps, is the
    sequence's own and the same everywhere.
    """
    if min(_step(clock, group) for group in (row, *complete)) < _SHORTEST:
        return None
    start = median(time_of(clock, group[0]) / _step(clock, group) for group in complete)
    places = [round(time_of(clock, header) / _step(clock, row) - start) for header in row]
    if len(set(places)) < len(places) or not 0 <= min(places) <= max(places) < len(complete[0]):
        return None
    return dict(zip(places, row, strict=True))


def _thinned(row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader]:
    """Phase -> image on a slice that has more: without those that lie furthest from the usual times.

    The time after the R wave counts and not the share of the beat: the heart contracts in about the same time at any
    rate, and what a slow beat has more of comes last.
    """
    usual_times = [median(map(partial(time_of, clock), images)) for images in zip(*complete, strict=True)]
    off = [min(abs(time_of(clock, header) - time) for time in usual_times) for header in row]
    kept = sorted(sorted(range(len(row)), key=off.__getitem__)[: len(usual_times)])
    return {phase: row[place] for phase, place in enumerate(kept)}


def single_step(gaps: Sequence[float]) -> float:
    """The step of a regular row with holes: the usual one of the smallest gaps, which nothing missing has widened."""
    return median_low([gap for gap in gaps if gap <= _SINGLE_STEP * min(gaps)])


def _step(clock: Clock, row: Sequence[SliceHeader]) -> float:
    """The time from phase to phase."""
    return single_step([time_of(clock, after) - time_of(clock, before) for before, after in pairwise(row)])


def time_of(clock: Clock, header: SliceHeader) -> float:
    """What a clock says of an image; 0 where it says nothing."""
    return clock(header) or 0.0
