"""Torch device: PyTorch, if it is installed, and the device that it uses."""

from typing import Any

from cardioseg.errors import ResourceError, UsageError


def require_torch() -> Any:  # noqa: ANN401 - a module
    """PyTorch, or how to install it."""
    try:
        import torch
    except ImportError:
        raise UsageError("PyTorch is not installed", "pip install 'cardioseg[train]'") from None
    return torch


def device_of(torch: Any, name: str) -> str:  # noqa: ANN401 - a module
    """The torch device that a name means."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ResourceError("PyTorch finds no CUDA device", "--device cpu")
    if name != "cpu" and not name.startswith("cuda"):
        raise UsageError(f"no device {name}", "auto, cpu, cuda or cuda:N")
    return name
