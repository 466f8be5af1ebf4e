"""`evaluate`: predicted masks against references."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.errors import ExitCode

if TYPE_CHECKING:
    from cardioseg.evaluation.result import Evaluation


def evaluate(
    predicted: Annotated[Path, typer.Argument(help="What `predict` wrote, or a folder of NIfTI masks.")],
    reference: Annotated[Path, typer.Argument(help="Labelled data that `ingest` reads, or a folder of NIfTI masks.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Gets evaluation.csv and evaluation.json.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Compare PREDICTED masks with REFERENCE labels."""
    from cardioseg.evaluation.comparison import evaluate as compare
    from cardioseg.evaluation.result import write

    evaluation = compare(predicted, reference)
    if out:
        write(evaluation, out)
    if as_json:
        console.print_json(evaluation.to_json())
    elif not quiet:
        print_evaluation(evaluation)
    console.print_skipped(evaluation.problems, "not compared")
    return ExitCode.SOME_FAILED if evaluation.problems else ExitCode.OK


def print_evaluation(evaluation: "Evaluation") -> None:
    """The cases, and the mean of each label."""
    columns = ("case ", "volume ", "label ", "slices", "Dice", "reference mL", "predicted mL")
    rows = [
        (s.case_id, s.volume, s.label.title, len(s.slice_dice), s.dice, s.reference_ml, s.predicted_ml)
        for s in evaluation.scores
    ]
    console.print_table(
        "Cases", columns, rows, "volumes are over the slices that the reference knows, not the whole stack"
    )
    console.print_table(
        "Dice, mean ± standard deviation (n)",
        ("label ", "per slice", "per volume", "per subject", "slices empty in both"),
        [
            (s.label.title, str(s.dice_per_slice), str(s.dice_per_volume), str(s.dice_per_subject), s.slices_both_empty)
            for s in evaluation.summary
        ],
    )
