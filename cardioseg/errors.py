"""Errors: all failures that the user can act on, with their exit codes.

A message says what failed and where (a case, a path as the user gave it, a file's ordinal) and never quotes the value
of a DICOM tag. A hint says what to do.
"""

import errno
from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the process; documented in the README and tested one by one."""

    OK = 0
    BUG = 1
    USAGE = 2
    SOME_FAILED = 3
    NO_INPUT = 4
    REFUSED = 5
    RESOURCES = 6
    INTERRUPTED = 130
    TERMINATED = 143


class CardiosegError(Exception):
    """A failure: its `message`, its `hint` where there is a way out, and its `reasons` where many things failed."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str = "", reasons: Sequence[str] = ()) -> None:
        """Make an error.

        Args:
            message: what failed, and where.
            hint: what to do.
            reasons: one line for each failure, if several things failed.
        """
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(CardiosegError):
    """A command or a function was asked for something that it cannot do."""

    exit_code = ExitCode.USAGE


class NoInputError(CardiosegError):
    """There is no usable input in the given place."""

    exit_code = ExitCode.NO_INPUT


class UnusableError(CardiosegError):
    """One file, series or case cannot be used; the others can."""

    exit_code = ExitCode.NO_INPUT


class RefusedError(CardiosegError):
    """A model or checkpoint does not match its card or name."""

    exit_code = ExitCode.REFUSED


class ResourceError(CardiosegError):
    """Disk, memory or permission is missing."""

    exit_code = ExitCode.RESOURCES


_OUT_OF = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "disk quota exceeded",
    errno.EROFS: "read-only file system",
}


def reason_of(error: OSError | ValueError, otherwise: str = "unknown error") -> str:
    """Why the system refuses to read or write a file, in a few words.

    Args:
        error: of the system, or of a library that reads and writes.
        otherwise: what to say if the error has no words of the system. Its own text may quote what is in a file.
    """
    known = _OUT_OF.get(getattr(error, "errno", None) or 0)
    return known or (getattr(error, "strerror", None) or otherwise or type(error).__name__).lower()


def of_system(error: MemoryError | OSError) -> ResourceError:
    """What the system refuses, as an error of ours."""
    if isinstance(error, MemoryError):
        return ResourceError("out of memory")
    what = reason_of(error)
    return ResourceError(what if error.filename is None else f"{error.filename}: {what}")


class InterruptError(CardiosegError):
    """Ctrl-C stopped a command. Functions raise `KeyboardInterrupt`, as everywhere in Python."""

    exit_code = ExitCode.INTERRUPTED
