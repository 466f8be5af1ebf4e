"""`demo`: the whole road on a heart whose volumes are known."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import Device, Quiet, Threads
from cardioseg.cli.predict_command import DEFAULT, ModelName, predict
from cardioseg.errors import ExitCode


def demo(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Output folder for the scans, reference masks and results of the demo.",
        ),
    ] = Path("demo"),
    model: ModelName = DEFAULT,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
) -> int:
    """Segment a synthetic heart whose volumes are known."""
    from cardioseg.evaluation.comparison import evaluate
    from cardioseg.evaluation.measures import MEASURES
    from cardioseg.image.nifti import write_cine
    from cardioseg.phantom import Phantom, reference, truth, write_dicom
    from cardioseg.report.measure_columns import measure_title
    from cardioseg.results.description import read_description
    from cardioseg.results.folder import ResultsFolder

    phantom = Phantom()
    scans, references, results = out / "scans", out / "reference", out / "results"
    console.say(f"writing a synthetic cine of {phantom.slices} slices x {phantom.phases} phases to {scans}", quiet)
    write_dicom(phantom, scans)
    write_cine(references / f"{phantom.patient_id}_gt.nii.gz", reference(phantom))
    code = predict([scans], results, model, device, threads, overwrite=True, quiet=quiet)
    if code != ExitCode.OK:
        return code
    folder = ResultsFolder(results)
    (case,) = folder.cases()
    measured = read_description(case).measures.as_row()
    true_values = truth(phantom).measures
    known_and_measured = [(name, true_values[name], measured[name]) for name in MEASURES]
    table = [
        (measure_title(name), f"{a:.1f}", f"{b:.1f}", f"{b - a:+z.1f}")
        for name, a, b in known_and_measured
        if a is not None and b is not None
    ]
    whole = [row for row in evaluate(results, references).summary if row.group == "all"]
    scores = ", ".join(f"{row.label.title} {row.per_volume['dice'].mean:.3f}" for row in whole)
    columns = ("measure", "known", "measured", "error")
    if not quiet:
        console.print_table("The phantom", columns, table, f"Dice per volume: {scores}", text=["measure"])
    console.say(f"open {folder.report}", quiet)
    return ExitCode.OK
