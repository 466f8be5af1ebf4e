"""What speed costs in accuracy: the same network on whole slices, on a window about the heart, and that in integers.

    python tests/benchmarks/accuracy.py RUN DATASET SUNNYBROOK [--fold 0] -o docs/performance/accuracy.json

RUN is a cross validation that was evaluated, also with --int8 (RUN/fold-I/model and model_int8), DATASET what it was
trained on: the fold's validation patients are unseen. SUNNYBROOK holds DICOM studies with manual contours. The window
is what `predict` does; whole slices are the same network, spacing and postprocessing without looking for the heart
first. Dice is that of a volume, over the slices on which an expert drew.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before NumPy

import numpy as np
from numpy.typing import NDArray

from cardioseg.dataset.store import open_dataset
from cardioseg.dataset.training_run import read_run
from cardioseg.evaluation.references import find_references
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.image.volume import Cine
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model, open_model
from cardioseg.ingest.finding.survey import survey
from cardioseg.ingest.labels.subject import LabelledVolume
from cardioseg.measure.overlap import dice
from cardioseg.skipped import Skipped

BOUND = 0.003
Scan = tuple[Cine, list[tuple[int, LabelledVolume]]]  # a cine, and the phases of it that have a reference


def patients(run: Path, dataset: Path, fold: int) -> Iterator[Scan]:
    """The volumes of the fold's validation, each a cine of one phase."""
    opened = open_dataset(dataset)
    for subject_id in read_run(run, opened).folds[fold].validation:
        for volume in opened.subject(subject_id).volumes:
            yield Cine(volume.image[None], volume.grid_or_nominal()), [(0, volume)]


def studies(folder: Path) -> Iterator[Scan]:
    """Whole cines, as `predict` finds them, with their references."""
    cines = survey(folder).cines
    for source in find_references(folder):
        subject = source if isinstance(source, Skipped) else source.read()
        if isinstance(subject, Skipped):
            continue
        names = set(subject.volumes[0].case_ids)
        for series in cines:
            if series.stack and names & set(series.folder.parts):
                yield series.stack.read(), [(volume.phase or 0, volume) for volume in subject.volumes]


def scored(model: Model, scans: Iterator[Scan]) -> tuple[dict[str, list[float]], float, int]:
    """Dice by structure of every volume, the CPU seconds it took and the number of slices."""
    found: dict[str, list[float]] = defaultdict(list)
    seconds, slices = 0.0, 0
    for cine, references in scans:
        start = time.process_time()
        mask = segment(cine, model).mask.voxels
        seconds += time.process_time() - start
        slices += cine.phases * cine.grid.shape[0]
        for phase, volume in references:
            for key, score in _dice(volume, mask[phase]):
                found[key].append(score)
    return found, seconds, slices


def _dice(volume: LabelledVolume, mask: NDArray[np.uint8]) -> Iterator[tuple[str, float]]:
    for label in STRUCTURES:
        drawn = volume.annotated[:, label]
        score = dice(volume.mask[drawn] == label, mask[drawn] == label) if drawn.any() else None
        if score is not None:
            yield label.key, score


def preparing(model: Model, settings: Preprocessing) -> Model:
    """The same with other preprocessing."""
    return replace(model, card=model.card.model_copy(update={"preprocessing": settings}))


def compare(ways: dict[str, Model], scans: dict[str, Any]) -> dict[str, Any]:
    """All ways on every set of scans."""
    result: dict[str, Any] = {}
    for name, some in scans.items():
        found = {way: scored(model, some()) for way, model in ways.items()}
        result[name] = {"slices": found["window"][2], "volumes": {}, "dice": {}, "cpu_s": {}}
        for way, (dices, seconds, _) in found.items():
            result[name]["cpu_s"][way] = seconds
            result[name]["dice"][way] = {key: fmean(values) for key, values in dices.items()}
            result[name]["volumes"] = {key: len(values) for key, values in dices.items()}
    return result


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("sunnybrook", type=Path, nargs="?")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--limit", type=int, help="So many scans of each set, to see that it works.")
    parser.add_argument("--window", type=int, help="Another window than the model's, in pixels.")
    options = parser.parse_args()
    folder = options.run / f"fold-{options.fold}"
    model, int8 = (open_model(folder / name, "cpu", options.threads) for name in ("model", "model_int8"))
    settings = model.card.preprocessing
    window = replace(settings, window=options.window or settings.window)
    ways = {
        "window": preparing(model, window),
        "int8": preparing(int8, window),
        "whole": preparing(model, settings.whole),
    }
    scans: dict[str, Any] = {
        "ACDC, unseen": lambda: islice(patients(options.run, options.dataset, options.fold), options.limit)
    }
    if options.sunnybrook:
        scans["Sunnybrook"] = lambda: islice(studies(options.sunnybrook), options.limit)
    result = {"model": model.card.name, "fold": options.fold, "bound": BOUND, "sets": compare(ways, scans)}
    for name, figures in result["sets"].items():
        for key in figures["volumes"]:
            print(f"{name}, {key}:", *(f"{way} {figures['dice'][way][key]:.4f}" for way in ways))
        print(f"{name}: CPU s", *(f"{way} {figures['cpu_s'][way]:.1f}" for way in ways))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
