"""Suitability: whether a volume file shows the heart in the short axis, by the same criteria as for DICOM."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardioseg.image.flag import Flag
from cardioseg.image.map_detection import holds_few_values, may_be_probabilities
from cardioseg.image.nifti_grid import geometry_flags
from cardioseg.image.volume import Grid, Voxels
from cardioseg.image.volume_files import format_of
from cardioseg.ingest.cine.other_views import other_normal
from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.cine.series import CINE_SLICES, Kind

MAP = "label or probability map"
_FEW_VALUES = "it holds only a few different values; a scan holds hundreds. Give the scan; for masks use `measure`"
_PROBABILITIES = (
    "most of its values are 0 or 1, and none lies outside: unless it is a masked scan, its volumes are meaningless"
)
_ALIGNED = 1e-4  # of a unit vector: along an axis of the patient
_PLANE_UNKNOWN = "plane unknown"
_LOST = "or the file has lost its orientation, as many converted files have"


@dataclass(frozen=True)
class Verdict:
    """What a volume file shows.

    Attributes:
        kind: in the words for DICOM series.
        reason: why, in one line.
        is_usable: whether it can be segmented.
        grid: geometry of each phase.
        phases: number of phases.
    """

    kind: str
    reason: str
    is_usable: bool
    grid: Grid
    phases: int


def judge_volume(path: Path) -> Verdict:
    """Classify a volume file by its geometry; label and probability maps by the voxels of the first phase.

    Raises:
        UnusableError: it cannot be read.
    """
    grid, phases = format_of(path).read_grid(path)
    voxels = format_of(path).read_sample(path)
    if holds_few_values(voxels):
        return Verdict(MAP, _FEW_VALUES, False, grid, phases)
    if not _is_aligned(grid) and (why := other_normal(np.asarray(grid.directions[0]))):
        return Verdict(Kind.OTHER_PLANE, why, False, grid, phases)
    slices = grid.shape[0]
    flags = [flag.kind for flag in _flags(grid, voxels)]
    properties = [f"{slices} parallel planes" + (f" of {phases} phases" if phases > 1 else ""), *flags]
    return Verdict(_kind(slices, phases), "; ".join(properties), True, grid, phases)


def volume_flags(path: Path) -> tuple[Flag, ...]:
    """Warnings to read before the numbers of such a scan are used.

    Raises:
        UnusableError: it cannot be read.
    """
    return tuple(_flags(format_of(path).read_grid(path)[0], format_of(path).read_sample(path)))


def _flags(grid: Grid, voxels: Voxels) -> Iterator[Flag]:
    yield from geometry_flags(grid)
    if may_be_probabilities(voxels):
        yield Flag(MAP, _PROBABILITIES)
    if _is_aligned(grid):
        yield Flag(_PLANE_UNKNOWN, f"{other_normal(np.asarray(grid.directions[0]))}, {_LOST}")
    if grid.shape[0] < CINE_SLICES:
        kind = Kind.SINGLE_SLICE_CINE if grid.shape[0] == 1 else Kind.SHORT_CINE
        yield Flag(str(kind), f"fewer than {CINE_SLICES} slices do not cover a ventricle: its volumes are too small")


def _is_aligned(grid: Grid) -> bool:
    """Whether the axes are the patient's, as in a file that has lost its orientation; short axes are oblique."""
    return bool((np.abs(grid.directions).max(axis=1) > 1 - _ALIGNED).all())


def _kind(slices: int, phases: int) -> Kind:
    moving = phases >= CINE_PHASES
    if slices == 1:
        return Kind.SINGLE_SLICE_CINE if moving else Kind.SINGLE_IMAGE
    if not moving:
        return Kind.STACK
    return Kind.SHORT_AXIS_CINE if slices >= CINE_SLICES else Kind.SHORT_CINE
