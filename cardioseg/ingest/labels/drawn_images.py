"""Drawn images: regions that somebody drew on single DICOM images become the labelled volumes of a cine."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.stack import MISSING_PHASE, Stack
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.structure_set import read_frame_of_reference
from cardioseg.ingest.labels.ed_es_names import with_moments
from cardioseg.ingest.labels.image_plane import on_image
from cardioseg.ingest.labels.painting import painted
from cardioseg.ingest.labels.structures import Structure
from cardioseg.ingest.labels.subject import LabelledVolume, annotation
from cardioseg.skipped import Skipped

Place = tuple[int, int]  # phase and slice of an image in its stack, from 0
ImageId = tuple[str, int | None]  # SOP instance UID, and the frame from 0 in a multi-frame object


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
            (header.sop_uid, header.frame): place
            for place, header in self.images.items()
            if header.sop_uid and place not in filled
        }

    @cached_property
    def _frames(self) -> Mapping[str, Mapping[int | None, Place]]:
        """SOP instance UID -> frame -> place."""
        frames: dict[str, dict[int | None, Place]] = defaultdict(dict)
        for (uid, frame), place in self.places.items():
            frames[uid][frame] = place
        return frames

    @property
    def ids(self) -> Iterable[str]:
        """SOP instance UIDs of its images."""
        return self._frames.keys()

    @cached_property
    def images(self) -> Mapping[Place, SliceHeader]:
        """The acquired image at each place."""
        return {
            (phase, index): header
            for phase, row in enumerate(self.stack.headers)
            for index, header in enumerate(row)
            if header is not None
        }

    def require_frame_of_reference(self, uid: str) -> None:
        """Make sure that millimetres of another object mean the same places; "" names no frame of reference.

        Raises:
            UnusableError: it is another frame of reference than that of the cine.
        """
        own = read_frame_of_reference(next(iter(self.images.values())).path)
        if uid and own and uid != own:
            raise UnusableError("it names no image, and its frame of reference is not that of the cine")

    def places_of(self, images: Iterable[ImageId]) -> list[Place]:
        """The places of those of the images that it has; an id without a frame stands for all frames of an object."""
        places: dict[Place, None] = {}
        for uid, frame in images:
            frames = self._frames.get(uid, {})
            wanted = frames if frame is None or None in frames else {frame} & frames.keys()
            places |= {frames[number]: None for number in wanted}
        return list(places)

    def locate(
        self, points_mm: NDArray[np.float64], images: Iterable[ImageId] = ()
    ) -> tuple[Place, NDArray[np.float64]]:
        """The image in whose plane points lie, and where they lie on it.

        Args:
            points_mm: (n, 3), LPS.
            images: those on which they may lie; if there are none, all images of the cine.

        Returns:
            The place of the image; and (n, 2) row and column, fractional, 0 at the centre of the first pixel.

        Raises:
            UnusableError: the cine does not have the images, the points lie off every plane by more than half a slice,
                or it is not known to which phase they belong.
        """
        images = tuple(images)
        places = self.places_of(images) if images else list(self.places.values())
        if not places:
            raise UnusableError("its image is not in the cine")
        on_slices = {
            index: on_image(self.images[place], points_mm) for index, place in {at[1]: at for at in places}.items()
        }
        nearest = min(on_slices, key=lambda index: on_slices[index][1])
        points, distance_mm = on_slices[nearest]
        if distance_mm > self.stack.grid.spacing_mm[0] / 2:
            where = "the plane of its image" if images else "every image"
            raise UnusableError(f"it lies off {where} by more than half a slice")
        phases = [phase for phase, index in places if index == nearest]
        if len(phases) > 1:
            raise UnusableError(f"it does not say to which of {len(phases)} phases it belongs")
        return (phases[0], nearest), points

    def volumes(self, regions: Sequence[Region]) -> tuple[LabelledVolume, ...]:
        """A volume for each phase with a region.

        Of the phases whose LV cavity is drawn on at least half as many slices as that of any phase, the one with the
        largest cavity is called `ed` and the one with the smallest `es`.

        Raises:
            UnusableError: an image cannot be read.
        """
        phases = sorted({region.phase for region in regions})
        volumes = [self.volume(phase, f"phase{phase:02d}", regions) for phase in phases]
        slices = Counter(region.phase for region in regions if region.structure is Structure.LV_CAVITY)
        most = max(slices.values(), default=0)
        whole = [volume for volume in volumes if not most or 2 * slices[volume.phase or 0] >= most]
        named = {volume.phase: volume for volume in with_moments(whole)}
        return tuple(named.get(volume.phase, volume) for volume in volumes)

    def volume(self, phase: int, name: str, regions: Iterable[Region]) -> LabelledVolume:
        """The images of a phase and the label map of its regions. A slice without a region has no reference.

        Raises:
            CoveredStructureError: (nearly) all of a structure is covered by others.
            UnusableError: an image cannot be read.
        """
        volume = self.stack.volume(phase)
        drawn: dict[Structure, NDArray[np.bool_]] = {}
        annotated = annotation(volume.grid.shape[0], ())
        for region in (region for region in regions if region.phase == phase):
            drawn.setdefault(region.structure, np.zeros(volume.grid.shape, np.bool_))[region.slice] |= region.inside
            annotated[region.slice] |= annotation(1, [region.structure.label])[0]
        mask = painted(drawn, volume.grid.shape)
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
