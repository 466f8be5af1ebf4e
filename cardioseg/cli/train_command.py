"""`train`: networks are trained on a prepared dataset."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Device, Quiet, Threads
from cardioseg.cli.help_text import one_of
from cardioseg.cli.torch_device import device_of, require_torch
from cardioseg.cli.train_progress import Pace
from cardioseg.errors import ExitCode, InterruptError, UsageError
from cardioseg.network.norms import NORMS

if TYPE_CHECKING:
    from cardioseg.training.crossval import FoldResult, Plan
    from cardioseg.training.initial_model import InitialModel
    from cardioseg.training.recipe import Recipe

DatasetFolder = Annotated[Path, typer.Argument(metavar="DATASET", help="A prepared dataset that `ingest` wrote.")]


def train(
    context: typer.Context,
    dataset: DatasetFolder,
    run: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Output folder of the run: checkpoints, logs, scores.")
    ],
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            "-r",
            metavar="RECIPE",
            help="Name of a built-in recipe, such as lv (LV cavity only) or sax (both ventricles and the myocardium), "
            "or a TOML file.",
        ),
    ] = "lv",
    norm: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Normalization layer: {one_of(NORMS)} (docs/recipes.md explains them). This layer is used instead of "
            "the one in the recipe.",
        ),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Learning rate, instead of the one in the recipe.")
    ] = None,
    initial_model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="Name of a built-in model, or a model folder. Training starts from the weights of this model "
            "instead of random weights. If the model has several networks, fold N starts from network N.",
        ),
    ] = "",
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Train each fold for N steps, instead of the epochs in the recipe."),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of folds. 1: no cross validation; train one network on all subjects except those of "
            "--hold-out.",
        ),
    ] = 3,
    fold: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Train only this fold, counted from 0. Several machines can train folds of the same run in the same "
            "folder.",
        ),
    ] = None,
    hold_out: Annotated[
        str, typer.Option(metavar="NAMES", help="Subjects that no fold trains on, separated by commas.")
    ] = "",
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Random seed for folds, initial weights and batches.")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run from its newest checkpoints.")] = False,
    checkpoint_steps: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of steps between two checkpoints.")
    ] = 200,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Train a U-Net, by default with cross validation.

    All images of a subject are in the same fold. `train` checks this; folds.json in the run folder lists the folds.
    """
    torch = require_torch()
    from cardioseg.dataset.store import open_dataset
    from cardioseg.training.crossval import Plan, write_scores
    from cardioseg.training.recipe import read_recipe

    if fold is not None and fold >= folds:
        raise UsageError(f"there is no fold {fold}", f"folds are 0 to {folds - 1}")
    if threads:
        torch.set_num_threads(threads)
    held_out = tuple(part.strip() for part in hold_out.split(",") if part.strip())
    settings = _override(read_recipe(recipe), norm, learning_rate)
    on = device_of(torch, device)
    initial = _initial_model(initial_model, settings, range(folds) if fold is None else [fold])
    prepared = open_dataset(dataset)
    plan = Plan(prepared, run, settings, folds, seed, held_out, on, checkpoint_steps, steps, initial)
    try:
        results = _results(plan, fold, resume, quiet or as_json)
    except KeyboardInterrupt:
        raise InterruptError(
            "interrupted", _next_command(context.obj, run, range(folds) if fold is None else [fold])
        ) from None
    if fold is None:
        write_scores(plan, results)
    if as_json:
        console.print_json([result.summary(settings.labels) for result in results])
    elif not quiet:
        _print(results, settings.labels)
        alone = "" if fold is None else f" --fold {fold}"
        made_by = f"`cardioseg export {quote(str(run))} {quote(str(dataset))} -o MODEL --licence ...{alone}`"
        console.say(f"{made_by} exports the model")
    return ExitCode.OK


def _initial_model(name: str, recipe: "Recipe", folds: Iterable[int]) -> "InitialModel | None":
    """The model to start from, if there is one; it must have a network for each fold before the first is trained."""
    from cardioseg.inference.session import find_model
    from cardioseg.training.initial_model import read_initial_model

    if not name:
        return None
    model = read_initial_model(find_model(name), recipe)
    for fold in folds:
        model.of_fold(fold)
    return model


def _results(plan: "Plan", fold: int | None, resume: bool, plain: bool) -> "list[FoldResult]":
    """Train all folds, or one."""
    from cardioseg.dataset.slices import undrawn
    from cardioseg.training.crossval import prepare_run, run_fold

    planned = prepare_run(plan, resume)
    for planned_fold in (fold for fold in planned if fold.left_out):
        who = " and ".join(planned_fold.left_out)
        console.say(
            f"fold {planned_fold.index} is not validated on {who}: their images are in training under another name"
        )
    if sentence := undrawn(plan.dataset.subjects(), plan.recipe.structures).sentence:
        console.say(sentence)
    chosen = planned if fold is None else [planned[fold]]
    if plan.initial_model and any(map(plan.seen_by_initial_model, chosen)):
        initial = plan.initial_model.recorded()
        console.say(f"{initial.name} was trained on {initial.trained_on}, which may include subjects that validate")
    with console.progress(plain, "loss", "speed") as bars:
        pace = Pace(bars, len(chosen), plain)
        return [run_fold(plan, each, pace.report, resume, partial(pace.begin, each.index)) for each in chosen]


def _next_command(arguments: Sequence[str], run: Path, folds: Iterable[int]) -> str:
    """What goes on with an interrupted run of these folds."""
    from cardioseg.dataset.run_folder import RunFolder
    from cardioseg.training.checkpoint import steps_done

    folder = RunFolder(run)
    if not folder.is_begun:
        return f"`{join(arguments)}` starts the run again"
    command = f"`{join(arguments if '--resume' in arguments else [*arguments, '--resume'])}`"
    folders = {fold: folder.fold(fold) for fold in folds}
    cut = next((fold for fold, of_fold in folders.items() if not of_fold.is_finished), None)
    if cut is None or steps_done(folders[cut].path):
        return f"{command} continues from the newest checkpoint"
    return f"{command} starts fold {cut} again (no checkpoint yet)"


def _override(recipe: "Recipe", norm: str | None, learning_rate: float | None) -> "Recipe":
    """The recipe with what the command line says instead, checked as the recipe was."""
    from cardioseg.training.recipe import check_recipe

    document = recipe.model_dump()
    if norm is not None:
        document["norm"] = norm
    if learning_rate is not None:
        document["optimization"]["learning_rate"] = learning_rate
    return check_recipe(document, "with --norm and --learning-rate")


def _print(results: Sequence["FoldResult"], labels: Sequence[str]) -> None:
    from cardioseg.training.slice_scores import per_image, per_subject

    rows = []
    for result in results:
        for label in labels:
            images, subjects = per_image(result.scores, label), per_subject(result.scores, label)
            rows.append(
                (
                    result.fold.index,
                    label,
                    str(images),
                    str(subjects),
                    result.trained,
                    result.weights_sha256[:12],
                )
            )
    columns = ("fold", "label", "Dice per image (n)", "Dice per subject (n)", "trained on subjects", "weights")
    console.print_table("Validation, mean ± standard deviation", columns, rows, text=("label", "weights"))
