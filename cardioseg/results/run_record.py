"""Run record: what `run.json` says of the run that wrote a folder of results."""

from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cardioseg.errors import UnusableError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.outcome import Tally
from cardioseg.results.records import read_record


class UsedModel(BaseModel):
    """The model that predicted.

    Attributes:
        name: name of the model.
        sha256: hash of its `model.onnx`.
        licence: licence of the model.
        dataset_sha256: hash of the manifest of its training dataset.
        held_out: subjects of that dataset that it was not trained on.
    """

    model_config = ConfigDict(frozen=True)

    name: str = ""
    sha256: str = ""
    licence: str = ""
    dataset_sha256: str = ""
    held_out: tuple[str, ...] = ()


class Failure(BaseModel):
    """A case that failed, as `status.csv` lists it."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    source: str
    status: str = ""
    reason: str


class RunRecord(BaseModel):
    """One run of `predict` or `measure`. What a run does not say is not written.

    Attributes:
        version: of cardioseg.
        model: of `predict`.
        masks: of `measure`: where they lay.
        labels: keys of the structures that are segmented.
        numbers: of `measure`: what the numbers in the masks mean.
        chosen_phases: phases that a person chose, for every case and for single ones.
        device: where the network ran.
        packages: versions of what the numbers rest on.
        seconds: time of the run.
        seconds_by_case: time of each case.
        other_series: series that are no short-axis cine, with their places and reasons.
        unused_files: files that are of no use, likewise.
        cases: how many there are.
        failures: those that failed.
    """

    model_config = ConfigDict(frozen=True)

    version: str = ""
    model: UsedModel | str | None = None
    masks: str = ""
    labels: list[str] | None = None
    numbers: dict[str, str] = Field(default_factory=dict)
    chosen_phases: dict[str, Any] = Field(default_factory=dict)
    device: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    seconds: float = 0.0
    seconds_by_case: dict[str, float] = Field(default_factory=dict)
    other_series: list[dict[str, str]] = Field(default_factory=list)
    unused_files: list[dict[str, str]] = Field(default_factory=list)
    cases: Tally = Field(default_factory=Tally)
    failures: list[Failure] = Field(default_factory=list)

    @property
    def used_model(self) -> UsedModel:
        """The model; without name and hash where the run does not say them."""
        return self.model if isinstance(self.model, UsedModel) else UsedModel()

    @property
    def model_sha256(self) -> str:
        """Hash of the model; empty where the run does not say it."""
        return self.used_model.sha256

    @property
    def structures(self) -> frozenset[Label] | None:
        """The structures that are segmented; None where the run does not say it."""
        return None if self.labels is None else frozenset(label for label in STRUCTURES if label.key in self.labels)

    def document(self) -> dict[str, Any]:
        """For JSON, with what the run said."""
        return self.model_dump(mode="json", exclude_unset=True)


def read_run_record(folder: ResultsFolder) -> RunRecord:
    """Read `run.json`; where there is none, nothing is known of the run.

    Raises:
        UnusableError: it is damaged.
    """
    if not folder.run.is_file():
        return RunRecord()
    return read_record(folder.run, RunRecord, "repair it, or remove it to use every label")


def known_run_record(folder: ResultsFolder) -> RunRecord:
    """As `read_run_record`, where a damaged record says nothing."""
    with suppress(UnusableError):
        return read_run_record(folder)
    return RunRecord()
