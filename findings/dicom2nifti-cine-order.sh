#!/usr/bin/env bash
# dicom2nifti converts a cine or refuses it as "NOT_A_VOLUME", depending on how its images are numbered.
#
# Version:   dicom2nifti 2.6.2 (PyPI).
# Input:     the same cine twice, 4 slices of 6 phases with positions and trigger times: once with instance numbers that
#            run through the slices of a phase first, once through the phases of a slice first, as scanners write them.
# Behaviour: the first gives a 4D NIfTI in the right order. Of the second, `dicom_series_to_nifti` raises
#            ConversionError("NOT_A_VOLUME"), and `convert_directory`, which most people call, prints a traceback, writes
#            no file and returns as if all were well: a script that calls it ends with status 0.
# Seen:      phase by phase: 32 x 32 x 4 x 6; slice by slice: NOT_A_VOLUME, and no file
# What to do: count the files that `convert_directory` wrote, or convert a cine yourself from position and trigger time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dicom2nifti==2.6.2 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import logging
import warnings
from pathlib import Path

import dicom2nifti
import nibabel
import numpy as np
from dicom2nifti.exceptions import ConversionError
from mr_image import write_cine

SLICES, PHASES = 4, 6
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
write_cine(Path("by_phase"), SLICES, PHASES, slice_by_slice=False)
write_cine(Path("by_slice"), SLICES, PHASES, slice_by_slice=True)
dicom2nifti.dicom_series_to_nifti("by_phase", "by_phase.nii", reorient_nifti=False)
voxels = np.asarray(nibabel.load("by_phase.nii").dataobj)
assert (voxels[16, 16] == 100 * np.arange(SLICES)[:, None] + np.arange(PHASES)).all()
print("phase by phase:", " x ".join(map(str, voxels.shape)))
try:
    dicom2nifti.dicom_series_to_nifti("by_slice", "by_slice.nii", reorient_nifti=False)
except ConversionError as error:
    assert str(error) == "NOT_A_VOLUME", error
else:
    raise SystemExit("the cine that is numbered slice by slice is converted now")
out = Path("out")
out.mkdir()
dicom2nifti.convert_directory("by_slice", out)
assert not list(out.iterdir()), "convert_directory writes a file now"
print("slice by slice: NOT_A_VOLUME, and no file")
print("as described: it depends on the instance numbers")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
