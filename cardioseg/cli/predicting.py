"""`predict` and `info`."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Device, Force, Quiet, Threads
from cardioseg.cli.results import ED, ES, chosen, finish, say_outcome
from cardioseg.errors import ExitCode, UsageError

ModelName = Annotated[str, typer.Option("--model", "-m", help="A built-in model's name, or a model folder.")]
DEFAULT = "sax"


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
    ed: ED = None,
    es: ES = None,
    names: Annotated[
        str, typer.Option("--names", help="own: folders and files name the cases; hash: a keyed hash does.")
    ] = "own",
    paths: Annotated[bool, typer.Option("--paths/--no-paths", help="Whether OUT says where the scans lie.")] = True,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Segment the short-axis cines in SCANS: masks, volumes, a report."""
    from cardioseg.files import sole_writer
    from cardioseg.inference.cases import Case, find_cases
    from cardioseg.inference.formats import parse_formats
    from cardioseg.inference.naming import HASH, NAMES, hash_names
    from cardioseg.inference.run import predict_all
    from cardioseg.inference.session import find_model, open_model

    wanted, moments = parse_formats(formats), chosen(ed, es)
    if names not in NAMES:
        raise UsageError(f"no names {names!r}", ", ".join(NAMES))
    outcomes = []
    with sole_writer(out):
        opened = open_model(find_model(model), device, threads)
        findings = find_cases(scans if paths else [scan.absolute() for scan in scans], out)
        findings = hash_names(findings, out) if names == HASH else findings
        if not quiet:
            console.print_skipped(findings.unused, "not used")
        with console.progress(quiet or as_json) as bars:
            everything = bars.add_task("cases", total=len(findings.cases))
            slices = bars.add_task("", total=None)

            def report(case: Case, done: int, of: int) -> None:
                bars.update(slices, description=case.case_id, completed=done, total=of)

            for outcome in predict_all(
                findings, opened, out, overwrite, report, formats=wanted, moments=moments, paths=paths
            ):
                outcomes.append(outcome)
                bars.advance(everything)
                say_outcome(outcome, quiet)
    others = {path.parent.name for path in out.glob("*/case.json")} - {outcome.case_id for outcome in outcomes}
    if others:
        console.say(f"{out} also holds {len(others)} cases of other scans, which are not in its tables", quiet)
    return finish(out, outcomes, quiet, as_json)


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
