"""The command line: every command, and the one place where errors become exit codes."""

import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import click
import typer

from cardioseg import __version__
from cardioseg.cli import console
from cardioseg.cli.demonstrate import demo
from cardioseg.cli.evaluating import evaluate
from cardioseg.cli.ingesting import ingest, inspect
from cardioseg.cli.predicting import info, predict
from cardioseg.cli.training import export, train
from cardioseg.errors import CardiosegError, ExitCode, ResourceError, UsageError

app = typer.Typer(
    name="cardioseg",
    help="Short-axis cardiac MRI in; ventricle masks, volumes and reports out. For research use only.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, predict, evaluate, inspect, ingest, train, export, info):
    app.command()(command)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"cardioseg {__version__}")
        raise typer.Exit


@app.callback()
def shared(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Short-axis cardiac MRI in; ventricle masks, volumes and reports out. For research use only."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. No exception but a bug of ours passes."""
    as_json = "--json" in arguments
    try:
        return int(app(list(arguments), standalone_mode=False) or ExitCode.OK)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except (
        CardiosegError,
        click.ClickException,
        click.Abort,
        KeyboardInterrupt,
        MemoryError,
        PermissionError,
    ) as error:
        return console.fail(_explained(error), as_json)


def _explained(error: BaseException) -> CardiosegError:
    """What other libraries raise, as an error of ours."""
    match error:
        case CardiosegError():
            return error
        case click.ClickException():
            return UsageError(error.format_message(), "`cardioseg --help` lists commands and options")
        case MemoryError():
            return ResourceError("out of memory")
        case PermissionError():
            return ResourceError(f"{error.filename}: permission denied")
        case _:
            return InterruptError("interrupted", "what was finished is kept; run it again to go on")


class InterruptError(CardiosegError):
    """The person at the keyboard pressed Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED


def _terminate(_signal: int, _frame: object) -> None:
    sys.exit(ExitCode.TERMINATED)
