"""`predict` and `info`."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Device, Force, Quiet, Threads
from cardioseg.errors import ExitCode

ModelName = Annotated[str, typer.Option("--model", "-m", help="A built-in model's name, or a model folder.")]
DEFAULT = "lv_sunnybrook"


def predict(
    scans: Annotated[list[Path], typer.Argument(help="DICOM folders (any tree), NIfTI files or folders, 3D or 4D.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Gets a folder a case, tables and report.html.")],
    model: ModelName = DEFAULT,
    device: Device = "auto",
    threads: Threads = 0,
    overwrite: Force = False,
    formats: Annotated[
        str, typer.Option("--format", help="nifti, dicom-seg, or both with a comma; nifti is always written.")
    ] = "nifti",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Segment the short-axis cines in SCANS: masks, volumes, a report."""
    from cardioseg.inference.cases import Case, find_cases
    from cardioseg.inference.formats import parse_formats
    from cardioseg.inference.predict import DONE
    from cardioseg.inference.run import predict_all
    from cardioseg.inference.session import find_model, open_model

    wanted = parse_formats(formats)
    opened = open_model(find_model(model), device, threads)
    findings = find_cases(scans, out)
    if not quiet:
        console.print_skipped(findings.unused, "not used")
    outcomes = []
    with console.progress(quiet or as_json) as bars:
        everything = bars.add_task("cases", total=len(findings.cases))
        slices = bars.add_task("", total=None)

        def report(case: Case, done: int, of: int) -> None:
            bars.update(slices, description=case.case_id, completed=done, total=of)

        for outcome in predict_all(findings, opened, out, overwrite, report, formats=wanted):
            outcomes.append(outcome)
            bars.advance(everything)
            if outcome.reason:
                what = "remark" if outcome.status == DONE else outcome.status
                console.say(f"{what}: {outcome.case.case_id}: {outcome.reason}")
    _print(out, quiet, as_json)
    others = {path.parent.name for path in out.glob("*/case.json")} - {outcome.case.case_id for outcome in outcomes}
    if others:
        console.say(f"{out} also holds {len(others)} cases of other scans, which are not in its tables", quiet)
    failed = [outcome for outcome in outcomes if outcome.status != DONE]
    return ExitCode.NO_INPUT if len(failed) == len(outcomes) else ExitCode.SOME_FAILED if failed else ExitCode.OK


def info(as_json: AsJson = False) -> int:
    """List the built-in models and the installed versions."""
    from importlib.metadata import PackageNotFoundError, version

    from cardioseg.export.card import read_card
    from cardioseg.inference.session import built_in_models

    models = {name: read_card(folder) for name, folder in built_in_models().items()}
    packages = {}
    for name in ("cardioseg", "onnxruntime", "onnxruntime-gpu", "torch", "numpy", "SimpleITK", "pydicom"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "not installed"
    if as_json:
        described = {name: {"labels": card.labels, "licence": card.licence} for name, card in models.items()}
        console.print_json({"models": described, "packages": packages})
        return ExitCode.OK
    rows = [(name, ", ".join(card.labels), card.training.dataset, card.licence) for name, card in models.items()]
    console.print_table("Models", ("model ", "labels ", "trained on ", "licence "), rows)
    console.print_table("Packages", ("package ", "version "), packages.items())
    return ExitCode.OK


def _print(out: Path, quiet: bool, as_json: bool) -> None:
    import csv
    import json

    with (out / "measures.csv").open(newline="") as file:
        measured = [
            {name: text if name == "case_id" else _number(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
    if as_json:
        console.print_json(json.loads((out / "run.json").read_text()) | {"measures": measured, "out": str(out)})
    elif not quiet:
        known = [name for name in (measured[0] if measured else {}) if any(row[name] is not None for row in measured)]
        columns = [f"{name} " if name == "case_id" else name for name in known]
        if measured:
            console.print_table("Measures", columns, [[_shown(row[name]) for name in known] for row in measured])
        console.say(f"report: {out / 'report.html'}")


def _number(text: str) -> str | int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None


def _shown(value: str | float | None) -> str | float | None:
    return f"{value:.1f}" if isinstance(value, float) else value
