"""Join: cines whose slices are separate series, as many Siemens scanners export them, become one.

Series are of one stack if they come from the same study, kind of image and echo time, and have the same orientation,
rows, columns, spacing and about the same number of phases, one above the other. A series that is a stack by itself is
left alone. The frame of reference is no criterion: there are anonymisers that give each image one of its own.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence

from cardioseg.ingest.cine.phase_order import INVENTED
from cardioseg.ingest.cine.series import CINE_SLICES, Kind, Series, judge
from cardioseg.ingest.cine.shared_ids import fits, stacks_of
from cardioseg.ingest.cine.slice_positions import by_position
from cardioseg.ingest.dicom.slice_header import SliceHeader

_PARTS = (Kind.SINGLE_SLICE_CINE, Kind.SHORT_CINE)
_SLICES_LIMIT = 64  # of some acquisitions of a heart; each way to split more takes time, and nothing comes of it
_ANOTHER_STACK = 2 / 3  # of the slices: what was acquired again and covers less is single slices, repeated


def join(found: Sequence[Series]) -> list[Series]:
    """The series, those that are slices of one cine as one."""
    stacks = _joined(_alike(found, _as_many))
    stacks = [_completed(stack, _unused(found, stacks)) for stack in stacks]
    nearly = _joined(_alike(_unused(found, stacks), _nearly_as_many))
    stacks += [joined for joined in nearly if joined.stack is not None]
    return [*stacks, *_unused(found, stacks)]


def _joined(groups: Sequence[Sequence[Series]]) -> list[Series]:
    return [stack for alike in groups for parts in _by_scan(alike) for stack in _stacks(parts)]


def _unused(found: Sequence[Series], stacks: Sequence[Series]) -> list[Series]:
    used = {header for stack in stacks for header in stack.headers}
    return [one for one in found if one.headers[0] not in used]


def _alike(found: Sequence[Series], has_phases: Callable[[Series, Series], bool]) -> list[list[Series]]:
    """Groups of series that may be slices of one cine."""
    groups: list[list[Series]] = []
    for part in (one for one in found if one.kind in _PARTS):
        alike = next((group for group in groups if _fit(group[0], part) and has_phases(group[0], part)), None)
        if alike is None:
            groups.append([part])
        else:
            alike.append(part)
    return groups


def _as_many(one: Series, other: Series) -> bool:
    return one.phases == other.phases


def _nearly_as_many(one: Series, other: Series) -> bool:
    """As scans differ in phases that end with each R wave."""
    return abs(one.phases - other.phases) <= INVENTED * min(one.phases, other.phases)


def _by_scan(parts: Sequence[Series]) -> list[list[Series]]:
    """Parts that are alike; by folders, where these hold different scans of one study: see `stacks_of`."""
    of_headers = {part.headers: part for part in parts}
    return [[of_headers[tuple(headers)] for headers in scan] for scan in stacks_of(list(of_headers))]


def _fit(one: Series, other: Series) -> bool:
    a, b = one.headers[0], other.headers[0]
    return _sequence(a) == _sequence(b) and fits(a, b)


def _sequence(header: SliceHeader) -> Hashable:
    return header.study_uid, header.image_type, header.echo_ms and round(header.echo_ms, 1)


def _stacks(parts: Sequence[Series]) -> Iterator[Series]:
    for layer in _layers(parts):
        if len(layer) > 1 and len(by_position(_films(layer))) >= CINE_SLICES:
            yield from _regular(layer)


def _layers(parts: Sequence[Series]) -> list[list[Series]]:
    """Split series into acquisitions of the whole stack, newest first.

    Going back in time, a stack is complete when it has every position; what came before is an earlier one. Where that
    is only some slices, they were acquired again within the last.
    """
    places = {
        header: place for place, group in enumerate(by_position(_films(parts))) for header in group
    }  # fmt: skip
    layers: list[list[Series]] = [[]]
    covered: set[int] = set()
    for part in sorted(parts, key=_age, reverse=True):
        if len(covered) == len(set(places.values())):
            layers.append([])
            covered = set()
        layers[-1].append(part)
        covered |= {places[header] for header in part.film}
    if len(layers) > 1 and len(covered) < _ANOTHER_STACK * len(set(places.values())):
        layers[-2:] = [layers[-2] + layers[-1]]
    return layers


def _regular(parts: Sequence[Series]) -> list[Series]:
    """The parts as one stack; or without the one that lies between the others' steps; or the earlier and the later."""
    whole = judge(_headers(parts))
    if whole.stack is None and len(parts) <= _SLICES_LIMIT:
        ordered = sorted(parts, key=_age)
        without_one = [[ordered[:odd] + ordered[odd + 1 :]] for odd in range(len(ordered))]
        in_two = [[ordered[:cut], ordered[cut:]] for cut in range(CINE_SLICES, len(ordered) - CINE_SLICES + 1)]
        for split in (*without_one, *in_two):
            stacks = [judge(_headers(some)) for some in split]
            if all(stack.stack is not None and stack.kind is Kind.SHORT_AXIS_CINE for stack in stacks):
                return stacks
    return [whole]


def _completed(stack: Series, others: Sequence[Series]) -> Series:
    """The stack with the slices that have a few phases less or more and so are not quite alike."""
    for other in others:
        if other.kind in _PARTS and other.phases != stack.phases and _fit(stack, other):
            more = judge(_headers([stack, other]))
            if more.stack is not None and more.slices > stack.slices and more.phases == stack.phases:
                stack = more
    return stack


def _age(part: Series) -> tuple[float, ...]:
    return min(header.age for header in part.headers)


def _headers(parts: Sequence[Series]) -> list[SliceHeader]:
    return [header for part in parts for header in part.headers]


def _films(parts: Sequence[Series]) -> list[SliceHeader]:
    return [header for part in parts for header in part.film]
