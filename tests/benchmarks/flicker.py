"""What it changes to mend flicker: volumes over the beat, with and without, on scans with references and on phantoms.

    python tests/benchmarks/flicker.py SUNNYBROOK -o docs/performance/flicker.json

SUNNYBROOK is a folder with cines and their contours. The network runs once per scan, as in `predict`; its mask is kept
as it was and with the rule applied. Phantoms have known volumes at every phase.
"""

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before NumPy

import numpy as np

from cardioseg.cases.case_search import find_cases
from cardioseg.evaluation.comparison import evaluate
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine
from cardioseg.inference.flicker import without_flicker
from cardioseg.inference.postprocessing import without_basal_myocardium
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model, open_model
from cardioseg.measure.curves import beat
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.phantom import Phantom, cine, reference

WAYS = ("without the rule", "with the rule")
PHANTOMS = tuple(
    Phantom(seed=seed, phases=phases, lv_ef_percent=ef, slices=slices, spacing_mm=(step_mm, 1.37, 1.37))
    for seed, phases, ef, slices, step_mm in (
        (1, 20, 60.0, 10, 10.0), (2, 25, 35.0, 12, 8.0), (3, 30, 65.0, 10, 10.0),
        (4, 20, 50.0, 11, 9.0), (5, 30, 25.0, 14, 7.0), (6, 25, 70.0, 10, 10.0),
    )
)  # fmt: skip


def both(images: Cine, model: Model) -> dict[str, Cine]:
    """The mask of a scan in both ways."""
    with patch("cardioseg.inference.segmentation.without_flicker", lambda mask: mask):
        before = segment(images, model).mask
    return dict(zip(WAYS, (before, mended(before)), strict=True))


def mended(before: Cine) -> Cine:
    """The mask as the rule leaves it, with the rule about basal myocardium after it, as in `segment`."""
    return without_basal_myocardium(without_flicker(before))


def curves(mask: Cine) -> dict[Label, np.ndarray]:
    """Volumes in mL at every phase."""
    return {label: np.array(curve) for label, curve in LabelledCine(mask, STRUCTURES).curves_ml.items()}


def switches(mask: Cine) -> int:
    """How often a structure appears in a slice or vanishes from it, over the beat."""
    presence = np.stack([(mask.voxels == label).any((2, 3)) for label in STRUCTURES])  # (label, phase, slice)
    return int((presence != np.roll(presence, 1, axis=1)).sum())


def of_scans(scans: Path, model: Model) -> Iterator[dict[str, Any]]:
    """By case: how much the rule changes, and the LV's volumes beside those of the reader."""
    with TemporaryDirectory() as folder:
        masks = {case.case_id: both(case.read(), model) for case in find_cases([scans]).cases}
        for case_id, ways in masks.items():
            write_cine(Path(folder) / f"{case_id}.nii.gz", ways[WAYS[1]])
        compared = evaluate(Path(folder), scans)
    cases = {score.subject_id: score.case_id for score in compared.scores}
    known = {(cases[pair.subject_id], pair.measure): pair.reference for pair in compared.measures}
    for case_id, ways in masks.items():
        before, after = ways.values()
        yield {
            "case": case_id,
            "pixels_changed": int((before.voxels != after.voxels).sum()),
            "reference": {name: known[case_id, name] for name in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent")},
            "ways": {way: volumes(mask) | {"switches": switches(mask)} for way, mask in ways.items()},
        }


def volumes(mask: Cine) -> dict[str, float | None]:
    """Of the LV over the whole stack, at its own phases, as `predict` reports them."""
    of_beat = beat(tuple(curves(mask)[Label.LV_CAVITY].tolist()))
    return {"lv_edv_ml": of_beat.edv_ml, "lv_esv_ml": of_beat.esv_ml, "lv_ef_percent": of_beat.ef_percent}


def of_phantoms(model: Model) -> Iterator[dict[str, Any]]:
    """By phantom: error of each structure's volume over the phases, in percent of its largest volume."""
    for phantom in PHANTOMS:
        truth = curves(reference(phantom))
        ways = both(cine(phantom), model)
        before, after = ways.values()
        yield {
            "phantom": {name: asdict(phantom)[name] for name in ("seed", "phases", "lv_ef_percent", "slices")},
            "pixels_changed": int((before.voxels != after.voxels).sum()),
            "ways": {way: errors(curves(mask), truth) | {"switches": switches(mask)} for way, mask in ways.items()},
        }


def errors(measured: dict[Label, np.ndarray], truth: dict[Label, np.ndarray]) -> dict[str, float]:
    """The mean over the structures of the mean and of the largest error."""
    percent = [100 * np.abs(measured[label] - truth[label]) / truth[label].max() for label in STRUCTURES]
    return {
        "mean_percent": fmean(float(p.mean()) for p in percent),
        "max_percent": fmean(float(p.max()) for p in percent),
    }


def main() -> None:
    """Predict, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", type=Path)
    parser.add_argument("-m", "--model", default="sax")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    model = open_model(Path("models") / options.model, "cpu")
    result = {
        "model": options.model,
        "scans": list(of_scans(options.scans, model)),
        "phantoms": list(of_phantoms(model)),
    }
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
