"""Journal: the log of a run. `steps.csv` is the record; if TensorBoard is installed, it shows the same values."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardioseg.dataset.run_folder import FoldFolder
from cardioseg.files import write_csv

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@dataclass(frozen=True)
class StepRecord:
    """One logged step.

    Attributes:
        step: 1-based, over the whole run.
        steps: steps of the whole run.
        epoch: 0-based.
        loss: mean loss since the last record.
        learning_rate: the learning rate of the step.
        images_per_s: training throughput since the last record; not written to disk, as it does not repeat exactly.
        rhos: each gate parameter by name.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    learning_rate: float
    images_per_s: float
    rhos: dict[str, float]


class Journal:
    """Collects records; `flush` makes `folder/steps.csv` hold them all.

    Args:
        folder: the fold's folder.
        step: the step at which the run starts or resumes; later records on disk are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = FoldFolder(folder).steps
        self._rows = _rows_until(self._path, step)
        self._written = 0
        self._board = _open_board(folder, step)

    def add(self, record: StepRecord) -> None:
        """Add one record."""
        scalars = {"loss": record.loss, "learning_rate": record.learning_rate, **record.rhos}
        self._rows.append(
            {"step": str(record.step), "epoch": str(record.epoch)} | {k: repr(v) for k, v in scalars.items()}
        )
        if self._board:
            for name, value in scalars.items():
                self._board.add_scalar(name, value, record.step)

    def flush(self) -> None:
        """Write all records, if there are new ones."""
        if len(self._rows) > self._written:
            write_csv(self._path, self._rows[-1].keys(), self._rows)
            self._written = len(self._rows)
        if self._board:
            self._board.flush()

    def close(self) -> None:
        """Flush, and close TensorBoard's file."""
        self.flush()
        if self._board:
            self._board.close()


def _rows_until(path: Path, step: int) -> list[dict[str, str]]:
    if not step or not path.is_file():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["step"]) <= step]


def _open_board(folder: Path, step: int) -> "SummaryWriter | None":
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
