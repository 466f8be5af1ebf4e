"""`export`: a finished training run becomes a model folder."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.cli.torch_device import require_torch
from cardioseg.errors import ExitCode


def export(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A finished training run; with --fold, it is enough that the exported folds are finished.",
        ),
    ],
    dataset: Annotated[
        Path,
        typer.Argument(metavar="DATASET", help="The dataset of the run; the exported model is checked on it."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Output folder for the model.")],
    licence: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Licence of the model. It must fit the licences of the training data and of the initial model.",
        ),
    ],
    citation: Annotated[str, typer.Option(metavar="TEXT", help="Citation for the training data.")] = "",
    fold: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N",
            help="Export this fold (counted from 0) instead of the ensemble of all folds. For several "
            "folds, repeat the option.",
        ),
    ] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder that `evaluate -o` wrote for a run or model with the same recipe and training data as RUN. "
            "The results in this folder go into the model's card. For several folders, repeat the option.",
        ),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Use 8-bit convolutions: faster on CPUs with VNNI.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Export a finished training run as a model folder for `predict`.

    The model is written only if ONNX Runtime and PyTorch give the same labels on slices of DATASET and their logits
    differ by at most 0.001. With --int8, it is enough that the labels of both agree on 90 % of the
    pixels; pixels that are background for both are not counted.
    """
    require_torch()
    from cardioseg.dataset.store import open_dataset
    from cardioseg.files import sole_writer
    from cardioseg.training.publication import Publication, publish

    publication = Publication(
        out.resolve().name, licence, citation, tuple(fold or ()), tuple(evaluation or ()), "int8" if int8 else "float32"
    )
    with sole_writer(out):
        card = publish(run, open_dataset(dataset), out, publication)
    initial = card.training.initial_model
    if initial and not initial.endswith(f" ({licence})"):
        console.say(
            f"warning: the licence is {licence}, but training started from the model {initial}: "
            "check that the licence of that model allows this"
        )
    if as_json:
        console.print_json(card.model_dump(mode="json"))
        return ExitCode.OK
    rows = [
        (metric.label, metric.metric, metric.mean, metric.std, metric.n, metric.protocol) for metric in card.metrics
    ]
    if not quiet and rows:
        console.print_table(
            card.name, ("of", "figure", "mean", "std", "n", "protocol"), rows, text=("of", "figure", "protocol")
        )
    proof = card.parity
    how = f"{100 * proof.agreement:.1f} % of labels" if int8 else f"logits within {proof.max_logit_difference:.1e}"
    console.say(f"ONNX Runtime and torch agree on {proof.slices} slices: {how}", quiet)
    console.say(f"`cardioseg predict SCANS -o OUT -m {quote(str(out))}` uses the model", quiet)
    return ExitCode.OK
