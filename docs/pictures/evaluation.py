"""Draws docs/evaluation.png: `python docs/pictures/evaluation.py` (needs Debian's `chromium`).

The hearts are phantoms; `sax` predicts them, and their known labels at ED and ES are the reference.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from browser import cardioseg, photograph

from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.volume import Cine
from cardioseg.phantom import Phantom, write_nifti

PICTURE = Path(__file__).parents[1] / "evaluation.png"
SIZE = (1200, 1490)
HEARTS, PHASES = 12, 6


def write_hearts(scans: Path, reference: Path) -> None:
    """Scans of hearts of many sizes, and their labels at ED and ES."""
    rng = np.random.default_rng(0)
    for seed in range(HEARTS):
        radius, ef, wall = rng.uniform(22, 31), rng.uniform(25, 65), rng.uniform(8, 13)
        phantom = Phantom(seed=seed, phases=PHASES, lv_radius_mm=radius, lv_ef_percent=ef, wall_mm=wall)
        scan, labels = write_nifti(phantom, scans / phantom.patient_id)
        write_cine(reference / scan.name, at_ed_and_es(labels))
        labels.unlink()


def at_ed_and_es(path: Path) -> Cine:
    """The labels where the LV cavity is largest and smallest, none at the other phases."""
    mask = read_cine(path)
    sizes = (mask.voxels == Label.LV_CAVITY).sum((1, 2, 3))
    voxels = np.zeros_like(mask.voxels)
    for phase in (sizes.argmax(), sizes.argmin()):
        voxels[phase] = mask.voxels[phase]
    return replace(mask, voxels=voxels)


def main() -> None:
    """Write the hearts, predict and evaluate them, photograph the page."""
    with TemporaryDirectory() as temporary:
        scans, reference, sax, out = (Path(temporary) / name for name in ("scans", "phantoms", "sax", "out"))
        write_hearts(scans, reference)
        cardioseg("predict", scans, "-o", sax, "-q")
        cardioseg("evaluate", sax, reference, "-o", out, "-q")
        photograph(out / "evaluation.html", PICTURE, *SIZE)


if __name__ == "__main__":
    main()
