"""Subject: one person's labelled volumes, whatever layout they came from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Grid, Voxels
from cardioseg.skipped import Skipped


def counts_as_drawn(voxels: int, slices: int) -> bool:
    """Whether a structure counts as drawn in a volume, so that Dice and volumes can be computed.

    A structure that is on no slice of several was not drawn. A single slice may lie beyond a structure and be empty
    rightly.

    Args:
        voxels: number of voxels that the reference has of it.
        slices: number of slices on which it is annotated.
    """
    return voxels > 0 or slices == 1


def annotation(slices: int, labels: Iterable[Label]) -> NDArray[np.bool_]:
    """Which labels are annotated, (slice, Label): these and, where there are any, the background, on every slice."""
    annotated = np.zeros((slices, len(Label)), np.bool_)
    annotated[:, list(labels)] = True
    annotated[:, Label.BACKGROUND] = annotated.any(axis=1)
    return annotated


@dataclass(frozen=True)
class LabelledVolume:
    """One phase of one subject with its reference labels.

    Attributes:
        name: the volume's name within its subject, `ed` or `es` if known.
        image: intensities (slice, row, column), in the source's own type.
        mask: `Label` values (slice, row, column), uint8.
        annotated: (slice, Label) bool: which labels an expert drew (or declared absent) on which slice. A slice without
            any belongs to the stack but has no reference.
        spacing_mm: (slice, row, column), or None if the source does not give it.
        case_ids: the names under which a prediction of this volume may be stored.
        phase: 0-based phase in the 4D source, or None if the source is 3D.
        sources: the source of each slice, relative to the source folder; "" for a slice that was not acquired.
        grid: the geometry in space, or None if unknown.
        is_box: whether the mask is the box around what is drawn, so that nothing is drawn around it.
    """

    name: str
    image: Voxels
    mask: NDArray[np.uint8]
    annotated: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float] | None
    case_ids: tuple[str, ...]
    phase: int | None
    sources: tuple[str, ...]
    grid: Grid | None = None
    is_box: bool = False

    def __post_init__(self) -> None:
        if self.image.shape != self.mask.shape or self.image.ndim != 3:
            raise ValueError(f"image {self.image.shape} and mask {self.mask.shape} differ or are not 3D")
        if self.annotated.shape != (len(self.image), len(Label)):
            raise ValueError(f"annotated {self.annotated.shape}, expected {(len(self.image), len(Label))}")

    def volume_ml(self, label: Label) -> float | None:
        """Volume of a label over its annotated slices, or None without a spacing."""
        if self.spacing_mm is None:
            return None
        voxels = int((self.mask[self.annotated[:, label]] == label).sum())
        return voxels * float(np.prod(self.spacing_mm)) / 1000

    def pixel_mm(self, nominal_mm: float | None = None) -> tuple[float, float] | None:
        """In-plane spacing (row, column), or the nominal one if the source does not give it."""
        if self.spacing_mm:
            return self.spacing_mm[1:]
        return (nominal_mm, nominal_mm) if nominal_mm else None

    def grid_or_nominal(self, nominal_mm: float | None = None) -> Grid:
        """The geometry; if unknown, a grid at the origin with the known or nominal spacing, or else 1 mm."""
        return self.grid or Grid(self.mask.shape, self.spacing_mm or (1.0, *(self.pixel_mm(nominal_mm) or (1.0, 1.0))))

    def is_drawn(self, label: Label) -> bool:
        """Whether the reference draws a label on its annotated slices, see `counts_as_drawn`."""
        annotated = self.annotated[:, label]
        return counts_as_drawn(int((self.mask[annotated] == label).sum()), int(annotated.sum()))

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """(slice, Label): `annotated` without the structures that the reference does not draw, see `is_drawn`.

        Where a structure is not drawn, the background is not known either: learn from `drawn`, not from `annotated`.
        """
        drawn = self.annotated.copy()
        drawn[:, [label for label in STRUCTURES if not self.is_drawn(label)]] = False
        return drawn

    @property
    def has_scan(self) -> bool:
        """Whether the image is a scan; a plain folder of masks has none, so that the image is the mask itself."""
        return self.image is not self.mask

    @property
    def labels(self) -> tuple[Label, ...]:
        """The structures annotated on at least one slice."""
        return tuple(label for label in STRUCTURES if self.annotated[:, label].any())

    @property
    def drawn_labels(self) -> tuple[Label, ...]:
        """The structures that are annotated and drawn, see `is_drawn`."""
        return tuple(label for label in self.labels if self.is_drawn(label))


@dataclass(frozen=True)
class Subject:
    """One person, or one study of a person; all volumes of a subject are in the same fold.

    Attributes:
        subject_id: from folder names or a CSV, never from a DICOM tag.
        group: diagnosis or group if the source gives one.
        volumes: labelled volumes; their grids may differ.
        skipped: parts of this subject's source that were not used.
        counts: layout-specific counts worth reporting, such as `endocardial contours`.
        remarks: other remarks on its files.
        unknown_moments: why none of its volumes is called ED or ES; "" if one is, or if there is only one volume.
    """

    subject_id: str
    volumes: tuple[LabelledVolume, ...]
    group: str = ""
    skipped: tuple[Skipped, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    remarks: tuple[Skipped, ...] = ()
    unknown_moments: str = ""


@dataclass(frozen=True)
class Source:
    """A subject that is not read yet: small enough to send to the process that reads it.

    Attributes:
        subject_id: that of the subject.
        where: its path or id, as the user knows it.
        reader: reads the subject; can be pickled.
        patient: the patient key of its DICOM images, the same for all studies of a patient, "" if they have none; None
            if the source is not DICOM. In a prepared dataset, the name of the patient. Only to be compared in memory;
            never shown, never written.
    """

    subject_id: str
    where: str
    reader: Callable[[], Subject | Skipped]
    patient: str | None = field(default=None, repr=False)

    def read(self) -> Subject | Skipped:
        """The subject, or Skipped if it cannot be read."""
        try:
            return self.reader()
        except (UnusableError, OSError) as error:
            return Skipped(self.where, str(error).removeprefix(f"{self.where}: "))
