#!/usr/bin/env bash
# MONAI cannot read a DICOM SEG that highdicom wrote if it has only one segment.
#
# Version:   monai 1.6.1 and highdicom 0.28.2 (PyPI).
# Input:     four axial MR slices, and a SEG of them that highdicom writes, with two segments and with one.
# Behaviour: if there is one segment, highdicom writes its number once, into the shared functional groups.
#            `PydicomReader` looks for it in each frame only, and raises NotImplementedError:
#            'SegmentIdentificationSequence' is required for each frame.
# Seen:      2 segments: read, 2 channels; 1 segment: NotImplementedError; 1 segment, named in each frame: read, 1 channel
# What to do: move the SegmentIdentificationSequence from the shared group into each frame before the SEG is saved.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q monai==1.6.1 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
from copy import deepcopy
from pathlib import Path

import highdicom as hd
import numpy as np
from monai.data import PydicomReader
from mr_image import write_image
from pydicom import dcmread
from pydicom.sr.codedict import codes

SLICES, PIXELS = 4, 32
ALGORITHM = hd.AlgorithmIdentificationSequence("threshold", codes.DCM.ArtificialIntelligence, "1")


def segmentation(images: list, segments: int) -> hd.seg.Segmentation:
    mask = np.zeros((SLICES, PIXELS, PIXELS), np.uint8)
    described = []
    for number in range(1, segments + 1):
        mask[:, 8 * number : 8 * number + 4, 8:24] = number
        names = (number, f"part {number}", codes.SCT.AnatomicalStructure, codes.SCT.Heart)
        described.append(hd.seg.SegmentDescription(*names, "AUTOMATIC", ALGORITHM))
    uids = {"series_instance_uid": hd.UID(), "series_number": 3, "sop_instance_uid": hd.UID(), "instance_number": 1}
    made = {"manufacturer": "none", "manufacturer_model_name": "none", "device_serial_number": "1"}
    return hd.seg.Segmentation(images, mask, "BINARY", described, **uids, **made, software_versions="1")


def read(made: hd.seg.Segmentation) -> str:
    made.save_as("seg.dcm")
    reader = PydicomReader()
    try:
        channels, _ = reader.get_data(reader.read("seg.dcm"))
    except NotImplementedError:
        return "NotImplementedError"
    return f"read, {channels.shape[-1]} channel{'s' * (channels.shape[-1] > 1)}"


paths = [Path("stack") / f"{number + 1}.dcm" for number in range(SLICES)]
for number, path in enumerate(paths):
    write_image(path, np.zeros((PIXELS, PIXELS)), number + 1, 10.0 * number)
slices = [dcmread(path) for path in paths]
two, one, named = (segmentation(slices, segments) for segments in (2, 1, 1))
(shared,) = named.SharedFunctionalGroupsSequence
for frame in named.PerFrameFunctionalGroupsSequence:
    frame.SegmentIdentificationSequence = deepcopy(shared.SegmentIdentificationSequence)
del shared.SegmentIdentificationSequence
found = f"2 segments: {read(two)}; 1 segment: {read(one)}; 1 segment, named in each frame: {read(named)}"
print(found)
assert found == (
    "2 segments: read, 2 channels; 1 segment: NotImplementedError; 1 segment, named in each frame: read, 1 channel"
), "another result now"
print("as described: one segment must be named in each frame")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" -W ignore finding.py 2> >(grep -v VOILUT >&2)
