"""`reproduce`: the paper's tables on a dataset that anyone can get."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Device, Quiet, Threads
from cardioseg.cli.training import DatasetFolder, device_of, require_torch
from cardioseg.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardioseg.reproduce.jobs import Job, Protocol
    from cardioseg.reproduce.results import Results


_COARSEST_MM = 20


def reproduce(
    dataset: DatasetFolder,
    organ: Annotated[str, typer.Option(help="lv or rv.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Gets the jobs and the tables.")],
    tables: Annotated[str, typer.Option(help="Which of the paper's tables, separated by commas.")] = "1,2,3",
    norms: Annotated[str, typer.Option(help="Only these norms, separated by commas.")] = "",
    lrs: Annotated[str, typer.Option(help="Learning rates, separated by commas.")] = "1.5,1.0,0.5,0.1,0.05",
    folds: Annotated[int, typer.Option(min=2, help="Folds, by subject.")] = 3,
    fold: Annotated[int | None, typer.Option(min=0, help="Run this fold only (0-based).")] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "0",
    steps_fraction: Annotated[float, typer.Option(help="The part of the paper's rotation grid to run, 0 to 1.")] = 1.0,
    spacing_mm: Annotated[
        float | None, typer.Option(help="Resample the images to pixels of this size: coarser is faster.")
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(help="Train and test on this many central pixels in height and width (a multiple of 16)."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Jobs at the same time, a process each.")] = 1,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Run the paper's experiments on DATASET and print its tables.

    Finished jobs are kept: a run that was cut goes on where it was when it is started again.
    """
    torch = require_torch()
    from cardioseg.dataset.store import open_dataset
    from cardioseg.files import sole_writer
    from cardioseg.network.unet import MULTIPLE
    from cardioseg.reproduce.experiment import command, describe, measured_cost, write_figures
    from cardioseg.reproduce.jobs import Protocol, claim, plan
    from cardioseg.reproduce.paper import ORGANS, TABLES
    from cardioseg.reproduce.paper import norms as norms_of
    from cardioseg.reproduce.tables import Report, write_tables

    if organ not in ORGANS:
        raise UsageError(f"no organ {organ}", "lv or rv")
    wanted = [int(number) for number in _listed(tables, "table", ("1", "2", "3"))]
    chosen = _listed(norms, "norm", norms_of((1, 2, 3))) if norms else norms_of(wanted)
    if fold is not None and fold >= folds:
        raise UsageError(f"there is no fold {fold}", f"folds are 0 to {folds - 1}")
    jobs = plan(chosen, _numbers(lrs, float), range(folds) if fold is None else [fold], _numbers(seeds, int))
    if not 0 < steps_fraction <= 1:
        raise UsageError(f"--steps-fraction {steps_fraction:g} is not above 0 and up to 1")
    if spacing_mm is not None and not 0 < spacing_mm < _COARSEST_MM:
        raise UsageError(f"--spacing-mm {spacing_mm:g} is not above 0 and below {_COARSEST_MM}")
    if window is not None and (window < MULTIPLE or window % MULTIPLE):
        raise UsageError(f"--window {window} is not a multiple of {MULTIPLE}")
    if threads:
        torch.set_num_threads(threads)
    where = device_of(torch, device)
    protocol = Protocol(open_dataset(dataset), ORGANS[organ], out, folds, steps_fraction, spacing_mm, window, where)
    with sole_writer(out):
        claim(protocol)
        results = _run_all(protocol, jobs, workers, threads, quiet or as_json)
        cost = measured_cost(protocol) if max(TABLES) in wanted else None
        settings, header = command(protocol, results), describe(protocol, results)
        report = Report(protocol.organ, settings, steps_fraction, header, results, wanted, folds, cost)
        write_tables(report, out)
        write_figures(protocol, results)
    if as_json:
        console.print_json(report.to_json())
    else:
        console.say((out / "tables.md").read_text(), quiet)
    return ExitCode.OK


def _run_all(protocol: "Protocol", jobs: "list[Job]", workers: int, threads: int, plain: bool) -> "Results":
    from cardioseg.cli.board import Board, live
    from cardioseg.reproduce.jobs import progress
    from cardioseg.reproduce.pool import run_all

    board = Board({job: (job.norm, f"fold {job.fold + 1}") for job in jobs}, lambda job: progress(protocol, job))
    with live(board, plain) as is_live:

        def finished(job: "Job") -> None:
            console.say(f"{job.name}: {board.summary()}", plain or is_live)

        return run_all(protocol, jobs, workers, threads, finished)


def _listed(text: str, what: str, known: tuple[str, ...]) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in parts if part not in known]
    if unknown or not parts:
        raise UsageError(f"no {what} {unknown[0] if unknown else repr(text)}", f"known: {', '.join(known)}")
    return parts


def _numbers(text: str, kind: Any) -> list[Any]:  # noqa: ANN401 - float or int
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text} is no list of numbers separated by commas") from None
    if any(not 0 <= number < 1e9 for number in numbers):
        raise UsageError(f"{text}: out of range")
    return numbers
