"""How right the wall's segments are: on phantoms with a known wall, and on the references of patients.

    python tests/benchmarks/segments.py DATASET -o docs/function/segments.json

DATASET is ACDC as `cardioseg ingest` prepared it: the experts' masks of patients at end-diastole and end-systole.
Phantoms are measured from their known labels and from the labels that the model `sax` gives their images. Patients
are also measured from the masks of the networks of `sax_ensemble`, each on patients that it was not trained on.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before NumPy

import numpy as np
from scipy.ndimage import distance_transform_edt

from cardioseg.dataset.folds import divide, hashes_of
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Cine
from cardioseg.inference.postprocessing import clean, without_basal_myocardium
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model, open_model
from cardioseg.measure.curves import Moments
from cardioseg.measure.segments import NAMES, segmented
from cardioseg.measure.wall import ANGLES, Wall, wall_of
from cardioseg.measure.wall_measures import SegmentMeasures, WallMeasures, measure_wall
from cardioseg.network.unet import UNet
from cardioseg.phantom import Phantom, WallChange, cine, reference, segment_truth
from cardioseg.training.initial_model import read_initial_model
from cardioseg.training.recipe import read_recipe
from cardioseg.training.validation import predict

INFARCT = WallChange(angle_deg=60, half_width_deg=35, ed_mm=-3, es_mm=-7)
HYPERTROPHY = WallChange(angle_deg=0, half_width_deg=50, ed_mm=6, es_mm=8)
HEARTS = {"even wall": (), "infarct": (INFARCT,), "thick septum": (HYPERTROPHY,)}
KNOWN, PREDICTED = 30, 6  # phantoms of each kind
COMPARED = 20  # patients whose thickness is measured in a second way
LOW_PERCENT = 15.0
MID_SEPTUM, SEPTUM = (8, 9), (2, 3, 8, 9, 14)
ED_ES = Moments(0, 1)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    dataset = open_dataset(options.dataset)
    patients = dict(of_patients(dataset))
    result = {
        "phantoms": [*of_phantoms(None, KNOWN), *of_phantoms(open_model(Path("models") / "sax", "cpu"), PREDICTED)],
        "patients": {"dataset": dataset.name, **summary(patients)},
        "unseen patients": of_unseen_patients(dataset, patients),
        "second way": second_way(dataset),
    }
    text = json.dumps(result, indent=1) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text)


def measured(mask: Cine) -> WallMeasures:
    """The wall of a mask whose two phases are end-diastole and end-systole."""
    return measure_wall(mask, wall_of(mask), ED_ES)


def of_phantoms(model: Model | None, count: int) -> Iterator[dict[str, Any]]:
    """The errors in each kind of heart, from its known labels, or from those of a model."""
    for kind, changes in HEARTS.items():
        thickness, thickening, found, missing = [], [], 0, 0
        for seed in range(count):
            phantom = Phantom(seed=seed, wall_changes=changes)
            wall, truth = measured(_ed_es(phantom, model)), segment_truth(phantom)
            for number, value in wall.segments.items():
                if value.ed_mm is None or value.es_mm is None or value.thickening_percent is None:
                    missing += 1
                    continue
                thickness += [value.ed_mm - truth[number].ed_mm, value.es_mm - truth[number].es_mm]
                thickening.append(value.thickening_percent - truth[number].thickening_percent)
            found += _is_found(kind, wall, {number: known.thickening_percent for number, known in truth.items()})
        yield {
            "masks": "predicted by sax" if model else "known",
            "heart": kind,
            "hearts": count,
            "missing": missing,
            "found": None if kind == "even wall" else found,
            "thickness_mm": _errors(thickness, 1.2 if model else 0.5),
            "thickening_points": _errors(thickening, 8),
        }


def _ed_es(phantom: Phantom, model: Model | None) -> Cine:
    phases = list(phantom.ed_es_phases)
    whole = cine(phantom) if model else reference(phantom)
    ed_es = replace(whole, voxels=whole.voxels[phases], times_ms=())
    return segment(ed_es, model).mask if model else ed_es


def _is_found(kind: str, wall: WallMeasures, truth: dict[int, float]) -> bool:
    """Whether the segment that thickens least is one of the four that do so in truth, or the thickest is septal."""
    if kind == "infarct":
        measured_percent = {n: value.thickening_percent for n, value in wall.segments.items()}
        least = min(measured_percent, key=lambda n: np.inf if measured_percent[n] is None else measured_percent[n])
        return least in sorted(truth, key=truth.__getitem__)[:4]
    return wall.thickest is not None and wall.thickest.segment in SEPTUM


def _errors(values: list[float], limit: float) -> dict[str, float]:
    errors = np.array(values)
    within = float((np.abs(errors) <= limit).mean())
    return {
        "bias": float(errors.mean()),
        "sd": float(errors.std(ddof=1)),
        "largest": float(np.abs(errors).max()),
        "limit": limit,
        "share_within": within,
    }


def of_patients(dataset: Dataset) -> Iterator[tuple[str, tuple[str, WallMeasures]]]:
    """The group and the wall of each patient, from the experts' masks."""
    for subject in dataset.subjects():
        yield subject.subject_id, (subject.group, measured(_mask(dataset, subject.subject_id)))


def _mask(dataset: Dataset, subject_id: str) -> Cine:
    volumes = {volume.name: volume for volume in dataset.subject(subject_id).volumes}
    return Cine(np.stack([volumes["ed"].mask, volumes["es"].mask]), volumes["ed"].grid_or_nominal())


def summary(patients: dict[str, tuple[str, WallMeasures]]) -> dict[str, Any]:
    """What tells the groups apart."""
    groups = sorted({group for group, _ in patients.values()})
    walls = {group: [wall for of_group, wall in patients.values() if of_group == group] for group in groups}
    septum = {group: [_mean(wall, MID_SEPTUM) for wall in walls[group]] for group in groups}
    thickest = {group: [wall.thickest.mm for wall in walls[group] if wall.thickest] for group in groups}
    low = {group: [_low_segments(wall) for wall in walls[group]] for group in groups}
    reasons = Counter(value.reason for _, wall in patients.values() for value in wall.segments.values() if value.reason)
    return {
        "patients": {group: len(walls[group]) for group in groups},
        "mid_septum_mm": {group: _spread(septum[group]) for group in groups},
        "thickest_mm": {group: _spread(thickest[group]) for group in groups},
        "auc_mid_septum": _auc(septum["HCM"], septum["NOR"]),
        "auc_thickest": _auc(thickest["HCM"], thickest["NOR"]),
        "low_percent": LOW_PERCENT,
        "share_with_low_segment": {group: float(np.mean(np.array(low[group]) > 0)) for group in groups},
        "low_segments": {group: float(np.mean(low[group])) for group in groups},
        "missing_values": dict(reasons),
        "segments": {
            NAMES[n]: {
                group: [_group_mean(walls[group], n, key) for key in ("ed_mm", "thickening_percent")]
                for group in groups
            }
            for n in NAMES
        },
    }


def _mean(wall: WallMeasures, numbers: tuple[int, ...]) -> float:
    return float(np.mean([value for n in numbers if (value := wall.segments[n].ed_mm) is not None]))


def _low_segments(wall: WallMeasures) -> int:
    return sum(
        value.thickening_percent is not None and value.thickening_percent < LOW_PERCENT
        for value in wall.segments.values()
    )


def _group_mean(walls: list[WallMeasures], number: int, key: str) -> float:
    values: list[SegmentMeasures] = [wall.segments[number] for wall in walls]
    return float(np.mean([getattr(value, key) for value in values if getattr(value, key) is not None]))


def _spread(values: list[float]) -> list[float]:
    return [float(np.mean(values)), float(np.std(values, ddof=1))]


def _auc(higher: list[float], lower: list[float]) -> float:
    """The probability that a value of the first group is above one of the second."""
    a, b = np.array(higher)[:, None], np.array(lower)
    return float(np.mean((a > b) + 0.5 * (a == b)))


def of_unseen_patients(dataset: Dataset, patients: dict[str, tuple[str, WallMeasures]]) -> dict[str, Any]:
    """What the networks of `sax_ensemble` make of patients that they were not trained on, minus the experts' masks."""
    recipe = read_recipe("sax")
    model = read_initial_model(Path("models") / "sax_ensemble", recipe)
    folds = divide(hashes_of(dataset.subjects()), 5, model.card.training.seed)
    found: dict[str, tuple[str, WallMeasures]] = {}
    for fold in folds[: len(model.weights)]:
        network = UNet(len(recipe.structures) + 1, recipe.norm)
        network.load_state_dict(model.of_fold(fold.index))
        for subject_id in fold.validation:
            known = _mask(dataset, subject_id)
            volumes = {volume.name: volume for volume in dataset.subject(subject_id).volumes}
            classes = [
                predict(network, recipe, volumes[name].image, volumes[name].pixel_mm(None)) for name in ("ed", "es")
            ]
            cleaned = without_basal_myocardium(replace(known, voxels=clean(np.stack(classes), STRUCTURES)))
            found[subject_id] = patients[subject_id][0], measured(cleaned)
    return _against_experts(found, patients)


def _against_experts(
    found: dict[str, tuple[str, WallMeasures]], patients: dict[str, tuple[str, WallMeasures]]
) -> dict[str, Any]:
    thickness: list[float] = []
    thickening: list[float] = []
    missing = 0
    for subject_id, (_, wall) in found.items():
        for number, value in wall.segments.items():
            known = patients[subject_id][1].segments[number]
            if value.thickening_percent is None or known.thickening_percent is None:
                missing += 1
                continue
            thickness += [(value.ed_mm or 0) - (known.ed_mm or 0), (value.es_mm or 0) - (known.es_mm or 0)]
            thickening.append(value.thickening_percent - known.thickening_percent)
    largest = {
        group: [wall.thickest.mm for of_group, wall in found.values() if of_group == group and wall.thickest]
        for group in ("HCM", "NOR")
    }
    return {
        "patients": len(found),
        "missing": missing,
        "thickness_mm": _errors(thickness, 1.2),
        "thickening_points": _errors(thickening, 8),
        "auc_thickest": _auc(largest["HCM"], largest["NOR"]),
    }


def second_way(dataset: Dataset) -> dict[str, Any]:
    """Thickness by distance transforms of SciPy, minus that along rays, of each segment at ED."""
    chosen = dataset.subject_ids[:: max(1, len(dataset.subject_ids) // COMPARED)][:COMPARED]
    differences: list[float] = []
    for subject_id in chosen:
        mask = _mask(dataset, subject_id)
        wall = wall_of(mask)
        found = segmented(mask, wall, 0)
        if not isinstance(found, str):
            differences += _differences(mask, wall, found.numbers)
    values = np.array(differences)
    within = float((np.abs(values - values.mean()) < 1).mean())
    return {
        "subjects": len(chosen),
        "segments": len(values),
        "bias_mm": float(values.mean()),
        "sd_mm": float(values.std(ddof=1)),
        "share_within_1_mm_of_bias": within,
    }


def _differences(mask: Cine, wall: Wall, numbers: np.ndarray) -> Iterator[float]:
    """Per segment: distance to the cavity plus distance to the surroundings, in the middle of the wall, minus rays'."""
    row_mm, column_mm = mask.grid.pixel_mm
    by_distance: dict[int, list[float]] = {}
    for index in np.flatnonzero(numbers.any(1)):
        plane, center = mask.voxels[0, index], wall.centers[0, index]
        cavity, myocardium = plane == Label.LV_CAVITY, plane == Label.LV_MYOCARDIUM
        inwards = distance_transform_edt(~cavity, sampling=(row_mm, column_mm))
        outwards = distance_transform_edt(cavity | myocardium, sampling=(row_mm, column_mm))
        rows, columns = np.nonzero(myocardium & (np.abs(inwards - outwards) < 0.7 * row_mm))
        angles = np.arctan2((rows - center[0]) * row_mm, (columns - center[1]) * column_mm) % (2 * np.pi)
        rays = np.round(angles / ANGLES[1]).astype(int) % len(ANGLES)
        thickness = (inwards + outwards)[rows, columns] - row_mm  # both distances end at centres of pixels
        for number, value in zip(numbers[index][rays].tolist(), thickness.tolist(), strict=True):
            by_distance.setdefault(number, []).append(value)
    for number, values in by_distance.items():
        rays_mm = wall.thickness_mm[0][numbers == number]
        yield float(np.mean(values) - np.nanmean(rays_mm))


if __name__ == "__main__":
    main()
