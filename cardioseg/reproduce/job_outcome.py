"""Outcome: the files of a finished job. They are small: scores, rho, example masks, hashes, but no weights.

`result.json` is written last: a folder with it is complete.
"""

import csv
import json
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from cardioseg.files import write_csv, write_json
from cardioseg.reproduce.protocol import Job
from cardioseg.training.slice_scores import COLUMNS, Image, SliceScore

RESULT_FILE, SCORES_FILE, RHOS_FILE = "result.json", "scores.csv", "rhos.csv"
TEST, CHOOSING, EXTERNAL = "test", "choosing", "external"  # the subjects that a network is scored on
_DICE_DECIMALS, _RHO_DECIMALS = 6, 4
_RHO_ROWS = 100


@dataclass(frozen=True)
class Training:
    """How a network was trained.

    Attributes:
        steps: number of updates of the weights.
        images: number of training images.
        seconds: time of training and scoring since the job was last started or resumed.
        weights_sha256: hash of the final weights.
        cardioseg: version of cardioseg.
    """

    steps: int
    images: int
    seconds: float
    weights_sha256: str
    cardioseg: str


Scores = Mapping[str, tuple[SliceScore, ...]]


@dataclass(frozen=True)
class Outcome:
    """A finished job.

    Attributes:
        job: what was trained.
        training: how.
        scores: by part of the subjects: `test`, `choosing`, `external`.
        empty: those of images whose reference lacks the structure, as far as `on` has set them apart: 0 where the
            network draws it, else None.
    """

    job: Job
    training: Training
    scores: Scores
    empty: Scores = field(default_factory=dict)

    def on(self, images: Mapping[str, Set[Image]]) -> "Outcome":
        """The same, scored on these images of each part; the others are set apart."""
        scores, empty = (
            {
                part: tuple(s for s in of_part if (s.image in images[part]) is kept)
                for part, of_part in self.scores.items()
            }
            for kept in (True, False)
        )
        return replace(self, scores=scores, empty=empty)

    def dice(self, part: str) -> list[float]:
        """The Dice of each scored image of a part."""
        return [score.dice for score in self.scores.get(part, ()) if score.dice is not None]

    def drawn_in_empty(self, part: str) -> list[bool]:
        """For each image of a part without the structure, whether the network draws it there."""
        return [score.dice is not None for score in self.empty.get(part, ())]


def is_finished(folder: Path) -> bool:
    """Whether a job's folder is complete."""
    return (folder / RESULT_FILE).is_file()


def write(outcome: Outcome, folder: Path) -> None:
    """Write `scores.csv`, then `result.json`."""
    rows = (
        {"part": part} | asdict(score) | {"dice": None if score.dice is None else round(score.dice, _DICE_DECIMALS)}
        for part, scores in outcome.scores.items()
        for score in scores
    )
    write_csv(folder / SCORES_FILE, ("part", *COLUMNS), rows)
    write_json(folder / RESULT_FILE, {"job": asdict(outcome.job), "training": asdict(outcome.training)})


def read(folder: Path) -> Outcome:
    """Read a finished job."""
    document = json.loads((folder / RESULT_FILE).read_text())
    scores: dict[str, list[SliceScore]] = {}
    for row in _rows(folder / SCORES_FILE):
        scores.setdefault(row["part"], []).append(SliceScore.of_row(row))
    parts = {part: tuple(of_part) for part, of_part in scores.items()}
    return Outcome(Job(**document["job"]), Training(**document["training"]), parts)


def write_rhos(journal: Path, folder: Path) -> None:
    """Write `rhos.csv`: rho of every layer at about a hundred steps of the training's `steps.csv`, if it has rho."""
    rows = _rows(journal)
    names = [name for name in rows[0] if name.startswith("rho/")] if rows else []
    if not names:
        return
    interval = max(1, len(rows) // _RHO_ROWS)
    kept = [row for i, row in enumerate(rows, 1) if i % interval == 0 or i == len(rows)]
    layers = [name.removeprefix("rho/").removesuffix(".1") for name in names]
    rounded = (
        {"step": row["step"]}
        | {layer: round(float(row[name]), _RHO_DECIMALS) for name, layer in zip(names, layers, strict=True)}
        for row in kept
    )
    write_csv(folder / RHOS_FILE, ("step", *layers), rounded)


def read_rhos(folder: Path) -> tuple[list[int], dict[str, list[float]]]:
    """The steps, and rho of each layer at these steps."""
    rows = _rows(folder / RHOS_FILE)
    return [int(row["step"]) for row in rows], {
        name: [float(row[name]) for row in rows] for name in rows[0] if name != "step"
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
