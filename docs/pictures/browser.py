"""Runs cardioseg and photographs the pages that it writes; needs Debian's `chromium`."""

import subprocess
import sys
from pathlib import Path

_OPTIONS = ("--headless=new", "--no-sandbox", "--hide-scrollbars")


def cardioseg(*arguments: str | Path) -> None:
    """Run a command of cardioseg."""
    subprocess.run([sys.executable, "-m", "cardioseg", *map(str, arguments)], check=True)


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """Save the top of a page, as a window of that size in pixels shows it, as PNG."""
    options = (*_OPTIONS, f"--window-size={width},{height}", f"--screenshot={picture}")
    subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)
