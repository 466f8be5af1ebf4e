"""Phases: the images of each slice in the order of the heart beat, one a phase.

What orders them, best first: the trigger time, the scanner's own number of the temporal position, the acquisition time,
the instance number. The first two are the heart's clocks: they mean the same on every slice, and a value that comes
twice on one slice is a second acquisition, or another kind of image of the same moment. The others are used only where
they tell all images of every slice apart. The content time is left out: on GE scanners it is the order of
reconstruction (in the Sunnybrook studies, within a slice, nearly random), and elsewhere it is the acquisition time or
constant.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from statistics import median, median_low

from cardioseg.errors import UnusableError
from cardioseg.ingest.header import SliceHeader

_SHORTEST = 1e-6  # of any clock, between two phases
_SINGLE_STEP = 1.5  # of the smallest: gaps up to it are one step, with what they are uneven
INVENTED = 1 / 3  # of the slices or of a slice's phases: with more than this missing, nothing is filled

Clock = Callable[[SliceHeader], float | None]
Slices = Sequence[Sequence[SliceHeader]]
_HEART_CLOCKS: tuple[Clock, ...] = (attrgetter("trigger_ms"), attrgetter("temporal_position"))
_OTHER_CLOCKS: tuple[Clock, ...] = (attrgetter("acquisition_s"), attrgetter("instance_number"))


@dataclass(frozen=True)
class Film:
    """Slices in time.

    Attributes:
        images: [slice][phase].
        invented: (slice, phase) without an image of its own; the nearest phase of the slice stands in.
    """

    images: tuple[tuple[SliceHeader, ...], ...]
    invented: frozenset[tuple[int, int]]


def heart_clock(slices: Slices) -> Clock | None:
    """The heart's clock that tells at least some images of a slice apart, if there is one."""
    for clock in _HEART_CLOCKS:
        times = [[clock(header) for header in group] for group in slices]
        if all(time is not None for group in times for time in group) and any(len(set(group)) > 1 for group in times):
            return clock
    return None


def in_time(slices: Slices) -> Film:
    """Order each slice's images, and fill the phases that a slice lacks.

    Raises:
        UnusableError: nothing orders them, or which ones are missing cannot be told, or too many are.
    """
    clock = _telling_clock(slices)
    ordered = [sorted(group, key=lambda header: clock(header) or 0.0) for group in slices]
    counts = Counter(map(len, ordered))
    usual = max(counts, key=lambda count: (counts[count], count))
    complete = [row for row in ordered if len(row) == usual]
    rows = [
        dict(enumerate(row)) if len(row) == usual else _placed(number, row, complete, clock)
        for number, row in enumerate(ordered)
    ]
    phases = range(usual)
    invented = {(number, phase) for number, row in enumerate(rows) for phase in phases if phase not in row}
    nearest = [tuple(row[min(row, key=lambda known: (abs(known - phase), known))] for phase in phases) for row in rows]
    return Film(tuple(nearest), frozenset(invented))


def _telling_clock(slices: Slices) -> Clock:
    clock = heart_clock(slices)
    if clock is not None or all(len(group) == 1 for group in slices):
        return clock or attrgetter("instance_number")
    for other in _OTHER_CLOCKS:
        times = [[other(header) for header in group] for group in slices]
        if all(None not in group and len(set(group)) == len(group) for group in times):
            return other
    raise UnusableError("nothing tells its phases apart: no time and no instance number that differs")


def _placed(number: int, row: Sequence[SliceHeader], complete: Slices, clock: Clock) -> dict[int, SliceHeader]:
    """Phase -> image on a slice that has fewer, from how its times lie on the even beat of the complete slices.

    Each slice has its own beat t_k = step (k + start): hearts do not keep their rate. The start, in steps, is the
    sequence's own and the same everywhere.
    """
    usual = len(complete[0])
    said = f"slice {number} has {len(row)} phases where the others have {usual}"
    if len(row) > usual:
        raise UnusableError(said)
    if usual - len(row) > INVENTED * usual:
        raise UnusableError(f"{said}: more than a third is missing")
    if clock not in _HEART_CLOCKS:
        raise UnusableError(f"{said}, and nothing says which are missing")
    if min(_step(clock, group) for group in (row, *complete)) < _SHORTEST:
        raise UnusableError(f"{said}, and its times do not say which are missing")
    start = median(_time(clock, group[0]) / _step(clock, group) for group in complete)
    places = [round(_time(clock, header) / _step(clock, row) - start) for header in row]
    if len(set(places)) < len(places) or not 0 <= min(places) <= max(places) < usual:
        raise UnusableError(f"{said}, and its times do not say which are missing")
    return dict(zip(places, row, strict=True))


def single_step(gaps: Sequence[float]) -> float:
    """The step of a regular row with holes: the usual one of the smallest gaps, which nothing missing has widened."""
    return median_low([gap for gap in gaps if gap <= _SINGLE_STEP * min(gaps)])


def _step(clock: Clock, row: Sequence[SliceHeader]) -> float:
    """The time from phase to phase."""
    return single_step([_time(clock, after) - _time(clock, before) for before, after in pairwise(row)])


def _time(clock: Clock, header: SliceHeader) -> float:
    return clock(header) or 0.0
