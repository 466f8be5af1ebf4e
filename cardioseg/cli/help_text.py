"""Help text: what `--help` prints, without the notation of Python and of mathematics."""

import re
from typing import Any

from typer.core import TyperCommand

_BRACES = re.compile(r"\{([^{}]*?)(?:\.\.\.)?\}")  # around the arguments in the usage line
_TYPE = re.compile(r" <[^<>]+>")  # behind the name of an argument
_RANGE = re.compile(r";\s+x>=\d+(?=\])|\s*\[x>=\d+\]")


class PlainCommand(TyperCommand):
    """A command whose help says `SCANS...`, not `{scans}... <list[Path]>`; the help in words gives the ranges."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 - the context of click, or of the click inside newer typers
        """The help of the command."""
        text = _BRACES.sub(r"\1", super().get_help(ctx))
        text = _TYPE.sub(lambda found: " " * len(found[0]), text)  # the columns stay where they are
        return _RANGE.sub("", text)
