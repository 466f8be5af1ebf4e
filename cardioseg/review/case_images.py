"""Case images: the pixels of a case's scan as the page draws them, read phase by phase where the files allow it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.cases.scan import Scan, recorded_scan
from cardioseg.image.volume import Cine, Voxels
from cardioseg.report.crop import Crop
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
    def of_cine(cls, cine: Cine, phase: int, heart: Crop) -> "CaseImages":
        """Images that are in memory; the first view suits the heart at `phase`."""
        voxels, window = cine.voxels, _window(heart.of(cine.voxels[phase]))
        if _is_short(voxels):
            return cls(*_scale(voxels), window, voxels.nbytes, voxels.__getitem__)
        lowest, highest = float(np.nanmin(voxels)), float(np.nanmax(voxels))
        step = (highest - lowest) / (GREYS - 1) if highest > lowest else 1.0
        return cls(lowest, step, window, voxels.nbytes, voxels.__getitem__)

    @classmethod
    def of_scan(cls, scan: Scan, phase: int, heart: Crop) -> "CaseImages":
        """Images that are read when they are asked for, if they are whole numbers and the files allow it.

        Raises:
            UnusableError: a file cannot be read.
        """
        first = scan.phase(phase).voxels
        if scan.is_read or not _is_short(first):
            return cls.of_cine(scan.cine, phase, heart)
        return cls(*_scale(first), _window(heart.of(first)), 0, lambda index: scan.phase(index).voxels)

    def phase(self, index: int) -> bytes:
        """A phase: unsigned 16 bit numbers, little-endian, slice by slice, row by row.

        Raises:
            UnusableError: a file cannot be read.
        """
        voxels = self._read(index)
        if _is_short(voxels) and (self.lowest, self.step) == _scale(voxels):
            return bytes((voxels.astype("<u2") - np.uint16(int(self.lowest) % GREYS)).data)  # modulo 2^16: exact
        numbers = (np.nan_to_num(voxels.astype(np.float32), nan=self.lowest) - self.lowest) / self.step
        return bytes(np.rint(numbers).clip(0, GREYS - 1).astype("<u2").data)

    def document(self) -> dict[str, Any]:
        """What the page must know to draw them."""
        return {"lowest": self.lowest, "step": self.step, "window": list(self.window)}


def look_for_scan(record: CaseRecord | None) -> Future[Scan | None]:
    """Begin to look for the scan of a recorded case, in a thread. A scan in one file is read whole at once.

    Returns:
        The scan; None if its place is not known, or it is gone, or another one by now. `result` raises UnusableError if
        it cannot be read.
    """
    thread = ThreadPoolExecutor(1)
    scan = thread.submit(_scan_of, record)
    thread.shutdown(wait=False)
    return scan


def _scan_of(record: CaseRecord | None) -> Scan | None:
    scan = recorded_scan(record) if record else None
    if scan and not scan.case.series:
        scan.cine  # noqa: B018 - it stays with the scan
    return scan


def _is_short(voxels: Voxels) -> bool:
    return voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 2


def _scale(voxels: Voxels) -> tuple[float, float]:
    """The intensity of number 0 and the step, by which short integers become numbers from 0."""
    return float(np.iinfo(voxels.dtype).min), 1.0


def _window(voxels: Voxels) -> tuple[float, float]:
    sample: NDArray[Any] = voxels[..., ::_SAMPLED, ::_SAMPLED]
    low, high = np.nanpercentile(sample, _PERCENTILES)
    return float(low), max(float(high), float(low) + 1e-6)
