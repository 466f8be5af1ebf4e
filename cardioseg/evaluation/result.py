"""Result: an evaluation as a record, as JSON and as CSV."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.summary import LabelSummary, summarise
from cardioseg.files import write_csv, write_json
from cardioseg.image.labels import Label
from cardioseg.ingest.subject import Skipped

PROTOCOL = (
    "Dice = 2|R and P| / (|R| + |P|) of a label, on the slices for which the reference knows that label. "
    "dice_per_slice: mean over those slices of all cases. dice_per_volume: mean over volumes (one phase of one case) "
    "of the Dice of all those slices together. dice_per_subject: mean over subjects of the mean over their slices. "
    "Where one mask is empty Dice is 0; where both are empty nothing is scored ({both_empty} slices). "
    "std: sample standard deviation (n - 1). Volumes in ml are over the same slices. Slices count from 0."
)

CSV_COLUMNS = (
    "level",
    "subject_id",
    "case_id",
    "volume",
    "label",
    "slice",
    "dice",
    "slices_scored",
    "slices_both_empty",
    "reference_ml",
    "predicted_ml",
)


@dataclass(frozen=True)
class Evaluation:
    """What came of comparing predictions with references.

    Attributes:
        labels: what was evaluated: segmented by the model and present in the references.
        scores: one a label of each reference volume.
        problems: what was left out, and why.
    """

    labels: tuple[Label, ...]
    scores: tuple[VolumeScore, ...]
    problems: tuple[Skipped, ...]

    @property
    def summary(self) -> tuple[LabelSummary, ...]:
        """Mean and spread of each label."""
        return summarise(self.scores)

    def to_json(self) -> dict[str, Any]:
        """Everything but the single slices, ready for `json.dumps`."""
        both_empty = sum(score.slices_both_empty for score in self.scores)
        return {
            "protocol": PROTOCOL.format(both_empty=both_empty),
            "labels": [label.key for label in self.labels],
            "summary": {summary.label.key: _without_label(summary) for summary in self.summary},
            "volumes": [_volume_row(score) for score in self.scores],
            "problems": [asdict(problem) for problem in self.problems],
        }

    def csv_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of `CSV_COLUMNS`: each volume (level `volume`), then its slices (level `slice`)."""
        for score in self.scores:
            yield {"level": "volume", **_volume_row(score)}
            for one in score.slices:
                yield {"level": "slice", **_names(score), "slice": one.index, "dice": one.dice}


def write(evaluation: Evaluation, folder: Path) -> None:
    """Write `evaluation.csv` and `evaluation.json` into `folder`.

    Raises:
        ResourceError: the file system refuses.
    """
    write_csv(folder / "evaluation.csv", CSV_COLUMNS, evaluation.csv_rows())
    write_json(folder / "evaluation.json", evaluation.to_json())


def _names(score: VolumeScore) -> dict[str, str]:
    return {
        "subject_id": score.subject_id,
        "case_id": score.case_id,
        "volume": score.volume,
        "label": score.label.key,
    }


def _volume_row(score: VolumeScore) -> dict[str, Any]:
    return {
        **_names(score),
        "dice": score.dice,
        "slices_scored": len(score.slice_dice),
        "slices_both_empty": score.slices_both_empty,
        "reference_ml": score.reference_ml,
        "predicted_ml": score.predicted_ml,
    }


def _without_label(summary: LabelSummary) -> dict[str, Any]:
    return {name: value for name, value in asdict(summary).items() if name != "label"}
