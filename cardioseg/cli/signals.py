"""Signals: Ctrl-C and SIGTERM end a command, wherever in it they arrive."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from cardioseg.errors import ExitCode

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_AT_ONCE_S = 0.05
_IF_LOST_S = 3.0  # longer than it takes to leave


@contextmanager
def listening() -> Iterator[None]:
    """Raise SystemExit at a SIGTERM, KeyboardInterrupt at Ctrl-C, and again if the command does not end then.

    An exception that is raised while an object is being deleted, in a callback of matplotlib or where NumPy looks for
    an attribute, goes nowhere: the command would go on as if nobody had asked it to stop.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored: in a shell's background
        signal.signal(signal.SIGINT, _interrupt)
    sys.unraisablehook = _unless_interrupted
    try:
        yield
    finally:
        _again(_interrupt, 0)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    _again(_terminate, _IF_LOST_S)
    sys.exit(ExitCode.TERMINATED)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _again(_interrupt, _IF_LOST_S)
    raise KeyboardInterrupt


def _unless_interrupted(swallowed: "UnraisableHookArgs") -> None:
    """Report what Python swallowed; a signal's exception is raised again in a moment, when this is left."""
    kinds = {KeyboardInterrupt: _interrupt, SystemExit: _terminate}
    if swallowed.exc_type in kinds:
        _again(kinds[swallowed.exc_type], _AT_ONCE_S)
    else:
        sys.__unraisablehook__(swallowed)


def _again(handler: Callable[[int, FrameType | None], None], after_s: float) -> None:
    """Call a handler after so long; never for 0."""
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, after_s)
