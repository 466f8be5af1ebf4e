"""Results: what `predict` and `measure` print of a folder of cases, and with which code they leave."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.errors import ExitCode, NoInputError, UsageError

if TYPE_CHECKING:
    from cardioseg.inference.outcome import Outcome, Tally
    from cardioseg.measure.curves import Moments

ED = Annotated[int | None, typer.Option("--ed", min=0, help="Phase of end-diastole, from 0, for all cases.")]
ES = Annotated[int | None, typer.Option("--es", min=0, help="Phase of end-systole, from 0, for all cases.")]

Phases = Annotated[
    Path | None,
    typer.Option(
        "--phases", help="CSV with the phases of single cases: case_id,ed_phase,es_phase; an old measures.csv will do."
    ),
]

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
    from cardioseg.inference.chosen_phases import read_choices

    return read_choices(phases) if phases else {}


def say_unknown(by_case: "dict[str, Moments]", out: Path, quiet: bool) -> None:
    """A line where `--phases` names cases that are not among the results."""
    unknown = [name for name in by_case if not (out / name / "measures.json").is_file()]
    more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
    if unknown:
        console.say(
            f"--phases: no case is called {', '.join(unknown[:_NAMED])}{more}: their phases have no effect", quiet
        )


def say_outcome(outcome: "Outcome", quiet: bool) -> None:
    """A line about a case that failed or has a remark."""
    if outcome.reason:
        is_done = outcome.status == "done"
        console.say(
            f"{'remark' if is_done else outcome.status}: {outcome.case_id}: {outcome.reason}", quiet and is_done
        )


def finish(out: Path, tally: "Tally", quiet: bool, as_json: bool, tables: Path | None = None) -> int:
    """Print what is in `out`, or of a part of it the `tables`; the exit code."""
    folder, total = tables or out, tally.done + tally.failed
    nothing = NoInputError(
        f"all cases failed, {tally.failed} of {total}", f"the reasons are above and in {folder / 'status.csv'}"
    )
    all_failed = tally.failed and not tally.done
    if as_json:
        console.print_json(_document(out, folder) | (console.described(nothing) if all_failed else {}))
    elif not quiet:
        _print(list(islice(_read_measures(folder), _ROWS + 1)), folder)
        console.say(f"tables: {tables}" if tables else f"report: {out / 'report.html'}")
    if all_failed:
        return console.fail(nothing, as_json=False)
    return ExitCode.SOME_FAILED if tally.failed else ExitCode.OK


def _document(out: Path, tables: Path) -> dict[str, Any]:
    import json

    run: dict[str, Any] = json.loads((tables / "run.json").read_text())
    measured = list(_read_measures(tables))
    for row in measured:
        known = json.loads((out / row["case_id"] / "measures.json").read_text())
        row["flags"] = known["flags"]
    return run | {"measures": measured, "out": str(out)}


def _read_measures(tables: Path) -> Iterator[dict[str, Any]]:
    import csv

    with (tables / "measures.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield {name: text if name in ("case_id", "flags") else _number(text) for name, text in row.items()}


def _print(measured: list[dict[str, Any]], tables: Path) -> None:
    from cardioseg.measure.quantities import FOR_READERS
    from cardioseg.measure.quantity import Table

    shown = ("flag_count", *(quantity.key for quantity in FOR_READERS if Table.TERMINAL in quantity.tables))
    caption = f"the first {_ROWS}; all are in {tables / 'measures.csv'}" if len(measured) > _ROWS else ""
    measured = measured[:_ROWS]
    known = ["case_id", *(name for name in shown if any(row[name] is not None for row in measured))]
    columns = [f"{name} " if name == "case_id" else name for name in known]
    if measured:
        rows = [[_shown(row[name]) for name in known] for row in measured]
        console.print_table("Measures", columns, rows, caption)


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _shown(value: str | float | None) -> str | float | None:
    return f"{value:.1f}" if isinstance(value, float) else value
