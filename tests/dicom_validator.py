"""DICOM validator: what dciodvfy says of an object."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest


def dciodvfy(path: Path, kind: str = "Segmentation") -> list[tuple[str, str]]:
    """The errors that the validator finds in an object of this kind, as (where without ordinals, what)."""
    if which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    assert kind in said.splitlines()
    found = [re.match(r"Error - <(.*?)> - (.*)", line) for line in said.splitlines() if line.startswith("Error")]
    assert all(found)
    return [(re.sub(r"\[\d+\]", "", match[1]), match[2]) for match in found if match]
