"""A signal ends the command even where Python swallows what its handler raises."""

import os
import signal
import sys
import time
import weakref
from collections.abc import Iterator

import pytest

from cardioseg.cli.signals import listen
from cardioseg.errors import ExitCode


class Thing:
    """Something that is deleted."""


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers, hook = [signal.getsignal(number) for number in numbers], sys.unraisablehook
    signal.signal(signal.SIGINT, signal.default_int_handler)
    listen()
    yield
    sys.unraisablehook = hook
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def signalled_while_deleting(number: int) -> None:
    """Receive a signal in a callback that runs while an object is deleted; go on working for a while."""
    thing = Thing()
    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
    assert reference() is None
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass


def test_an_interrupt_that_was_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        signalled_while_deleting(signal.SIGINT)


def test_a_request_to_end_that_was_swallowed() -> None:
    with pytest.raises(SystemExit) as ended:
        signalled_while_deleting(signal.SIGTERM)
    assert ended.value.code == ExitCode.TERMINATED


def test_a_bug_while_deleting_is_still_reported(capsys: pytest.CaptureFixture[str]) -> None:
    thing = Thing()
    reference = weakref.ref(thing, lambda _: 1 / 0)
    del thing
    assert reference() is None
    assert "ZeroDivisionError" in capsys.readouterr().err
