"""Megabytes on disk of packages and all that they need: `python tests/benchmarks/installed.py PACKAGE...`."""

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement


def closure(names: list[str]) -> dict[str, Distribution]:
    """The packages and, of what they require without an extra, everything that is installed."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        required = (Requirement(text) for text in found[name].requires or ())
        waiting += [one.name for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def megabytes(packages: dict[str, Distribution]) -> float:
    """Of every file that their records list and that is there."""
    paths = {file.locate() for package in packages.values() for file in package.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


if __name__ == "__main__":
    print(megabytes(closure(sys.argv[1:])))
