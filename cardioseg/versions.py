"""Versions: which release of a package is at work."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

NOT_INSTALLED = "not installed"
_VARIANTS = {"onnxruntime": ("onnxruntime", "onnxruntime-gpu")}  # one module, several packages


def version_of(name: str) -> str:
    """The version of an installed package, whichever of its variants it is; `not installed` of others."""
    for package in _VARIANTS.get(name, (name,)):
        with suppress(PackageNotFoundError):
            return version(package)
    return NOT_INSTALLED
