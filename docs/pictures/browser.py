"""Runs cardioseg and photographs the pages that it writes; needs Debian's `chromium`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TESTS = Path(__file__).parents[2] / "tests"

_OPTIONS = ("--headless=new", "--no-sandbox", "--hide-scrollbars")


def cardioseg(*arguments: str | Path) -> None:
    """Run a command of cardioseg."""
    subprocess.run([sys.executable, "-m", "cardioseg", *map(str, arguments)], check=True)


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """Save the top of a page, as a window of that size in pixels shows it, as PNG."""
    options = [*_OPTIONS, f"--window-size={width},{height}", f"--screenshot={picture}"]
    subprocess.run(["chromium", *options, page.as_uri()], check=True, capture_output=True)


@contextmanager
def started() -> Iterator[Any]:
    """The browser that the tests drive."""
    sys.path.insert(0, str(TESTS))
    chromium = import_module("chromium").chromium
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile, chromium(Path(profile)) as browser:
        yield browser
