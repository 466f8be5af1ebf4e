"""The command line: every command, and the one place where errors become exit codes."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from cardioseg import __version__
from cardioseg.cli import console
from cardioseg.cli.demo_command import demo
from cardioseg.cli.evaluate_command import evaluate
from cardioseg.cli.export_command import export
from cardioseg.cli.gather_command import gather
from cardioseg.cli.help_text import PlainCommand
from cardioseg.cli.info_command import info
from cardioseg.cli.ingest_command import ingest, inspect
from cardioseg.cli.measure_command import measure
from cardioseg.cli.predict_command import predict
from cardioseg.cli.reproduce_command import reproduce
from cardioseg.cli.review_command import review
from cardioseg.cli.signals import listening
from cardioseg.cli.train_command import train
from cardioseg.errors import CardiosegError, ExitCode, InterruptError, UsageError, of_system
from cardioseg.memory import is_short

# click's ClickException, or that of the click inside newer typers, which has no public name
_CommandLineError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="cardioseg",
    help="Segment the ventricles in short-axis cardiac MRI: masks, volumes and a report. For research use only.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich would double the 0.15 s that it takes
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, predict, gather, review, measure, evaluate, inspect, ingest, train, export, reproduce, info):
    app.command(cls=PlainCommand)(command)


def _print_version(asked: bool) -> None:
    if asked:
        console.write(f"cardioseg {__version__}\n")
        raise typer.Exit


@app.callback()
def shared(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Segment the ventricles in short-axis cardiac MRI: masks, volumes and a report. For research use only."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    # NumPy's products are small: its threads would take a third of the time from the networks', which wait beside them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with listening():
        code = run(sys.argv[1:])
    console.leave()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. No exception but a bug of ours passes."""
    console.show_every_character()
    try:
        code = app(
            list(arguments) or ["--help"], prog_name="cardioseg", standalone_mode=False, obj=("cardioseg", *arguments)
        )
    except (CardiosegError, _CommandLineError, typer.Abort, KeyboardInterrupt, MemoryError, OSError) as error:
        return console.fail(_explained(error), "--json" in arguments)
    except SystemExit as leaving:
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        return ExitCode.OK  # rich prints the help; nobody reads the rest of it, as in `cardioseg --help | head`
    except Exception:
        if not is_short():  # a bug of ours
            raise
        return console.fail(_explained(MemoryError()), "--json" in arguments)
    if code == ExitCode.INTERRUPTED:  # what newer typers make of Ctrl-C
        return console.fail(_explained(KeyboardInterrupt()), "--json" in arguments)
    return int(code or ExitCode.OK) if arguments else ExitCode.USAGE


def _explained(error: BaseException) -> CardiosegError:
    """What other libraries raise, as an error of ours."""
    if isinstance(error, CardiosegError):
        return error
    if isinstance(error, _CommandLineError):
        return UsageError(cast("typer.BadParameter", error).format_message(), "--help lists commands and options")
    if isinstance(error, MemoryError | OSError):
        return of_system(error)
    return InterruptError("interrupted", "finished work is kept; run the same command again to continue")
