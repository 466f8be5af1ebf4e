"""Expert contours: outlines of the left ventricle in the files of the Sunnybrook data, but exact."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.files import write_text
from cardioseg.phantom.beating_heart import Section, sections
from cardioseg.phantom.phantom_settings import Phantom

_POINTS = 240  # the polygon's area is then 1e-4 below the outline's
_FOLDER = Path("contours-manual", "IRCCI-expert")


def write_contours(phantom: Phantom, folder: Path) -> Path:
    """Write <case>/contours-manual/IRCCI-expert/IM-0001-NNNN-{i,o}contour-manual.txt; NNNN is the instance number.

    The endocardium (i) is drawn at ED and ES on slices with a cavity, the epicardium (o) around it at ED only, so that
    fewer slices are drawn than acquired. Each line is `x y`, column and row; (1, 1) is the centre of the first pixel.
    The case is the phantom's Sunnybrook id, its number padded to two digits.

    Returns:
        The folder of the case.

    Raises:
        ResourceError: the file system refuses.
    """
    stem, number = phantom.sunnybrook_ids[1].rsplit("-", 1)
    case = folder / f"{stem}-{number.zfill(2)}"
    for name, points in contours(phantom):
        text = "".join(f"{x:.3f} {y:.3f}\n" for x, y in points.tolist())
        write_text(case / _FOLDER / name, text)
    return case


def contours(phantom: Phantom) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield each contour's file name and its points (n, 2), x and y, 1-based."""
    ed, es = phantom.ed_es_phases
    for phase in sorted({ed, es}):
        for index, section in enumerate(sections(phantom, phase)):
            if section.cavity_mm == 0:
                continue
            stem = f"IM-0001-{phantom.instance_number(index, phase):04d}"
            yield f"{stem}-icontour-manual.txt", _points(phantom, section, section.cavity(_TURN))
            if phase == ed:
                yield f"{stem}-ocontour-manual.txt", _points(phantom, section, section.epicardium(_TURN))


_TURN = np.arange(_POINTS) * 2 * np.pi / _POINTS


def _points(phantom: Phantom, section: Section, radius_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """An outline around the section's centre, in 1-based pixels."""
    dy, dx = phantom.spacing_mm[1:]
    right, down = section.center_mm
    x = (right + radius_mm * np.cos(_TURN)) / dx + (phantom.columns + 1) / 2
    y = (down + radius_mm * np.sin(_TURN)) / dy + (phantom.rows + 1) / 2
    return np.column_stack([x, y])
