"""Help text: what `--help` prints, without the notation of Python and of mathematics."""

import re
from collections.abc import Iterable
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperOption

_UNBREAKABLE = "\N{NON-BREAKING HYPHEN}"
_BRACES = re.compile(r"\{([^{}]*?)(?:\.\.\.)?\}")  # around the arguments in the usage line
_TYPE = re.compile(r" <[^<>]+>")  # behind the name of an argument
_RANGE = re.compile(r";\s+x>=\d+(?=\])|\s*\[x>=\d+\]")


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def module_names(package: str, ending: str = "") -> list[str]:
    """The names that an option takes, one for each module of a package; none is imported, which would take time.

    Args:
        package: below `cardioseg`.
        ending: of the modules that count; it is not part of the name.
    """
    folder = Path(__file__).parents[1].joinpath(*package.split("."))
    stems = [module.name for module in iter_modules([str(folder)]) if module.name.endswith(ending)]
    return [stem.removesuffix(ending).replace("_", "-") for stem in stems]


class PlainCommand(TyperCommand):
    """A command whose help says `SCANS...`, not `{scans}... <list[Path]>`; the help in words gives the ranges."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 - the context of click, or of the click inside newer typers
        """The help of the command."""
        for option in self.params:
            if isinstance(option, TyperArgument | TyperOption) and option.help:
                option.help = option.help.replace("-", _UNBREAKABLE)  # no line ends within a name
        text = _BRACES.sub(r"\1", super().get_help(ctx).replace(_UNBREAKABLE, "-"))
        text = _TYPE.sub(lambda found: " " * len(found[0]), text)  # the columns stay where they are
        return _RANGE.sub("", text)
