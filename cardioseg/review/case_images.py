"""Case images: the pixels of a case's scan as the page draws them, read phase by phase where the files allow it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.volume import Cine, Voxels
from cardioseg.inference.scan import Scan, recorded_scan
from cardioseg.results.case_record import CaseRecord

GREYS = 1 << 16  # the page gets unsigned 16 bit numbers
_PERCENTILES = (1.0, 99.5)  # of the first view: a few bright pixels do not make the heart dark
_SAMPLED = 3  # every third row and column of a phase is enough for them


@dataclass(frozen=True)
class CaseImages:
    """The images of a scan. Intensity = lowest + step x (the number that the page gets).

    Attributes:
        lowest: intensity of the number 0.
        step: between two numbers; 1 for integers of up to 16 bits, which the page therefore gets unchanged.
        window: darkest and brightest intensity of the first view.
        size_bytes: memory that the images take here.
    """

    lowest: float
    step: float
    window: tuple[float, float]
    size_bytes: int
    _read: Callable[[int], Voxels] = field(repr=False)

    @classmethod
    def of_cine(cls, cine: Cine, phase: int) -> "CaseImages":
        """Images that are in memory; the first view is that of `phase`."""
        return cls._with_range(lambda index: cine.voxels[index], cine.voxels[phase], cine.voxels)

    @classmethod
    def of_scan(cls, scan: Scan, phase: int) -> "CaseImages":
        """Images that are read when they are asked for.

        Raises:
            UnusableError: a file cannot be read.
        """
        first = scan.phase(phase).voxels
        if "cine" in vars(scan) or not _is_short(first):
            return cls.of_cine(scan.cine, phase)
        return cls._with_range(lambda index: scan.phase(index).voxels, first, None)

    @classmethod
    def _with_range(cls, read: Callable[[int], Voxels], first: Voxels, every: Voxels | None) -> "CaseImages":
        size_bytes = 0 if every is None else every.nbytes
        if _is_short(first):
            return cls(float(np.iinfo(first.dtype).min), 1.0, _window(first), size_bytes, read)
        numbers = first if every is None else every
        lowest, highest = float(np.nanmin(numbers)), float(np.nanmax(numbers))
        step = (highest - lowest) / (GREYS - 1) if highest > lowest else 1.0
        return cls(lowest, step, _window(first), size_bytes, read)

    def phase(self, index: int) -> bytes:
        """A phase: unsigned 16 bit numbers, little-endian, slice by slice, row by row.

        Raises:
            UnusableError: a file cannot be read.
        """
        numbers = (np.nan_to_num(self._read(index).astype(np.float32), nan=self.lowest) - self.lowest) / self.step
        content: bytes = np.rint(numbers).clip(0, GREYS - 1).astype("<u2").tobytes()
        return content

    def document(self) -> dict[str, Any]:
        """What the page must know to draw them."""
        return {"lowest": self.lowest, "step": self.step, "window": list(self.window)}


def find_images(record: CaseRecord | None, phase: int) -> CaseImages | None:
    """The images of a recorded case; None if the scan is gone, or another one by now."""
    scan = recorded_scan(record) if record else None
    return CaseImages.of_scan(scan, phase) if scan else None


def _is_short(voxels: Voxels) -> bool:
    return voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 2


def _window(voxels: Voxels) -> tuple[float, float]:
    sample: NDArray[Any] = voxels[..., ::_SAMPLED, ::_SAMPLED]
    low, high = np.nanpercentile(sample, _PERCENTILES)
    return float(low), max(float(high), float(low) + 1e-6)
