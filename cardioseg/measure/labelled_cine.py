"""Labelled cine: a mask with all that it takes to measure and to judge it; areas and volumes are counted once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine, Voxels
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.wall import Wall, wall_of

Counts = NDArray[np.float64]  # (phase, slice)


@dataclass(frozen=True)
class LabelledCine:
    """A mask of a heart beat.

    Attributes:
        mask: `Label` values (phase, slice, row, column).
        labels: what the model segments; others are not measured, whatever the mask holds.
        acquisition: what is known of the scan beside its voxels.
    """

    mask: Cine
    labels: Collection[Label]
    acquisition: Acquisition = Acquisition()  # noqa: RUF009 - frozen

    @property
    def step_mm(self) -> float:
        """Distance from slice to slice, centre to centre."""
        return self.mask.grid.spacing_mm[0]

    @cached_property
    def pixel_counts(self) -> Mapping[Label, Counts]:
        """Pixels (phase, slice) of each structure in `labels`, zeros where the mask does not hold it.

        A missing slice has the area that lies on the line between its nearest neighbours' areas; between two of them
        that is their mean. There is no picture to draw on, but there is a piece of the heart: a ventricle's outline
        changes little from slice to slice, while leaving the slice out would make the volume smaller by all of it. What
        the mask holds in such a slice is not looked at.
        """
        slices = np.arange(self.mask.grid.shape[0])
        acquired = np.setdiff1d(slices, list(self.acquisition.missing))
        return {
            label: np.stack([np.interp(slices, acquired, row[acquired]) for row in counts])
            for label, counts in self._drawn_counts.items()
        }

    @cached_property
    def _drawn_counts(self) -> Mapping[Label, Counts]:
        """The pixels (phase, slice) that the mask holds of each structure in `labels`."""
        return {label: self._counts(label) for label in STRUCTURES if label in self.labels}

    def with_planes(self, voxels: Voxels, places: Iterable[tuple[int, int]]) -> "LabelledCine":
        """The same heart with another mask that differs in a few planes, of which alone the pixels are counted anew.

        Args:
            voxels: the other mask (phase, slice, row, column).
            places: the phase and the slice of each plane that may differ.
        """
        counts = {label: drawn.copy() for label, drawn in self._drawn_counts.items()}
        for place in places:
            for label, drawn in counts.items():
                drawn[place] = np.count_nonzero(voxels[place] == int(label))
        changed = replace(self, mask=replace(self.mask, voxels=voxels))
        vars(changed)["_drawn_counts"] = counts  # where the cached property keeps it
        return changed

    def without_absent(self, kept: Collection[Label]) -> "LabelledCine":
        """The same heart; of the structures that are not in `kept`, those that the mask does not hold are left out."""
        counts = {label: drawn for label, drawn in self._drawn_counts.items() if label in kept or drawn.any()}
        changed = replace(self, labels=frozenset(counts))
        vars(changed)["_drawn_counts"] = counts
        return changed

    @cached_property
    def curves_ml(self) -> Mapping[Label, tuple[float, ...]]:
        """Volume in mL of each structure at each phase: the slices' areas times the distance between slices."""
        voxel_ml = self.mask.grid.voxel_ml
        return {label: tuple((counts.sum(1) * voxel_ml).tolist()) for label, counts in self.pixel_counts.items()}

    @cached_property
    def wall(self) -> Wall | None:
        """The LV's wall; None if the model does not segment both the cavity and its wall. Missing slices have none."""
        if not {Label.LV_CAVITY, Label.LV_MYOCARDIUM} <= set(self.labels):
            return None
        if not self.acquisition.missing:
            return wall_of(self.mask)
        voxels = self.mask.voxels.copy()
        voxels[:, list(self.acquisition.missing)] = Label.BACKGROUND
        return wall_of(replace(self.mask, voxels=voxels))

    def _counts(self, label: Label) -> Counts:
        value = int(label)  # an enumeration's members are slow to compare with
        planes = [[np.count_nonzero(plane == value) for plane in phase] for phase in self.mask.voxels]
        return np.array(planes, np.float64)
