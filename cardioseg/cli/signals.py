"""Signals: Ctrl-C and SIGTERM end a command, wherever in it they arrive."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from cardioseg.errors import ExitCode

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_AGAIN_S = 0.05


def listen() -> None:
    """Raise SystemExit at a SIGTERM; and it, or Ctrl-C's KeyboardInterrupt, once more where Python swallows it.

    An exception that is raised while an object is being deleted, in a callback of matplotlib for example, goes nowhere:
    the command would go on as if nobody had asked it to stop.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if sys.platform != "win32":
        sys.unraisablehook = _unless_interrupted


def _unless_interrupted(swallowed: "UnraisableHookArgs") -> None:
    """Report what Python swallowed; a signal's exception is raised again in a moment, when this is left."""
    kinds = {KeyboardInterrupt: _interrupt, SystemExit: _terminate}
    if swallowed.exc_type not in kinds:
        sys.__unraisablehook__(swallowed)
    elif sys.platform != "win32":
        signal.signal(signal.SIGALRM, kinds[swallowed.exc_type])
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(ExitCode.TERMINATED)
