#!/usr/bin/env bash
# If dcmqi writes a SEG of one phase of a cine, the SEG refers to the images of all phases.
#
# Version:   dcmqi 1.5.7 (PyPI), itkimage2segimage, with SimpleITK 2.5.7.
# Input:     a cine of three slices at two times, and a mask of the phase at the first time.
# Behaviour: given the folder of the cine (--inputDICOMDirectory), itkimage2segimage names for each frame every image at
#            the frame's position, whatever its time. Nothing in the SEG says which phase was segmented. Given the files
#            of the phase alone, it names the right image.
# Seen:      images that a frame names: 2, given the folder of the cine; 1, given the files of the phase
# What to do: list the files of the phase with --inputDICOMList. Do not take the first image that such a frame names.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dcmqi==1.5.7 SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from mr_image import write_image
from pydicom import dcmread

SLICES, PHASES, PIXELS, STEP_MM = 3, 2, 32, 10.0
PROGRAM = Path(sys.executable).parent / "itkimage2segimage"
HEART = {"CodeValue": "80891009", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Heart"}
STRUCTURE = {"CodeValue": "123037004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Anatomical Structure"}


def named(*images: str) -> set[int]:
    """How many images each frame names."""
    command = [PROGRAM, "--inputImageList", "mask.nrrd", *images, "--outputDICOM", "seg.dcm", "--inputMetadata", "meta.json"]
    subprocess.run(command, check=True, capture_output=True)
    frames = dcmread("seg.dcm").PerFrameFunctionalGroupsSequence
    return {len(frame.DerivationImageSequence[0].SourceImageSequence) for frame in frames}


for phase in range(PHASES):
    for index in range(SLICES):
        number = index * PHASES + phase + 1
        path, pixels = Path("cine") / f"{number}.dcm", np.zeros((PIXELS, PIXELS))
        write_image(path, pixels, number, index * STEP_MM, TriggerTime=f"{40 * phase}")
first = dcmread("cine/1.dcm")
mask = sitk.GetImageFromArray(np.ones((SLICES, PIXELS, PIXELS), np.uint8))
mask.SetSpacing((float(first.PixelSpacing[1]), float(first.PixelSpacing[0]), STEP_MM))
mask.SetOrigin([float(mm) for mm in first.ImagePositionPatient])
sitk.WriteImage(mask, "mask.nrrd")
segment = {
    "labelID": 1, "SegmentLabel": "heart", "SegmentDescription": "heart", "SegmentAlgorithmType": "MANUAL",
    "SegmentedPropertyCategoryCodeSequence": STRUCTURE, "SegmentedPropertyTypeCodeSequence": HEART,
}  # fmt: skip
described = {"SeriesDescription": "phase 1", "SeriesNumber": "9", "InstanceNumber": "1"}
Path("meta.json").write_text(json.dumps(described | {"segmentAttributes": [[segment]]}))
phase = ",".join(f"cine/{index * PHASES + 1}.dcm" for index in range(SLICES))
by_folder, by_list = named("--inputDICOMDirectory", "cine"), named("--inputDICOMList", phase)
print(f"images that a frame names: {max(by_folder)}, given the folder of the cine; {max(by_list)}, given the files of the phase")
assert (by_folder, by_list) == ({PHASES}, {1}), "it names other images now"
print("as described: a SEG of one phase names the images of all")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" -W ignore finding.py
