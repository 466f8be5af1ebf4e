"""Draws docs/review.png and docs/correcting.png: `python docs/pictures/review.py` (needs Debian's `chromium`).

The heart is a phantom, which `sax` predicts. In the second picture, a person corrects the right ventricle at its base.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from browser import cardioseg, started
from PIL import Image

from cardioseg.phantom import Phantom, write_nifti
from cardioseg.report.palette import indexed

DOCS = Path(__file__).parents[1]
SIZE = (1240, 860)
GREYS = 64
HEART = Phantom(seed=4, slices=9, wall_mm=11.0, lv_ef_percent=61.0, lv_radius_mm=24.0)
BASE = 7  # the slice that is corrected
OUTLINE = (  # of what the network left out of the right ventricle; across, down: parts of the large picture
    *((0.190, 0.290), (0.155, 0.345), (0.135, 0.410), (0.128, 0.480), (0.135, 0.550), (0.155, 0.615)),
    *((0.190, 0.655), (0.230, 0.640), (0.230, 0.500), (0.230, 0.300)),
)
TWO_FRAMES = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
PLACE = """(({ x, y, width, height }) => [x, y, width, height])(
    document.querySelector('#large').getBoundingClientRect())"""
SHOWN = "!document.querySelector('#case').hidden && document.querySelector('#grey').textContent"
DRAWN = f"{SHOWN} && document.querySelector('#notice').hidden"
MEASURED = (
    "document.querySelector('#measures .change') && !document.querySelector('#measures').classList.contains('old')"
)


@contextmanager
def served(results: Path) -> Iterator[str]:
    """The address of `review`, while it runs."""
    command = [sys.executable, "-m", "cardioseg", "review", str(results), "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process.stderr.readline().strip() if process.stderr else ""
        finally:
            process.terminate()


def photograph(address: str) -> None:
    """Photograph a case, correct it, photograph it again."""
    with started() as browser:
        browser.visit(address, *SIZE)
        browser.wait_for(DRAWN)
        save(browser.screenshot(beyond=False), DOCS / "review.png")
        for key in ("Home", *["ArrowDown"] * (HEART.slices - 1 - BASE), "o", "1"):
            browser.key(key)
        browser.evaluate(TWO_FRAMES)  # the slice is drawn
        left, top, width, height = browser.evaluate(PLACE)
        browser.drag([(left + across * width, top + down * height) for across, down in OUTLINE])
        browser.wait_for(MEASURED)
        save(browser.screenshot(beyond=False), DOCS / "correcting.png")


def save(content: bytes, path: Path) -> None:
    """Write a picture with few colours, which takes a third of the bytes."""
    path.write_bytes(content)
    [picture] = indexed([Image.open(path).convert("RGB")], GREYS)
    picture.save(path, optimize=True)


def main() -> None:
    """Write the heart, predict it, photograph the page."""
    with TemporaryDirectory() as temporary:
        scans, results = Path(temporary) / "scans", Path(temporary) / "results"
        _, labels = write_nifti(HEART, scans)
        labels.unlink()
        cardioseg("predict", scans, "-o", results, "-q")
        with served(results) as address:
            photograph(f"{address}/{HEART.patient_id}")


if __name__ == "__main__":
    main()
