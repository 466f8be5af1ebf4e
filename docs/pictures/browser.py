"""Runs cardioseg and photographs the pages that it writes; needs Debian's `chromium`."""

import subprocess
import sys
from pathlib import Path

_OPTIONS = ("--headless=new", "--no-sandbox", "--hide-scrollbars")


def cardioseg(*arguments: str | Path) -> None:
    """Run a command of cardioseg."""
    subprocess.run([sys.executable, "-m", "cardioseg", *map(str, arguments)], check=True)


def photograph(page: Path | str, picture: Path, width: int, height: int, wait_ms: int = 0) -> None:
    """Save the top of a page, as a window of that size in pixels shows it, as PNG.

    Args:
        page: a file, or an address.
        picture: the PNG.
        width: of the window.
        height: of the window.
        wait_ms: how long the page may still fetch what it shows.
    """
    options = [*_OPTIONS, f"--window-size={width},{height}", f"--screenshot={picture}"]
    waiting = [f"--virtual-time-budget={wait_ms}"] if wait_ms else []
    address = page.as_uri() if isinstance(page, Path) else page
    subprocess.run(["chromium", *options, *waiting, address], check=True, capture_output=True)
