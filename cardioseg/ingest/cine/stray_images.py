"""Stray images: single images in a film's series that are not part of it: a result screen, a reformat, a lost header.

A film has many images. An image that differs from them and is not part of another film is left out and named: an image
in another plane, of another modality, size or pixel spacing, shifted sideways, alone on its plane, without the clock
that all others have, or of another kind at the moment of a film's image. The phase images of a series whose magnitude
images are a film are left out, too. If there is no film, or several different
ones, nothing is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import mode

from cardioseg.ingest.cine.phase_order import HEART_CLOCKS, heart_clock
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.slice_positions import by_orientation, by_position, out_of_line, same_pixels
from cardioseg.ingest.cine.untimed_phase import with_untimed_phase
from cardioseg.ingest.dicom.slice_header import SliceHeader

_ALONE = 0.25  # of the usual number of images on a plane: a plane with fewer is not a slice of the film

_MAGNITUDE = {"MAGNITUDE", "M"}  # words of ImageType or, in enhanced objects, of FrameType or ComplexImageComponent
_OTHER_COMPONENTS = {"PHASE", "P", "REAL", "R", "IMAGINARY", "I"}
_OTHER_COMPONENT = "it is a phase, real or imaginary image, and the others are magnitude images"

Images = Sequence[SliceHeader]


@dataclass(frozen=True)
class Stray:
    """An image that is left out, and why: the end of a sentence, without paths and tag values."""

    header: SliceHeader
    why: str


def without_strays(headers: Images) -> tuple[tuple[SliceHeader, ...], tuple[Stray, ...]]:
    """The images of a series without its strays, and the strays. Both keep their order.

    Images of a phase without a trigger time get it, if it is clear: see `untimed_phase`.
    """
    kept, *other_orientations = sorted(by_orientation(headers), key=len, reverse=True)
    if not _is_film(kept) or any(len(orientation) >= CINE_PHASES for orientation in other_orientations):
        return tuple(headers), ()
    strays = [
        Stray(header, "it lies in another plane than the others")
        for orientation in other_orientations
        for header in orientation
    ]
    magnitudes = [header for header in kept if not _is_other_component(header)]
    if 0 < len(magnitudes) < len(kept) and _is_film_of_same_planes(magnitudes, kept):
        strays += [Stray(header, _OTHER_COMPONENT) for header in kept if _is_other_component(header)]
        kept = magnitudes
    for find_strays in _STRAY_FINDERS:
        kept = with_untimed_phase(kept)
        found_strays = list(find_strays(kept))
        left_out = {stray.header for stray in found_strays}
        rest = [header for header in kept if header not in left_out]
        if found_strays and rest and _is_film(rest) and not _has_film(left_out):
            kept, strays = rest, strays + found_strays
    return tuple(kept), tuple(strays)


def _is_other_component(header: SliceHeader) -> bool:
    """Whether an image is the phase, or the real or imaginary part, of a complex image, and not its magnitude."""
    words = {word.strip().upper() for word in header.image_type}
    return bool(words & _OTHER_COMPONENTS) and not words & _MAGNITUDE


def _is_film_of_same_planes(magnitudes: Images, headers: Images) -> bool:
    """Whether magnitude images, named as such, are a film of all planes of a series."""
    are_named = all({word.strip().upper() for word in header.image_type} & _MAGNITUDE for header in magnitudes)
    return are_named and _is_film(magnitudes) and len(by_position(magnitudes)) == len(by_position(headers))


def _is_film(headers: Images) -> bool:
    """Whether most planes show a heart beat."""
    return mode(map(len, by_position(headers))) >= CINE_PHASES


def _has_film(headers: Iterable[SliceHeader]) -> bool:
    return any(len(group) >= CINE_PHASES for group in by_position(headers))


def _of_another_modality(headers: Images) -> Iterator[Stray]:
    if any(header.is_mr for header in headers):
        yield from (
            Stray(header, "it is of another modality than the others") for header in headers if not header.is_mr
        )


def _of_another_size(headers: Images) -> Iterator[Stray]:
    usual = Counter((header.shape, header.pixel_mm) for header in headers).most_common(1)[0][0]
    reference = next(header for header in headers if (header.shape, header.pixel_mm) == usual)
    for header in headers:
        if header.shape != reference.shape:
            yield Stray(header, "its rows or columns differ from those of the others")
        elif not same_pixels(reference, header):
            yield Stray(header, "its pixel spacing differs from that of the others")


def _beside_the_others(headers: Images) -> Iterator[Stray]:
    for group in by_position(headers):
        for header in out_of_line(group):
            yield Stray(header, "it is shifted sideways from the other images of its plane")


def _alone_on_a_plane(headers: Images) -> Iterator[Stray]:
    groups = by_position(headers)
    few = _ALONE * mode(map(len, groups))
    for header in chain.from_iterable(group for group in groups if len(group) < few):
        yield Stray(header, "its plane has hardly any other images")


def _without_a_time(headers: Images) -> Iterator[Stray]:
    if heart_clock(by_position(headers)) is not None:
        return
    for clock in HEART_CLOCKS:
        timed = [header for header in headers if clock(header) is not None]
        if 2 * len(timed) > len(headers) and heart_clock(by_position(timed)) is clock:
            untimed = (header for header in headers if clock(header) is None)
            yield from (Stray(header, "it has no time, unlike the others") for header in untimed)
            return


def _of_another_kind(headers: Images) -> Iterator[Stray]:
    clock, usual = heart_clock(by_position(headers)), mode(header.image_type for header in headers)
    if clock is None:
        return
    for group in by_position(headers):
        moments = defaultdict(list)
        for header in group:
            moments[clock(header)].append(header)
        for images in moments.values():
            if any(header.image_type == usual for header in images):
                other_kinds = (header for header in images if header.image_type != usual)
                yield from (Stray(header, "it is a different kind of image from the others") for header in other_kinds)


_STRAY_FINDERS: tuple[Callable[[Images], Iterator[Stray]], ...] = (
    _of_another_modality, _of_another_size, _beside_the_others, _alone_on_a_plane, _without_a_time, _of_another_kind
)  # fmt: skip
