"""Console: results on stdout, messages and progress on stderr."""

import codecs
import io
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cardioseg.errors import CardiosegError, ResourceError, reason_of
from cardioseg.wording import UNKNOWN

if TYPE_CHECKING:
    from rich.progress import Progress

    from cardioseg.skipped import Skipped

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only: no progress, no tables.")]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        "-d",
        metavar="NAME",
        help="Device for the networks: auto, cpu, cuda or cuda:N. auto uses a GPU if there is one and the installed "
        "packages support it, otherwise the CPU.",
    ),
]
Threads = Annotated[int, typer.Option("--threads", metavar="N", min=0, help="Number of CPU threads. 0: one per core.")]
Force = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Predict finished cases again, except those with an edited mask (for these, see --discard-edits).",
    ),
]

_LOOK_ALIKES = {"−": "-", "–": "-", "±": "+/-", "×": "x", "…": "...", "²": "2", "°": " degrees", "µ": "u", "·": "-"}
_REPLACING = "cardioseg.replace"
_SHOWN = 10
_HOUR_S, _MINUTE_S = 3600, 60


def show_every_character() -> None:
    """Let stdout and stderr take what their encoding lacks: what looks like it stands there, or its escape."""
    codecs.register_error(_REPLACING, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_REPLACING)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    shown = (_LOOK_ALIKES.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in lacking)
    return "".join(shown), error.end


def _as_shown(text: str) -> str:
    """Text as stdout will show it, so that tables are laid out for that."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, _REPLACING).decode(encoding)


def fail(error: CardiosegError, as_json: bool) -> int:
    """Say what went wrong and what to do; the exit code."""
    if as_json:
        with suppress(ResourceError):  # the exit code is that of the error
            print_json(described(error))
    for reason in error.reasons[:_SHOWN]:
        say(reason)
    if len(error.reasons) > _SHOWN:
        say(f"and {len(error.reasons) - _SHOWN} more")
    say(f"error: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")
    return error.exit_code


def described(error: CardiosegError) -> dict[str, Any]:
    """An error as a part of a JSON document."""
    document: dict[str, Any] = {"exit_code": int(error.exit_code), "message": error.message, "hint": error.hint}
    return {"error": document | ({"reasons": list(error.reasons)} if error.reasons else {})}


def say(text: str, quiet: bool = False) -> None:
    """A message for the person at the keyboard. Where stderr takes none, that changes nothing in the work."""
    if not quiet:
        with suppress(OSError):
            print(text, file=sys.stderr)


def print_json(document: Any) -> None:  # noqa: ANN401 - whatever json takes
    """The result, as JSON."""
    write(json.dumps(document, indent=2, default=str, allow_nan=False) + "\n")


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str = "",
    *,
    text: Collection[str],
) -> None:
    """The result, as a table; the columns named in `text` are text, the others numbers."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    title, caption = escape(_as_shown(title)), escape(_as_shown(caption))
    table = Table(title=title, caption=caption or None, title_justify="left", caption_justify="left")
    for name in columns:
        is_text = name in text
        table.add_column(_as_shown(name), justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text)
    for row in rows:
        table.add_row(*(escape(_as_shown(_cell(value))) for value in row))
    out = Console()
    if not out.is_terminal:
        out.width = max(out.width, 200)  # a pipe has no width to fold at
    with _stdout():
        with out.capture() as shown_table:
            out.print(table)
        write(shown_table.get())


def write(text: str) -> None:
    """Write to stdout. If nobody reads it to its end, as with `| head`, the rest is dropped: that is no error.

    Raises:
        ResourceError: stdout takes no more.
    """
    with _stdout():
        print(text, end="", flush=True)


@contextmanager
def _stdout() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as error:
        _drop(sys.stdout)
        raise ResourceError(f"stdout cannot be written: {reason_of(error)}") from None


def leave() -> None:
    """Drop what stdout and stderr do not take: Python would try again when it ends, and change the exit code."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            _drop(stream)


def _drop(stream: TextIO) -> None:
    """Let what a stream still holds, and all that follows, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_skipped(skipped: "Sequence[Skipped]", what: str) -> None:
    """What was left out and why, on stderr, a line each; many alike are counted."""
    for item in skipped[:_SHOWN]:
        say(f"{what}: {item.where}: {item.why}")
    if len(skipped) > _SHOWN:
        say(f"{what}: {len(skipped) - _SHOWN} more")


@contextmanager
def progress(quiet: bool, *fields: str) -> Iterator["Progress"]:
    """Progress bars on stderr; none where it is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    texts = [TextColumn(f"{{task.fields[{name}]}}") for name in fields]
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *texts,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    ) as bars:
        yield bars


def duration(seconds: float) -> str:
    """`3 h 20 min`, `12 min` or `40 s`."""
    hours, minutes = int(seconds // _HOUR_S), int(seconds % _HOUR_S // _MINUTE_S)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _cell(value: object) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:z.3f}" if isinstance(value, float) else str(value)
