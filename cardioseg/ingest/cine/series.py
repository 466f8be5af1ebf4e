"""Series: images that belong together, classified by their geometry and times, never by a name."""

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
_FEW_PHASES = f"a DICOM cine needs at least {CINE_PHASES}; if it shows a heart beat, convert it to NIfTI"


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
    """The images of a series, or of several series that form one cine, and their classification.

    Attributes:
        headers: one per image, in the order of their paths; images that are left out come last.
        kind: what the series is, from its geometry.
        reason: why, or why it cannot be used, in one line.
        slices: number of slice positions.
        phases: number of images at most positions, of one acquisition if there are several.
        stack: the arrangement of its slices, or None if they cannot be arranged.
        strays: single images that are left out, with reasons.
        remedy: what to do where its slices cannot be arranged, if there is more to say than that they should be
            exported again.
    """

    headers: tuple[SliceHeader, ...]
    kind: Kind
    reason: str
    slices: int
    phases: int
    stack: Stack | None
    strays: tuple[Skipped, ...] = ()
    remedy: str = ""

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file of the film, in order."""
        return tuple(dict.fromkeys(header.path for header in self.film))

    @property
    def film(self) -> tuple[SliceHeader, ...]:
        """The images that are used."""
        return self.headers[: len(self.headers) - len(self.strays)]

    @property
    def folder(self) -> Path:
        """The deepest folder that contains every file."""
        return Path(os.path.commonpath([path.parent for path in self.files]))

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, columns), or None if they differ."""
        if self.stack:
            return self.stack.grid.shape[1:]
        shapes = {header.shape for header in self.headers}
        return shapes.pop() if len(shapes) == 1 else None

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """(slice, row, column), or None without a stack."""
        return self.stack.grid.spacing_mm if self.stack else None


def judge(headers: Sequence[SliceHeader]) -> Series:
    """Classify the images of one series, or of several that may form one cine."""
    headers, strays = without_strays(sorted(headers, key=lambda header: (header.path, header.frame or 0)))
    orientations = by_orientation(headers)
    positions = [group for orientation in orientations for group in by_position(orientation)]
    arranged, reason, remedy = _arrange(headers, strays)
    phases = len(arranged.headers) if arranged else mode(map(len, positions))
    reason = reason or "; ".join(_properties(headers, len(positions), phases, arranged))
    kind = _kind(headers, len(orientations), len(positions), phases)
    if kind is Kind.NOT_MR:
        reason = "another modality"
    elif len(orientations) > 1:
        reason = f"{len(orientations)} orientations"
    elif phases >= CINE_PHASES and (other_reason := other_purpose(positions)):
        kind, reason = Kind.NO_CINE, other_reason
    elif kind is Kind.SHORT_AXIS_CINE and (other_reason := other_plane(headers[0])):
        kind, reason = Kind.OTHER_PLANE, other_reason
    everything = (*headers, *(stray.header for stray in strays))
    left_out = tuple(Skipped(stray.header.where, stray.why) for stray in strays)
    return Series(everything, kind, reason, len(positions), phases, arranged, left_out, remedy)


def with_flags(series: Series, flags: Sequence[Flag]) -> Series:
    """A series that has a stack, with further flags."""
    if not series.stack or not flags:
        return series
    stack_with_flags = replace(series.stack, flags=(*series.stack.flags, *flags))
    return replace(series, stack=stack_with_flags, reason="; ".join([series.reason, *_flag_texts(flags)]))


def _arrange(headers: Sequence[SliceHeader], strays: Sequence[Stray]) -> tuple[Stack | None, str, str]:
    """The stack or None; the reason if there is none, and what to do then if it is known."""
    try:
        arranged = stack(headers)
        return replace(arranged, flags=(*arranged.flags, *_stray_flags(strays))), "", ""
    except UnusableError as error:
        return None, error.message, error.hint


def _stray_flags(strays: Sequence[Stray]) -> Iterator[Flag]:
    """One flag per reason. It names no file: flags may be shared where paths may not."""
    for why, count in Counter(stray.why for stray in strays).items():
        images = f"{count} image{'s' if count > 1 else ''} of the series {'is' if count == 1 else 'are'} left out"
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


def _properties(headers: Sequence[SliceHeader], slices: int, phases: int, arranged: Stack | None) -> list[str]:
    series_count = len({(header.study_uid, header.series_uid) for header in headers})
    properties = [f"{slices} parallel planes" + (f" of {phases} phases" if phases > 1 else "")]
    if 1 < phases < CINE_PHASES:
        properties[0] += f": {_FEW_PHASES}"
    if series_count > 1:
        properties.append(f"joined from {series_count} series")
    return properties + (_flag_texts(arranged.flags) if arranged else [])


def _flag_texts(flags: Sequence[Flag]) -> list[str]:
    """A text for each kind of flag."""
    return [_flag_text(kind, list(equal)) for kind, equal in groupby(flags, key=lambda flag: flag.kind)]


def _flag_text(kind: str, flags: Sequence[Flag]) -> str:
    if kind == MISSING_PHASE:
        return f"{kind} ({flags[0].place})" if len(flags) == 1 else f"{len(flags)} {kind}s"
    slices = [str(flag.slice) for flag in flags if flag.slice is not None]
    plural = "s" if len(slices) > 1 else ""
    if kind == SURPLUS_PHASE:
        return f"surplus phases on slice{plural} {', '.join(slices)}"
    return f"{kind}{plural} {', '.join(slices)}".strip()
