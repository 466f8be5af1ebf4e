"""A caller's type checker sees the types of the API, and what is wrong."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = Path(__file__).with_name("client.py")


def test_a_strict_client_is_checked() -> None:
    """The client marks what is wrong in it; a mark that mypy finds needless is an error, too."""
    command = [sys.executable, "-m", "mypy", "--strict", str(CLIENT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("Success: no issues found in 1 source file")
