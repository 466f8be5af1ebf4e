"""Every error says what and what to do, and knows its exit code, also after a trip through another process."""

import pickle

import pytest

from cardioseg import errors
from cardioseg.errors import CardiosegError, ExitCode

KINDS = {
    CardiosegError: ExitCode.BUG,
    errors.UsageError: ExitCode.USAGE,
    errors.NoInputError: ExitCode.NO_INPUT,
    errors.UnusableError: ExitCode.NO_INPUT,
    errors.RefusedError: ExitCode.REFUSED,
    errors.ResourceError: ExitCode.RESOURCES,
    errors.InterruptError: ExitCode.INTERRUPTED,
}


def test_every_error_is_named_here() -> None:
    defined = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CardiosegError)}
    assert defined == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_and_what_to_do(kind: type[CardiosegError]) -> None:
    assert kind("a is damaged").hint == ""
    assert str(kind("a is damaged")) == "a is damaged"
    assert str(kind("a is damaged", "make it again")) == "a is damaged (make it again)"
    assert kind("a").exit_code == KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_processes(kind: type[CardiosegError]) -> None:
    received = pickle.loads(pickle.dumps(kind("a is damaged", "make it again")))  # noqa: S301 - our own bytes
    assert (type(received), received.message, received.hint) == (kind, "a is damaged", "make it again")


def test_exit_codes_are_as_documented() -> None:
    documented = {"OK": 0, "BUG": 1, "USAGE": 2, "SOME_FAILED": 3, "NO_INPUT": 4, "REFUSED": 5, "RESOURCES": 6}
    assert {code.name: code.value for code in ExitCode} == documented | {"INTERRUPTED": 130, "TERMINATED": 143}
