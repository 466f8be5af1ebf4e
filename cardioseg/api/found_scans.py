"""Found scans: the short-axis scans in a folder, which are read when they are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cardioseg.api.arguments import AnyPath, paths_of
from cardioseg.api.placed_image import Image, image_of
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.cases.case import Case
from cardioseg.cases.case_search import find_cases
from cardioseg.image.flag import Flag


@dataclass(frozen=True)
class Scan:
    """A short-axis cine or volume, found and not read yet.

    Attributes:
        name: that `predict` gives to its case, unless another scan has it there already.
        source: the file or folder that it lies in.
    """

    name: str
    source: Path
    _case: Case = field(repr=False)

    @in_words_of_python()
    def read(self) -> Image:
        """Read its voxels. The voxels of a missing slice are 0; `flags` says which slices these are.

        Returns:
            Intensities (phase, slice, row, column) with their geometry.

        Raises:
            UnusableError: it cannot be read, or there is no image in it.
        """
        return image_of(self._case.read())

    @property
    @in_words_of_python()
    def flags(self) -> tuple[Flag, ...]:
        """What a person must know before its numbers are used: missing or repeated slices, doubtful geometry.

        Raises:
            UnusableError: it cannot be read.
        """
        return self._case.flags


@in_words_of_python()
def find_scans(scans: AnyPath | Iterable[AnyPath]) -> list[Scan]:
    """Find the short-axis scans that `predict` would segment.

    Args:
        scans: a file, folder or zip, or several: DICOM in any tree, NIfTI, MetaImage or NRRD in 3D or 4D.

    Returns:
        The scans, DICOM first. None is read yet, so a cohort fits into memory.

    Raises:
        NoInputError: a path does not exist, or there is no short-axis scan at or below it.

    Example:
        >>> for scan in cardioseg.find_scans("scans"):
        ...     print(scan.name, scan.read().array.shape)
    """
    return [Scan(case.case_id, case.source, case) for case in find_cases(paths_of(scans)).cases]
