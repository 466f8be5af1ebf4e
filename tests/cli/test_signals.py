"""A signal ends the command even where Python swallows what its handler raises."""

import os
import signal
import sys
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from cardioseg.cli import signals
from cardioseg.cli.signals import listening
from cardioseg.errors import ExitCode


class Thing:
    """Something that is deleted."""


class Looked(type):
    """Of a class that gets a signal where NumPy looks for an attribute of it."""

    def __getattr__(cls, name: str) -> None:
        if name.startswith("__array"):
            os.kill(os.getpid(), signal.SIGTERM)
        raise AttributeError(name)


class Other(metaclass=Looked):
    """Something that an array is compared with."""


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers, hook = [signal.getsignal(number) for number in numbers], sys.unraisablehook
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with listening():
        yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    sys.unraisablehook = hook
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def signalled_while_deleting(number: int) -> None:
    """Receive a signal in a callback that runs while an object is deleted; go on working for a while."""
    thing = Thing()
    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), number))
    del thing
    assert reference() is None
    work_on()


def work_on() -> None:
    """For a while."""
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


def test_a_request_that_numpy_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_IF_LOST_S", 0.2)
    assert not (np.zeros(2) == Other()).any()  # here the request goes nowhere
    with pytest.raises(SystemExit):
        work_on()


def test_a_bug_while_deleting_is_still_reported(capsys: pytest.CaptureFixture[str]) -> None:
    thing = Thing()
    reference = weakref.ref(thing, lambda _: 1 / 0)
    del thing
    assert reference() is None
    assert "ZeroDivisionError" in capsys.readouterr().err
