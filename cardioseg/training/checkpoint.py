"""Checkpoint: the resumable state of one fold. Its name contains its checksum, so it needs no other file."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cardioseg.errors import RefusedError
from cardioseg.files import sweep_partials, write_bytes

_NAME = re.compile(r"step-(\d{7})-([0-9a-f]{16})\.pt")
_KEPT = 2
_LIMIT_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Checkpoint:
    """The state that a run needs to resume exactly.

    Attributes:
        step: number of steps done.
        network: the network's state.
        optimizer: the optimizer's state.
        identity: a hash of recipe, seed, fold and data; it must be equal to resume.
    """

    step: int
    network: dict[str, Tensor]
    optimizer: dict[str, Any]
    identity: str


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint atomically, then remove all but the newest two; returns its path."""
    stream = io.BytesIO()
    torch.save(vars(checkpoint), stream)
    digest = sha256(stream.getvalue()).hexdigest()[:16]
    path = folder / f"step-{checkpoint.step:07d}-{digest}.pt"
    write_bytes(path, stream.getvalue())
    for old in _newest_first(folder)[_KEPT:]:
        old.unlink()
    return path


def load(path: Path) -> Checkpoint:
    """Read one checkpoint, after checking its bytes against its name.

    Raises:
        RefusedError: the bytes do not match the name, or are not a checkpoint.
    """
    content = path.read_bytes() if path.stat().st_size <= _LIMIT_BYTES else b""
    match = _NAME.fullmatch(path.name)
    if not match or sha256(content).hexdigest()[:16] != match[2]:
        raise RefusedError(f"{path}: its bytes do not match its name")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or state.keys() != Checkpoint.__annotations__.keys():
        raise RefusedError(f"{path} is not a cardioseg checkpoint")
    return Checkpoint(**state)


def newest(folder: Path) -> Checkpoint | None:
    """The newest valid checkpoint in `folder`, or None."""
    sweep_partials(folder)
    for path in _newest_first(folder):
        try:
            return load(path)
        except RefusedError:
            continue
    return None


def steps_done(folder: Path) -> int:
    """The step of the newest checkpoint in `folder` by its name; 0 without one."""
    return next((int(path.name.split("-")[1]) for path in _newest_first(folder)), 0)


def weights_sha256(network: Mapping[str, Tensor]) -> str:
    """Hex SHA-256 over every tensor's name and bytes: equal for equal weights in any file."""
    digest = sha256()
    for name, tensor in sorted(network.items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("step-*.pt") if _NAME.fullmatch(path.name)), reverse=True)
