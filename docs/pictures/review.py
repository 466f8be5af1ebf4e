"""Draws docs/review.png: `python docs/pictures/review.py` (needs Debian's `chromium`).

The heart is a phantom, which `sax` predicts.
"""

import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from browser import cardioseg, photograph
from PIL import Image

from cardioseg.phantom import Phantom, write_nifti
from cardioseg.report.palette import indexed

PICTURE = Path(__file__).parents[1] / "review.png"
SIZE = (1240, 860)
GREYS = 64
HEART = Phantom(seed=4, slices=9, wall_mm=11.0, lv_ef_percent=61.0, lv_radius_mm=24.0)
WAIT_MS = 15_000


def photograph_case(results: Path, case_id: str) -> None:
    """Start `review`, photograph a case, end it."""
    command = [sys.executable, "-m", "cardioseg", "review", str(results), "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        address = process.stderr.readline().strip() if process.stderr else ""
        photograph(f"{address}/{case_id}", PICTURE, *SIZE, WAIT_MS)
        process.send_signal(signal.SIGINT)


def main() -> None:
    """Write the heart, predict it, photograph the page."""
    with TemporaryDirectory() as temporary:
        scans, results = Path(temporary) / "scans", Path(temporary) / "results"
        _, labels = write_nifti(HEART, scans)
        labels.unlink()
        cardioseg("predict", scans, "-o", results, "-q")
        photograph_case(results, HEART.patient_id)
    [picture] = indexed([Image.open(PICTURE).convert("RGB")], GREYS)  # a third of the bytes
    picture.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
