"""Split series: join cines whose slices are separate series, as many Siemens scanners export them.

Series belong to one stack if they have the same study and about the same number of phases, and if nothing is known
against it: see `imaging_differences`. A series that is a stack by itself is not joined here; `continued_stacks` does
this. The frame of reference is not compared: some anonymisers give each image a different one.
"""

from collections.abc import Callable, Iterator, Sequence

from cardioseg.ingest.cine.imaging_differences import by_heart_rate, other_imaging
from cardioseg.ingest.cine.phase_order import MISSING_LIMIT
from cardioseg.ingest.cine.series import CINE_SLICES, Kind, Series, judge
from cardioseg.ingest.cine.shared_ids import stacks_of
from cardioseg.ingest.cine.slice_positions import by_position
from cardioseg.ingest.dicom.slice_header import SliceHeader

PARTS = (Kind.SINGLE_SLICE_CINE, Kind.SHORT_CINE)
SLICES_LIMIT = 64  # several acquisitions of a heart; trying to split more takes time without a result
ANOTHER_STACK = 2 / 3  # of the slices: a repetition that covers less consists of single repeated slices


def join_split_series(series: Sequence[Series]) -> list[Series]:
    """The series, with those that are slices of one cine joined into one."""
    stacks = _joined_stacks(_groups_of_matching_parts(series, _same_phase_count))
    stacks = [_extended_stack(stack, _not_joined(series, stacks)) for stack in stacks]
    nearly = _joined_stacks(_groups_of_matching_parts(_not_joined(series, stacks), _similar_phase_count))
    stacks += [joined for joined in nearly if joined.stack is not None]
    return [*stacks, *_not_joined(series, stacks)]


def _joined_stacks(groups: Sequence[Sequence[Series]]) -> list[Series]:
    return [
        stack
        for group in groups
        for scan in _by_scan(group)
        for parts in by_heart_rate(scan)
        for stack in _stacks(parts)
    ]


def _not_joined(series: Sequence[Series], stacks: Sequence[Series]) -> list[Series]:
    used = {header for stack in stacks for header in stack.headers}
    return [single for single in series if single.headers[0] not in used]


def _groups_of_matching_parts(
    series: Sequence[Series], has_phases: Callable[[Series, Series], bool]
) -> list[list[Series]]:
    """Groups of series that may be slices of one cine."""
    groups: list[list[Series]] = []
    for part in (single for single in series if single.kind in PARTS):
        matching = next(
            (group for group in groups if _have_same_sequence(group[0], part) and has_phases(group[0], part)), None
        )
        if matching is None:
            groups.append([part])
        else:
            matching.append(part)
    return groups


def _same_phase_count(first: Series, second: Series) -> bool:
    return first.phases == second.phases


def _similar_phase_count(first: Series, second: Series) -> bool:
    """The number of phases differs this much between slices if acquisition stops at each R wave."""
    return abs(first.phases - second.phases) <= MISSING_LIMIT * min(first.phases, second.phases)


def _by_scan(parts: Sequence[Series]) -> list[list[Series]]:
    """Matching parts as one group; by folders if these contain different scans of one study: see `stacks_of`."""
    of_headers = {part.headers: part for part in parts}
    return [[of_headers[tuple(headers)] for headers in scan] for scan in stacks_of(list(of_headers))]


def _have_same_sequence(first: Series, second: Series) -> bool:
    first_header, second_header = first.headers[0], second.headers[0]
    return first_header.study_uid == second_header.study_uid and not other_imaging(first_header, second_header)


def _stacks(parts: Sequence[Series]) -> Iterator[Series]:
    for layer in _layers(parts):
        if len(layer) > 1 and len(by_position(_film_headers(layer))) >= CINE_SLICES:
            yield from _regular_stacks(layer)


def _layers(parts: Sequence[Series]) -> list[list[Series]]:
    """Split series into acquisitions of the whole stack, newest first; see `_acquisitions`."""
    places = {
        header: place for place, group in enumerate(by_position(_film_headers(parts))) for header in group
    }  # fmt: skip
    oldest_first = [(part, {places[header] for header in part.film}) for part in sorted(parts, key=age_of)]
    acquisitions = _acquisitions(oldest_first, ANOTHER_STACK * len(set(places.values())))
    return [[part for part, _ in acquisition] for acquisition in reversed(acquisitions)]


def _acquisitions(
    oldest_first: Sequence[tuple[Series, set[int]]], fewest: float
) -> list[Sequence[tuple[Series, set[int]]]]:
    """Cut series, with the slices that each shows, into runs that show the stack one after the other.

    Two runs share `fewest` slices or more: if series show fewer slices again, these are repeated slices. Of several
    cuts, the one counts that leaves the runs most slices, then the one with the longest pause, then the last one.
    """
    cuts = []
    for cut in range(1, len(oldest_first)):
        earlier, later = (set().union(*(shown for _, shown in run)) for run in (oldest_first[:cut], oldest_first[cut:]))
        if len(earlier & later) >= fewest:
            before, after = (age_of(oldest_first[place][0])[0] for place in (cut - 1, cut))
            cuts.append((len(earlier) + len(later), after - before, cut))
    if not cuts:
        return [oldest_first]
    cut = max(cuts)[-1]
    return [*_acquisitions(oldest_first[:cut], fewest), *_acquisitions(oldest_first[cut:], fewest)]


def _regular_stacks(parts: Sequence[Series]) -> list[Series]:
    """The parts as one stack; or without one that is off the regular steps; or as an earlier and a later stack."""
    whole = judge(_all_headers(parts))
    if whole.stack is None and len(parts) <= SLICES_LIMIT:
        ordered = sorted(parts, key=age_of)
        one_less = [[ordered[:omitted] + ordered[omitted + 1 :]] for omitted in range(len(ordered))]
        in_two = [[ordered[:cut], ordered[cut:]] for cut in range(CINE_SLICES, len(ordered) - CINE_SLICES + 1)]
        for split in (*one_less, *in_two):
            stacks = [judge(_all_headers(group)) for group in split]
            if all(stack.stack is not None and stack.kind is Kind.SHORT_AXIS_CINE for stack in stacks):
                return stacks
    return [whole]


def _extended_stack(stack: Series, unused: Sequence[Series]) -> Series:
    """The stack, extended by slices that have a few phases fewer or more."""
    for part in unused:
        if part.kind in PARTS and part.phases != stack.phases and _have_same_sequence(stack, part):
            extended = judge(_all_headers([stack, part]))
            if extended.stack is not None and extended.slices > stack.slices and extended.phases == stack.phases:
                stack = extended
    return stack


def age_of(part: Series) -> tuple[float, ...]:
    """Sort key from the series that began first to the one that began last."""
    return min(header.age for header in part.headers)


def _all_headers(parts: Sequence[Series]) -> list[SliceHeader]:
    return [header for part in parts for header in part.headers]


def _film_headers(parts: Sequence[Series]) -> list[SliceHeader]:
    return [header for part in parts for header in part.film]
