"""Drawn images: regions that somebody drew on single DICOM images become the labelled volumes of a cine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.labels import Label
from cardioseg.ingest.cine.stack import MISSING_PHASE, Stack
from cardioseg.ingest.labels.ed_es_names import with_moments
from cardioseg.ingest.labels.structures import Structure
from cardioseg.ingest.labels.subject import LabelledVolume
from cardioseg.skipped import Skipped

Place = tuple[int, int]  # phase and slice of an image in its stack, from 0
ImageId = tuple[str, int | None]  # SOP instance UID, and the frame from 0 in a multi-frame object

_PAINTED = (Structure.LV_EPICARDIUM, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY, Structure.LV_CAVITY)  # later on top


@dataclass(frozen=True, eq=False)
class Region:
    """One structure on one image.

    Attributes:
        structure: what it shows.
        phase: of the image in its stack, from 0.
        slice: likewise.
        inside: (row, column) whether a pixel's centre is inside.
        source: where it was drawn, for messages.
    """

    structure: Structure
    phase: int
    slice: int
    inside: NDArray[np.bool_] = field(repr=False)
    source: str = ""


@dataclass(frozen=True)
class DrawnCine:
    """The cine on whose images somebody drew.

    Attributes:
        root: the source folder.
        case_ids: the names under which a prediction of the cine may be stored.
        stack: its images.
    """

    root: Path
    case_ids: tuple[str, ...]
    stack: Stack = field(repr=False)

    @cached_property
    def places(self) -> Mapping[ImageId, Place]:
        """The place of each image that has an id; an image that also fills in for a missing phase has one place."""
        filled = {(flag.phase, flag.slice) for flag in self.stack.flags if flag.kind == MISSING_PHASE}
        return {
            (header.sop_uid, header.frame): (phase, index)
            for phase, row in enumerate(self.stack.headers)
            for index, header in enumerate(row)
            if header is not None and header.sop_uid and (phase, index) not in filled
        }

    def volumes(self, regions: Sequence[Region]) -> tuple[LabelledVolume, ...]:
        """A volume for each phase with a region; the largest and the smallest LV cavity are called `ed` and `es`.

        Raises:
            UnusableError: an image cannot be read.
        """
        phases = sorted({region.phase for region in regions})
        return tuple(with_moments([self.volume(phase, f"phase{phase:02d}", regions) for phase in phases]))

    def volume(self, phase: int, name: str, regions: Iterable[Region]) -> LabelledVolume:
        """The images of a phase and the label map of its regions. A slice without a region has no reference.

        Raises:
            UnusableError: an image cannot be read.
        """
        volume = self.stack.volume(phase)
        mask = np.zeros(volume.grid.shape, np.uint8)
        annotated = np.zeros((len(mask), len(Label)), np.bool_)
        drawn = (region for region in regions if region.phase == phase)
        for region in sorted(drawn, key=lambda region: _PAINTED.index(region.structure)):
            mask[region.slice][region.inside] = region.structure.label
            annotated[region.slice, [Label.BACKGROUND, region.structure.label]] = True
        headers = self.stack.headers[phase]
        return LabelledVolume(
            name=name,
            image=volume.voxels,
            mask=mask,
            annotated=annotated,
            spacing_mm=volume.grid.spacing_mm,
            case_ids=self.case_ids,
            phase=phase,
            sources=tuple(str(header.path.relative_to(self.root)) if header else "" for header in headers),
            grid=volume.grid,
        )


def with_cavity(regions: Sequence[Region], skipped: list[Skipped]) -> list[Region]:
    """The regions without the epicardia that stand alone: these do not say where the wall ends."""
    cavities = {(region.phase, region.slice) for region in regions if region.structure is Structure.LV_CAVITY}
    kept: list[Region] = []
    for region in regions:
        if region.structure is Structure.LV_EPICARDIUM and (region.phase, region.slice) not in cavities:
            skipped.append(Skipped(region.source, "its image has no endocardial contour"))
        else:
            kept.append(region)
    return kept
