"""Folder: where everything lies that `predict` and `measure` write. No other module names these files.

Only `safe_name` knows them too: it gives none of these names to a case.
The files of an output format are named by its own module in `formats`.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKS = ("case.json", "run.json")  # where one of them lies, the files beside it are results, and no scans
_PARTS = "parts"
_PART = re.compile(r"(\d+)-of-(\d+)")


@dataclass(frozen=True)
class CaseFolder:
    """The folder of one case.

    Attributes:
        path: its name is the name of the case.
    """

    path: Path

    @property
    def case_id(self) -> str:
        """The name of the case."""
        return self.path.name

    @property
    def mask(self) -> Path:
        """The mask on the grid of the scan: 4D of a cine, 3D of a volume."""
        return self.path / "mask.nii.gz"

    @property
    def predicted_mask(self) -> Path:
        """The mask as the network drew it, where a person corrected it in `review`."""
        return self.path / "mask_predicted.nii.gz"

    @property
    def measures(self) -> Path:
        """Measures, curves and flags; see `Description`."""
        return self.path / "measures.json"

    @property
    def record(self) -> Path:
        """Of which scan and by which model; written last. See `CaseRecord`."""
        return self.path / "case.json"

    @property
    def overlay(self) -> Path:
        """The contact sheet."""
        return self.path / "overlay.png"

    @property
    def loop(self) -> Path:
        """The beating heart."""
        return self.path / "cine.gif"

    @property
    def is_measured(self) -> bool:
        """Whether `predict` or `measure` described a mask here."""
        return self.measures.is_file()

    @property
    def is_committed(self) -> bool:
        """Whether `predict` or `measure` finished here."""
        return self.record.is_file()


@dataclass(frozen=True)
class ResultsFolder:
    """The folder of all cases, or that of a part of a run, which has the tables of its own cases.

    Attributes:
        path: the folder.
    """

    path: Path

    def case(self, case_id: str) -> CaseFolder:
        """The folder of a case, which may not be there yet."""
        return CaseFolder(self.path / case_id)

    def cases(self) -> list[CaseFolder]:
        """The folders of all committed cases, in the order of their names."""
        return sorted(
            (CaseFolder(path.parent) for path in self.path.glob("*/case.json")), key=lambda case: case.case_id
        )

    @property
    def status(self) -> Path:
        """What became of each case."""
        return self.path / "status.csv"

    @property
    def measures(self) -> Path:
        """A row for each case with its measures."""
        return self.path / "measures.csv"

    @property
    def segments(self) -> Path:
        """A row for each AHA segment of each case."""
        return self.path / "segments.csv"

    @property
    def reviews(self) -> Path:
        """A row for each case that a person reviewed."""
        return self.path / "review.csv"

    @property
    def run(self) -> Path:
        """Model, versions, settings and timings; see `RunRecord`."""
        return self.path / "run.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def ledger(self) -> Path:
        """What is known of a run of `predict` while it goes on."""
        return self.path / ".ledger.jsonl"

    @property
    def measured_ledger(self) -> Path:
        """The same of a run of `measure`."""
        return self.path / ".measured.jsonl"

    @property
    def reviewed_ledger(self) -> Path:
        """Says that a review was saved since the tables were begun."""
        return self.path / ".reviewed.jsonl"

    @property
    def review_tables_ledger(self) -> Path:
        """What is known of the cases while a review writes the tables again."""
        return self.path / ".review-tables.jsonl"

    @property
    def earlier_ledger(self) -> Path:
        """What earlier runs said of the cases, while the tables are written."""
        return self.path / ".earlier.jsonl"

    @property
    def names(self) -> Path:
        """Which hashed name stands for which case: beside the folder, so that the folder can be given away."""
        whole = self.path.resolve()
        return whole.with_name(f"{whole.name}.names.json")

    def lock(self, case_id: str) -> Path:
        """Who holds it may write into the folder of that case."""
        return self.path / f".{case_id}.lock"

    def new_probe(self) -> Path:
        """A file by which other processes know that they see the same folder."""
        return self.path.absolute() / f".probe-{secrets.token_hex(8)}"

    @property
    def parts_path(self) -> Path:
        """The folder of the parts of a run."""
        return self.path / _PARTS

    def part(self, number: int, of: int) -> "ResultsFolder":
        """The folder of the tables of one part."""
        return ResultsFolder(self.parts_path / f"{number}-of-{of}")

    def parts(self) -> Iterator[tuple[int, int]]:
        """The parts that lie here, each with the number of all."""
        for path in sorted(self.parts_path.glob("*")):
            if match := _PART.fullmatch(path.name):
                yield int(match[1]), int(match[2])


def run_folder_of(masks: Path) -> ResultsFolder | None:
    """The results that a folder, a case's folder or a case's mask belongs to; None where it belongs to none."""
    folders = map(ResultsFolder, (masks, *masks.absolute().parents[:2]))
    return next((folder for folder in folders if folder.run.is_file()), None)


def results_below(root: Path) -> ResultsFolder | None:
    """The first folder of results at or below a folder; None if there is none."""
    record = min(root.rglob(CaseFolder(root).record.name), default=None)
    return ResultsFolder(record.parent.parent) if record else None
