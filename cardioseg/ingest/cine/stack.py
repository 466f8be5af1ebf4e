"""Stack: arrange slices in any order as a position × phase grid; flags name missing, repeated and displaced images.

Position comes from geometry alone: p_k = n · position_k with n = row direction × column direction. The slice distance
is the step between positions, never the slice thickness. File names and instance numbers are not used for positions.
Slices and phases count from 0, slices along n.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.image.plausible_ranges import HEART_RATE_BPM
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest.cine.gating import gating_flags
from cardioseg.ingest.cine.phase_order import INSTANCE_NUMBER, Film, film_of
from cardioseg.ingest.cine.phase_times import OTHER_TIMES, phase_times, uneven_phases
from cardioseg.ingest.cine.repeated_slices import newest_acquisitions
from cardioseg.ingest.cine.slice_positions import (
    by_position,
    normal_of,
    regular_places,
    require_in_line,
    require_same_geometry,
)
from cardioseg.ingest.cine.surplus_slice import without_surplus_slice
from cardioseg.ingest.dicom.reader import read_all_pixels
from cardioseg.ingest.dicom.slice_header import SliceHeader

MISSING_SLICE, MISSING_PHASE, REPEATED_SLICE, REPEATED_STACK, SURPLUS_PHASE, COUNTED_PHASES = (
    "missing slice", "missing phase", "repeated slice", "repeated stack", "surplus phase", "phases ordered by number",
)  # fmt: skip
_VOXELS_LIMIT_BYTES = 4 * 1024**3
_NEWEST = {  # by whether any image says when it was acquired
    True: "acquisitions: the newest complete one is used",
    False: "acquisitions, without times: the complete one with the higher acquisition or image numbers is used",
}
_MS_PER_MINUTE = 60_000


@dataclass(frozen=True)
class Stack:
    """The arrangement of a cine: the image of each slice at each phase. Pixels are read on request.

    Attributes:
        grid: geometry of every phase; slices run along the normal of the image plane.
        headers: [phase][slice]; None for a missing slice. If a slice lacks a phase, its nearest phase is used.
        times_ms: trigger time of each phase, the median of the slices that agree; empty if unknown.
        missing: slices of the grid that were not acquired; their voxels are 0.
        flags: images that are missing, repeated or left out, and phases that are ordered by number only.
    """

    grid: Grid
    headers: tuple[tuple[SliceHeader | None, ...], ...]
    times_ms: tuple[float, ...]
    missing: tuple[int, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def heart_rate_bpm(self) -> float | None:
        """Median heart rate of the images; calculated from the RR interval if only that value is plausible."""
        rate = self._median(lambda header: header.heart_rate_bpm)
        by_interval = _MS_PER_MINUTE / self.rr_interval_ms if self.rr_interval_ms else None
        if by_interval is None or not HEART_RATE_BPM.hold(by_interval):
            return rate
        return rate if rate and HEART_RATE_BPM.hold(rate) else by_interval

    @property
    def rr_interval_ms(self) -> float | None:
        """Median RR interval of the images, as given, plausible or not."""
        return self._median(lambda header: header.nominal_interval_ms or None)

    @property
    def height_m(self) -> float | None:
        """Height of the patient, as given, plausible or not."""
        return self._median(lambda header: header.height_m)

    @property
    def weight_kg(self) -> float | None:
        """Weight of the patient, as given, plausible or not."""
        return self._median(lambda header: header.weight_kg)

    @property
    def thickness_mm(self) -> float | None:
        """Slice thickness, if given."""
        return self._median(lambda header: header.thickness_mm)

    def places(self) -> dict[int, tuple[int, int]]:
        """Instance number -> (phase, slice), for the images that have one."""
        filled = {(flag.phase, flag.slice) for flag in self.flags if flag.kind == MISSING_PHASE}
        return {
            header.instance_number: (phase, index)
            for phase, row in enumerate(self.headers)
            for index, header in enumerate(row)
            if header is not None and header.instance_number is not None and (phase, index) not in filled
        }

    def volume(self, phase: int) -> Volume:
        """Read one phase.

        Raises:
            UnusableError: a file's pixels cannot be read.
        """
        return Volume(self._voxels(self.headers[phase : phase + 1])[0], self.grid)

    def read(self) -> Cine:
        """Read all phases.

        Raises:
            UnusableError: a file's pixels cannot be read, or the cine is too large for memory.
        """
        if len(self.headers) * int(np.prod(self.grid.shape)) * 4 > _VOXELS_LIMIT_BYTES:
            raise UnusableError(f"the cine is larger than {_VOXELS_LIMIT_BYTES // 1024**3} GiB")
        return Cine(self._voxels(self.headers), self.grid, self.times_ms)

    def _voxels(self, rows: Sequence[Sequence[SliceHeader | None]]) -> Voxels:
        pixels = read_all_pixels(header for row in rows for header in row if header is not None)
        kind = np.result_type(*{image.dtype for image in pixels.values()})
        voxels: Voxels = np.zeros((len(rows), *self.grid.shape), kind)
        for phase, row in enumerate(rows):
            for index, header in enumerate(row):
                if header is not None:
                    voxels[phase, index] = pixels[header]
        return voxels

    def _median(self, value: Callable[[SliceHeader], float | None]) -> float | None:
        images = (header for row in self.headers for header in row if header is not None)
        values = [number for header in images if (number := value(header)) is not None]
        return median(values) if values else None


def stack(headers: Sequence[SliceHeader]) -> Stack:
    """Arrange images that are slices of one cine, given in any order.

    Raises:
        UnusableError: mixed orientation, size or spacing; a displaced slice; phases that cannot be ordered; more slices
            or phases missing than may be filled in.
    """
    require_same_geometry(headers)
    groups, surplus_flags = without_surplus_slice(by_position(headers))
    slices, acquisitions = newest_acquisitions(groups)
    places, step_mm = regular_places(slices)
    require_in_line(slices)
    is_timed = any(header.acquisition_s is not None for header in headers)
    timed = phase_times(film_of(slices))
    film = timed.film
    images_at = dict(zip(places, film.images, strict=True))
    count = places[-1] + 1
    missing = tuple(index for index in range(count) if index not in images_at)
    rows = [
        [images_at[index][phase] if index in images_at else None for index in range(count)]
        for phase in range(len(images_at[0]))
    ]
    flags = (
        *_missing_slices(missing, step_mm),
        *surplus_flags,
        *_missing_phases(film, places),
        *_surplus_phases(film, places),
        *_counted_phases(film),
        *uneven_phases(film),
        *gating_flags(film),
        *(Flag(OTHER_TIMES, why, slice=places[number]) for number, why in timed.differing.items()),
        *_repeated_acquisitions(
            {places[number]: times for number, times in acquisitions.items()}, len(slices), _NEWEST[is_timed]
        ),
    )
    grid = _grid(slices[0][0], count, step_mm)
    return Stack(grid, tuple(map(tuple, rows)), timed.times_ms, missing, flags)


def _missing_slices(missing: Iterable[int], step_mm: float) -> list[Flag]:
    gap = f"no image of the stack lies here, although its slices are {step_mm:.1f} mm apart"
    reason = f"{gap}: the mask is empty here, and for the volumes, areas are interpolated from the neighbouring slices"
    return [Flag(MISSING_SLICE, reason, slice=index) for index in missing]


def _missing_phases(film: Film, places: Sequence[int]) -> list[Flag]:
    reason = "no image at this time: the nearest phase of the slice is used instead"
    return [Flag(MISSING_PHASE, reason, phase, places[number]) for number, phase in sorted(film.filled_in)]


def _surplus_phases(film: Film, places: Sequence[int]) -> list[Flag]:
    """One flag for each slice that had more phases than most."""
    usual = len(film.images[0])
    return [
        Flag(SURPLUS_PHASE, f"{usual + count} phases, the others have {usual}: {_left_out(count)}", slice=places[row])
        for row, count in sorted(film.surplus.items())
    ]


def _left_out(count: int) -> str:
    images = "the phase that is" if count == 1 else f"the {count} phases that are"
    return f"{images} furthest from the times of the other slices {'is' if count == 1 else 'are'} left out"


def _counted_phases(film: Film) -> list[Flag]:
    reason = "only the image numbers give the order of the phases, no time does: check the cine"
    return [Flag(COUNTED_PHASES, reason)] if film.clock is INSTANCE_NUMBER else []


def _repeated_acquisitions(acquisitions: Mapping[int, int], slices: int, taken: str) -> list[Flag]:
    if len(acquisitions) == slices and len(set(acquisitions.values())) == 1:
        return [Flag(REPEATED_STACK, f"{next(iter(acquisitions.values()))} {taken}")]
    return [Flag(REPEATED_SLICE, f"{times} {taken}", slice=index) for index, times in acquisitions.items()]


def _grid(first: SliceHeader, slices: int, step_mm: float) -> Grid:
    normal, row = normal_of(first), np.asarray(first.orientation[:3])
    slice_axis, row_axis, column_axis = (_unit(axis) for axis in (normal, np.cross(normal, row), row))
    return Grid(
        shape=(slices, *first.shape),
        spacing_mm=(step_mm, *first.pixel_mm),
        origin_mm=first.position_mm,
        directions=(slice_axis, row_axis, column_axis),
    )


def _unit(axis: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (axis / np.linalg.norm(axis)).tolist()
    return x, y, z
