"""Patients: what a user says of the patients, or lets cardioseg read of them: body, and sex and age if asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cardioseg.errors import UsageError
from cardioseg.image.plausible_ranges import AGE_YEARS, HEIGHT_M, WEIGHT_KG, Bounds
from cardioseg.inference.case_csv import case_rows
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.patient_tags import read_sex_and_age
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.reference_values import FEMALE, MALE, STUDY, reference_values

COLUMNS = ("sex", "age", "height_cm", "weight_kg")
_HINT = f"its columns are case_id,{','.join(COLUMNS)}; a cell, and each column but case_id, may be left out"
_SEXES = {"f": FEMALE, "female": FEMALE, "m": MALE, "male": MALE, "": None}
_HEIGHT_CM = Bounds(100 * HEIGHT_M.low, 100 * HEIGHT_M.high)


@dataclass(frozen=True)
class Patient:
    """What is known of one patient; None is "not known".

    Attributes:
        sex: `F` or `M`.
        age_years: at the scan.
        height_m: body height.
        weight_kg: body weight.
    """

    sex: str | None = None
    age_years: float | None = None
    height_m: float | None = None
    weight_kg: float | None = None


@dataclass(frozen=True)
class Patients:
    """The patients of a run.

    Attributes:
        by_case: what a user says of single cases, by their names in the results; it comes before what files say.
        use_tags: whether sex and age may be read from DICOM.
        with_reference_values: whether measures are compared with those of healthy people, which needs sex and age.
    """

    by_case: Mapping[str, Patient] = field(default_factory=dict, repr=False)
    use_tags: bool = False
    with_reference_values: bool = False

    def __post_init__(self) -> None:
        if self.with_reference_values and not (self.by_case or self.use_tags):
            raise UsageError(
                "reference values need the sex and the age of each patient",
                "give a table of them (--patients FILE), or let them be read from DICOM (--use-patient-tags)",
            )
        if self.use_tags and not self.with_reference_values:
            raise UsageError(
                "--use-patient-tags has an effect only with --reference-values",
                "height and weight are always read from DICOM; sex and age serve the reference values alone",
            )

    def asked_of(self, case_id: str) -> dict[str, Any]:
        """What is asked for one case, for its record; empty where nothing is."""
        own = asdict(self.by_case.get(case_id, Patient()))
        switches = {"use_tags": self.use_tags, "with_reference_values": self.with_reference_values}
        asked = own | switches
        return {key: value for key, value in asked.items() if value}

    def completed(self, acquisition: Acquisition, case_id: str, stack: Stack | None = None) -> Acquisition:
        """What is known of a scan, with what is known of its patient.

        Args:
            acquisition: of the scan.
            case_id: the case.
            stack: the DICOM images of the scan; None of a NIfTI scan.
        """
        own = self.by_case.get(case_id, Patient())
        body = {name: value for name in ("height_m", "weight_kg") if (value := getattr(own, name)) is not None}
        completed = replace(acquisition, **body)
        if not self.with_reference_values:
            return completed
        sex, age = _sex_and_age(stack) if self.use_tags and stack else (None, None)
        return replace(
            completed,
            sex=own.sex or sex or completed.sex,
            age_years=next((value for value in (own.age_years, age, completed.age_years) if value is not None), None),
        )

    def document(self) -> dict[str, Any]:
        """For `run.json`."""
        return {"reference_values": f"{STUDY.citation}, doi {STUDY.doi}"} if self.with_reference_values else {}

    def remark(self, acquisition: Acquisition) -> str:
        """Why a case has no reference values though they are asked for; or nothing."""
        if not self.with_reference_values or reference_values(acquisition):
            return ""
        if acquisition.sex is None or acquisition.age_years is None:
            unknown = " and ".join(
                name for name, value in (("sex", acquisition.sex), ("age", acquisition.age_years)) if value is None
            )
            return f"no reference values: {unknown} unknown"
        return f"no reference values: the age is outside {STUDY.ages} years, those of the study"


def _sex_and_age(stack: Stack) -> tuple[str | None, float | None]:
    return read_sex_and_age(next(header.path for row in stack.headers for header in row if header))


def read_patients(path: Path) -> dict[str, Patient]:
    """The patients of single cases from a CSV with the column `case_id` and some of `COLUMNS`; others may follow.

    Raises:
        UsageError: it cannot be read, has none of the columns, names a case twice, or a value is impossible.
    """
    patients = {}
    for name, where, row in case_rows(path, (), _HINT):
        if not set(COLUMNS) & set(row):
            raise UsageError(f"{path} has none of the columns {', '.join(COLUMNS)}", _HINT)
        patients[name] = patient(row, where)
    return patients


def patient(row: Mapping[str, str], where: str) -> Patient:
    """One patient from cells by column.

    Raises:
        UsageError: a value is impossible; the message says `where`.
    """
    sex = row.get("sex", "").strip().lower()
    if sex not in _SEXES:
        raise UsageError(f"{where}: sex is {sex!r}", "it is F, M or empty")
    height_cm = _number(row, "height_cm", _HEIGHT_CM, "cm", where)
    return Patient(
        _SEXES[sex],
        _number(row, "age", AGE_YEARS, "years", where),
        None if height_cm is None else height_cm / 100,
        _number(row, "weight_kg", WEIGHT_KG, "kg", where),
    )


def _number(row: Mapping[str, str], name: str, bounds: Bounds, unit: str, where: str) -> float | None:
    text = row.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{where}: {name} is no number", _HINT) from None
    if not bounds.hold(value):
        raise UsageError(
            f"{where}: {name} is {value:g}", f"it must be between {bounds.low:g} and {bounds.high:g} {unit}"
        )
    return value
