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


def reproduce(
    dataset: DatasetFolder,
    organ: Annotated[str, typer.Option(help="lv or rv.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Gets the jobs and the tables.")],
    tables: Annotated[str, typer.Option(help="Which of the paper's tables, separated by commas.")] = "1,2,3",
    norms: Annotated[str, typer.Option(help="Only these norms, separated by commas.")] = "",
    lrs: Annotated[str, typer.Option(help="Learning rates, separated by commas.")] = "1.5,1.0,0.5,0.1,0.05",
    folds: Annotated[int, typer.Option(min=2, help="Folds, by subject.")] = 3,
    seeds: Annotated[str, typer.Option(help="Seeds, separated by commas.")] = "0",
    steps_fraction: Annotated[float, typer.Option(help="The part of the paper's rotation grid to run, 0 to 1.")] = 1.0,
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
    from cardioseg.reproduce.jobs import Protocol, plan
    from cardioseg.reproduce.paper import ORGANS
    from cardioseg.reproduce.paper import norms as norms_of
    from cardioseg.reproduce.tables import Report, write_tables

    if organ not in ORGANS:
        raise UsageError(f"no organ {organ}", "lv or rv")
    wanted = [int(number) for number in _listed(tables, "table", ("1", "2", "3"))]
    chosen = _listed(norms, "norm", norms_of((1, 2, 3))) if norms else norms_of(wanted)
    jobs = plan(chosen, _numbers(lrs, float), folds, _numbers(seeds, int))
    if not 0 < steps_fraction <= 1:
        raise UsageError(f"--steps-fraction {steps_fraction:g} is not above 0 and up to 1")
    if threads:
        torch.set_num_threads(threads)
    protocol = Protocol(open_dataset(dataset), ORGANS[organ], out, folds, steps_fraction, device_of(torch, device))
    results = _run_all(protocol, jobs, quiet or as_json)
    report = Report(protocol.organ, _header(protocol, results), results, wanted, folds)
    write_tables(report, out)
    if as_json:
        console.print_json(report.to_json())
    else:
        console.say((out / "tables.md").read_text(), quiet)
    return ExitCode.OK


def _run_all(protocol: "Protocol", jobs: "list[Job]", plain: bool) -> "Results":
    from cardioseg.reproduce.jobs import run
    from cardioseg.training.journal import StepRecord

    results = {}
    with console.progress(plain, "now") as bars:
        task = bars.add_task("jobs", total=len(jobs), now="")
        for job in jobs:

            def report(record: StepRecord, job: "Job" = job) -> None:
                done = record.step / record.steps
                bars.update(task, now=f"{job.name} {100 * done:.0f} %, loss {record.loss:.3f}")

            results[job] = run(protocol, job, report)
            bars.advance(task)
            console.say(f"{job.name}: {results[job]['seconds']:.0f} s", plain or not bars.disable)
    return results


def _header(protocol: "Protocol", results: "Results") -> dict[str, str]:
    recipe = protocol.recipe(next(iter(results)))
    angles = recipe.augmentation.angles
    steps = sorted({result["steps"] for result in results.values()})
    images = sum(v["annotated_slices"] for s in protocol.dataset.manifest["subjects"] for v in s["volumes"])
    return {
        "data": f"{protocol.dataset.name}, {images} images of {len(protocol.dataset.subject_ids)} subjects "
        f"(paper: {protocol.organ.data})",
        "rotations": f"{angles.start:g}:{angles.step:g}:{angles.stop:g} degrees, {len(angles.degrees)} angles, "
        f"{100 * protocol.steps_fraction:.3g} % of the grid drawn at random",
        "steps a job": f"{steps[0]} to {steps[-1]}, batch 1, two epochs, learning rate divided by 5 at the second",
        "learning rates": ", ".join(
            f"{rate:g}" for rate in sorted({job.learning_rate for job in results}, reverse=True)
        ),
        "seeds": ", ".join(str(seed) for seed in sorted({job.seed for job in results})),
        "device": protocol.device,
        "ours": "mean ± standard deviation per image of the fold (learning rate); the rate is the best on the test "
        "images, as in the paper, which is optimistic",
        "rate held out": "the same, the rate chosen on a tenth of the training subjects kept out of training",
    }


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
