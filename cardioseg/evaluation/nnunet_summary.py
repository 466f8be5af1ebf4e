"""nnU-Net: the scores of an evaluation in the layout of nnU-Net's `summary.json`, for scripts that read that file."""

from pathlib import Path
from typing import Any

import numpy as np

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.files import write_json

_Metrics = dict[str, float | None]


def write_summary(evaluation: Evaluation, path: Path) -> None:
    """Write the scores as nnU-Net's `summary.json`; its keys are the label numbers of cardioseg (and ACDC).

    Raises:
        ResourceError: the file system refuses.
    """
    cases: dict[tuple[str, str], dict[str, _Metrics]] = {}
    for score in evaluation.scores:
        cases.setdefault((score.case_id, score.volume), {})[str(int(score.label))] = _metrics(score)
    numbers = [str(int(label)) for label in evaluation.labels]
    mean = {number: _mean([case[number] for case in cases.values() if number in case]) for number in numbers}
    document: dict[str, Any] = {
        "foreground_mean": _mean(list(mean.values())),
        "mean": mean,
        "metric_per_case": [
            {"metrics": metrics, "prediction_file": case, "reference_file": f"{case} {volume}".strip()}
            for (case, volume), metrics in cases.items()
        ],
    }
    write_json(path, document)


def _metrics(score: VolumeScore) -> _Metrics:
    counts = score.overlap
    return {
        "Dice": counts.dice,
        "IoU": counts.jaccard,
        "TP": counts.both,
        "FP": counts.predicted - counts.both,
        "FN": counts.reference - counts.both,
        "TN": score.voxels - counts.reference - counts.predicted + counts.both,
        "n_pred": counts.predicted,
        "n_ref": counts.reference,
    }


def _mean(rows: list[_Metrics]) -> _Metrics:
    columns = {name: [value for row in rows if (value := row[name]) is not None] for name in rows[0]}
    return {name: float(np.mean(values)) if values else None for name, values in columns.items()}
