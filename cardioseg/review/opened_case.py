"""Opened case: the images, the mask and the numbers of one case, as the page of `review` asks for them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.volume import Cine
from cardioseg.inference.edited_mask import read_edited
from cardioseg.measure.quantities import FOR_READERS
from cardioseg.measure.quantity import Quantity
from cardioseg.report.palette import COLOURS
from cardioseg.results.description import Description
from cardioseg.results.folder import CaseFolder

BRIGHTEST = 4095  # of the images that the page gets: 12 bits, as most scanners have
_PERCENTILES = (1.0, 99.5)  # of the first view: a few bright pixels do not make the heart dark
_AS_EDITED = "the mask was edited after it was measured: `cardioseg measure` gives its numbers"
_NO_SCAN = "there are no images: the scan is no longer where it was, or its place is not stored"


@dataclass(frozen=True)
class OpenedCase:
    """A case with all that the page shows.

    Attributes:
        case_id: its name.
        images: (phase, slice, row, column), from 0 to `BRIGHTEST`; None if the scan is gone.
        mask: `Label` values (phase, slice, row, column).
        description: measures and flags.
        remarks: what else a person should know.
    """

    case_id: str
    images: NDArray[np.uint16] | None = field(repr=False)
    mask: Cine = field(repr=False)
    description: Description = field(repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Memory that its images and mask take."""
        return self.mask.voxels.nbytes + (0 if self.images is None else self.images.nbytes)

    def image(self, phase: int) -> bytes | None:
        """The images of a phase: unsigned 16 bit, little-endian, slice by slice, row by row."""
        if self.images is None:
            return None
        content: bytes = self.images[phase].astype("<u2").tobytes()
        return content

    def labels(self, phase: int) -> bytes:
        """The mask of a phase: a byte for each pixel, in the same order."""
        content: bytes = self.mask.voxels[phase].astype(np.uint8).tobytes()
        return content

    def document(self) -> dict[str, Any]:
        """What the page is told: names, sizes, numbers, curves, flags."""
        description, grid = self.description, self.mask.grid
        slices, rows, columns = grid.shape
        measures = description.measures
        return {
            "case_id": self.case_id,
            "phases": self.mask.phases,
            "slices": slices,
            "rows": rows,
            "columns": columns,
            "pixel_mm": list(grid.pixel_mm),
            "slice_step_mm": grid.spacing_mm[0],
            "times_ms": list(description.times_ms),
            "ed_phase": measures.ed_phase,
            "es_phase": measures.es_phase,
            "has_images": self.images is not None,
            "brightest": BRIGHTEST,
            "window": list(self._window()),
            "labels": [
                {"value": int(label), "key": label.key, "title": label.title, "colour": COLOURS[label]}
                for label in STRUCTURES
            ],
            "measures": [row for quantity in FOR_READERS if (row := self._row(quantity))],
            "curves_ml": {label.key: list(curve) for label, curve in description.curves_ml.items()},
            "flags": [
                {"kind": flag.kind, "reason": flag.reason, "phase": flag.phase, "slice": flag.slice}
                for flag in description.flags
            ],
            "missing_slices": list(description.acquisition.missing),
            "remarks": list(self.remarks),
        }

    def _row(self, quantity: Quantity) -> dict[str, Any] | None:
        value = self.description.measures[quantity.key]
        if value is None:
            return None
        shown = f"{value:z.{quantity.digits}f}"
        return {"key": quantity.key, "caption": quantity.caption, "value": shown, "unit": quantity.unit}

    def _window(self) -> tuple[float, float]:
        """The darkest and the brightest grey of the first view."""
        if self.images is None:
            return 0.0, float(BRIGHTEST)
        low, high = np.percentile(self.images[:1, :, ::4, ::4], _PERCENTILES)
        return float(low), max(float(high), float(low) + 1)


def open_case(folder: CaseFolder) -> OpenedCase:
    """Read a case.

    Raises:
        UnusableError: its mask or its measures cannot be read, or do not fit its scan.
    """
    edited = read_edited(folder.mask)
    if edited.earlier is None:
        raise UnusableError(f"{folder.mask} has no measures beside it", "run `cardioseg predict` again")
    images = None if edited.image is None else _in_12_bits(edited.image)
    said = (_AS_EDITED if edited.is_edited else "", "" if edited.image else _NO_SCAN)
    return OpenedCase(folder.case_id, images, edited.mask, edited.earlier, (*filter(None, said), *edited.remarks))


def _in_12_bits(cine: Cine) -> NDArray[np.uint16]:
    """Intensities from 0 to `BRIGHTEST`, phase by phase, so that memory holds one phase twice at most."""
    lowest, highest = float(np.nanmin(cine.voxels)), float(np.nanmax(cine.voxels))
    scale = BRIGHTEST / (highest - lowest) if highest > lowest else 0.0
    images = np.empty(cine.voxels.shape, np.uint16)
    for phase, voxels in enumerate(cine.voxels):
        images[phase] = np.rint((np.nan_to_num(voxels, nan=lowest) - lowest) * scale)
    return images
