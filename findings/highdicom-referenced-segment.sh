#!/usr/bin/env bash
# highdicom's structured reports lose the source frames of a DICOM SEG, and cannot refer to a SEG with one segment.
#
# Version:   highdicom 0.28.2 (PyPI).
# Input:     four axial MR slices, joined into one multi-frame object by highdicom itself, and a SEG of them that
#            highdicom writes, with two segments and with one.
# Behaviour: `ReferencedSegment.from_segmentation` collects the source images of a segment for TID 1411. It keeps one
#            entry for each SOP instance, with the frame of the first: of a multi-frame source, the report names one of
#            its four frames, without a word. A reader of the report takes the volume for that of one slice.
#            If the SEG has one segment, highdicom writes the number of the segment into the shared functional groups,
#            and `from_segmentation` raises AttributeError, because it looks for it in each frame only.
# Seen:      2 segments, single-frame source: 4 images; multi-frame source: frames [1] of [1, 2, 3, 4]
#            1 segment: AttributeError
# What to do: take the sources from the SEG's SourceImageSequence, with all frames that it names, and give them to the
#            constructor of ReferencedSegment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
from pathlib import Path

import highdicom as hd
import numpy as np
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


def sources(made: hd.seg.Segmentation) -> list:
    referenced = hd.sr.ReferencedSegment.from_segmentation(made, 1)
    items = [item for item in referenced if "Source" in item.ConceptNameCodeSequence[0].CodeMeaning]
    return [item.ReferencedSOPSequence[0] for item in items]


paths = [Path("stack") / f"{number + 1}.dcm" for number in range(SLICES)]
for number, path in enumerate(paths):
    write_image(path, np.zeros((PIXELS, PIXELS)), number + 1, 10.0 * number)
slices = [dcmread(path) for path in paths]
whole = [hd.legacy.LegacyConvertedEnhancedMRImage(slices, hd.UID(), 2, hd.UID(), 1)]
single = sources(segmentation(slices, 2))
made = segmentation(whole, 2)
frames = made.PerFrameFunctionalGroupsSequence[:SLICES]
drawn_on = [int(f.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber) for f in frames]
(multi,) = sources(made)
named = [int(multi.ReferencedFrameNumber)] if multi["ReferencedFrameNumber"].VM == 1 else list(multi.ReferencedFrameNumber)
print(f"2 segments, single-frame source: {len(single)} images; multi-frame source: frames {named} of {drawn_on}")
assert len(single) == SLICES
assert (named, drawn_on) == ([1], [1, 2, 3, 4]), "other frames are named now"
try:
    sources(segmentation(slices, 1))
except AttributeError:
    print("1 segment: AttributeError")
else:
    raise SystemExit("a SEG with one segment can be referred to now")
print("as described: frames are lost, and one segment is none")
PYTHON
PYTHONPATH=$here "$work/venv/bin/python" -W ignore finding.py 2> >(grep -v VOILUT >&2)
