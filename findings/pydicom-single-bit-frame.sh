#!/usr/bin/env bash
# pydicom reads a binary DICOM SEG as a whole, but refuses some of its frames if they are read one by one.
#
# Version:   pydicom 3.0.2 (PyPI).
# Input:     a binary segmentation of eight frames of 38 x 33 pixels, packed eight to a byte by pydicom itself, so that
#            frames begin and end within a byte, as the standard wants (PS3.5 8.1.1 and PS3.3 C.8.20.2).
# Behaviour: `pixel_array(path)` returns all frames. `pixel_array(path, index=n)`, which is there so that nobody has to
#            read a large file, raises ValueError for those frames that begin late in a byte: it takes as many bytes as
#            the pixels of a frame need, although the frame lies across one more.
# Seen:      with one pixel more or less in a row, other frames are refused; with a multiple of 8 pixels, none is.
#            frames of 38 x 33: [1, 2, 5, 6] of 8 refused; frames of 40 x 32: none
# What to do: read all frames, or take the bits of a frame from the pixel data oneself.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pack_bits, pixel_array
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid

FRAMES = 8


def refused(rows: int, columns: int) -> list[int]:
    """The frames that cannot be read alone."""
    frames = np.random.default_rng(0).integers(0, 2, (FRAMES, rows, columns)).astype(np.uint8)
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = SegmentationStorage, generate_uid()
    made.NumberOfFrames, made.Rows, made.Columns = frames.shape
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 1, 1, 0
    made.PixelData = pack_bits(frames.ravel())
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as("seg.dcm", enforce_file_format=True)
    assert np.array_equal(pixel_array("seg.dcm"), frames), "all frames are read wrongly"
    failed = []
    for index in range(FRAMES):
        try:
            assert np.array_equal(pixel_array("seg.dcm", index=index), frames[index])
        except ValueError:
            failed.append(index)
    return failed


odd, even = refused(38, 33), refused(40, 32)
print(f"frames of 38 x 33: {odd} of {FRAMES} refused; frames of 40 x 32: {even or 'none'}")
assert (odd, even) == ([1, 2, 5, 6], []), "other frames are refused now"
print("as described: a frame that lies across one byte more cannot be read alone")
PYTHON
"$work/venv/bin/python" -W ignore finding.py
