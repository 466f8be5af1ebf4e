"""`evaluate`: predicted masks, or the folds of a training run, against references."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli import evaluation_tables as verdicts
from cardioseg.cli.console import AsJson, Int8, Quiet, Threads
from cardioseg.cli.conventions import CONVENTION
from cardioseg.cli.executing import Workers, executor_of
from cardioseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardioseg.evaluation.result import Evaluation
    from cardioseg.execution.executor import Executor
    from cardioseg.image.labels import Label

    Convention = Mapping[int, Label]
    Conventions = tuple[Convention | None, Convention | None]

_ARGUMENT = (
    "PREDICTED is what `predict` wrote, a folder of NIfTI masks, or a run of `train`. REFERENCE is a prepared dataset "
    "(of a run: its own), labelled data that `ingest` reads, or a folder of NIfTI masks."
)


Paths = Annotated[list[Path], typer.Argument(metavar="PREDICTED... REFERENCE", help=_ARGUMENT)]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Gets evaluation.html, .json, .csv.")]
Compare = Annotated[bool, typer.Option("--compare", help="Test several PREDICTED against each other.")]
Numbers = Annotated[
    str | None, typer.Option("--labels", help=f"Numbers in reference masks that do not say it: {CONVENTION}")
]
PredictedNumbers = Annotated[
    str | None, typer.Option("--predicted-labels", help="Numbers in predicted masks, likewise.")
]
NnUnet = Annotated[bool, typer.Option("--nnunet", help="Also write nnU-Net's summary.json.")]


def evaluate(
    paths: Paths,
    out: Out = None,
    compare: Compare = False,
    labels: Numbers = None,
    predicted_labels: PredictedNumbers = None,
    nnunet: NnUnet = False,
    int8: Int8 = False,
    workers: Workers = 1,
    threads: Threads = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Compare PREDICTED masks with REFERENCE labels; of a training run, each fold on subjects that it has not seen."""
    from cardioseg.evaluation.systems import compare as test_systems
    from cardioseg.evaluation.systems import untested, warning
    from cardioseg.files import sole_writer
    from cardioseg.image.labels import convention_of

    systems = _systems(paths, compare)
    conventions = convention_of(predicted_labels), convention_of(labels)
    silent = quiet or as_json
    with executor_of(workers) as executor:
        found = {
            name: _evaluate(path, paths[-1], conventions, executor, threads, int8, silent)
            for name, path in systems.items()
        }
    tests = test_systems(found)
    if out:
        with sole_writer(out):
            verdicts.write(found, tests, out, nnunet, silent)
    if not silent:
        verdicts.say_left_out(found)
    if as_json:
        verdicts.print_json(found, tests)
    elif not quiet:
        verdicts.print_tables(found, tests)
    if too_few := warning(tests):
        console.say(f"warning: {too_few}")
    for name, evaluation in found.items():
        which = f" in {name}" if compare else ""
        console.print_skipped(evaluation.mistakes, f"looks wrong{which}")
        console.print_skipped(evaluation.problems, f"not compared{which}")
    apart = untested(found, tests)
    console.print_skipped(apart, "not tested")
    is_part = bool(apart) or any(evaluation.problems for evaluation in found.values())
    return ExitCode.SOME_FAILED if is_part else ExitCode.OK


def _systems(paths: Sequence[Path], compare: bool) -> dict[str, Path]:
    """The predictions by the names of their folders."""
    from cardioseg.files import unique_names

    predicted = paths[:-1]
    if not predicted:
        raise UsageError("evaluate needs what was predicted and its reference", "cardioseg evaluate OUT REFERENCE")
    if compare and len(predicted) < 2:
        raise UsageError("--compare needs two predictions or more", "cardioseg evaluate A B REFERENCE --compare")
    if not compare and len(predicted) > 1:
        raise UsageError(f"there are {len(predicted)} predictions", "--compare tests them against each other")
    if len({path.resolve() for path in predicted}) < len(predicted):
        raise UsageError("a prediction is given twice")
    return dict(zip(unique_names(path.resolve().name for path in predicted), predicted, strict=True))


def _evaluate(
    predicted: Path,
    reference: Path,
    conventions: "Conventions",
    executor: "Executor",
    threads: int,
    int8: bool,
    silent: bool,
) -> "Evaluation":
    from cardioseg.dataset.training_run import is_run
    from cardioseg.evaluation.comparison import evaluate as compare_folders

    if is_run(predicted):
        from cardioseg.cli.evaluate_run import evaluate_run

        if any(convention is not None for convention in conventions):
            raise UsageError(
                f"--labels and --predicted-labels have no effect: {predicted} is a run of `train`",
                "leave them out; the run and its dataset say what their numbers mean",
            )

        return evaluate_run(predicted, reference, executor, threads, "int8" if int8 else "float32", silent)
    if int8:
        raise UsageError(f"{predicted} is no run of `train`", "--int8 is of runs; masks are what they are")
    return compare_folders(predicted, reference, *conventions, executor)
