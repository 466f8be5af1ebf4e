"""Case tables: what `predict` and `measure` print about the cases, and their exit codes."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.errors import ExitCode, NoInputError, UsageError
from cardioseg.wording import decimal

if TYPE_CHECKING:
    from cardioseg.cases.patients import Patients
    from cardioseg.correction.remeasurement import MeasureSettings
    from cardioseg.measure.curves import Moments
    from cardioseg.prediction.predict_settings import Settings
    from cardioseg.results.folder import ResultsFolder
    from cardioseg.results.outcome import Outcome, Tally

OutFolder = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder: one folder per case, tables, report.html."),
]


def _moment(flag: str, title: str, default: str) -> Any:  # noqa: ANN401 - typer's own type is not public
    return typer.Option(
        flag, metavar="N", min=0, help=f"{title} phase of all cases, counted from 0. Default: {default}."
    )


_CHOSEN = "the phase that an earlier run was given; otherwise, the phase with the"
_KEPT = "for results of `predict`, the phase that is used there; for other masks, the phase with the"
ED = Annotated[int | None, _moment("--ed", "End-diastolic", f"{_CHOSEN} largest volume")]
ES = Annotated[int | None, _moment("--es", "End-systolic", f"{_CHOSEN} smallest volume")]
KeptED = Annotated[int | None, _moment("--ed", "End-diastolic", f"{_KEPT} largest volume")]
KeptES = Annotated[int | None, _moment("--es", "End-systolic", f"{_KEPT} smallest volume")]

Phases = Annotated[
    Path | None,
    typer.Option(
        "--phases",
        metavar="FILE",
        help="CSV file with the ED and ES phases of some cases (columns case_id, ed_phase, es_phase; you can "
        "take a measures.csv and change these two columns in it). For these cases, FILE overrides --ed and --es.",
    ),
]

PatientTable = Annotated[
    Path | None,
    typer.Option(
        "--patients",
        metavar="FILE",
        help="CSV file with what you know of the patients (columns case_id, sex, age, height_cm, weight_kg; columns "
        "may be missing, cells may be empty). These values are used instead of those from the scans.",
    ),
]
ReferenceValues = Annotated[
    bool,
    typer.Option(
        "--reference-values",
        help="Compare the measures with those of healthy people of the same sex: z-scores in measures.csv, limits in "
        "the report. This needs sex and age (45 to 74 years).",
    ),
]

_SAID = {"--phases": "phases", "--patients": "lines"}  # by a table of single cases
_NAMED = 5  # of unknown cases
_ROWS = 100  # of a table on the terminal


def chosen(ed: int | None, es: int | None) -> "Moments":
    """The phases that `--ed` and `--es` name."""
    from cardioseg.measure.curves import Moments

    if ed is not None and ed == es:
        raise UsageError(f"--ed and --es are both {ed}", "end-diastole and end-systole are different phases")
    return Moments(ed, es)


def chosen_by_case(phases: Path | None) -> "dict[str, Moments]":
    """The phases that the file behind `--phases` names."""
    from cardioseg.cases.chosen_phases import read_choices

    return read_choices(phases) if phases else {}


def patients_of(table: Path | None, reference_values: bool, use_tags: bool = False) -> "Patients":
    """What the options say of the patients."""
    from cardioseg.cases.patients import Patients, read_patients

    return Patients(read_patients(table) if table else {}, use_tags, reference_values)


class Unmet:
    """The cases that the tables of `--phases` and `--patients` name and that a run has not met yet."""

    def __init__(self, settings: "Settings | MeasureSettings") -> None:
        self._by_option = {
            "--phases": dict.fromkeys(settings.choices.by_case),
            "--patients": dict.fromkeys(settings.patients.by_case),
        }
        self._met: list[str] = []

    def meet(self, case_id: str) -> None:
        """The run has a case of this name."""
        for names in self._by_option.values():
            names.pop(case_id, None)
        if any(self._by_option.values()):
            self._met.append(case_id)

    def say(self, quiet: bool) -> None:
        """A line for each table that names other cases."""
        from cardioseg.cases.nearest_name import with_nearest

        for option, names in self._by_option.items():
            unknown = list(names)
            more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
            named = f"{', '.join(with_nearest(name, self._met) for name in unknown[:_NAMED])}{more}"
            text = f"{option}: this run has no case {named}: these {_SAID[option]} have no effect"
            if unknown:
                console.say(text, quiet)


def say_copies(results: "ResultsFolder", quiet: bool) -> None:
    """A line for each group of cases that hold the same images."""
    from cardioseg.results.all_cases import same_images

    for names in [] if quiet else same_images(results):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        console.say(f"cases with the same images: {', '.join(names[:_NAMED])}{more}; each is kept as a separate case")


def say_outcome(outcome: "Outcome", quiet: bool) -> None:
    """A line about a case that failed or has a remark."""
    if outcome.text:
        is_done = outcome.status == "done"
        console.say(f"{'remark' if is_done else outcome.status}: {outcome.case_id}: {outcome.text}", quiet and is_done)


def finish(
    results: "ResultsFolder",
    tally: "Tally",
    quiet: bool,
    as_json: bool,
    tables: "ResultsFolder | None" = None,
    incomplete: Sequence[str] | None = None,
) -> int:
    """Print what is in a folder of results, or of a part of it the `tables`; the exit code.

    The JSON document also says what is `incomplete`, where that is known.
    """
    from cardioseg.results.run_tables import read_measures

    folder, total = tables or results, tally.done + tally.failed
    nothing = NoInputError(
        f"all cases failed, {tally.failed} of {total}", f"the reasons are above and in {folder.status}"
    )
    all_failed = tally.failed and not tally.done
    if as_json:
        document = _document(results, folder) | ({} if incomplete is None else {"incomplete": list(incomplete)})
        console.print_json(document | (console.described(nothing) if all_failed else {}))
    elif not quiet:
        _print(list(islice(read_measures(folder), _ROWS + 1)), folder)
        console.say(f"tables: {tables.path}" if tables else f"report: {results.report}")
    if all_failed:
        return console.fail(nothing, as_json=False)
    return ExitCode.SOME_FAILED if tally.failed else ExitCode.OK


def _document(results: "ResultsFolder", tables: "ResultsFolder") -> dict[str, Any]:
    """What `run.json` holds, with the measures and the flags of each case."""
    from dataclasses import asdict

    from cardioseg.results.description import read_description
    from cardioseg.results.run_record import read_run_record
    from cardioseg.results.run_tables import read_measures

    measured = list(read_measures(tables))
    for row in measured:
        row["flags"] = [asdict(flag) for flag in read_description(results.case(row["case_id"])).flags]
    return read_run_record(tables).document() | {"measures": measured, "out": str(results.path)}


def _print(measured: list[dict[str, Any]], tables: "ResultsFolder") -> None:
    from cardioseg.measure.quantities import FOR_READERS
    from cardioseg.measure.quantity import Table

    shown = ("flag_count", *(quantity.key for quantity in FOR_READERS if Table.TERMINAL in quantity.tables))
    caption = f"the first {_ROWS} cases; {tables.measures} has all of them" if len(measured) > _ROWS else ""
    measured = measured[:_ROWS]
    columns = ["case_id", *(name for name in shown if any(row[name] is not None for row in measured))]
    if measured:
        rows = [[_shown(row[name]) for name in columns] for row in measured]
        console.print_table("Measures", columns, rows, caption, text=["case_id"])


def _shown(value: str | float | None) -> str | float | None:
    return decimal(value, 1) if isinstance(value, float) else value
