"""Series: the images that belong together, and what they are, by their geometry and their times, never by a name."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from pathlib import Path
from statistics import mode

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.other_views import other_plane, other_purpose
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.slice_positions import by_orientation, by_position
from cardioseg.ingest.cine.stack import MISSING_PHASE, SURPLUS_PHASE, Stack, stack
from cardioseg.ingest.cine.stray_images import Stray, without_strays
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.skipped import Skipped

STRAY_IMAGE = "stray image"
CINE_SLICES = 5  # fewer parallel planes do not cover a ventricle


class Kind(StrEnum):
    """What a series is. Only a short-axis cine can be segmented."""

    SHORT_AXIS_CINE = "short-axis cine"
    OTHER_PLANE = "cine in another plane"
    SHORT_CINE = "cine of too few slices"
    SINGLE_SLICE_CINE = "single-slice cine"
    OTHER_CINE = "cine in several orientations"
    NO_CINE = "images of no heart beat"
    STACK = "stack"
    LOCALIZER = "localizer"
    SINGLE_IMAGE = "single slice"
    NOT_MR = "not MR"


@dataclass(frozen=True)
class Series:
    """The images of a series, or of several that are one cine, and a verdict.

    Attributes:
        headers: one an image, in the order of their paths; those that are left out come last.
        kind: what the series is, from its geometry.
        reason: why, or what keeps it from being used, in one line.
        slices: number of slice positions.
        phases: images at most positions, of one acquisition where there are several.
        stack: the arrangement of its slices, or None where they cannot be arranged.
        strays: files of single images that are left out, and why.
    """

    headers: tuple[SliceHeader, ...]
    kind: Kind
    reason: str
    slices: int
    phases: int
    stack: Stack | None
    strays: tuple[Skipped, ...] = ()

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file of the film, in order."""
        return tuple(dict.fromkeys(header.path for header in self.film))

    @property
    def film(self) -> tuple[SliceHeader, ...]:
        """The images that are not left out."""
        return self.headers[: len(self.headers) - len(self.strays)]

    @property
    def folder(self) -> Path:
        """The deepest folder that holds every file."""
        return Path(os.path.commonpath([path.parent for path in self.files]))

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, columns), or None where they differ."""
        if self.stack:
            return self.stack.grid.shape[1:]
        shapes = {header.shape for header in self.headers}
        return shapes.pop() if len(shapes) == 1 else None

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """(slice, row, column), or None where there is no stack."""
        return self.stack.grid.spacing_mm if self.stack else None


def judge(headers: Sequence[SliceHeader]) -> Series:
    """Say what the images of one series, or of several that are to be one cine, are."""
    headers, strays = without_strays(sorted(headers, key=lambda header: (header.path, header.frame or 0)))
    orientations = by_orientation(headers)
    positions = [group for one in orientations for group in by_position(one)]
    arranged, reason = _arrange(headers, strays)
    phases = len(arranged.headers) if arranged else mode(map(len, positions))
    reason = reason or "; ".join(_what_is_there(headers, len(positions), phases, arranged))
    kind = _kind(headers, len(orientations), len(positions), phases)
    if kind is Kind.NOT_MR:
        reason = "another modality"
    elif len(orientations) > 1:
        reason = f"{len(orientations)} orientations"
    elif phases >= CINE_PHASES and (why := other_purpose(positions)):
        kind, reason = Kind.NO_CINE, why
    elif kind is Kind.SHORT_AXIS_CINE and (why := other_plane(headers[0])):
        kind, reason = Kind.OTHER_PLANE, why
    everything = (*headers, *(stray.header for stray in strays))
    left_out = tuple(Skipped(stray.header.where, stray.why) for stray in strays)
    return Series(everything, kind, reason, len(positions), phases, arranged, left_out)


def _arrange(headers: Sequence[SliceHeader], strays: Sequence[Stray]) -> tuple[Stack | None, str]:
    """The stack, or why there is none."""
    try:
        arranged = stack(headers)
        return replace(arranged, flags=(*arranged.flags, *_stray_images(strays))), ""
    except UnusableError as error:
        return None, error.message


def _stray_images(strays: Sequence[Stray]) -> Iterator[Flag]:
    """A flag a reason. It names no file: flags may be shared where paths may not."""
    for why, count in Counter(stray.why for stray in strays).items():
        images = f"{count} image{'s' * (count > 1)} of the series {'is' if count == 1 else 'are'} left out"
        yield Flag(STRAY_IMAGE, f"{images}: {why}; the list of unused files names {'it' if count == 1 else 'them'}")


def _kind(headers: Sequence[SliceHeader], orientations: int, slices: int, phases: int) -> Kind:
    if not all(header.is_mr for header in headers):
        return Kind.NOT_MR
    moving = phases >= CINE_PHASES
    if orientations > 1:
        return Kind.OTHER_CINE if moving else Kind.LOCALIZER
    if slices == 1:
        return Kind.SINGLE_SLICE_CINE if moving else Kind.SINGLE_IMAGE
    if not moving:
        return Kind.STACK
    return Kind.SHORT_AXIS_CINE if slices >= CINE_SLICES else Kind.SHORT_CINE


def _what_is_there(headers: Sequence[SliceHeader], slices: int, phases: int, arranged: Stack | None) -> list[str]:
    joined = len({(header.study_uid, header.series_uid) for header in headers})
    said = [f"{slices} parallel planes" + f" of {phases} phases" * (phases > 1)]
    return said + [f"joined from {joined} series"] * (joined > 1) + (_flagged(arranged) if arranged else [])


def _flagged(arranged: Stack) -> list[str]:
    """The flags of a stack, those of one kind together."""
    return [_said(kind, list(flags)) for kind, flags in groupby(arranged.flags, key=lambda flag: flag.kind)]


def _said(kind: str, flags: Sequence[Flag]) -> str:
    if kind == MISSING_PHASE:
        return f"{kind} ({flags[0].place})" if len(flags) == 1 else f"{len(flags)} {kind}s"
    slices = [str(flag.slice) for flag in flags if flag.slice is not None]
    many = "s" * (len(slices) > 1)
    if kind == SURPLUS_PHASE:
        return f"surplus phases on slice{many} {', '.join(slices)}"
    return f"{kind}{many} {', '.join(slices)}".strip()
