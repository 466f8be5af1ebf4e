#!/usr/bin/env bash
# SimpleITK's series reader stacks all phases of a cine as slices of one volume, with a wrong slice distance.
#
# Version:   SimpleITK 2.5.7 (PyPI).
# Input:     a cine of 4 slices, 10 mm apart, and 6 phases, once numbered slice by slice, once phase by phase.
# Behaviour: `GetGDCMSeriesFileNames` returns one series of 24 files, and `ImageSeriesReader` makes one image of 24 slices
#            of them. A warning about the sampling is printed, and nothing is raised. The slice distance is the length of
#            the stack divided by the 23 steps: 1.304 mm, although slices are 10 mm apart. A structure of the same
#            outline in all slices has 31.3 / 40 of the volume that it has at one phase. The order of the "slices"
#            depends on the instance numbers: positions first, or phases first.
# Seen:      32 x 32 x 24, 1.304 mm; slice by slice: 0 1 2 3 4 5 100 ...; phase by phase: 0 100 200 300 1 101 ...
# What to do: read each phase as a series of its own (files of one trigger time), or use a reader that knows cines.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from mr_image import write_cine

SLICES, PHASES = 4, 6
sitk.ProcessObject.SetGlobalWarningDisplay(False)
expected = np.add.outer(100 * np.arange(SLICES), np.arange(PHASES))
for name, slice_by_slice in (("slice by slice", True), ("phase by phase", False)):
    write_cine(Path(name), SLICES, PHASES, slice_by_slice=slice_by_slice)
    reader = sitk.ImageSeriesReader()
    (series,) = reader.GetGDCMSeriesIDs(name)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(name, series))
    image = reader.Execute()
    order = sitk.GetArrayFromImage(image)[:, 16, 16]
    assert image.GetSize() == (32, 32, SLICES * PHASES), image.GetSize()
    assert abs(image.GetSpacing()[2] - 30 / 23) < 1e-6, image.GetSpacing()
    assert (order == (expected if slice_by_slice else expected.T).ravel()).all(), order
    print(f"{name}: {' x '.join(map(str, image.GetSize()))}, {image.GetSpacing()[2]:.3f} mm:", *order[:7], "...")
print("as described: one volume of all phases")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
