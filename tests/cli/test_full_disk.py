"""Streams that take nothing, as on a full disk: the exit code is that of the work; results that are lost are said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")


def cardioseg(*arguments: str, out: Path = Path(os.devnull), err: Path | None = None) -> tuple[int, str]:
    """The exit code of a command and what it says on stderr."""
    command = [sys.executable, "-m", "cardioseg", *arguments]
    with out.open("w") as stdout, (err or Path(os.devnull)).open("w") as stderr:
        done = subprocess.run(command, stdout=stdout, stderr=stderr if err else subprocess.PIPE, check=False)
    return done.returncode, (done.stderr or b"").decode()


@pytest.mark.parametrize("arguments", [["info"], ["info", "--json"], ["--version"], ["--help"]], ids=" ".join)
def test_results_that_stdout_does_not_take_are_an_error_of_the_disk(arguments: list[str]) -> None:
    code, said = cardioseg(*arguments, out=FULL)
    assert code == 6
    assert "no space left on the device" in said
    assert "Traceback" not in said
    assert "None" not in said
    assert "Exception ignored" not in said


@pytest.mark.parametrize(
    ("arguments", "code"), [(["info"], 0), (["inspect", "nowhere"], 4), (["inspect", "nowhere", "--json"], 4)]
)
def test_messages_that_stderr_does_not_take_change_no_exit_code(arguments: list[str], code: int) -> None:
    assert cardioseg(*arguments, err=FULL)[0] == code


def test_an_error_keeps_its_code_where_its_document_is_lost() -> None:
    code, said = cardioseg("inspect", "nowhere", "--json", out=FULL)
    assert code == 4
    assert "error: nowhere: no such file or folder" in said


@pytest.mark.parametrize(
    "arguments", [["info"], ["info", "--json"], ["--version"], ["--help"], ["predict", "--help"]], ids=" ".join
)
def test_a_reader_that_has_gone_is_no_failure(arguments: list[str]) -> None:
    """As in `cardioseg --help | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "cardioseg", *arguments]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
