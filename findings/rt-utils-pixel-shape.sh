#!/usr/bin/env bash
# If pixels are not square, rt-utils swaps row and column spacing: a circle becomes an ellipse in the RTSTRUCT.
#
# Version:   rt-utils 1.2.7 (PyPI).
# Input:     four axial MR slices of 64 x 64 pixels whose rows are 2 mm and whose columns are 1 mm apart (PixelSpacing
#            2\1), and the mask of a disc of 20 mm radius about the image's centre.
# Behaviour: `add_roi` and `save` write an RTSTRUCT without a word in which the disc is about 80 mm wide and 20 mm high:
#            the two values of PixelSpacing are swapped. Its area is nearly right, so a check of volumes does not show
#            it. rt-utils reads its own file back into the very same mask, so a round trip does not show it either.
# Seen:      mask 40 x 40 mm, contour 80 x 20 mm, 1258 mm2 against 1168 mm2; read back: the same mask
# What to do: resample to square pixels before, or compare the contours' extent in mm with that of the mask.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q rt-utils==1.2.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
from pathlib import Path

import numpy as np
from mr_image import write_image
from pydicom import dcmread
from rt_utils import RTStructBuilder

SLICES, PIXELS, ROWS_MM, COLUMNS_MM, RADIUS_MM = 4, 64, 2.0, 1.0, 20.0


def area_mm2(points: np.ndarray) -> float:
    x, y = points[:, 0], points[:, 1]
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


for number in range(SLICES):
    path = Path("stack") / f"{number + 1}.dcm"
    write_image(path, np.zeros((PIXELS, PIXELS)), number + 1, 10.0 * number, PixelSpacing=[ROWS_MM, COLUMNS_MM])
rows, columns = np.mgrid[:PIXELS, :PIXELS] - PIXELS // 2
disc = np.hypot(rows * ROWS_MM, columns * COLUMNS_MM) <= RADIUS_MM
mask = np.repeat(disc[:, :, None], SLICES, axis=2)
structures = RTStructBuilder.create_new("stack")
structures.add_roi(mask=mask, name="disc")
structures.save("structures")
contour = dcmread("structures.dcm").ROIContourSequence[0].ContourSequence[0].ContourData
points = np.array(contour, float).reshape(-1, 3)
width_mm, height_mm = np.ptp(points, axis=0)[:2]
print(f"mask 40 x 40 mm, contour {width_mm:.0f} x {height_mm:.0f} mm,", end=" ")
print(f"{disc.sum() * ROWS_MM * COLUMNS_MM:.0f} mm2 against {area_mm2(points):.0f} mm2")
again = RTStructBuilder.create_from("stack", "structures.dcm").get_roi_mask_by_name("disc")
assert (again == mask).all(), "the round trip is no longer exact"
assert (round(width_mm), round(height_mm)) == (80, 20), "the contour has another extent now"
print("as described: rows and columns are swapped, and the round trip hides it")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
