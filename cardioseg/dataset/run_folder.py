"""Run folder: where everything lies that `train` writes. No other module names these files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FoldFolder:
    """The folder of one fold; checkpoints name themselves, see `checkpoint.py`.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def steps(self) -> Path:
        """The loss and the gates, step by step; see `Journal`."""
        return self.path / "steps.csv"

    @property
    def validation(self) -> Path:
        """The score of each slice of the fold's validation; written last. See `SliceScore`."""
        return self.path / "validation.csv"

    @property
    def is_finished(self) -> bool:
        """Whether the fold is trained and validated."""
        return self.validation.is_file()

    def model(self, precision: str) -> Path:
        """The model folder that `evaluate` makes of the fold."""
        return self.path / ("model" if precision == "float32" else f"model_{precision}")


@dataclass(frozen=True)
class RunFolder:
    """The folder of a training run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def description(self) -> Path:
        """The settings; see `RunDescription`."""
        return self.path / "training.json"

    @property
    def folds(self) -> Path:
        """The subjects of each fold, with the proof that it validates on none that it trains on."""
        return self.path / "folds.json"

    @property
    def scores(self) -> Path:
        """The scores of each fold over images and over subjects."""
        return self.path / "scores.json"

    @property
    def is_begun(self) -> bool:
        """Whether its settings are written."""
        return self.description.is_file()

    @property
    def is_run(self) -> bool:
        """Whether `train` wrote the folder."""
        return self.is_begun and self.folds.is_file()

    def fold(self, index: int) -> FoldFolder:
        """The folder of a fold."""
        return FoldFolder(self.path / f"fold-{index}")
