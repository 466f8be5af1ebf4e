"""Results: what `predict` and `measure` print of a folder of cases, and with which code they leave."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.errors import ExitCode, NoInputError, UsageError

if TYPE_CHECKING:
    from cardioseg.inference.outcome import Outcome
    from cardioseg.measure.curves import Moments

ED = Annotated[int | None, typer.Option("--ed", min=0, help="Phase of end-diastole, from 0, for all cases.")]
ES = Annotated[int | None, typer.Option("--es", min=0, help="Phase of end-systole, from 0, for all cases.")]

_TABLE = (
    "qc", "lv_volume_ml", "lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "lv_mass_g", "rv_volume_ml", "rv_edv_ml",
    "rv_esv_ml", "rv_ef_percent", "cardiac_output_l_per_min", "ed_phase", "es_phase",
)  # fmt: skip


def chosen(ed: int | None, es: int | None) -> "Moments":
    """The phases that `--ed` and `--es` name."""
    from cardioseg.measure.curves import Moments

    if ed is not None and ed == es:
        raise UsageError(f"--ed and --es are both {ed}", "end-diastole and end-systole are different phases")
    return Moments(ed, es)


def say_outcome(outcome: "Outcome", quiet: bool) -> None:
    """A line about a case that failed or has a remark."""
    if outcome.reason:
        is_done = outcome.status == "done"
        console.say(
            f"{'remark' if is_done else outcome.status}: {outcome.case_id}: {outcome.reason}", quiet and is_done
        )


def finish(out: Path, outcomes: "Sequence[Outcome]", quiet: bool, as_json: bool) -> int:
    """Print what is in `out`; the exit code."""
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    nothing = NoInputError(
        f"all cases failed, {len(failed)} of {len(outcomes)}", f"the reasons are above and in {out / 'status.csv'}"
    )
    measured = _read_measures(out)
    if as_json:
        console.print_json(
            _document(out, measured) | (console.described(nothing) if len(failed) == len(outcomes) else {})
        )
    elif not quiet:
        _print(measured)
        console.say(f"report: {out / 'report.html'}")
    if len(failed) == len(outcomes):
        return console.fail(nothing, as_json=False)
    return ExitCode.SOME_FAILED if failed else ExitCode.OK


def _document(out: Path, measured: list[dict[str, Any]]) -> dict[str, Any]:
    import json

    run: dict[str, Any] = json.loads((out / "run.json").read_text())
    for row in measured:
        known = json.loads((out / row["case_id"] / "measures.json").read_text())
        row["flags"] = known["flags"]
    return run | {"measures": measured, "out": str(out)}


def _read_measures(out: Path) -> list[dict[str, Any]]:
    import csv

    with (out / "measures.csv").open(newline="") as file:
        return [
            {name: text if name in ("case_id", "flags") else _number(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def _print(measured: list[dict[str, Any]]) -> None:
    known = ["case_id", *(name for name in _TABLE if any(row[name] is not None for row in measured))]
    columns = [f"{name} " if name == "case_id" else name for name in known]
    if measured:
        console.print_table("Measures", columns, [[_shown(row[name]) for name in known] for row in measured])


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _shown(value: str | float | None) -> str | float | None:
    return f"{value:.1f}" if isinstance(value, float) else value
