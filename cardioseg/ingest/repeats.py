"""Repeats: a slice that was acquired more than once. The newest complete acquisition counts; the older ones do not."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from operator import attrgetter

from cardioseg.errors import UnusableError
from cardioseg.ingest.header import SliceHeader
from cardioseg.ingest.phases import Clock, Slices, heart_clock

CINE_PHASES = 8  # fewer are no film of a heart beat; clinical cines have 15 to 50

_Key = Callable[[SliceHeader], Hashable]
_ACQUISITION: tuple[_Key, ...] = (
    attrgetter("study_uid", "series_uid"), attrgetter("acquisition_number"), attrgetter("acquisition_s")
)  # fmt: skip


def newest(slices: Slices) -> tuple[list[list[SliceHeader]], dict[int, int]]:
    """Keep one acquisition of each slice.

    Returns:
        The images of each slice, and slice -> number of acquisitions for those that had several.

    Raises:
        UnusableError: a slice has images of the same moment that no time or number tells apart.
    """
    clock = heart_clock(slices)
    chosen = [_newest(number, group, clock) for number, group in enumerate(slices)]
    return [images for images, _ in chosen], {number: count for number, (_, count) in enumerate(chosen) if count > 1}


def _newest(number: int, group: Sequence[SliceHeader], clock: Clock | None) -> tuple[list[SliceHeader], int]:
    """The images of the newest acquisition of a slice, and how many acquisitions there are."""
    moments = _parts(group, clock) if clock else {}
    repeated = [images for images in moments.values() if len(images) > 1]
    for one in (images for images in repeated if len({header.image_type for header in images}) > 1):
        raise UnusableError(f"{_twice(number, one)}, as different kinds of image")
    for key in _ACQUISITION:
        parts = list(_parts(group, key).values())
        if _are_acquisitions(parts, clock, bool(repeated)):
            most = max(map(len, parts))
            return max((part for part in parts if len(part) == most), key=_age), len(parts)
    if not repeated:
        return list(group), 1
    counts = {len(images) for images in moments.values()}
    if len(counts) > 1 and not all(_are_copies(images) for images in repeated):
        raise UnusableError(_twice(number, repeated[0]))
    return [max(images, key=_image_age) for images in moments.values()], max(counts)


def _parts(group: Sequence[SliceHeader], key: _Key) -> dict[Hashable, list[SliceHeader]]:
    parts: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    for header in group:
        parts[key(header)].append(header)
    return dict(parts)


def _are_acquisitions(parts: Sequence[Sequence[SliceHeader]], clock: Clock | None, repeated: bool) -> bool:
    """Whether the parts of a slice's images are films by themselves: beats in which no moment comes twice.

    Where no moment comes twice in all of them either, each must be long enough and go through the same beat as the
    others: what only follows another part in time is the rest of one film.
    """
    if len(parts) < 2 or max(map(len, parts)) < 2:
        return False
    if clock is None:
        return len({header.series_uid for part in parts for header in part}) == len(parts)
    times = [sorted(clock(header) or 0.0 for header in part) for part in parts]
    if any(len(set(part)) < len(part) for part in times):
        return False
    return repeated or (min(map(len, parts)) >= CINE_PHASES and _overlap(times))


def _overlap(times: Sequence[Sequence[float]]) -> bool:
    """Whether the parts share more than half of the time that they span together; each is sorted."""
    shared = min(part[-1] for part in times) - max(part[0] for part in times)
    return shared > (max(part[-1] for part in times) - min(part[0] for part in times)) / 2


def _are_copies(images: Sequence[SliceHeader]) -> bool:
    """Whether images of one moment are the same measurement, so that it does not matter which is taken."""
    return all(one.age == other.age for one, other in pairwise(images))


def _age(part: Sequence[SliceHeader]) -> tuple[tuple[float, float, float], str]:
    return max(map(_image_age, part))


def _image_age(header: SliceHeader) -> tuple[tuple[float, float, float], str]:
    return header.age, str(header.path)


def _twice(number: int, images: Sequence[SliceHeader]) -> str:
    one, other = sorted(images, key=lambda header: (str(header.path), header.frame or 0))[:2]
    return f"slice {number} has the same phase twice: {one.path} and {other.path}"
