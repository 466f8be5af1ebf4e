#!/usr/bin/env bash
# If an RTSTRUCT stores the myocardium as two contours, plastimatch reads a disc; three other programs read a ring.
#
# Version:   plastimatch 1.9.4 (Debian), dcmrtstruct2nii 5, rt-utils 1.2.7 and platipy 0.7.2 (PyPI).
# Input:     four axial MR slices with square pixels of 1.5 mm, and an RTSTRUCT with one region: a square of 60 mm with
#            a square hole of 30 mm. The hole is written in three ways: as a second CLOSED_PLANAR contour; as a second
#            CLOSEDPLANAR_XOR contour, and the outer one, too; and with the "keyhole technique": one CLOSED_PLANAR
#            contour that goes to the hole and back through a channel without width. The last two are the ways of DICOM
#            PS3.3 C.8.8.6.3; the first is what many programs write.
# Behaviour: plastimatch joins the areas of two CLOSED_PLANAR contours, so that the hole is filled without a word. The
#            others take what lies in one of them only. plastimatch, dcmrtstruct2nii and platipy leave out contours of
#            the type CLOSEDPLANAR_XOR: the region is empty or missing. All of them read the keyhole as a ring.
# Seen:      two CLOSED_PLANAR: plastimatch disc, dcmrtstruct2nii ring, rt-utils ring, platipy ring
#            two CLOSEDPLANAR_XOR: plastimatch nothing, dcmrtstruct2nii nothing, rt-utils ring, platipy nothing
#            keyhole: plastimatch ring, dcmrtstruct2nii ring, rt-utils ring, platipy ring
# What to do: write a ring as a keyhole; when reading, take what lies in an odd number of contours.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v plastimatch > /dev/null || { echo "plastimatch is missing: apt-get install plastimatch" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
python3 -m venv "$work/writer"  # dcmrtstruct2nii needs an older pydicom than the images
"$work/writer/bin/pip" install -q pydicom==3.0.2 numpy==2.4.6
"$work/venv/bin/pip" install -q dcmrtstruct2nii==5 rt-utils==1.2.7 platipy==0.7.2 pydicom==2.4.5 SimpleITK==2.5.7
cd "$work"
cat > stack.py <<'PYTHON'
from pathlib import Path

import numpy as np
from mr_image import write_image

for number in range(4):
    write_image(Path("stack") / f"{number + 1}.dcm", np.zeros((64, 64)), number + 1, 10.0 * number)
PYTHON
cat > finding.py <<'PYTHON'
import subprocess
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from dcmrtstruct2nii import dcmrtstruct2nii
from platipy.dicom.io.rtstruct_to_nifti import read_dicom_image, transform_point_set_from_dicom_struct
from pydicom import dcmread
from pydicom.dataset import Dataset
from rt_utils import RTStructBuilder

SLICES, PIXELS, PIXEL_MM, NAME = 4, 64, 1.5, "ring"
SEEN = {
    "two CLOSED_PLANAR": "plastimatch disc, dcmrtstruct2nii ring, rt-utils ring, platipy ring",
    "two CLOSEDPLANAR_XOR": "plastimatch nothing, dcmrtstruct2nii nothing, rt-utils ring, platipy nothing",
    "keyhole": "plastimatch ring, dcmrtstruct2nii ring, rt-utils ring, platipy ring",
}


def square(first: float, last: float) -> list:
    return [(first, first), (last, first), (last, last), (first, last)]


OUTER, HOLE = square(11.5, 51.5), square(21.5, 41.5)[::-1]  # (column, row), along the edges of pixels
KEYHOLE = [*OUTER, OUTER[0], *HOLE, HOLE[0]]
CONTOURS = {
    "two CLOSED_PLANAR": ("CLOSED_PLANAR", [OUTER, HOLE]),
    "two CLOSEDPLANAR_XOR": ("CLOSEDPLANAR_XOR", [OUTER, HOLE]),
    "keyhole": ("CLOSED_PLANAR", [KEYHOLE]),
}


def write_structures(path: Path, kind: str, contours: list) -> None:
    """A region of these contours in every slice; all else is as rt-utils writes it."""
    builder = RTStructBuilder.create_new("stack")
    builder.add_roi(mask=np.ones((PIXELS, PIXELS, SLICES), bool), name=NAME)
    builder.save(str(path))
    structures = dcmread(path)
    items = []
    for template in structures.ROIContourSequence[0].ContourSequence:
        for points in contours:
            item = Dataset()
            item.ContourImageSequence = template.ContourImageSequence
            item.ContourGeometricType, item.NumberOfContourPoints = kind, len(points)
            z_mm = template.ContourData[2]
            item.ContourData = [v for x, y in points for v in (x * PIXEL_MM, y * PIXEL_MM, z_mm)]
            items.append(item)
    structures.ROIContourSequence[0].ContourSequence = items
    structures.save_as(path)


def by_plastimatch(path: Path) -> np.ndarray:
    out = path.with_suffix("")
    command = ["plastimatch", "convert", "--input", path, "--referenced-ct", "stack", "--output-prefix", out]
    subprocess.run([*command, "--prefix-format", "nrrd"], check=True, capture_output=True)
    return first_image(out.glob("*.nrrd"))


def by_dcmrtstruct2nii(path: Path) -> np.ndarray:
    out = path.with_name(path.stem + "-nii")
    dcmrtstruct2nii(str(path), "stack", str(out))
    return first_image(out.glob("mask_*"))


def by_rt_utils(path: Path) -> np.ndarray:
    return RTStructBuilder.create_from("stack", str(path)).get_roi_mask_by_name(NAME).transpose(2, 0, 1)


def by_platipy(path: Path) -> np.ndarray:
    masks, _ = transform_point_set_from_dicom_struct(read_dicom_image("stack"), dcmread(path))
    return sitk.GetArrayFromImage(masks[0]) if masks else np.zeros((SLICES, PIXELS, PIXELS))


def first_image(paths) -> np.ndarray:
    image = next(iter(paths), None)
    return np.zeros((SLICES, PIXELS, PIXELS)) if image is None else sitk.GetArrayFromImage(sitk.ReadImage(str(image)))


def shape_of(mask: np.ndarray) -> str:
    wall, hole = mask[1:3, 16, 16:48].all(), mask[1:3, 24:40, 24:40].all()
    return {(True, True): "disc", (True, False): "ring", (False, False): "nothing"}[bool(wall), bool(hole)]


READERS = {
    "plastimatch": by_plastimatch, "dcmrtstruct2nii": by_dcmrtstruct2nii, "rt-utils": by_rt_utils, "platipy": by_platipy,
}
for ordinal, (way, (kind, contours)) in enumerate(CONTOURS.items()):
    path = Path(f"structures-{ordinal}.dcm")
    write_structures(path, kind, contours)
    found = ", ".join(f"{name} {shape_of(read(path))}" for name, read in READERS.items())
    print(f"{way}: {found}")
    assert found == SEEN[way], "a reader takes it for something else now"
print("as described: only the keyhole is a ring for all")
PYTHON
PYTHONPATH=$here "$work/writer/bin/python" stack.py
"$work/venv/bin/python" -W ignore finding.py 2> >(grep -v -e VOILUT -e "Please cite" -e Zenodo >&2)
