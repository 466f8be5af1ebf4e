"""Patients: what a user says of the patients, or lets cardioseg read of them: body, and sex and age if asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cardioseg.cases.case_csv import case_rows
from cardioseg.errors import UsageError
from cardioseg.image.plausible_ranges import AGE_YEARS, BMI_KG_PER_M2, HEIGHT_M, WEIGHT_KG, Bounds
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.patient_tags import read_sex_and_age
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.reference_values import FEMALE, MALE, STUDY, reference_values
from cardioseg.results.asked_patient import AskedPatient

_FIELDS = {"sex": "sex", "age": "age_years", "height_cm": "height_m", "weight_kg": "weight_kg"}  # of `Patient`
COLUMNS = tuple(_FIELDS)
_HINT = (
    f"its columns are case_id,{','.join(COLUMNS)}; each column but case_id may be left out, and each cell may be empty"
)
_ALIKE = ("sex", "gender", "age", "height", "size", "weight")  # of columns that may be meant
_SAID = {"sex": "sex", "age_years": "age", "height_m": "height", "weight_kg": "weight"}
_SEXES = {"f": FEMALE, "female": FEMALE, "m": MALE, "male": MALE, "o": None, "other": None, "unknown": None, "": None}
_HEIGHT_CM = Bounds(100 * HEIGHT_M.low, 100 * HEIGHT_M.high)


@dataclass(frozen=True)
class Patient:
    """What is known of one patient; None is "not known".

    Attributes:
        sex: `F` or `M`.
        age_years: at the scan.
        height_m: body height.
        weight_kg: body weight.
        withdrawn: which of these are said to be unknown, so that what was said before no longer counts.
    """

    sex: str | None = None
    age_years: float | None = None
    height_m: float | None = None
    weight_kg: float | None = None
    withdrawn: frozenset[str] = frozenset()


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

    def require_use(self) -> None:
        """Raise UsageError where an option can have no effect on a prediction."""
        if self.with_reference_values and not (self.by_case or self.use_tags):
            raise UsageError(
                "reference values need the sex and the age of each patient",
                "give a table of them (--patients), or let them be read from DICOM (--use-patient-tags)",
            )
        if self.use_tags and not self.with_reference_values:
            raise UsageError(
                "--use-patient-tags has an effect only with --reference-values",
                "height and weight are always read from DICOM; sex and age serve the reference values alone",
            )

    def asked_of(self, case_id: str, *, has_reference_values: bool = False) -> AskedPatient:
        """What is asked for one case, for its record.

        Args:
            case_id: the case.
            has_reference_values: whether it was compared with healthy people before: then sex and age count, too.
        """
        patient = self.by_case.get(case_id, Patient())
        asked = AskedPatient(height_m=patient.height_m, weight_kg=patient.weight_kg, use_tags=self.use_tags)
        if self.with_reference_values or has_reference_values:
            asked = asked.model_copy(update={"sex": patient.sex, "age_years": patient.age_years})
        is_compared = self.with_reference_values and asked != AskedPatient()
        return asked.model_copy(update={"with_reference_values": is_compared})

    def with_earlier(self, case_id: str, earlier: AskedPatient) -> AskedPatient:
        """As `asked_of`, with what earlier runs were asked, unless it is withdrawn."""
        asked = self.asked_of(case_id, has_reference_values=earlier.with_reference_values)
        return earlier.without(self.by_case.get(case_id, Patient()).withdrawn).updated(asked)

    def remark(self, acquisition: Acquisition) -> str:
        """What a case that is to be compared with healthy people lacks for it, or nothing."""
        is_compared = self.with_reference_values or acquisition.has_sex_or_age
        if not is_compared:
            return ""
        if reference_values(acquisition):
            body = {"height": acquisition.height_m, "weight": acquisition.weight_kg}
            unknown = " and ".join(name for name, value in body.items() if value is None)
            return f"no reference value of LV mass: {unknown} unknown" if unknown else ""
        if acquisition.sex is None or acquisition.age_years is None:
            known = {"sex": acquisition.sex, "age": acquisition.age_years}
            unknown = " and ".join(name for name, value in known.items() if value is None)
            return f"no reference values: {unknown} unknown"
        return f"no reference values: the age is outside {STUDY.ages} years, those of the study"


def given(asked: AskedPatient) -> str:
    """Which facts of a patient come from a user, who may have mistyped them; or nothing."""
    names = ", ".join(title for name, title in _SAID.items() if name in asked.said())
    return f"given by --patients: {names}" if names else ""


def completed(acquisition: Acquisition, asked: AskedPatient, stack: Stack | None = None) -> Acquisition:
    """What is known of a scan, with what is known of its patient.

    Args:
        acquisition: of the scan; it has sex and age only if the case was compared with healthy people before.
        asked: for the case; see `Patients.asked_of`.
        stack: the DICOM images of the scan; None of a NIfTI scan.
    """
    sex, age_years = _sex_and_age(stack) if asked.use_tags and stack else (None, None)
    known = AskedPatient(sex=sex, age_years=age_years).updated(asked).said()
    facts: dict[str, Any] = {name: value for name, value in known.items() if name in _SAID}
    return replace(acquisition, **facts)


def _sex_and_age(stack: Stack) -> tuple[str | None, float | None]:
    return read_sex_and_age(next(header.path for row in stack.headers for header in row if header))


def read_patients(path: Path) -> dict[str, Patient]:
    """The patients of single cases from a CSV with the column `case_id` and some of `COLUMNS`; others may follow.

    Raises:
        UsageError: it cannot be read, has none of the columns or no lines, names a case twice, or a value is
            impossible.
    """
    patients = {name: patient(row, where) for name, where, row in case_rows(path, (), _HINT)}
    if not patients:
        raise UsageError(f"{path} has no lines beside its header", _HINT)
    return patients


def patient(row: Mapping[str, str], where: str) -> Patient:
    """One patient from cells by column.

    Raises:
        UsageError: a column or a value is impossible; the message says `where`.
    """
    _require_columns(row, where)
    sex = row.get("sex", "").strip()
    if sex.lower() not in _SEXES:
        raise UsageError(f"{where}: sex is {sex!r}", "it is F, M, O (other or unknown) or empty")
    height_cm = _number(row, "height_cm", _HEIGHT_CM, "cm", where)
    known = Patient(
        _SEXES[sex.lower()],
        _number(row, "age", AGE_YEARS, "years", where),
        None if height_cm is None else height_cm / 100,
        _number(row, "weight_kg", WEIGHT_KG, "kg", where),
    )
    bmi = Acquisition(known.height_m, known.weight_kg).bmi
    if not BMI_KG_PER_M2.hold(bmi):
        what = f"{where}: height_cm {row['height_cm'].strip()} and weight_kg {row['weight_kg'].strip()} do not belong"
        commas = "if its numbers have decimal commas, put them in quotes, or divide the columns by semicolons"
        raise UsageError(f"{what} together: {bmi:.2g} kg/m2 (limits {BMI_KG_PER_M2})", commas)
    said = (_FIELDS[name] for name in COLUMNS if name in row)
    return replace(known, withdrawn=frozenset(name for name in said if getattr(known, name) is None))


def _require_columns(row: Mapping[str, str], where: str) -> None:
    if wrong := [name for name in row if name not in COLUMNS and name.startswith(_ALIKE)]:
        raise UsageError(f"{where}: there is no column {wrong[0]}", _HINT)
    if not set(COLUMNS) & set(row):
        raise UsageError(f"{where}: there is none of the columns {', '.join(COLUMNS)}", _HINT)


def _number(row: Mapping[str, str], name: str, bounds: Bounds, unit: str, where: str) -> float | None:
    text = row.get(name, "").strip()
    if not text:
        return None
    must = f"it must be a number between {bounds.low:g} and {bounds.high:g} {unit}, or empty"
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        raise UsageError(f"{where}: {name} is {text!r}", must) from None
    if not bounds.hold(value):
        raise UsageError(f"{where}: {name} is {text}", must)
    return value
