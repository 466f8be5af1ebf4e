"""Raised errors: what a function of the API raises, in the words of Python and not of the command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cardioseg.errors import CardiosegError, of_system
from cardioseg.memory import is_short

_OPTION = re.compile(r"(?<![^\s(])--([a-z][a-z-]*[a-z])( (?:cpu|cuda|acdc|mnms|ukbb)\b)?")
_OUT = re.compile(r"\bwith -o\b")
_SWITCHES = {"overwrite", "discard_edits"}


@contextmanager
def in_words_of_python() -> Iterator[None]:
    """Name options as keyword arguments in errors, and raise as one of ours what the system refuses.

    Raises:
        CardiosegError: whatever failed.
    """
    try:
        yield
    except CardiosegError as error:
        error.message, error.hint = as_keywords(error.message), as_keywords(error.hint)
        error.args = (error.message,)
        raise
    except (MemoryError, OSError) as error:
        raise of_system(error) from error
    except Exception as error:
        if not is_short():  # a bug of ours
            raise
        raise of_system(MemoryError()) from error


def as_keywords(text: str) -> str:
    """`--device cpu` is `device="cpu"`, and `--discard-edits` is `discard_edits=True`."""
    return _OPTION.sub(_keyword, _OUT.sub("as out", text))


def _keyword(option: re.Match[str]) -> str:
    name, value = option[1].replace("-", "_"), (option[2] or "").strip()
    if name in _SWITCHES:
        return f"{name}=True"
    return f'{name}="{value}"' if value else name
