"""What it costs and gains to drop myocardium beyond the basal end of the LV cavity: Dice with and without.

    python tests/benchmarks/basal_myocardium.py ACDC MNMS SUNNYBROOK -o docs/performance/basal_myocardium.json

Each argument is a folder with scans and their reference labels. The network runs once per scan, as in `predict`; its
mask is kept as it was and with the rule applied, and `evaluate` scores both. Masks that lie in the folder of `--keep`
are not predicted again.
"""

import argparse
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before NumPy

import numpy as np

from cardioseg.cases.case import Case
from cardioseg.cases.case_search import find_cases
from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine
from cardioseg.inference.postprocessing import without_basal_myocardium
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model, open_model
from cardioseg.results.mask_files import read_mask

WAYS = ("without the rule", "with the rule")


def predict(scans: Path, model: Model, out: Path) -> dict[str, int]:
    """Write the masks of all scans in both ways; how many slices and cases the rule changes."""
    counts = {"cases": 0, "cases_changed": 0, "slices": 0, "slices_changed": 0, "uncovered": 0, "uncovered_left": 0}
    for case in find_cases([scans]).cases:
        before = predicted(case, model, out / WAYS[0] / case.case_id / "mask.nii.gz")
        after = without_basal_myocardium(before)
        for way, mask in zip(WAYS, (before, after), strict=True):
            write_cine(out / way / case.case_id / "mask.nii.gz", mask)
        changed = (before.voxels != after.voxels).any((2, 3))
        counts["cases"] += 1
        counts["cases_changed"] += bool(changed.any())
        counts["slices"] += changed.size
        counts["slices_changed"] += int(changed.sum())
        counts["uncovered"] += _uncovered(before)
        counts["uncovered_left"] += _uncovered(after)
        print(scans.name, case.case_id, int(changed.sum()), flush=True)
    return counts


def predicted(case: Case, model: Model, kept: Path) -> Cine:
    """The mask without the rule, which is predicted once."""
    if kept.is_file():
        return read_mask(kept)
    with patch("cardioseg.inference.segmentation.without_basal_myocardium", lambda mask: mask):
        return segment(case.read(), model).mask


def _uncovered(mask: Cine) -> int:
    """Slices of all phases that hold myocardium without a cavity."""
    myocardium, cavity = ((mask.voxels == label).any((2, 3)) for label in (Label.LV_MYOCARDIUM, Label.LV_CAVITY))
    return int(np.count_nonzero(myocardium & ~cavity))


def score(predicted: Path, reference: Path) -> dict[str, Any]:
    """By structure: Dice of volumes, slices in which it is invented (the reference has none there) or missed."""
    out = predicted.with_name(f"evaluation of {predicted.name}")
    code = run(["evaluate", str(predicted), str(reference), "-o", str(out), "-q"])
    if code:
        raise SystemExit(code)
    rows = json.loads((out / "evaluation.json").read_text())["summary"]
    whole = {row["label"]: row for row in rows if row["group"] == "all"}
    return {
        label: row["per_volume"]["dice"] | {"invented": row["slices_invented"], "missed": row["slices_missed"]}
        for label, row in whole.items()
    }


def main() -> None:
    """Predict, evaluate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", help="Folders with scans and references.")
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--keep", type=Path, help="Folder for the masks of both ways.")
    options = parser.parse_args()
    model = open_model(Path("models") / options.model, "cpu")
    result: dict[str, Any] = {"model": options.model, "sets": {}}
    with TemporaryDirectory() as temporary:
        masks = {scans: (options.keep or Path(temporary)) / scans.name for scans in options.sets}
        counts = {scans: predict(scans, model, out) for scans, out in masks.items()}
        for scans, out in masks.items():
            scores = {way: score(out / way, scans) for way in WAYS}
            result["sets"][scans.name] = counts[scans] | {"ways": scores}
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
