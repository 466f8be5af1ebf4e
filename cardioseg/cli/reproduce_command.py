"""`reproduce`: the paper's tables on a dataset that anyone can get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Device, Quiet
from cardioseg.cli.torch_device import device_of, require_torch
from cardioseg.cli.train_command import DatasetFolder
from cardioseg.errors import ExitCode, UsageError
from cardioseg.reproduce.paper import FOLDS, LEARNING_RATES

if TYPE_CHECKING:
    from cardioseg.reproduce.protocol import Job, Protocol


_COARSEST_MM = 20


def reproduce(
    dataset: DatasetFolder,
    organ: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Which experiments of the paper: lv (left ventricle) or rv (right ventricle). DATASET must have "
            "labels of this ventricle.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Output folder for the jobs and the tables.")
    ],
    tables: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Which tables of the paper to reproduce, separated by commas.")
    ] = "1,2,3",
    norms: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Norms to train, separated by commas. Default: all norms of the tables."),
    ] = "",
    lrs: Annotated[str, typer.Option(metavar="NUMBERS", help="Learning rates to try, separated by commas.")] = ",".join(
        map(str, LEARNING_RATES)
    ),
    rates: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How the learning rates are tried. all: train with every learning rate on every fold, as in the "
            "paper. chosen: short jobs on one fold find the best rate of each normalization layer; all folds then use "
            "this rate.",
        ),
    ] = "all",
    folds: Annotated[
        int,
        typer.Option(
            metavar="N", min=2, help="Number of folds, 2 or more; all images of a subject are in the same fold."
        ),
    ] = FOLDS,
    fold: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Run only this fold, counted from 0. In the tables, folds are counted from 1: fold 0 is LV-1 or RV-1.",
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(metavar="NUMBERS", help="Random seeds, separated by commas.")] = "0",
    steps_fraction: Annotated[
        float,
        typer.Option(
            metavar="NUMBER",
            help="Train on this fraction of the images at all rotations, drawn at random: above 0, up to 1.",
        ),
    ] = 1.0,
    spacing_mm: Annotated[
        float | None,
        typer.Option(
            metavar="MM", help="Resample the images to this pixel size in mm. Training is faster with larger pixels."
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(metavar="N", help="Crop the images to a central square of N x N pixels. N is a multiple of 16."),
    ] = None,
    external: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A second prepared dataset. Every network is also tested on this dataset, without further training.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of jobs that run at the same time, one process each.")
    ] = 1,
    device: Device = "auto",
    threads: Annotated[
        int,
        typer.Option(
            "--threads", metavar="N", min=0, help="Number of CPU threads of all jobs together. 0: one per core."
        ),
    ] = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Repeat the experiments of Zhou 2019 and print their tables.

    The paper is Zhou et al., U-Net Training with Instance-Layer Normalization (2019). The networks are trained
    and tested on DATASET. A job trains and tests one network. Finished jobs are kept. If the run is killed, the same
    command continues the run.
    """
    torch = require_torch()
    _require_matplotlib()
    from cardioseg.dataset.store import open_dataset
    from cardioseg.files import sole_writer
    from cardioseg.reproduce.experiment import report, write_figures
    from cardioseg.reproduce.markdown import markdown, write_tables
    from cardioseg.reproduce.paper import ORGANS
    from cardioseg.reproduce.protocol import Protocol, claim, require_other_scans

    if organ not in ORGANS:
        raise UsageError(f"no organ {organ}", "lv or rv")
    if fold is not None and fold >= folds:
        raise UsageError(f"there is no fold {fold}", f"folds are 0 to {folds - 1}")
    _check_pixels(steps_fraction, spacing_mm, window)
    wanted = [int(number) for number in _listed(tables, "table", ("1", "2", "3"))]
    run_folds = range(folds) if fold is None else [fold]
    wished = Wish(_norms(norms, wanted), _numbers(lrs, float), _has_pilot(rates), run_folds, _numbers(seeds, int))
    if threads:
        torch.set_num_threads(threads)
    data, other = open_dataset(dataset), open_dataset(external) if external else None
    on = device_of(torch, device)
    protocol = Protocol(data, ORGANS[organ], out, folds, steps_fraction, spacing_mm, window, other, device=on)
    require_other_scans(protocol)
    with sole_writer(out):
        claim(protocol)
        _run_all(protocol, wished, workers, threads, quiet or as_json)
        summary = report(protocol, wanted)
        write_tables(summary, out)
        write_figures(protocol, summary.results)
    if as_json:
        console.print_json(summary.to_json())
    else:
        console.say(markdown(summary), quiet)
    return ExitCode.OK


def _require_matplotlib() -> None:
    """Say how to install what draws the figures before hours of training, not after."""
    try:
        import matplotlib  # noqa: F401 - whether it is there
    except ImportError:
        raise UsageError("matplotlib is not installed", "pip install 'cardioseg[train]'") from None


@dataclass(frozen=True)
class Wish:
    """The jobs that were asked for."""

    norms: Sequence[str]
    learning_rates: Sequence[float]
    has_pilot: bool
    folds: Sequence[int]
    seeds: Sequence[int]


def _run_all(protocol: "Protocol", wished: Wish, workers: int, threads: int, plain: bool) -> None:
    from cardioseg.reproduce.pilot import choose_rates
    from cardioseg.reproduce.protocol import plan

    def run(under: "Protocol", jobs: "Sequence[Job]") -> None:
        _run(under, jobs, workers, threads, plain)

    rates: Mapping[str, Sequence[float]] = dict.fromkeys(wished.norms, wished.learning_rates)
    if wished.has_pilot:
        rates = choose_rates(protocol, wished.norms, wished.learning_rates, run)
    run(protocol, plan(rates, wished.folds, wished.seeds))


def _run(protocol: "Protocol", jobs: "Sequence[Job]", workers: int, threads: int, plain: bool) -> None:
    from cardioseg.cli.job_board import Board, live
    from cardioseg.reproduce.jobs import progress
    from cardioseg.reproduce.pool import run_all

    board = Board({job: (job.norm, f"fold {job.fold}") for job in jobs}, lambda job: progress(protocol, job))
    with live(board, plain) as is_live:

        def finished(job: "Job") -> None:
            console.say(f"{job.name}: {board.summary()}", plain or is_live)

        run_all(protocol, jobs, workers, threads, finished)


def _has_pilot(rates: str) -> bool:
    if rates not in ("all", "chosen"):
        raise UsageError(f"no --rates {rates}", "all or chosen")
    return rates == "chosen"


def _check_pixels(steps_fraction: float, spacing_mm: float | None, window: int | None) -> None:
    from cardioseg.network.unet import MULTIPLE

    if not 0 < steps_fraction <= 1:
        raise UsageError(f"--steps-fraction {steps_fraction:g} is outside the range above 0 up to 1")
    if spacing_mm is not None and not 0 < spacing_mm < _COARSEST_MM:
        raise UsageError(f"--spacing-mm {spacing_mm:g} is not between 0 and {_COARSEST_MM}")
    if window is not None and (window < MULTIPLE or window % MULTIPLE):
        raise UsageError(f"--window {window} is not a multiple of {MULTIPLE}")


def _norms(text: str, tables: list[int]) -> Sequence[str]:
    """The norms asked for, or all of the tables; one that no table shows would be trained for nothing."""
    from cardioseg.reproduce.paper import TABLES
    from cardioseg.reproduce.paper import norms as norms_of

    shown = norms_of(tables)
    named = _listed(text, "norm", norms_of(tuple(TABLES))) if text else shown
    unseen = [norm for norm in named if norm not in shown]
    if unseen:
        listed = " and ".join(map(str, tables))
        raise UsageError(f"table {listed} has no row for {unseen[0]}", f"its rows are {', '.join(shown)}")
    return named


def _listed(text: str, what: str, allowed: tuple[str, ...]) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in parts if part not in allowed]
    if unknown or not parts:
        raise UsageError(f"no {what} {unknown[0] if unknown else repr(text)}", f"the choices are {', '.join(allowed)}")
    return parts


def _numbers(text: str, kind: Any) -> list[Any]:  # noqa: ANN401 - float or int
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text} is not a list of numbers separated by commas") from None
    lowest = 0 if kind is int else 1e-9
    if any(not lowest <= number < 1e9 for number in numbers):
        raise UsageError(f"{text}: a number is out of range ({lowest:g} to below 1e9)")
    return list(dict.fromkeys(numbers))
