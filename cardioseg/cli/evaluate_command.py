"""`evaluate`: predicted masks, or the folds of a training run, against references."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli import evaluation_tables as verdicts
from cardioseg.cli.console import AsJson, Quiet, Threads
from cardioseg.cli.conventions import CONVENTION, Structures
from cardioseg.cli.executor_options import Workers, executor_of
from cardioseg.cli.torch_device import require_torch
from cardioseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardioseg.evaluation.judgement import Judgement
    from cardioseg.evaluation.result import Evaluation
    from cardioseg.execution.executor import Executor
    from cardioseg.image.labels import Convention
    from cardioseg.ingest.labels.structures import Meaning

    Meanings = tuple[Convention | None, Meaning]

Predicted = Annotated[
    list[Path],
    typer.Argument(
        metavar="PREDICTED...",
        help="A results folder written by `predict`, a folder of masks, or a training run. "
        "With --compare: two or more.",
    ),
]
Reference = Annotated[
    Path,
    typer.Argument(
        metavar="REFERENCE",
        help="One of these: a prepared dataset; labelled data that `ingest` reads; a folder of masks. If "
        "PREDICTED is a training run, REFERENCE is its dataset.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder for evaluation.html, .json and .csv."),
]
Compare = Annotated[
    bool,
    typer.Option(
        "--compare",
        help="Compare two or more PREDICTED with each other: statistical tests of their scores, paired by subject.",
    ),
]
Numbers = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAME",
        help=f"Numbering of the labels in the reference masks: {CONVENTION}. Default: acdc, unless the "
        "reference is a known dataset (such as M&Ms) or has a dataset.json; then the numbering of that dataset.",
    ),
]
PredictedNumbers = Annotated[
    str | None,
    typer.Option("--predicted-labels", metavar="NAME", help="The same as --labels, for the predicted masks."),
]
Int8 = Annotated[
    bool,
    typer.Option(
        "--int8",
        help="First convert the networks to 8-bit convolutions, as `export --int8` does (training runs only).",
    ),
]
NnUnet = Annotated[bool, typer.Option("--nnunet", help="Also write nnU-Net's summary.json.")]


def evaluate(
    predicted: Predicted,
    reference: Reference,
    out: Out = None,
    compare: Compare = False,
    labels: Numbers = None,
    structures: Structures = None,
    predicted_labels: PredictedNumbers = None,
    nnunet: NnUnet = False,
    int8: Int8 = False,
    workers: Workers = 1,
    threads: Threads = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Compare predicted masks with reference masks.

    It prints overlap, distances and errors of the measures; with --out, it also writes these results as a page, JSON
    and CSV. A predicted mask is compared with the reference of the same name: the name of its file without _gt, or, for
    mask.nii.gz, the name of its folder. If PREDICTED is a training run, each fold's network is evaluated on the
    subjects that this fold kept for validation.
    """
    from cardioseg.evaluation.systems import compare as test_systems
    from cardioseg.evaluation.systems import untested, warning
    from cardioseg.files import sole_writer
    from cardioseg.image.labels import convention_of
    from cardioseg.ingest.labels.structures import meaning_of

    systems = _systems(predicted, compare)
    numbers, meaning = _numbers(systems, convention_of(predicted_labels)), meaning_of(labels, structures)
    silent = quiet or as_json
    with executor_of(workers) as executor:
        evaluations = {
            name: _evaluate(path, reference, (numbers[name], meaning), executor, threads, int8, silent)
            for name, path in systems.items()
        }
    tests = test_systems(evaluations)
    if out:
        with sole_writer(out):
            verdicts.write(evaluations, tests, out, nnunet, silent)
    if not silent:
        verdicts.say_left_out(evaluations)
    if as_json:
        verdicts.print_json(evaluations, tests)
    elif not quiet:
        verdicts.print_tables(evaluations, tests)
    if too_few := warning(tests):
        console.say(f"warning: {too_few}")
    for name, evaluation in evaluations.items():
        verdicts.say_remarks(evaluation, f" in {name}" if compare else "")
    not_tested = untested(evaluations, tests)
    console.print_skipped(not_tested, "not tested")
    is_part = bool(not_tested) or any(evaluation.problems for evaluation in evaluations.values())
    return ExitCode.SOME_FAILED if is_part else ExitCode.OK


def _systems(predicted: Sequence[Path], compare: bool) -> dict[str, Path]:
    """The predictions by the names of their folders."""
    from cardioseg.files import unique_names

    if compare and len(predicted) < 2:
        raise UsageError("--compare needs two predictions or more", "cardioseg evaluate A B REFERENCE --compare")
    if not compare and len(predicted) > 1:
        raise UsageError(f"there are {len(predicted)} predictions", "--compare compares them with each other")
    if len({path.resolve() for path in predicted}) < len(predicted):
        raise UsageError("a prediction is given twice")
    return dict(zip(unique_names(path.resolve().name for path in predicted), predicted, strict=True))


def _numbers(systems: Mapping[str, Path], convention: "Convention | None") -> dict[str, "Convention | None"]:
    """The convention of each system. Masks of `predict` beside those of others have their own."""
    from cardioseg.dataset.run_folder import RunFolder
    from cardioseg.results.folder import ResultsFolder
    from cardioseg.results.run_record import read_run_record

    if convention is None:
        return dict.fromkeys(systems)
    others = [path for path in systems.values() if not RunFolder(path).is_run]
    own = {path for path in others if read_run_record(ResultsFolder(path)).structures is not None}
    return {name: None if path in own and len(own) < len(systems) else convention for name, path in systems.items()}


def _evaluate(
    predicted: Path,
    reference: Path,
    meanings: "Meanings",
    executor: "Executor",
    threads: int,
    int8: bool,
    silent: bool,
) -> "Evaluation":
    from cardioseg.dataset.run_folder import RunFolder
    from cardioseg.evaluation.comparison import evaluate as compare_folders
    from cardioseg.ingest.labels.structures import AS_USUAL

    if RunFolder(predicted).is_run:
        if meanings != (None, AS_USUAL):
            raise UsageError(
                f"--labels, --structures and --predicted-labels have no effect: {predicted} is a training run",
                "leave them out; the run and its dataset define their label numbers",
            )

        return _evaluate_run(predicted, reference, executor, threads, int8, silent)
    if int8:
        raise UsageError(f"{predicted} is not a training run", "--int8 applies to training runs only")
    return compare_folders(predicted, reference, *meanings, executor)


def _evaluate_run(
    folder: Path, dataset: Path, executor: "Executor", threads: int, int8: bool, silent: bool
) -> "Evaluation":
    require_torch()
    from cardioseg.cross_validation.run_evaluation import open_run
    from cardioseg.evaluation.comparison import collect

    evaluation = open_run(folder, dataset, "int8" if int8 else "float32", executor.threads(threads))
    console.say(f"evaluated: {evaluation.origin.split}", silent)
    with console.progress(silent) as bars:
        task = bars.add_task("subjects", total=len(evaluation.items))

        def counted() -> Iterator["Judgement"]:
            for number, judgement in enumerate(evaluation.judgements(executor)):
                bars.update(task, completed=number)
                yield judgement

        return collect(counted(), evaluation.origin)
