#!/usr/bin/env bash
# panoptica takes the voxel spacing of a SimpleITK image or a NIfTI file backwards, and its global distances ignore it.
#
# Version:   panoptica 2.1.7 (PyPI), with SimpleITK 2.5.7 and nibabel 5.4.2.
# Input:     two masks of a left ventricle, voxels of 1.25 x 1.25 x 10 mm: a reference of 24 mm radius in six slices,
#            and a prediction of 20 mm radius in five of them. The script works out the right answer from the surfaces.
# Behaviour: given SimpleITK images, or paths of NIfTI files if SimpleITK is installed, panoptica takes the spacing in
#            the order x, y, z for the axes z, y, x of the array: 10 mm within the slice and 1.25 mm between slices.
#            Given nibabel images, or arrays and voxelspacing=, the distance is right. `global_bin_hd` and its like, in
#            the same result, are in voxels, however the spacing is given. Nothing is said of either.
# Seen:      right answer          HD 10.97 mm
#            SimpleITK images      sq_hd 30.05, global_bin_hd 3.74
#            paths of NIfTI files  sq_hd 30.05, global_bin_hd 3.74
#            nibabel images        sq_hd 10.97, global_bin_hd 3.74
#            arrays and spacing    sq_hd 10.97, global_bin_hd 3.74
# What to do: pass arrays and voxelspacing= in the order of their axes, and use no global distance of panoptica.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile panoptica==2.1.7 SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.2.6
cd "$work"
cat > finding.py <<'PYTHON'
import nibabel
import numpy as np
import SimpleITK as sitk
from panoptica import InputType, Metric, Panoptica_Evaluator
from scipy.ndimage import binary_erosion, generate_binary_structure
from scipy.spatial.distance import cdist

SPACING_MM = (10.0, 1.25, 1.25)  # z, y, x, as the axes of the arrays
SHAPE = (8, 64, 64)
SEEN = {
    "SimpleITK images": "sq_hd 30.05, global_bin_hd 3.74",
    "paths of NIfTI files": "sq_hd 30.05, global_bin_hd 3.74",
    "nibabel images": "sq_hd 10.97, global_bin_hd 3.74",
    "arrays and spacing": "sq_hd 10.97, global_bin_hd 3.74",
}


def ventricle(radius_mm: float, first: int, last: int) -> np.ndarray:
    y, x = (np.indices(SHAPE[1:]) - (np.array(SHAPE[1:]) - 1).reshape(2, 1, 1) / 2) * SPACING_MM[1]
    mask = np.zeros(SHAPE, np.uint8)
    mask[first : last + 1] = np.hypot(y, x) < radius_mm
    return mask


def surface_mm(mask: np.ndarray) -> np.ndarray:
    inner = binary_erosion(mask, generate_binary_structure(3, 1))
    return np.argwhere(mask.astype(bool) & ~inner) * SPACING_MM


def evaluate(prediction, reference, **spacing) -> str:
    evaluator = Panoptica_Evaluator(
        expected_input=InputType.MATCHED_INSTANCE, instance_metrics=[Metric.DSC, Metric.HD],
        global_metrics=[Metric.DSC, Metric.HD],
    )  # fmt: skip
    values = evaluator.evaluate(prediction, reference, verbose=False, **spacing)["ungrouped"].to_dict()
    return f"sq_hd {values['sq_hd']:.2f}, global_bin_hd {values['global_bin_hd']:.2f}"


masks = {"prediction": ventricle(20, 2, 6), "reference": ventricle(24, 1, 6)}
images = {}
for name, mask in masks.items():
    images[name] = sitk.GetImageFromArray(mask)
    images[name].SetSpacing(SPACING_MM[::-1])
    sitk.WriteImage(images[name], f"{name}.nii.gz")
between = cdist(*map(surface_mm, masks.values()))
right = max(between.min(axis=0).max(), between.min(axis=1).max())
paths = [f"{name}.nii.gz" for name in masks]
found = {
    "SimpleITK images": evaluate(*images.values()),
    "paths of NIfTI files": evaluate(*paths),
    "nibabel images": evaluate(*map(nibabel.load, paths)),
    "arrays and spacing": evaluate(*masks.values(), voxelspacing=SPACING_MM),
}
print(f"right answer: HD {right:.2f} mm")
for way, values in found.items():
    print(f"{way}: {values}")
assert f"{right:.2f}" == "10.97"
assert found == SEEN, "panoptica takes the spacing in another way now"
print("as described: 30 mm instead of 11 mm, and voxels instead of mm")
PYTHON
"$work/venv/bin/python" -W ignore finding.py | grep -v -e "──" -e "panoptica#citation" -e "by citing" -e '^ *$'
