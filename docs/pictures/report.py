"""Draws docs/report.png: `python docs/pictures/report.py` (needs Debian's `chromium`).

The hearts are phantoms, measured from their known labels. One has a thick septum, and a
piece cut out of its wall, to show what flags do.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from browser import cardioseg, photograph

from cardioseg.files import write_text
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.phantom import Phantom, WallChange, write_nifti

PICTURE = Path(__file__).parents[1] / "report.png"
SIZE = (1080, 1700)
HEARTS: dict[int, dict[str, Any]] = {
    1: {},
    3: {"lv_ef_percent": 31.0, "rv_ef_percent": 34.0, "lv_radius_mm": 30.0},
    4: {"wall_mm": 11.0, "lv_ef_percent": 68.0, "lv_radius_mm": 23.0, "wall_changes": (WallChange(0, 50, 5, 6),)},
    5: {"lv_ef_percent": 57.0},
}
CUT_SEED, CUT_SLICE, CUT_PHASES = 4, 5, (18, 19)


def write_hearts(folder: Path) -> None:
    """Scans and their labels, a folder each."""
    for seed, fields in HEARTS.items():
        phantom = Phantom(seed=seed, **fields)
        _, mask = write_nifti(phantom, folder / phantom.patient_id)
        write_text(folder / phantom.patient_id / "Info.cfg", f"Height: {165 + 4 * seed}\nWeight: {60 + 6 * seed}\n")
        if seed == CUT_SEED:
            cut_wall(mask)


def cut_wall(path: Path) -> None:
    """Take a sector out of the myocardium."""
    mask = read_cine(path)
    for phase in CUT_PHASES:
        plane = mask.voxels[phase, CUT_SLICE]
        rows, columns = np.nonzero(plane == Label.LV_CAVITY)
        y, x = np.indices(plane.shape)
        angle = np.degrees(np.arctan2(y - rows.mean(), x - columns.mean()))
        plane[(plane == Label.LV_MYOCARDIUM) & (angle > 20) & (angle < 60)] = Label.BACKGROUND
    write_cine(path, mask)


def main() -> None:
    """Write the hearts, measure them, photograph the page."""
    with TemporaryDirectory() as temporary:
        scans, results = Path(temporary) / "scans", Path(temporary) / "results"
        write_hearts(scans)
        cardioseg("measure", scans, "-o", results, "-q")
        photograph(results / "report.html", PICTURE, *SIZE)


if __name__ == "__main__":
    main()
