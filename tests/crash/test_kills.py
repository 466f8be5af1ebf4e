"""Killed for real: once within a checkpoint's write in every run of the tests, anywhere in the slow ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAMPAIGN = Path(__file__).with_name("kills.py")


def campaign(*arguments: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run([sys.executable, str(CAMPAIGN), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads(tally) for name, _, tally in (line.partition(": ") for line in done.stdout.splitlines())}


def test_killed_within_a_checkpoint() -> None:
    """The script fails if a file was half written, the run did not resume, or anything came out different."""
    tallies = campaign("--only", "train, in", "--kills", "4")
    assert tallies["train, in a checkpoint"]["kills"] == 1


@pytest.mark.slow
def test_killed_at_any_moment() -> None:
    tallies = campaign("--kills", "12", "--others", "5", "--seed", "1")
    assert [tally["kills"] for tally in tallies.values()] == [9, 3, 5, 5, 5]
