#!/usr/bin/env bash
# seg-metrics measures other surface distances if the stack of slices gets an empty slice at each end.
#
# Version:   seg-metrics 1.2.8 (PyPI), with MedPy 0.5.2 to compare.
# Input:     masks of a left ventricle in all eight slices of a short-axis stack, voxels of 1.25 x 1.25 x 10 mm: a
#            reference of 24 mm radius, and two predictions: one of 20 mm radius, one without the last two slices. Then
#            the same masks with an empty slice added at each end of the stack, which changes nothing in the patient.
# Behaviour: seg-metrics takes as surface only those pixels that have a neighbour outside the mask, and looks for no
#            neighbour outside the image. In the first and the last slice of the stack, all pixels but those of the rim
#            are then no surface, although the ventricle ends there. Nothing is said of it. MedPy does not change.
# Seen:      msd of the small prediction: 3.54 mm, with empty slices 1.36 mm; MedPy's assd: 1.21 and 1.21 mm
#            hd of the short prediction: 21.51 mm, with empty slices 20.00 mm; MedPy's hd: 20.00 and 20.00 mm
# What to do: add an empty slice at each end of both masks before they are measured.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile seg-metrics==1.2.8 MedPy==0.5.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import numpy as np
import seg_metrics.seg_metrics as sg
from medpy.metric import binary

SPACING_MM, SHAPE = (10.0, 1.25, 1.25), (8, 64, 64)  # z, y, x
SEEN = {
    ("small", "in all slices"): "seg-metrics hd 4.51, msd 3.54 mm; MedPy hd 4.51, assd 1.21 mm",
    ("small", "with empty slices"): "seg-metrics hd 4.51, msd 1.36 mm; MedPy hd 4.51, assd 1.21 mm",
    ("short", "in all slices"): "seg-metrics hd 21.51, msd 4.00 mm; MedPy hd 20.00, assd 5.71 mm",
    ("short", "with empty slices"): "seg-metrics hd 20.00, msd 5.32 mm; MedPy hd 20.00, assd 5.71 mm",
}


def ventricle(radius_mm: float, slices: int = SHAPE[0]) -> np.ndarray:
    y, x = (np.indices(SHAPE[1:]) - 31.5) * SPACING_MM[1]
    mask = np.zeros(SHAPE, np.uint8)
    mask[:slices] = np.hypot(y, x) < radius_mm
    return mask


def measured(reference: np.ndarray, prediction: np.ndarray) -> str:
    values = sg.write_metrics(
        labels=[1], gdth_img=reference, pred_img=prediction, csv_file=None, spacing=SPACING_MM, metrics=["hd", "msd"]
    )[0]
    by_medpy = [measure(prediction, reference, SPACING_MM) for measure in (binary.hd, binary.assd)]
    ours = "seg-metrics hd {:.2f}, msd {:.2f} mm".format(*(float(values[name][0]) for name in ("hd", "msd")))
    return ours + "; MedPy hd {:.2f}, assd {:.2f} mm".format(*by_medpy)


def with_empty_slices(mask: np.ndarray) -> np.ndarray:
    return np.pad(mask, ((1, 1), (0, 0), (0, 0)))


reference = ventricle(24)
predictions = {"small": ventricle(20), "short": ventricle(24, SHAPE[0] - 2)}
for name, prediction in predictions.items():
    stacks = {
        "in all slices": (reference, prediction),
        "with empty slices": (with_empty_slices(reference), with_empty_slices(prediction)),
    }
    for stack, masks in stacks.items():
        values = measured(*masks)
        print(f"{name}, {stack}: {values}")
        assert values == SEEN[name, stack], "the distances are others now"
print("as described: empty slices change the distances")
PYTHON
"$work/venv/bin/python" -W ignore finding.py
