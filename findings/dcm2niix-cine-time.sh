#!/usr/bin/env bash
# In the NIfTI of a cine, dcm2niix writes the repetition time instead of the time between two phases.
#
# Version:   dcm2niix 1.0.20260724 (PyPI), Linux x86-64.
# Input:     a cine of 4 slices and 20 phases, numbered phase by phase. TriggerTime says that the phases are 40 ms apart
#            (one beat of 800 ms, as HeartRate and NominalInterval say too); RepetitionTime is 3 ms.
# Behaviour: pixdim[4] of the NIfTI is 0.003 s, the repetition time: the beat seems to last 60 ms. The JSON beside it
#            holds no trigger times: nothing in either file says 40 ms. Volumes and ejection fraction
#            do not change; heart rate, cardiac output, filling and ejection rates do.
# Seen:      time step of the file 0.003 s, of the scan 0.040 s
# What to do: take no time from such a file; read trigger times from the DICOM images.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dcm2niix==1.0.20260724 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import json
import subprocess
import sys
from pathlib import Path

import nibabel
from mr_image import write_cine

write_cine(Path("cine"), 4, 20, slice_by_slice=False, Manufacturer="SIEMENS", RepetitionTime="3")
program = Path(sys.executable).with_name("dcm2niix")
subprocess.run([program, "-o", ".", "-f", "cine", "cine"], check=True)
header = nibabel.load("cine.nii").header
assert header.get_data_shape() == (32, 32, 4, 20)
assert header.get_xyzt_units() == ("mm", "sec")
sidecar = json.loads(Path("cine.json").read_text())
print(json.dumps(sidecar, indent=2))
step_s = float(header.get_zooms()[3])
print(f"time step of the file {step_s:.3f} s, of the scan 0.040 s")
assert abs(step_s - 0.003) < 1e-6, "the time step is another one now"
assert not any(isinstance(value, float) and abs(value - 0.04) < 1e-6 for value in sidecar.values())
print("as described: the repetition time stands where the time between phases belongs")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" finding.py
