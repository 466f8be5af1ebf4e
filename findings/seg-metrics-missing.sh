#!/usr/bin/env bash
# If a prediction misses a structure, seg-metrics gives it a surface distance of 0 mm, the best value.
#
# Version:   seg-metrics 1.2.8 (PyPI), with MedPy 0.5.2 to compare.
# Input:     NIfTI masks of a left and a right ventricle, voxels of 1.25 x 1.25 x 10 mm. Three predictions: the right
#            ventricle is 4 mm too small; it is missing; it is there although the reference has none.
# Behaviour: if one of the two masks lacks a structure, seg-metrics writes hd, hd95 and msd of 0 mm for it, as for one
#            that is the same in both. The mean over scans gets better with each structure that is missed. If distances
#            alone are asked for, no message comes either. MedPy raises RuntimeError.
# Seen:      too small: hd95 3.95 mm; missing: 0 mm; predicted only: 0 mm; the left ventricle, right in all: 0 mm
# What to do: ask for "dice" too, and keep structures with a Dice coefficient of 0 out of the mean distance.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile seg-metrics==1.2.8 MedPy==0.5.2 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
cat > finding.py <<'PYTHON'
import logging

import numpy as np
import seg_metrics.seg_metrics as sg
import SimpleITK as sitk
from medpy.metric.binary import hd95

SPACING_MM, SHAPE = (10.0, 1.25, 1.25), (8, 64, 96)  # z, y, x
LEFT, RIGHT = 1, 2
METRICS = ["hd", "hd95", "msd"]
PERFECT = (0.0, 0.0, 0.0)
SEEN = {
    "too small": ((4.51, 3.95, 1.12), "3.95 mm"), "missing": (PERFECT, "RuntimeError"),
    "predicted only": (PERFECT, "RuntimeError"),
}  # fmt: skip
messages = []


class Collector(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        messages.append(record.getMessage())


def masks(right_mm: float) -> np.ndarray:
    """A left ventricle of 20 mm radius, and a right one of the given radius, in the six slices between."""
    labels = np.zeros(SHAPE, np.uint8)
    y, x = np.indices(SHAPE[1:]) * SPACING_MM[1]
    labels[1:7, np.hypot(y - 39.4, x - 84.4) < 20] = LEFT
    labels[1:7, np.hypot(y - 39.4, x - 30.6) < right_mm] = RIGHT
    return labels


def write(name: str, labels: np.ndarray) -> str:
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing(SPACING_MM[::-1])
    sitk.WriteImage(image, f"{name}.nii.gz")
    return f"{name}.nii.gz"


def by_seg_metrics(reference: np.ndarray, prediction: np.ndarray) -> list[tuple[float, ...]]:
    """The distances of the left ventricle, and of the right one."""
    values = sg.write_metrics(
        labels=[LEFT, RIGHT], gdth_path=write("reference", reference), pred_path=write("prediction", prediction),
        csv_file=None, metrics=METRICS,
    )  # fmt: skip
    return list(zip(*([round(float(mm), 2) for mm in values[0][name]] for name in METRICS), strict=True))


def by_medpy(reference: np.ndarray, prediction: np.ndarray) -> str:
    try:
        return f"{hd95(prediction == RIGHT, reference == RIGHT, SPACING_MM):.2f} mm"
    except RuntimeError:
        return "RuntimeError"


logging.getLogger().addHandler(Collector())
whole, small, none = masks(24), masks(20), masks(0)
cases = {"too small": (whole, small), "missing": (whole, none), "predicted only": (none, whole)}
for name, case in cases.items():
    left, right = by_seg_metrics(*case)
    values = ", ".join(f"{metric} {mm:.2f} mm" for metric, mm in zip(METRICS, right, strict=True))
    medpy = by_medpy(*case)
    print(f"{name}: {values}; MedPy: {medpy}")
    assert left == PERFECT
    assert (right, medpy) == SEEN[name], "seg-metrics gives other distances now"
assert not messages, messages
print("as described: a missing structure is as good as a perfect one")
PYTHON
"$work/venv/bin/python" -W ignore finding.py
