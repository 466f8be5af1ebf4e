"""Repeated slices: if a slice was acquired more than once, the newest complete acquisition is used.

Acquisitions are distinguished, best first, by the series, the acquisition number, the acquisition time, the RR
interval, blocks of images that start the heart beat again (ordered by acquisition time or instance number), and
instance numbers that all occur equally often.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from operator import attrgetter

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.phase_order import Clock, Slices, heart_clock, single_step, time_of
from cardioseg.ingest.dicom.slice_header import SliceHeader

CINE_PHASES = 8  # fewer images are not a film of a heart beat; clinical cines have 15 to 50

_Key = Callable[[SliceHeader], Hashable]
_ACQUISITION: tuple[_Key, ...] = (
    attrgetter("study_uid", "series_uid"), attrgetter("acquisition_number"), attrgetter("acquisition_s")
)  # fmt: skip
_ORDERS: tuple[Clock, ...] = (attrgetter("acquisition_s"), attrgetter("instance_number"))
_EVEN = 1.5  # times the smallest gap between images: gaps up to this are even
_BETWEEN = 0.55  # of a film's step: an image of another film is at most half a step from one of this film


def newest_acquisitions(slices: Slices) -> tuple[list[list[SliceHeader]], dict[int, int]]:
    """Keep one acquisition of each slice.

    Returns:
        The images of each slice, and slice -> number of acquisitions for those that had several.

    Raises:
        UnusableError: a slice has images of the same moment that no time or number distinguishes, or it is unclear
            which of its acquisitions is newer.
    """
    clock = heart_clock(slices)
    chosen = [_chosen_images(number, group, clock) for number, group in enumerate(slices)]
    _require_one_scan(chosen)
    return [choice.images for choice in chosen], {
        number: choice.acquisitions for number, choice in enumerate(chosen) if choice.acquisitions > 1
    }


@dataclass(frozen=True)
class _Choice:
    """The images of a slice that are used.

    Attributes:
        images: those of its newest acquisition.
        older: the first image of each acquisition that is older by its image numbers alone.
        acquisitions: number of acquisitions.
    """

    images: list[SliceHeader]
    older: tuple[SliceHeader, ...] = ()
    acquisitions: int = 1


def _require_one_scan(chosen: Sequence[_Choice]) -> None:
    """Raise UnusableError if an acquisition is newer on one slice and older on another, or if a slice mixes several."""
    newer = {_beat(choice.images[0]) for choice in chosen if choice.older}
    older = {_beat(header) for choice in chosen for header in choice.older if _beat(header) != _beat(choice.images[0])}
    if newer & older:
        raise UnusableError(
            "its slices were acquired more than once, and nothing shows which acquisition is the newest"
        )
    parted = [len(choice.images) for choice in chosen if choice.acquisitions > 1]
    for number, choice in enumerate(chosen):
        if parted and choice.acquisitions == 1 and len(choice.images) >= 2 * min(parted):
            raise UnusableError(f"slice {number} has images of several acquisitions that cannot be told apart")


def _beat(header: SliceHeader) -> Hashable:
    return header.study_uid, header.series_uid, header.nominal_interval_ms, header.heart_rate_bpm


def _chosen_images(number: int, group: Sequence[SliceHeader], clock: Clock | None) -> _Choice:
    moments = _parts(group, clock) if clock else {}
    repeated = [images for images in moments.values() if len(images) > 1]
    for copies in (images for images in repeated if len({header.image_type for header in images}) > 1):
        raise UnusableError(f"{_repeated_phase(number, copies)}, as different kinds of image")
    parts = _acquisitions(group, clock, bool(repeated))
    if len(parts) > 1:
        return _newest_part(number, parts)
    if not repeated:
        return _Choice(list(group))
    counts = {len(images) for images in moments.values()}
    if len(counts) > 1 and not all(_are_copies(images) for images in repeated):
        raise UnusableError(_repeated_phase(number, repeated[0]))
    return _Choice([max(images, key=_image_age) for images in moments.values()], acquisitions=max(counts))


def _newest_part(number: int, parts: Sequence[list[SliceHeader]]) -> _Choice:
    most = max(map(len, parts))
    complete = [part for part in parts if len(part) == most or _fills_its_beat(part)]
    newest_part = max(complete, key=_age)
    as_old = [part for part in complete if part is not newest_part and _age(part)[:-1] == _age(newest_part)[:-1]]
    if any(_age(part) == _age(newest_part) for part in as_old):
        raise UnusableError(
            f"slice {number} was acquired more than once, and nothing shows which acquisition is the newest"
        )
    return _Choice(newest_part, tuple(part[0] for part in as_old), len(parts))


def _acquisitions(group: Sequence[SliceHeader], clock: Clock | None, repeated: bool) -> list[list[SliceHeader]]:
    """The images of a slice by acquisition; in one group if nothing distinguishes acquisitions."""
    for key in _ACQUISITION:
        parts = list(_parts(group, key).values())
        if _are_acquisitions(parts, clock, repeated):
            return parts
    if clock is None:
        return [list(group)]
    by_beat = list(_parts(group, attrgetter("nominal_interval_ms", "heart_rate_bpm")).values())
    ways = (by_beat, *(_blocks(group, order, clock) for order in _ORDERS), _by_repetition_of_numbers(group, clock))
    return next((parts for parts in ways if _are_interleaved(parts, clock)), [list(group)])


def _parts(group: Sequence[SliceHeader], key: _Key) -> dict[Hashable, list[SliceHeader]]:
    parts: dict[Hashable, list[SliceHeader]] = defaultdict(list)
    for header in group:
        parts[key(header)].append(header)
    return dict(parts)


def _are_acquisitions(parts: Sequence[Sequence[SliceHeader]], clock: Clock | None, repeated: bool) -> bool:
    """Whether each part of a slice's images is a film by itself, in which no moment occurs twice.

    The parts must share moments or be interleaved: a part that only follows another in time continues its film.
    """
    if len(parts) < 2 or max(map(len, parts)) < 2:
        return False
    if clock is None:
        return len({header.series_uid for part in parts for header in part}) == len(parts)
    times = [sorted(time_of(clock, header) for header in part) for part in parts]
    if any(len(set(part)) < len(part) for part in times):
        return False
    longest = max(times, key=len)
    return (repeated and all(set(longest) & set(part) for part in times)) or _are_interleaved(parts, clock)


def _blocks(group: Sequence[SliceHeader], order: Clock, clock: Clock) -> list[list[SliceHeader]]:
    """The images in an order, cut where the heart's clock does not advance; one block if an image lacks the order.

    A film may begin in the middle of the beat and go back once. Its two blocks do not overlap.
    """
    if any(order(header) is None for header in group):
        return [list(group)]
    blocks: list[list[SliceHeader]] = []
    for header in sorted(group, key=lambda header: (order(header) or 0.0, clock(header) or 0.0)):
        if blocks and time_of(clock, header) > time_of(clock, blocks[-1][-1]):
            blocks[-1].append(header)
        else:
            blocks.append([header])
    return blocks


def _by_repetition_of_numbers(group: Sequence[SliceHeader], clock: Clock) -> list[list[SliceHeader]]:
    """The first images of all numbers, the second images, and so on; one part if the numbers occur unequally often."""
    by_number = _parts(group, attrgetter("instance_number"))
    if None in by_number or len({len(images) for images in by_number.values()}) > 1:
        return [list(group)]
    ordered = (sorted(images, key=partial(time_of, clock)) for images in by_number.values())
    return [list(images) for images in zip(*ordered, strict=True)]


def _are_interleaved(parts: Sequence[Sequence[SliceHeader]], clock: Clock) -> bool:
    """Whether the longest part is a film, and the images of each other part lie in time between the film's images.

    A part that follows another in time continues its film; a part that fills its gaps belongs to it. Images taken at
    random from one film are not evenly spaced.
    """
    longest, *shorter = sorted((sorted(time_of(clock, header) for header in part) for part in parts), key=len)[::-1]
    if not shorter or len(longest) < CINE_PHASES:
        return False
    gaps = [after - before for before, after in pairwise(longest)]
    if sum(gap > _EVEN * min(gaps) for gap in gaps) > 1:  # one image may be missing
        return False
    largest_distance = _BETWEEN * single_step(gaps)
    return all(_runs_beside(part, longest) and _nearest(part, longest) <= largest_distance for part in shorter)


def _runs_beside(part: Sequence[float], longest: Sequence[float]) -> bool:
    """Whether most of the time span of a part lies within that of the longest part; both are sorted."""
    shared = min(part[-1], longest[-1]) - max(part[0], longest[0])
    return len(part) > 1 and shared > (part[-1] - part[0]) / 2


def _nearest(part: Sequence[float], longest: Sequence[float]) -> float:
    """The smallest distance in time between an image of a part and one of the longest part."""
    return min(abs(time - film_time) for time in part for film_time in longest)


def _fills_its_beat(part: Sequence[SliceHeader]) -> bool:
    """Whether the images are evenly spaced up to the next R wave; a faster heart may have fewer images."""
    intervals_ms = [header.nominal_interval_ms for header in part if header.nominal_interval_ms]
    times_ms = sorted(header.trigger_ms for header in part if header.trigger_ms is not None)
    if not intervals_ms or not CINE_PHASES <= len(times_ms) == len(part):
        return False
    gaps_ms = [after - before for before, after in pairwise(times_ms)]
    is_even = max(gaps_ms) <= _EVEN * min(gaps_ms)
    return is_even and times_ms[-1] + _EVEN * max(gaps_ms) >= max(intervals_ms)


def _are_copies(images: Sequence[SliceHeader]) -> bool:
    """Whether images of one moment are the same measurement, so that any of them may be used."""
    return all(first.age == second.age for first, second in pairwise(images))


def _age(part: Sequence[SliceHeader]) -> tuple[float, ...]:
    return max(header.age for header in part)


def _image_age(header: SliceHeader) -> tuple[tuple[float, ...], str]:
    return header.age, str(header.path)


def _repeated_phase(number: int, images: Sequence[SliceHeader]) -> str:
    first, second = sorted(images, key=lambda header: (str(header.path), header.frame or 0))[:2]
    return f"slice {number} has the same phase twice: {first.where} and {second.where}"
