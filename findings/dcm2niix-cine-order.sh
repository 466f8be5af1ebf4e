#!/usr/bin/env bash
# dcm2niix mixes slices and phases of a cine, depending on the manufacturer's name.
#
# Version:   dcm2niix 1.0.20260724 (PyPI), Linux x86-64.
# Input:     one short-axis cine, 4 slices of 6 phases, classic MR images. Instance numbers run slice by slice, as
#            scanners write them; position, trigger time, heart rate and number of images per beat are given.
# Behaviour: the 4D NIfTI has the right shape, 4 slices x 6 phases, and the exit status is 0. With "GE MEDICAL SYSTEMS"
#            each slice holds its own phases. With "SIEMENS", "TOSHIBA", "UIH", "Canon" and any other name that begins
#            with "Ca" the images are laid down in the order of their numbers, so that each "slice" holds images of
#            several slices. No message says so. A volume curve of such a file is wrong everywhere.
# Seen:      a row a slice, a column a phase, each number is 100 x slice + phase of the image that lies there
#              GE MEDICAL SYSTEMS      SIEMENS
#                0   1   2   3   4   5     0   4 102 200 204 302
#              100 101 102 103 104 105     1   5 103 201 205 303
#              200 201 202 203 204 205     2 100 104 202 300 304
#              300 301 302 303 304 305     3 101 105 203 301 305
# What to do: convert a cine yourself from position and trigger time, or check each slice of what dcm2niix wrote.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dcm2niix==1.0.20260724 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
from mr_image import write_cine

SLICES, PHASES = 4, 6


def converted(manufacturer: str) -> np.ndarray:
    folder = Path(manufacturer.split()[0])
    write_cine(folder, SLICES, PHASES, slice_by_slice=True, Manufacturer=manufacturer)
    program = Path(sys.executable).with_name("dcm2niix")
    result = subprocess.run([program, "-o", ".", "-f", folder.name, folder], check=True, capture_output=True, text=True)
    print(f"{manufacturer}: dcm2niix says\n{result.stdout}")
    voxels = np.asarray(nibabel.load(f"{folder.name}.nii").dataobj)[16, 16].astype(int)
    print(voxels, "\n")
    return voxels


right = 100 * np.arange(SLICES)[:, None] + np.arange(PHASES)
woven = right.reshape(PHASES, SLICES).T  # the same images in the order of their numbers, slices filled first
assert (converted("GE MEDICAL SYSTEMS") == right).all(), "GE: no longer in order"
for manufacturer in ("SIEMENS", "TOSHIBA", "UIH", "Canon", "Cascade"):
    assert (converted(manufacturer) == woven).all(), f"{manufacturer}: no longer mixed up"
print("as described: the order depends on the manufacturer's name")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
