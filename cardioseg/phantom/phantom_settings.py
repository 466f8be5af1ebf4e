"""Settings of a phantom: its size, its timing, its grid in the patient and its synthetic names."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.volume import Grid
from cardioseg.phantom.wall_change import WallChange

_ACROSS = (0.712, 0.701, -0.034)  # increasing column, near that of a Sunnybrook short-axis series
_DOWN = (-0.308, 0.268, -0.913)  # increasing row, before it is made perpendicular to _ACROSS
_MIDDLE_MM = (32.0, -24.0, 18.0)  # LPS position of the stack's middle: left, anterior
_SYSTOLE = 0.375  # fraction of the cycle from end-diastole to end-systole


@dataclass(frozen=True)
class Phantom:
    """A beating short-axis heart whose volumes are known; equal settings give equal bytes.

    Slice 0 lies at the apex and the last one 0.5 steps above the LV's base, where there is no ventricle: slices ascend
    along the DICOM normal (row cosines x column cosines), which in the usual view of a short axis points to the base.

    Attributes:
        slices: number of planes; by default the last shows the great vessels and the first the apex without a cavity.
        phases: number of time points of a cycle.
        rows: pixels down a column.
        columns: pixels along a row.
        spacing_mm: (slice, row, column).
        seed: seed of pose, outlines, textures, noise and names; it changes the RV's volume by some 2 %, the LV's not.
        ed_phase: 0-based phase of the largest volume; negative counts from the end (Sunnybrook has ED among the last).
        lv_ef_percent: ejection fraction of the left ventricle over the imaged planes.
        rv_ef_percent: the same of the right ventricle.
        lv_radius_mm: largest radius of the LV cavity, at ED.
        lv_length_mm: from the base to the tip of the cavity, at ED.
        wall_mm: thickness of the LV wall at its widest, at ED.
        rv_depth_mm: largest distance from the septum to the RV's free wall, at ED.
        rr_interval_ms: length of a cycle.
        wall_changes: parts of the wall that are thicker or thinner; volumes and mass stay the same.
    """

    slices: int = 10
    phases: int = 20
    rows: int = 256
    columns: int = 256
    spacing_mm: tuple[float, float, float] = (10.0, 1.37, 1.37)
    seed: int = 1
    ed_phase: int = -1
    lv_ef_percent: float = 60.0
    rv_ef_percent: float = 52.0
    lv_radius_mm: float = 26.0
    lv_length_mm: float = 85.0
    wall_mm: float = 9.0
    rv_depth_mm: float = 36.0
    rr_interval_ms: float = 920.0
    wall_changes: tuple[WallChange, ...] = ()

    def __post_init__(self) -> None:
        if self.slices < 2 or self.phases < 1 or min(self.rows, self.columns) < 8:
            raise ValueError("a phantom needs at least 2 slices, 1 phase and 8 x 8 pixels")
        if self.seed < 0 or min(self.lv_radius_mm, self.wall_mm, self.rv_depth_mm, *self.spacing_mm) <= 0:
            raise ValueError("a phantom's sizes are positive and its seed is not negative")
        if self.spacing_mm[0] > self.lv_length_mm:
            raise ValueError("the slices lie too far apart to cut the heart")
        if not -self.phases <= self.ed_phase < self.phases:
            raise ValueError(f"ed_phase {self.ed_phase} is not one of {self.phases} phases")
        if not all(0 <= ef < 90 for ef in (self.lv_ef_percent, self.rv_ef_percent)):
            raise ValueError("an ejection fraction lies in 0 to 90 %")

    @property
    def grid(self) -> Grid:
        """An oblique short-axis grid, slices from apex to base."""
        across = np.asarray(_ACROSS) / np.linalg.norm(_ACROSS)
        down = np.asarray(_DOWN) - across * (across @ np.asarray(_DOWN))
        down = down / np.linalg.norm(down)
        directions = np.stack([np.cross(across, down), down, across]).astype(np.float64)
        shape = (self.slices, self.rows, self.columns)
        half_mm = (np.asarray(shape) - 1) / 2 * np.asarray(self.spacing_mm)
        origin = np.asarray(_MIDDLE_MM) - half_mm @ directions
        return Grid(shape, self.spacing_mm, _triple(origin), tuple(_triple(row) for row in directions))

    @property
    def times_ms(self) -> tuple[float, ...]:
        """Time of each phase after the R wave."""
        return tuple(phase * self.rr_interval_ms / self.phases for phase in range(self.phases))

    @property
    def ed_es_phases(self) -> tuple[int, int]:
        """The 0-based phases of the largest and of the smallest volume; equal if there is only one phase."""
        ed = self.ed_phase % self.phases
        return ed, (ed + self._systole_phases) % self.phases

    @property
    def contraction(self) -> NDArray[np.float64]:
        """Per phase, the contraction from ED (0) to ES (1): a half cosine in systole, a slower one in diastole."""
        since_ed = (np.arange(self.phases) - self.ed_phase) % self.phases
        systole = max(self._systole_phases, 1)
        filling = np.clip((since_ed - systole) / (self.phases - systole or 1), 0, 1)
        share = np.where(since_ed <= systole, since_ed / systole, 1 + filling**0.8)
        return np.asarray((1 - np.cos(np.pi * share)) / 2)

    @property
    def depths_mm(self) -> NDArray[np.float64]:
        """Per slice, its distance below the LV's base; negative above it."""
        return np.asarray((np.arange(self.slices)[::-1] - 0.5) * self.spacing_mm[0], np.float64)

    @property
    def patient_id(self) -> str:
        """A synthetic patient id that also serves as the case's name in a folder of scans."""
        return f"PHANTOM-{self.seed:04d}"

    @property
    def sunnybrook_ids(self) -> tuple[str, str]:
        """Ids of the images and, without zero padding, of the contours in a Sunnybrook tree; not of a real subject."""
        return f"SCD9{self.seed:06d}", f"SC-PH-{self.seed}"

    def instance_number(self, slice_index: int, phase: int) -> int:
        """1-based DICOM instance number: from the base to the apex, phase by phase within a slice."""
        return (self.slices - 1 - slice_index) * self.phases + phase + 1

    @property
    def _systole_phases(self) -> int:
        return max(1, math.floor(_SYSTOLE * self.phases + 0.5)) if self.phases > 1 else 0


def _triple(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = vector.tolist()
    return x, y, z
