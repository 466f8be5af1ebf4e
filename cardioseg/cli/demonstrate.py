"""`demo`: the whole road on a heart whose volumes are known."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import Device, Quiet, Threads
from cardioseg.cli.predicting import DEFAULT, ModelName, predict
from cardioseg.errors import ExitCode


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Gets scans/, reference/ and results/.")] = Path("demo"),
    model: ModelName = DEFAULT,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
) -> int:
    """Segment a synthetic heart and compare with its known volumes."""
    import json

    from cardioseg.evaluation.comparison import evaluate
    from cardioseg.image.labels import Label
    from cardioseg.image.nifti import write_cine
    from cardioseg.phantom import Phantom, reference, truth, write_dicom

    phantom = Phantom()
    scans, references, results = out / "scans", out / "reference", out / "results"
    console.say(f"writing a synthetic cine of {phantom.slices} slices x {phantom.phases} phases to {scans}", quiet)
    write_dicom(phantom, scans)
    write_cine(references / f"{phantom.patient_id}_gt.nii.gz", reference(phantom))
    code = predict([scans], results, model, device, threads, overwrite=True, quiet=quiet)
    if code != ExitCode.OK:
        return code
    (case_id,) = (path.parent.name for path in results.glob("*/case.json"))
    measured = json.loads((results / case_id / "measures.json").read_text())["measures"]
    known = truth(phantom)
    dice = [s.per_slice["dice"].mean for s in evaluate(results, references).summary if s.label is Label.LV_CAVITY]
    rows = [
        ("LV EDV (mL)", known.lv_edv_ml, measured["lv_edv_ml"]),
        ("LV ESV (mL)", known.lv_esv_ml, measured["lv_esv_ml"]),
        ("LV EF (%)", known.lv_ef_percent, measured["lv_ef_percent"]),
    ]
    table = [(name, f"{a:.1f}", f"{b:.1f}", f"{b - a:+.1f}") for name, a, b in rows if b is not None]
    caption = f"LV Dice {dice[0]:.3f}, mean over slices" if dice else ""
    console.print_table("The phantom", ("measure ", "known", "measured", "error"), table, caption)
    console.say("the model was trained on real slices that all hold an LV: it draws one above the base, too", quiet)
    console.say(f"open {results / 'report.html'}", quiet)
    return ExitCode.OK
