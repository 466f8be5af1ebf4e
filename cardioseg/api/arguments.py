"""Arguments: what a caller gives, as the rest of cardioseg takes it."""

from collections.abc import Iterable, Mapping
from multiprocessing import current_process
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import SupportsFloat, TypeVar

from cardioseg.cases.chosen_phases import Choices
from cardioseg.cases.nearest_name import with_nearest
from cardioseg.cases.patients import Patients, patient
from cardioseg.errors import UsageError
from cardioseg.execution.executor import Executor
from cardioseg.execution.in_process import Here
from cardioseg.execution.processes import Processes
from cardioseg.files import safe_name
from cardioseg.measure.curves import Moments

AnyPath = str | PathLike[str]
Phase = SupportsFloat | None
Said = TypeVar("Said")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # as on the command line: NumPy's threads would slow the networks' down
_PATIENTS = 'for example {"patient1": {"sex": "F", "age": 61, "height_cm": 168, "weight_kg": 64}}'
_FROM_0 = "phases count from 0; None leaves the choice to the volume curve"


def path_of(given: AnyPath) -> Path:
    """A path; `~` is the home folder, as on the command line."""
    return Path(given).expanduser()


def paths_of(given: AnyPath | Iterable[AnyPath]) -> list[Path]:
    """One path, or several.

    Raises:
        UsageError: there is none.
    """
    several = [given] if isinstance(given, str | PathLike) else list(given)
    if not several:
        raise UsageError("no scans are given", "give a file or folder, or a list of them")
    return [path_of(path) for path in several]


def executor_of(workers: int) -> Executor:
    """This process, or several.

    Raises:
        UsageError: there are fewer than one, or this process may not start others.
    """
    if _count("workers", workers, 1, "1 works in this process, 2 or more in processes beside it") == 1:
        return Here()
    if current_process().daemon:  # as the processes of multiprocessing.Pool
        raise UsageError(
            f"workers is {workers}, but a daemonic process, as those of multiprocessing.Pool, may start no others",
            "workers=1",
        )
    return Processes(workers, environment=_ONE_THREAD)


def threads_of(threads: int) -> int:
    """Threads of the CPU.

    Raises:
        UsageError: there are fewer than none.
    """
    return _count("threads", threads, 0, "0 uses as many as this process may use")


def _count(argument: str, value: int, least: int, hint: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise UsageError(f"{argument} is {value!r}", hint)
    return int(value)


def choices_of(ed: Phase, es: Phase, phases: Mapping[str, tuple[Phase, Phase]] | None) -> Choices:
    """The phases that a caller chose, for all cases and for single ones.

    Raises:
        UsageError: a phase is no whole number from 0, or both are the same.
    """
    single = {name: _moments(*_pair(name, pair), f"phases[{name!r}]: ") for name, pair in (phases or {}).items()}
    return Choices(_moments(ed, es), _as_written("phases", single))


def patients_of(
    patients: Mapping[str, Mapping[str, object]] | None, with_reference_values: bool, use_tags: bool = False
) -> Patients:
    """What a caller says of the patients.

    Raises:
        UsageError: a name or a value is impossible, or reference values are asked for without sex and age.
    """
    if not isinstance(patients or {}, Mapping):
        raise UsageError("patients is no dictionary by case", _PATIENTS)
    by_case = {}
    for name, said in (patients or {}).items():
        if not isinstance(said, Mapping):
            raise UsageError(f"patients[{name!r}] is no dictionary", _PATIENTS)
        cells = {str(key).strip().lower(): _cell(value) for key, value in said.items()}
        by_case[name] = patient(cells, f"patients[{name!r}]")
    return Patients(_as_written("patients", by_case), use_tags, with_reference_values)


def _as_written(argument: str, by_case: Mapping[str, Said]) -> dict[str, Said]:
    """What is said of single cases, by the names that `predict` gives to folders of these names."""
    by_name = {safe_name(str(name)): said for name, said in by_case.items()}
    if len(by_name) < len(by_case):
        raise UsageError(
            f"{argument} names a case twice", "names that differ only in characters such as spaces are one"
        )
    return by_name


def _cell(value: object) -> str:
    """A value as a table has it; None and not-a-number are empty."""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - not a number


def require_met(argument: str, names: Iterable[str], case_ids: Iterable[str]) -> None:
    """Make sure that what is said of single cases had an effect.

    Raises:
        UsageError: one of `names` is not among `case_ids`.
    """
    case_ids = set(case_ids)
    unmet = sorted(set(names) - case_ids)
    if unmet:
        more = f" and {len(unmet) - 1} more" * (len(unmet) > 1)
        raise UsageError(
            f"{argument}: no case of this run is called {with_nearest(unmet[0], case_ids)}{more}",
            f"all cases are done, without these {argument}; open_results lists their names",
        )


def _pair(name: str, pair: tuple[Phase, Phase]) -> tuple[Phase, Phase]:
    try:
        ed, es = pair
    except (TypeError, ValueError):
        raise UsageError(f"phases[{name!r}] is no pair (ED, ES)", _FROM_0) from None
    return ed, es


def _moments(ed: Phase, es: Phase, where: str = "") -> Moments:
    moments = Moments(_phase(ed, f"{where}ED"), _phase(es, f"{where}ES"))
    if moments.ed_phase is not None and moments.ed_phase == moments.es_phase:
        raise UsageError(f"{where}ED and ES are both {moments.ed_phase}", "they are different phases")
    return moments


def _phase(value: Phase, what: str) -> int | None:
    """A phase; tables hold it as a float, and as not-a-number where it is not known."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool | str) or number < 0 or not number.is_integer():
        raise UsageError(f"{what} is {value!r}, which is no phase", _FROM_0)
    return int(number)
