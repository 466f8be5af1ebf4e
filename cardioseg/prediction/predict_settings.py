"""Settings: what a person asked of a prediction."""

from collections.abc import Collection
from dataclasses import dataclass

from cardioseg.cases.chosen_phases import Choices
from cardioseg.cases.patients import Patients
from cardioseg.results.formats import ALWAYS


@dataclass(frozen=True)
class Settings:
    """How cases are predicted.

    Attributes:
        overwrite: predict again what is done; edited masks are kept.
        discard_edits: predict again what was edited; the edits are lost.
        formats: what to write of each mask.
        choices: phases that a person chose.
        paths: whether the results say where the scans lie.
        patients: what a person says of the patients.
    """

    overwrite: bool = False
    discard_edits: bool = False
    formats: Collection[str] = (ALWAYS,)
    choices: Choices = Choices()  # noqa: RUF009 - frozen
    paths: bool = True
    patients: Patients = Patients()  # noqa: RUF009 - frozen
